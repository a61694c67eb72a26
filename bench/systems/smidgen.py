"""smidgen, through its release binary, as a user runs it.

Errors and sizes are not taken on trust: the file is measured on disk, and the error is computed here
from what `smidgen predict` writes, by the same code as for the peers; the binary's own figure must agree.
"""

import hashlib
import json
import os
import resource
import subprocess
import tempfile
from pathlib import Path

# What `fit` exits with where a demand is not met.
UNMET = 1
BINARY = Path(os.environ.get("SMIDGEN_BINARY") or Path(__file__).resolve().parents[2] / "target" / "release" / "smidgen")

# How far the binary's error may lie from the one computed from its predictions, relative.
AGREEMENT = 1e-5


def version() -> str | None:
    """The binary's own version and the digest of its bytes; none if it is not built."""
    if not BINARY.is_file():
        return None
    said = subprocess.run([BINARY, "--version"], capture_output=True, text=True, check=False).stdout.split()
    digest = hashlib.sha256(BINARY.read_bytes()).hexdigest()
    return f"{said[-1] if said else 'unknown'}+{digest[:12]}"


def parameters(definition: dict, class_trees: str = "one_per_class") -> dict:
    """The peers grow a tree a class in every round; smidgen's own shape is `vector` (smidgen_vector.py).

    Without parameters in the definition: the defaults.
    """
    if "parameters" not in definition:
        return {}
    named = {f"gbdt.{name}": value for name, value in definition["parameters"].items()}
    # smidgen counts a bin for missing values apart: its 254 are the 255 of the peers.
    named["gbdt.max_bins"] = min(named["gbdt.max_bins"], 254)
    return {**named, "gbdt.class_trees": class_trees}


def measure(definition: dict, table: dict, folder) -> dict:
    return measure_with(parameters(definition), definition, table, folder)


def measure_with(settings: dict, definition: dict, table: dict, folder, budget: list = ("--work", "1")) -> dict:
    with tempfile.TemporaryDirectory() as scratch:
        return measure_in(Path(scratch), settings, definition, table, folder, list(budget))


def measure_in(scratch: Path, settings: dict, definition: dict, table: dict, folder: Path, budget: list) -> dict:
    model, test = scratch / "model.smidgen", folder / "test.csv"
    command = [BINARY, "fit", folder / "train.csv", "--target", table["target"], "--task", table["task"], *budget]
    for name, value in settings.items():
        command += ["--set", f"{name}={value}"]
    if settings:
        # One part held back instead of eight folds: the fit on all rows is what is timed, not the folds.
        command += ["--holdout", "0.2"]
    command += ["--seed", definition["seed"], "--jobs", definition["threads"], "--test", test, "--json", "-o", model]
    # Nothing large is imported before this line: Linux counts the parent's memory at the start into the child's peak.
    # Where what was demanded is not met, the model that comes nearest is written all the same.
    said = json.loads(run(command, UNMET))
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6

    measured = {
        "bytes": os.path.getsize(model),
        "train_s": (said.get("stages") or {}).get("train") or said.get("seconds"),
        "whole_s": said.get("seconds"),
        "rows_per_s": 1e9 / said["ns_per_row"] if said.get("ns_per_row") else None,
        "cost_ns": said.get("cost_ns"),
        "cost_ns_single": said.get("cost_ns_single"),
        "ns_single": said.get("ns_single"),
        "peak_mb": peak_mb,
        "base_mb": None,
        "error": error_of_file(scratch, model, table, folder),
    }
    claimed = said.get("score_test")
    if claimed is not None:
        claimed = 1 - claimed if table["task"] == "binary" else claimed
        if abs(claimed - measured["error"]) > AGREEMENT * measured["error"]:
            raise RuntimeError(f"fit says error {claimed}, its predictions have {measured['error']}")
    return measured


def error_of_file(scratch: Path, model: Path, table: dict, folder: Path) -> float:
    """The error of what `predict` writes for the test rows."""
    out = scratch / "predicted.csv"
    is_regression = table["task"] == "regression"
    run([BINARY, "predict", model, folder / "test.csv", "-o", out] + ([] if is_regression else ["--proba"]))

    import pandas as pd

    import tables

    _, target, _, truth = tables.frames(table, folder)
    predicted = pd.read_csv(out)
    if is_regression:
        return tables.error_of(table, [], truth, predicted["prediction"])
    classes = tables.classes_of(table, target)
    return tables.error_of(table, classes, truth, predicted[[f"p_{name}" for name in classes]].to_numpy())


def run(command: list, allowed: int = 0) -> str:
    """The standard output of a command; its errors become ours."""
    command = [str(part) for part in command]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, allowed):
        said = (done.stderr or done.stdout).strip()[-500:]
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}: {said}")
    return done.stdout
