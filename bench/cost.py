#!/usr/bin/env python3
"""Runs the benchmark `cost`: models of every kind are timed, in batches and row by row, and the nanoseconds of each operation follow.

`smidgen bench --json` counts the operations of a row and times a batch and single rows on one thread; costs are the non-negative numbers
whose sums come nearest to the times, by relative error, and a little by a rough guess. What was timed of one binary is kept in .cache.
"""

import csv
import datetime
import hashlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import tables
from systems import smidgen

BENCH = Path(__file__).resolve().parent
CACHE = BENCH / ".cache"
PYTHON = BENCH / ".venv" / "bin" / "python"
# A time is the least of so many runs: other programs only add to it.
RUNS = 2
# How far a cost may be off its guess: as much as one model that is off by this share.
PULL = 0.2


def main() -> int:
    if Path(sys.prefix).resolve() != PYTHON.parent.parent.resolve():
        os.execv(PYTHON, [PYTHON, __file__, *sys.argv[1:]])
    version = smidgen.version()
    if version is None:
        sys.exit("bench/cost.py: build it first: cargo build --release")
    definition = tomllib.loads((BENCH / "definitions" / "cost.toml").read_text())
    of = tomllib.loads((BENCH / "definitions" / f"{definition['tables_of']}.toml").read_text())
    data = tables.data_folder()
    rows = []
    for table in of["table"]:
        if table["name"] not in definition["tables"]["names"]:
            continue
        folder = tables.split(table, data, CACHE, definition["seed"])
        for recipe in definition["recipes"]:
            row = line(definition, table, recipe, folder, version)
            if row:
                rows.append(row)
    costs = fitted(rows, definition["guess"])
    for row in rows:
        row["cost_ns"], row["cost_ns_single"] = (
            sum(n * costs[name] for name, n in row[operations].items()) for operations in ("operations", "operations_single")
        )
    record(definition, rows, costs, version)
    return 0


def line(definition: dict, table: dict, recipe: list[str], folder: Path, version: str) -> dict | None:
    """A model and its time; none where the learner does not answer the task."""
    key = hashlib.sha256(json.dumps([version, table, recipe, definition["most_rows"]]).encode()).hexdigest()[:16]
    path = CACHE / "cost" / f"{table['name']}-{recipe[0]}-{key}.json"
    if path.exists():
        return json.loads(path.read_text())
    learner, settings, transforms = recipe
    with tempfile.TemporaryDirectory() as scratch:
        model, train = Path(scratch) / "model.smidgen", Path(scratch) / "train.csv"
        with (folder / "train.csv").open() as file:
            lines = file.readlines()[: definition["most_rows"] + 1]
        train.write_text("".join(lines))
        command = [smidgen.BINARY, "fit", train, "--target", table["target"], "--task", table["task"], "--json"]
        command += ["--work", "1", "--holdout", "0.2", "--calibrator", "none", "--learners", learner, "-o", model]
        for setting in settings.split():
            command += ["--set", f"{learner}.{setting}"]
        if transforms:
            command += ["--transforms", transforms]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = (done.stdout + done.stderr).strip().splitlines()[-1:]
            print(f"bench: {table['name']}: {' '.join(recipe)}: left out: {said}", file=sys.stderr, flush=True)
            return None
        runs = [json.loads(smidgen.run([smidgen.BINARY, "bench", model, train, "--json"])) for _ in range(RUNS)]
    row = {
        "table": table["name"],
        "recipe": "; ".join(part for part in recipe if part),
        "ns_per_row": min(said["ns_per_row"] for said in runs),
        "ns_single": min(said["ns_single"] for said in runs),
        "operations": runs[0]["operations"],
        "operations_single": runs[0]["operations_single"],
    }
    print(f"bench: {table['name']}: {row['recipe']}: {row['ns_per_row']:.0f} ns, {row['ns_single']:.0f} ns alone", file=sys.stderr, flush=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(row))
    return row


def fitted(rows: list[dict], guess: dict[str, float]) -> dict[str, float]:
    """Costs that explain the times: the least sum of squared relative errors, no cost below 0, drawn to a guess."""
    import numpy as np
    from scipy.optimize import nnls

    names = list(guess)
    timed = [(row[operations], row[time]) for row in rows for operations, time in (("operations", "ns_per_row"), ("operations_single", "ns_single"))]
    counts = np.array([[operations.get(name, 0.0) for name in names] for operations, _ in timed])
    times = np.array([time for _, time in timed])
    pull = PULL * np.diag([1 / cost for cost in guess.values()])
    costs, _ = nnls(np.vstack([counts / times[:, None], pull]), np.append(np.ones(len(timed)), PULL * np.ones(len(names))))
    return dict(zip(names, costs.tolist()))


def summed(rows: list[dict], what: str, cost: str, time: str) -> str:
    ratios = sorted(row[cost] / row[time] for row in rows)
    tenth = len(ratios) // 10
    return f"cost / time {what}: median {statistics.median(ratios):.2f}, 80 % of models in {ratios[tenth]:.2f}..{ratios[-1 - tenth]:.2f}"


def record(definition: dict, rows: list[dict], costs: dict[str, float], version: str) -> None:
    folder = BENCH / "record" / definition["name"]
    folder.mkdir(parents=True, exist_ok=True)
    today = datetime.date.today().isoformat()
    cpu = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), platform.processor())
    summary = "; ".join(summed(rows, *names) for names in (("in a batch", "cost_ns", "ns_per_row"), ("alone", "cost_ns_single", "ns_single")))
    with (folder / f"{today}.csv").open("w", newline="") as file:
        file.write(f"# smidgen: {version}\n# cpu: {cpu}\n# {summary}\n")
        writer = csv.writer(file, lineterminator="\n")
        numbers = ["ns_per_row", "cost_ns", "ns_single", "cost_ns_single"]
        writer.writerow(["table", "recipe", *numbers])
        for row in rows:
            writer.writerow([row["table"], row["recipe"], *(f"{row[name]:.1f}" for name in numbers)])
    table = {"cpu": cpu, "ns": {name: float(f"{ns:.3g}") for name, ns in costs.items()}}
    (folder / f"{today}.json").write_text(json.dumps(table, indent=2) + "\n")
    print(f"{summary}\n{json.dumps(table, indent=2)}")


if __name__ == "__main__":
    sys.exit(main())
