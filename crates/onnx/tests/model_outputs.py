"""Records what ONNX Runtime makes of the models that `models.rs` runs.

    pip install onnxruntime==1.32.0 numpy
    python crates/onnx/tests/model_outputs.py MODELS

MODELS holds a folder a model with its `model.onnx`. Inputs are made by a formula that the test has too, so the
records in `testdata/onnx` hold outputs alone.
"""

import pathlib
import sys

import numpy
import onnxruntime

# For each model the inputs: name, dtype, lengths, least and largest number.
CASES = {
    "cifar10_resnet_2b": [("input.1", "f32", [1, 3, 32, 32], -2.0, 2.0)],
    "mnist_cnn_cntk": [("Input3", "f32", [1, 1, 28, 28], 0.0, 255.0)],
    "silero_vad_16k": [
        ("input", "f32", [3, 576], -0.5, 0.5),
        ("state", "f32", [2, 3, 128], -0.25, 0.25),
        ("sr", "i64", [], 16000, 16000),
    ],
}


def numbers(dtype, lengths, least, most):
    """Numbers that look random, spread evenly from the least to the largest."""
    n = int(numpy.prod(lengths))
    shares = (numpy.arange(n, dtype=numpy.int64) * 7919 % 10007) / 10007
    values = least + shares * (most - least)
    kind = {"f32": numpy.float32, "i64": numpy.int64}[dtype]
    return values.astype(kind).reshape(lengths)


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    here = pathlib.Path(__file__).parent.parent.parent.parent / "testdata" / "onnx"
    for name, inputs in CASES.items():
        session = onnxruntime.InferenceSession(str(pathlib.Path(sys.argv[1]) / name / "model.onnx"))
        feeds = {i[0]: numbers(*i[1:]) for i in inputs}
        outputs = session.run(None, feeds)
        lines = [f"# Outputs of ONNX Runtime {onnxruntime.__version__}, written by crates/onnx/tests/model_outputs.py."]
        for input_name, dtype, lengths, least, most in inputs:
            lines.append(f"input {input_name} {dtype} {','.join(map(str, lengths)) or '-'} {least} {most}")
        for info, output in zip(session.get_outputs(), outputs):
            values = " ".join(repr(float(v)) for v in output.ravel())
            lines.append(f"output {info.name} {','.join(map(str, output.shape)) or '-'} {values}")
        (here / f"{name}.txt").write_text("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
