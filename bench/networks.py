#!/usr/bin/env python3
"""Runs the benchmark `networks`: how long a row takes in `smidgen bench` and in ONNX Runtime, on one thread.

Both are timed in turns on the same inputs' shapes, three times; medians and their ratio are shown.

    pip install onnxruntime==1.32.0 numpy==2.3.4
    cargo build --release
    bench/networks.py
"""

import csv
import datetime
import json
import statistics
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import numpy
import onnxruntime

import tables
from systems import smidgen

BENCH = Path(__file__).resolve().parent
ROUNDS = 3


def main() -> int:
    version = smidgen.version()
    if version is None:
        sys.exit("bench/networks.py: build it first: cargo build --release")
    definition = tomllib.loads((BENCH / "definitions" / "networks.toml").read_text())
    folder = tables.data_folder().parent / "models"
    rows = []
    for name in definition["models"]:
        path = folder / name / "model.onnx"
        ours, theirs = [], []
        for _ in range(ROUNDS):
            said = subprocess.run([smidgen.BINARY, "bench", path, "--json"], check=True, capture_output=True)
            timed = json.loads(said.stdout)
            ours.append((timed["ns_per_row"], timed["ns_single"]))
            theirs.append(peer(path, definition))
        median = lambda of, at: statistics.median(t[at] for t in of)
        rows.append(
            {
                "model": name,
                "ns_per_row": round(median(ours, 0)),
                "ns_per_row_ort": round(median(theirs, 0)),
                "ratio": round(median(ours, 0) / median(theirs, 0), 2),
                "ns_single": round(median(ours, 1)),
                "ns_single_ort": round(median(theirs, 1)),
                "ratio_single": round(median(ours, 1) / median(theirs, 1), 2),
            }
        )
    widths = {key: max(len(key), *(len(str(row[key])) for row in rows)) for key in rows[0]}
    for line in [dict(zip(rows[0], rows[0]))] + rows:
        print("  ".join(str(line[key]).rjust(width) for key, width in widths.items()))
    record = BENCH / "record" / "networks" / f"{datetime.date.today()}.csv"
    record.parent.mkdir(parents=True, exist_ok=True)
    with record.open("w", newline="") as out:
        out.write(f"# smidgen {version}; onnxruntime {onnxruntime.__version__}; one thread; medians of {ROUNDS}\n")
        writer = csv.DictWriter(out, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    print(f"bench: record {record.relative_to(BENCH.parent)}", file=sys.stderr)
    return 0 if all(row["ratio"] <= definition["limit"] for row in rows) else 1


def peer(path: Path, definition: dict) -> tuple[float, float]:
    """Nanoseconds a row of ONNX Runtime: in batch (where the model allows one) and alone."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    [port] = session.get_inputs()
    fixed = isinstance(port.shape[0], int)

    def timed(n: int) -> float:
        n = port.shape[0] if fixed else n
        rows = numpy.zeros([n, *port.shape[1:]], numpy.float32)
        session.run(None, {port.name: rows})
        passes, start = [], time.perf_counter()
        while len(passes) < 5 or time.perf_counter() - start < definition["seconds"] / 2:
            before = time.perf_counter_ns()
            session.run(None, {port.name: rows})
            passes.append((time.perf_counter_ns() - before) / n)
        return statistics.median(passes)

    return timed(definition["batch"]), timed(1)


if __name__ == "__main__":
    sys.exit(main())
