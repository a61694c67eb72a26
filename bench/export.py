#!/usr/bin/env python3
"""Runs the benchmark `export`: models as ONNX, run by ONNX Runtime on all rows, beside what `smidgen predict` says.

Each line is a learner on a table: labels that differ, and the largest difference of a probability (in steps of single
precision too) or of a value. Models of one binary are kept in .cache, so an interrupted run goes on where it stopped.

    pip install onnxruntime==1.32.0 numpy==2.3.4
    cargo build --release -p smidgen-onnx --example export
    bench/export.py                      # everything
    bench/export.py gbdt,knn abalone     # some learners, some tables
"""

import csv
import datetime
import hashlib
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy
import onnxruntime

import tables
from systems import smidgen

BENCH = Path(__file__).resolve().parent
CACHE = BENCH / ".cache" / "export"
EXPORT = Path(os.environ.get("SMIDGEN_EXPORT") or BENCH.parent / "target" / "release" / "examples" / "export")
COLUMNS = ["table", "learner", "steps_and_settings", "rows", "labels_differ", "probability", "float_steps", "value", "onnx_bytes", "smidgen_bytes", "refused"]


def main() -> int:
    version = smidgen.version()
    if version is None or not EXPORT.is_file():
        sys.exit("bench/export.py: build first: cargo build --release, and -p smidgen-onnx --example export")
    definition = tomllib.loads((BENCH / "definitions" / "export.toml").read_text())
    known = {table["name"]: table for table in definition["table"]}
    learners = set(sys.argv[1].split(",")) if len(sys.argv) > 1 else None
    names = set(sys.argv[2].split(",")) if len(sys.argv) > 2 else None
    lines, bad = [], 0
    for case in definition["case"]:
        for name in case["tables"]:
            for learner in case["learners"]:
                if (learners and learner not in learners) or (names and name not in names):
                    continue
                if not answers(learner, known[name]["task"]):
                    continue
                for transform in case.get("each_transform", [""]):
                    line = measured(definition, known[name], case, learner, transform, version)
                    lines.append(line)
                    bad += is_bad(line, case)
                    print("  ".join(str(line[c]) for c in COLUMNS), flush=True)
    record(definition, lines, version, whole=not (learners or names))
    print(f"{len(lines)} lines, {bad} not as expected")
    return 1 if bad else 0


def answers(learner: str, task: str) -> bool:
    """Cases name learners of both kinds of task."""
    only = {"logistic": "class", "ridge": "value"}.get(learner)
    return only is None or only == ("value" if task == "regression" else "class")


def is_bad(line: dict, case: dict) -> bool:
    if "refused" in case:
        return line["refused"] != case["refused"]
    return bool(line["refused"]) or bool(line["labels_differ"]) or (line["float_steps"] or 0) > 1 or (line["value"] or 0) > 1e-12


def measured(definition: dict, table: dict, case: dict, learner: str, transform: str, version: str) -> dict:
    data = tables.data_folder() / table["name"] / table["data"]
    drop = table.get("drop", []) + case.get("drop", [])
    command = ["fit", data, "--target", table["target"], "--task", table["task"], "--learners", learner, "--work", "1"]
    command += ["--holdout", "0.2", "--seed", definition["seed"], "--jobs", definition["threads"], "--quiet"]
    command += ["--drop", ",".join(drop)] if drop else []
    command += ["--transforms", transform] if transform else []
    for value in case.get("set", []):
        command += ["--set", value]
    command += case.get("args", [])
    command = [str(part) for part in command]
    key = hashlib.sha256(json.dumps([version, command]).encode()).hexdigest()[:16]
    folder = CACHE / f"{table['name']}-{learner}-{key}"
    model, said, onnx = folder / "model.smidgen", folder / "said.csv", folder / "model.onnx"
    if not said.exists():
        folder.mkdir(parents=True, exist_ok=True)
        run([smidgen.BINARY, *command, "-o", model])
        proba = [] if table["task"] == "regression" else ["--proba"]
        run([smidgen.BINARY, "predict", model, data, "--quiet", *proba, "-o", folder / "unfinished.csv"])
        (folder / "unfinished.csv").rename(said)
    settings = " ".join([transform, *case.get("set", []), *case.get("args", [])]).strip()
    line = dict.fromkeys(COLUMNS) | {"table": table["name"], "learner": learner, "steps_and_settings": settings}
    line["smidgen_bytes"] = model.stat().st_size
    exported = subprocess.run([EXPORT, model, onnx], capture_output=True, text=True, check=False)
    if exported.returncode:
        # onnx export: node "x" (Operator): ..
        line["refused"] = exported.stderr.split("(", 1)[-1].split(")", 1)[0]
        return line
    line["onnx_bytes"] = onnx.stat().st_size
    return line | compared(onnx, data, said, table, definition)


def compared(onnx: Path, data: Path, said: Path, table: dict, definition: dict) -> dict:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = definition["threads"]
    session = onnxruntime.InferenceSession(str(onnx), options)
    header, *rows = tables.rows_of(data)
    feeds = columns(session, header, rows)
    names = [output.name for output in session.get_outputs()]
    made = []
    for first in range(0, len(rows), definition["batch"]):
        part = {name: values[first : first + definition["batch"]] for name, values in feeds.items()}
        made.append(session.run(names, part))
    made = {name: numpy.concatenate(parts) for name, parts in zip(names, zip(*made))}
    said_header, *said_rows = tables.rows_of(said)
    assert len(said_rows) == len(rows), f"{said}: {len(said_rows)} rows for {len(rows)}"
    found = {"rows": len(rows)}
    if table["task"] == "regression":
        expected = numpy.array([float(row[0]) for row in said_rows])
        scale = numpy.maximum(numpy.abs(expected), 1.0)
        found["value"] = float((numpy.abs(made["value"] - expected) / scale).max())
        return found
    labels = made["label"]
    found["labels_differ"] = sum(str(label) != row[0] for label, row in zip(labels, said_rows))
    at = [i for i, name in enumerate(said_header) if name.startswith("p_")]
    expected = numpy.array([[row[i] for i in at] for row in said_rows], dtype=numpy.float32)
    given = made["probabilities"]
    assert given.dtype == numpy.float32 and not numpy.isnan(given).any()
    found["probability"] = float(numpy.abs(given.astype(float) - expected.astype(float)).max())
    # Positive floats are as far apart as their bits.
    found["float_steps"] = int(numpy.abs(given.view(numpy.int32).astype(int) - expected.view(numpy.int32).astype(int)).max())
    return found


def columns(session, header: list[str], rows: list[list[str]]) -> dict:
    """The table as the exported model takes it; what a column means stands in the file's metadata."""
    said = session.get_modelmeta().custom_metadata_map
    missing = set(tables.MISSING) | {v for k, v in said.items() if k.startswith("smidgen.missing.")}
    feeds = {}
    for info in session.get_inputs():
        at = header.index(info.name)
        cells = [row[at].strip(" \t\n\v\f\r") for row in rows]
        kind = said[f"smidgen.input.{info.name}"]
        if info.type == "tensor(double)":
            feeds[info.name] = numpy.array([float("nan") if cell in missing else float(cell) for cell in cells])
        else:
            spelt = {"category i64": lambda c: str(int(float(c))), "category f64": shortest}.get(kind, str)
            feeds[info.name] = numpy.array(["" if cell in missing else spelt(cell) for cell in cells], dtype=object)
    return feeds


def shortest(cell: str) -> str:
    try:
        return numpy.format_float_positional(float(cell), trim="-")
    except ValueError:
        return cell


def run(command: list) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"bench/export.py: {' '.join(map(str, command))}: {done.stderr.strip()}")


def record(definition: dict, lines: list[dict], version: str, whole: bool) -> None:
    """Part of the lines is shown, never recorded."""
    if not whole:
        return
    path = BENCH / "record" / "export" / f"{datetime.date.today()}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        file.write(f"# seed: {definition['seed']}\n# smidgen: {version}\n# onnxruntime: {onnxruntime.__version__}\n")
        out = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        out.writeheader()
        out.writerows({name: "" if value is None else value for name, value in line.items()} for line in lines)


if __name__ == "__main__":
    sys.exit(main())
