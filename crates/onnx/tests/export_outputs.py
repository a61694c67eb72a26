"""Records what ONNX Runtime makes of the models that `export.rs` exports.

    pip install onnxruntime==1.32.0 numpy
    SMIDGEN_EXPORT_CASES=DIR cargo test -p smidgen-onnx --test export onnx_runtime
    python crates/onnx/tests/export_outputs.py DIR

The first command writes models and rows to DIR (and fails while the record is another), the second the record.
"""

import pathlib
import sys

import numpy
import onnxruntime

KINDS = {
    "double": lambda cells: numpy.array([float(c) for c in cells]),
    "int64": lambda cells: numpy.array([int(c) for c in cells], dtype=numpy.int64),
    "string": lambda cells: numpy.array(cells, dtype=object),
}


def spelt(output) -> str:
    if output.dtype.kind in "OU":
        return "\t".join(["texts", *map(str, output.ravel())])
    # Every float is a double, and its shortest spelling reads back to it.
    return "\t".join(["numbers", *(repr(float(v)) for v in output.ravel())])


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    record = pathlib.Path(__file__).parent.parent.parent.parent / "testdata" / "onnx" / "export.txt"
    lines = [f"# Outputs of ONNX Runtime {onnxruntime.__version__}, written by crates/onnx/tests/export_outputs.py."]
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.txt")):
        case, *inputs = [line.split("\t") for line in path.read_text().split("\n") if line]
        feeds = {name: KINDS[kind](cells) for _, name, kind, *cells in inputs}
        session = onnxruntime.InferenceSession(str(path.with_suffix(".onnx")))
        asked = {i.name for i in session.get_inputs()}
        lines.append("\t".join(case))
        lines += [spelt(output) for output in session.run(None, {k: v for k, v in feeds.items() if k in asked})]
    record.write_text("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
