"""Puts the node tests of the ONNX package into a folder, for the runner `conformance.rs`.

    python -m venv .venv && .venv/bin/pip install onnx==1.22.0
    .venv/bin/python crates/onnx/tests/node_tests.py FOLDER
    SMIDGEN_ONNX_NODE_TESTS=FOLDER cargo test -p smidgen-onnx --test conformance

Later versions of the package no longer carry these tests, so the version is pinned.
"""

import pathlib
import shutil
import sys

import onnx

VERSION = "1.22.0"


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    if onnx.__version__ != VERSION:
        print(f"node_tests.py: expected onnx {VERSION}, got {onnx.__version__}; install onnx=={VERSION}", file=sys.stderr)
        return 2
    source = pathlib.Path(onnx.__file__).parent / "backend" / "test" / "data" / "node"
    target = pathlib.Path(sys.argv[1])
    shutil.copytree(source, target, dirs_exist_ok=True)
    print(f"{sum(1 for _ in target.iterdir())} tests in {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
