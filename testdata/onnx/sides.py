"""Writes sides.onnx, which side of a triangle is the longest, of two inputs, and warm.onnx, which takes a number for all
rows besides. Needs the package onnx."""

import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
SIDES = [("two", [None, 2]), ("third", [None, 1])]


def write(name, inputs, nodes):
    axes = lambda dims: [n or "N" for n in dims]
    graph = helper.make_graph(
        [helper.make_node("Concat", ["two", "third"], ["all"], axis=1), *nodes],
        name,
        [helper.make_tensor_value_info(port, TensorProto.FLOAT, axes(dims)) for port, dims in inputs],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 3])],
        [numpy_helper.from_array(np.eye(3, dtype=np.float32) * 4, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    with open(os.path.join(HERE, f"{name}.onnx"), "wb") as out:
        out.write(model.SerializeToString(deterministic=True))


product = helper.make_node("MatMul", ["all", "weights"], ["logits"])
write("sides", SIDES, [product])
product = helper.make_node("MatMul", ["all", "weights"], ["cold"])
write("warm", [*SIDES, ("heat", [])], [product, helper.make_node("Mul", ["cold", "heat"], ["logits"])])
