"""Writes bars.onnx: which of three bars stands in an image of 4 x 4 grey pixels. Needs the package onnx."""

import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))

pictures = np.zeros((3, 4, 4), np.float32)
pictures[0, 1, :] = 1  # lying
pictures[1, :, 2] = 1  # standing
pictures[2, range(4), range(4)] = 1  # leaning
weights = (pictures.reshape(3, 16) - pictures.reshape(3, 16).mean(axis=0)) * 4

graph = helper.make_graph(
    [
        helper.make_node("Flatten", ["image"], ["flat"], "flatten"),
        helper.make_node("Gemm", ["flat", "weights", "bias"], ["logits"], "match", transB=1),
    ],
    "bars",
    [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, 4, 4])],
    [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 3])],
    [
        numpy_helper.from_array(weights, "weights"),
        numpy_helper.from_array(np.array([0.5, 0.25, 0], np.float32), "bias"),
    ],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
onnx.checker.check_model(model)
with open(os.path.join(HERE, "bars.onnx"), "wb") as out:
    out.write(model.SerializeToString(deterministic=True))
