"""Writes a network into a folder of its own, with inputs and what ONNX Runtime makes of them.

    NAME/model.onnx
    NAME/test_data_set_K/input_I.pb, output_I.pb    as the node tests of ONNX have them
    NAME/inputs.npz                                 the inputs of set 0 by name, for `smidgen bench`
"""

import argparse
import pathlib

import numpy
import onnx
import onnxruntime
from onnx import numpy_helper

# What is only told to people: notes of the exporter, and shapes of values in between.
NOTES = ("doc_string", "metadata_props")


def arguments(doc):
    """The folder, and whether networks are to be of few units."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--slim", action="store_true", help="few units and few channels, for testdata/onnx/networks")
    return parser.parse_args()


def write(folder, name, model, sets, slim):
    """Writes a model and its sets of inputs by name, and runs it on each."""
    if slim:
        forget(model.graph)
        for function in model.functions:
            for node in function.node:
                bare(node)
        bare(model)
        if not model.functions:
            kept = {value.name for value in [*model.graph.input, *model.graph.output]}
            rename(model.graph, {"": ""} | {name: name for name in kept})
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    path = place / "model.onnx"
    path.write_bytes(model.SerializeToString())
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for number, inputs in enumerate(sets):
        data = place / f"test_data_set_{number}"
        data.mkdir(exist_ok=True)
        for at, info in enumerate(session.get_inputs()):
            put(data / f"input_{at}.pb", info.name, inputs[info.name])
        for at, (info, output) in enumerate(zip(session.get_outputs(), session.run(None, inputs))):
            put(data / f"output_{at}.pb", info.name, output)
    if not slim:
        numpy.savez(place / "inputs.npz", **sets[0])
    opset = next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
    operators = sorted({node.op_type for node in model.graph.node})
    print(f"{name}: opset {opset}, {path.stat().st_size} bytes, {' '.join(operators)}")


def put(path, name, array):
    path.write_bytes(numpy_helper.from_array(numpy.asarray(array), name).SerializeToString())


def bare(message):
    for note in NOTES:
        if note in message.DESCRIPTOR.fields_by_name:
            message.ClearField(note)


def rename(graph, names):
    """Short names for values, those of graphs inside too; nodes go without."""
    short = lambda name: names.setdefault(name, f"v{len(names)}")
    for value in [*graph.input, *graph.output, *graph.initializer]:
        value.name = short(value.name)
    for node in graph.node:
        node.ClearField("name")
        node.input[:] = [short(name) for name in node.input]
        node.output[:] = [short(name) for name in node.output]
        for attribute in node.attribute:
            if attribute.HasField("g"):
                rename(attribute.g, names)


def forget(graph):
    """Takes out what no runtime needs, of the graphs inside too."""
    graph.ClearField("value_info")
    bare(graph)
    for message in [*graph.initializer, *graph.input, *graph.output, *graph.node]:
        bare(message)
    for node in graph.node:
        for attribute in node.attribute:
            bare(attribute)
            if attribute.HasField("g"):
                forget(attribute.g)
