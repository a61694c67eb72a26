"""What AutoML systems share: each runs in an environment of its own, whose libraries are other than those here."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

import tables

BENCH = Path(__file__).resolve().parents[1]
PYTHON = Path(os.environ.get("AUTOML_PYTHON") or BENCH / ".venv-automl" / "bin" / "python")


def version(package: str) -> str | None:
    """The installed version of a package; none if it is not there."""
    if not PYTHON.exists():
        return None
    asked = f"from importlib.metadata import version; print(version({package!r}))"
    done = subprocess.run([PYTHON, "-c", asked], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def parameters(definition: dict) -> dict:
    return {name: definition[name] for name in ("seconds", "threads", "seed", "min_timed_rows", "passes")}


def measure(system: str, definition: dict, table: dict, folder: Path) -> dict:
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "predicted.npy"
        order = parameters(definition) | {"table": table, "folder": str(folder), "out": str(out)}
        command = [str(part) for part in (PYTHON, BENCH / "automl_peer.py", system, json.dumps(order))]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=scratch)
        if done.returncode != 0:
            raise RuntimeError(f"exit {done.returncode}: {done.stderr.strip()[-500:]}")
        said = json.loads(done.stdout.splitlines()[-1])

        import numpy as np

        predicted = np.load(out)
    _, target, _, truth = tables.frames(table, folder)
    classes = []
    if table["task"] != "regression":
        classes = tables.classes_of(table, target)
        predicted = predicted[:, [said["classes"].index(str(name)) for name in classes]]
    measured = {name: said[name] for name in ("whole_s", "bytes", "peak_mb", "rows_per_s")}
    measured["error"] = tables.error_of(table, classes, truth, predicted)
    return measured | {"train_s": said["whole_s"], "base_mb": None}
