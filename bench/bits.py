#!/usr/bin/env python3
"""Runs the benchmark `bits`: how many points of the score are lost by leaves of few bits.

`smidgen fit` says both scores: that of the integers and that of the same recipe in floats, on the same folds.
What was measured of one binary is kept in .cache, so an interrupted run goes on where it stopped.
"""

import csv
import datetime
import hashlib
import json
import os
import statistics
import sys
import tempfile
import tomllib
from pathlib import Path

import tables
from systems import smidgen

BENCH = Path(__file__).resolve().parent
CACHE = BENCH / ".cache"


def main() -> int:
    version = smidgen.version()
    if version is None:
        sys.exit("bench/bits.py: build it first: cargo build --release")
    definition = tomllib.loads((BENCH / "definitions" / "bits.toml").read_text())
    of = tomllib.loads((BENCH / "definitions" / f"{definition['tables_of']}.toml").read_text())
    data = tables.data_folder()
    only = set(sys.argv[1].split(",")) if len(sys.argv) > 1 else None
    rows = []
    for table in of["table"]:
        if only and table["name"] not in only:
            continue
        # All that the training part has; its test rows are not needed.
        folder = tables.split(table, data, CACHE, definition["seed"])
        rows += [line(definition, table, bits, folder / "train.csv", version) for bits in definition["bits"]]
    show(definition, rows)
    record(definition, rows, version, whole=only is None)
    return 0


def line(definition: dict, table: dict, bits: int, train: Path, version: str) -> dict:
    """One line of the record, from the cache if it is there."""
    parts = [version, definition["fit"], definition["folds"], definition["seed"], table, bits]
    key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
    path = CACHE / "bits" / f"{table['name']}-{bits}-{key}.json"
    if path.exists():
        return json.loads(path.read_text())
    print(f"bench: {table['name']}: {bits} bits", file=sys.stderr, flush=True)
    metric = definition["metric"][table["task"]]
    with tempfile.TemporaryDirectory() as scratch:
        model = Path(scratch) / "model.smidgen"
        command = [smidgen.BINARY, "fit", train, "--target", table["target"], "--task", table["task"], "--json"]
        command += ["--work", "1", "--folds", definition["folds"], "--seed", definition["seed"], "-o", model]
        command += ["--jobs", definition["threads"], "--metric", metric, "--set", f"gbdt.leaf_bits={bits}"]
        for name, value in definition["fit"].items():
            command += ["--set", f"{name}={value}"]
        said = json.loads(smidgen.run(command))
        row = {"table": table["name"], "metric": metric, "bits": bits, "bytes": os.path.getsize(model)}
    integers, floats = said["score_oof"], said["score_float"]
    row |= {"integers": integers, "floats": floats, "drop": 100 * (floats - integers)}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(row))
    return row


def medians(definition: dict, rows: list[dict]) -> dict[int, float]:
    """The median drop over the tables, by bits."""
    of = {bits: [row["drop"] for row in rows if row["bits"] == bits] for bits in definition["bits"]}
    return {bits: statistics.median(drops) for bits, drops in of.items() if drops}


def show(definition: dict, rows: list[dict]) -> None:
    """Points lost and bytes: a table a line, bits a column."""
    print("points lost by integers (bytes)")
    print("".ljust(24) + "".join(f"{bits} bits".rjust(20) for bits in definition["bits"]))
    for name in dict.fromkeys(row["table"] for row in rows):
        cells = [f"{row['drop']:.3f} ({row['bytes']:,})".rjust(20) for row in rows if row["table"] == name]
        print(name.ljust(24) + "".join(cells))
    print("median".ljust(24) + "".join(f"{drop:.3f}".rjust(20) for drop in medians(definition, rows).values()))


def record(definition: dict, rows: list[dict], version: str, whole: bool) -> None:
    folder = (BENCH / "record" if whole else CACHE / "partial") / definition["name"]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{datetime.date.today().isoformat()}.csv"
    with path.open("w", newline="") as file:
        for key in ("seed", "folds", "fit"):
            file.write(f"# {key}: {json.dumps(definition[key])}\n")
        file.write(f"# smidgen: {version}\n")
        for bits, drop in medians(definition, rows).items():
            file.write(f"# median drop at {bits} bits: {drop:.4f} points\n")
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({name: f"{cell:.6g}" if isinstance(cell, float) else cell for name, cell in row.items()})
    print(f"\nbench: written: {path.relative_to(BENCH.parent)}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
