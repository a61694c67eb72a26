#!/usr/bin/env python3
"""Runs the benchmark `transforms`: trees and a linear model on columns as they are and transformed.

Trees: `smidgen fit` with the steps, the error on the test rows, and the bytes of the file.
Linear: `smidgen prepare` makes the columns, scikit-learn fits logistic regression or ridge to them.
What was measured of one binary is kept in .cache, so an interrupted run goes on where it stopped.
"""

import csv
import datetime
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import tables

BENCH = Path(__file__).resolve().parent
CACHE = BENCH / ".cache"
PYTHON = BENCH / ".venv" / "bin" / "python"


def main() -> int:
    if not PYTHON.exists():
        sys.exit("bench/transforms.py: there is no bench/.venv; run bench/setup.sh first")
    if Path(sys.prefix).resolve() != PYTHON.parent.parent.resolve():
        os.execv(PYTHON, [PYTHON, __file__, *sys.argv[1:]])
    from systems import smidgen

    version = smidgen.version()
    if version is None:
        sys.exit("bench/transforms.py: build it first: cargo build --release")
    definition = tomllib.loads((BENCH / "definitions" / "transforms.toml").read_text())
    data = tables.data_folder()
    only = set(sys.argv[1].split(",")) if len(sys.argv) > 1 else None
    rows = []
    for table in definition["table"]:
        if only and table["name"] not in only:
            continue
        folder = split(table, data, definition)
        for group in definition["group"]:
            for learner in group.get("learners", ["trees", "linear"]):
                rows.append(line(definition, table, group, learner, folder, version))
    ratios(rows)
    show(rows)
    record(definition, rows, version, whole=only is None)
    return 1 if any(row["error"] is None for row in rows) else 0


def split(table: dict, data: Path, definition: dict) -> Path:
    """The rows of a table, thinned and with rare classes merged, cut by `tables.split`."""
    if not table.keys() & {"every", "merge", "drop"}:
        return tables.split(table | {"test_share": definition["test_share"]}, data, CACHE, definition["seed"])
    thinned = CACHE / "thinned" / table["name"]
    thinned.mkdir(parents=True, exist_ok=True)
    header, *rows = tables.rows_of(data / table["name"] / table["data"])
    kept = [at for at, name in enumerate(header) if name not in table.get("drop", [])]
    target = header.index(table["target"])
    for row in rows:
        row[target] = table.get("merge", {}).get(row[target], row[target])
    rows = [row for row in rows if row[target] not in tables.MISSING][:: table.get("every", 1)]
    with (thinned / "data.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([[row[at] for at in kept] for row in [header, *rows]])
    cut = {"name": f"{table['name']}-thinned", "data": "data.csv", "test_share": definition["test_share"]}
    (CACHE / "thinned" / cut["name"]).mkdir(exist_ok=True)
    (thinned / "data.csv").rename(CACHE / "thinned" / cut["name"] / "data.csv")
    return tables.split(cut, CACHE / "thinned", CACHE, definition["seed"])


def line(definition: dict, table: dict, group: dict, learner: str, folder: Path, version: str) -> dict:
    """One line of the record, from the cache if it is there."""
    settings = definition["fit" if learner == "trees" else "linear"]
    parts = [version, settings, table, group, learner, definition["seed"]]
    key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
    path = CACHE / "transforms" / f"{table['name']}-{learner}-{key}.json"
    if path.exists():
        return json.loads(path.read_text())
    print(f"bench: {table['name']}: {learner}: {group['name']}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        run = trees if learner == "trees" else linear
        try:
            measured = run(Path(scratch), definition, table, group, folder)
        except RuntimeError as error:
            return {"table": table["name"], "learner": learner, "kind": group["kind"], "group": group["name"], "error": None, "bytes": None, "columns": None, "why": str(error)}
    row = {"table": table["name"], "learner": learner, "kind": group["kind"], "group": group["name"]} | measured
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(row))
    return row


def steps(group: dict, before=(), after=()) -> list:
    names = [*before, *group["steps"], *after]
    words = ["--transforms", ",".join(names)] if names else []
    for setting in group.get("set", []):
        words += ["--set", setting]
    return words


def trees(scratch: Path, definition: dict, table: dict, group: dict, folder: Path) -> dict:
    from systems import smidgen

    model = scratch / "model.smidgen"
    command = [smidgen.BINARY, "fit", folder / "train.csv", "--target", table["target"], "--json", "-o", model]
    command += ["--work", "1", "--folds", definition["fit"]["folds"], "--jobs", definition["threads"]]
    command += ["--seed", definition["seed"], "--task", table["task"]]
    for name, value in definition["fit"].items():
        if "." in name:
            command += ["--set", f"{name}={value}"]
    said = json.loads(smidgen.run(command + steps(group)))
    error = smidgen.error_of_file(scratch, model, table, folder)
    return {"error": error, "bytes": os.path.getsize(model), "columns": None, "oof": said["score_oof"]}


def linear(scratch: Path, definition: dict, table: dict, group: dict, folder: Path) -> dict:
    import numpy as np
    import pandas as pd
    from sklearn.linear_model import LogisticRegression, Ridge

    from systems import smidgen

    chain = steps(group, definition["linear"]["before"], definition["linear"]["after"])
    model, made = scratch / "made.smidgen", {}
    smidgen.run([smidgen.BINARY, "prepare", folder / "train.csv", "--target", table["target"], "-o", model, *chain])
    for part in ("train", "test"):
        out = scratch / f"{part}.csv"
        smidgen.run([smidgen.BINARY, "predict", model, folder / f"{part}.csv", "-o", out])
        made[part] = np.clip(pd.read_csv(out).fillna(0.0).to_numpy(), -1e6, 1e6)
    _, target, _, truth = tables.frames(table, folder)
    if table["task"] == "regression":
        predicted = Ridge(alpha=1.0).fit(made["train"], target).predict(made["test"])
        return {"error": tables.error_of(table, [], truth, predicted), "bytes": None, "columns": made["train"].shape[1]}
    classes = tables.classes_of(table, target)
    fitted = LogisticRegression(max_iter=2000).fit(made["train"], target.astype(str))
    order = [list(fitted.classes_).index(str(name)) for name in classes]
    predicted = fitted.predict_proba(made["test"])[:, order]
    return {"error": tables.error_of(table, classes, truth, predicted), "bytes": None, "columns": made["train"].shape[1]}


def ratios(rows: list[dict]) -> None:
    """Each error and size divided by that of the columns as they are."""
    plain = {(row["table"], row["learner"]): row for row in rows if row["kind"] == "none"}
    for row in rows:
        base = plain[row["table"], row["learner"]]
        for name in ("error", "bytes"):
            known = row.get(name) is not None and base.get(name)
            row[f"{name}_ratio"] = row[name] / base[name] if known else None


def shown(value) -> str:
    if value is None:
        return ""
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def show(rows: list[dict]) -> None:
    """Error ratios: a group a line, a table a column, trees and linear apart."""
    names = list(dict.fromkeys(row["table"] for row in rows))
    for learner in ("trees", "linear"):
        print(f"\n{learner}: error / error of the columns as they are" + (" (bytes / bytes)" if learner == "trees" else ""))
        print("".ljust(40) + "".join(name[:18].rjust(20) for name in names))
        for group in dict.fromkeys(row["group"] for row in rows if row["learner"] == learner):
            cells = []
            for name in names:
                found = [row for row in rows if (row["table"], row["learner"], row["group"]) == (name, learner, group)]
                row = found[0] if found else {}
                cell = "failed" if row.get("error") is None else f"{row['error_ratio']:.3f}"
                if row.get("bytes_ratio"):
                    cell += f" ({row['bytes_ratio']:.2f})"
                cells.append(cell.rjust(20))
            print(group[:38].ljust(40) + "".join(cells))
    for row in rows:
        if row["error"] is None:
            print(f"bench: PROBLEM: {row['table']}: {row['learner']}: {row['group']}: {row['why']}", file=sys.stderr)


def record(definition: dict, rows: list[dict], version: str, whole: bool) -> None:
    today = datetime.date.today().isoformat()
    folder = (BENCH / "record" if whole else CACHE / "partial") / definition["name"]
    folder.mkdir(parents=True, exist_ok=True)
    columns = ["table", "learner", "kind", "group", "error", "error_ratio", "bytes", "bytes_ratio", "columns", "oof"]
    with (folder / f"{today}.csv").open("w", newline="") as file:
        for key in ("seed", "test_share", "fit", "linear"):
            file.write(f"# {key}: {json.dumps(definition[key])}\n")
        file.write(f"# smidgen: {version}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow([shown(row.get(column)) for column in columns])
    print(f"\nbench: written: {(folder / f'{today}.csv').relative_to(BENCH.parent)}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
