#!/usr/bin/env python3
"""Runs the benchmark `networks`: smidgen beside ONNX Runtime, rten and tract, on one thread and on two.

Systems are timed in turns on the same inputs; medians of the rounds count. Each measurement is a process of its own,
whose peak of memory is looked up while it runs. tract's Python has no threads: it is timed on one alone.

    pip install onnxruntime==1.32.0 numpy==2.3.4 tract==0.23.9
    cargo build --release && cargo build --release --manifest-path bench/rten/Cargo.toml
    bench/networks.py --made FOLDER                # FOLDER of torch_networks.py and keras_networks.py
    bench/networks.py mnist_cnn_cntk --rounds 1    # some networks, once
"""

import argparse
import csv
import datetime
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

import tables
from systems import smidgen

BENCH = Path(__file__).resolve().parent
RTEN = BENCH / "rten" / "target" / "release" / "smidgen-bench-rten"
SYSTEMS = ["smidgen", "onnxruntime", "rten", "tract"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", help="all of the definition unless given")
    parser.add_argument("--made", type=Path, help="folder of networks that the scripts of crates/onnx/tests made")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    version = smidgen.version()
    if version is None:
        sys.exit("bench/networks.py: build it first: cargo build --release")
    definition = tomllib.loads((BENCH / "definitions" / "networks.toml").read_text())
    rows, missing = [], []
    for network in definition["network"]:
        name = network["name"]
        if args.networks and name not in args.networks:
            continue
        folder = args.made if network.get("made") else tables.data_folder().parent / "models"
        path = folder / name / "model.onnx" if folder else None
        if path is None or not path.is_file():
            missing.append(name)
            continue
        rows += measured(name, path, network, definition, args.rounds)
    if missing:
        print(f"bench: missing networks: {', '.join(missing)}; name their folder with --made", file=sys.stderr)
    if not rows:
        return 1
    show(rows)
    whole = not missing and not args.networks
    place = BENCH / "record" / "networks" if whole else BENCH / ".cache" / "partial"
    record = place / (f"{datetime.date.today()}.csv" if whole else "networks.csv")
    record.parent.mkdir(parents=True, exist_ok=True)
    with record.open("w", newline="") as out:
        out.write(f"# smidgen {version}; onnxruntime, rten, tract as pinned; medians of {args.rounds}\n")
        out.write(f"# {processor()}; load {os.getloadavg()[0]:.1f} at the end\n")
        writer = csv.DictWriter(out, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    print(f"bench: record {record.relative_to(BENCH.parent)}", file=sys.stderr)
    late = [row for row in rows if row["system"] == "smidgen" and (row["ratio"] or 0) > definition["limit"]]
    for row in late:
        print(f"bench: {row['network']}, {row['threads']} threads: {row['ratio']} times ONNX Runtime", file=sys.stderr)
    return 1 if late or missing else 0


def measured(name: str, path: Path, network: dict, definition: dict, rounds: int) -> list[dict]:
    """A line for each system and number of threads."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        order = child([sys.executable, BENCH / "network_peer.py", "inputs", path, folder, json.dumps(network)])
        if "failed" in order:
            sys.exit(f"bench/networks.py: {name}: {order['failed']}")
        order = order["said"]
        for threads in definition["threads"]:
            taken = {system: [] for system in SYSTEMS}
            failed = {}
            for _ in range(rounds):
                for system in SYSTEMS:
                    if system == "tract" and threads > 1:
                        continue
                    told = measure(system, path, Path(folder), order, definition["seconds"], threads)
                    if "failed" in told:
                        failed[system] = told["failed"]
                    else:
                        taken[system].append(told)
            for system in SYSTEMS:
                if taken[system] or system in failed:
                    lines.append(line(name, system, threads, taken, failed.get(system, "")))
    return lines


def line(name: str, system: str, threads: int, taken: dict, failed: str) -> dict:
    own, theirs = taken[system], taken["onnxruntime"]
    median = lambda of, key: statistics.median(t[key] for t in of) if of else None
    ratio = lambda key: round(median(own, key) / median(theirs, key), 2) if own and theirs else None
    whole = lambda x: None if x is None else round(x)
    return {
        "network": name,
        "system": system,
        "threads": threads,
        "ns_per_row": whole(median(own, "ns_per_row")),
        "ratio": ratio("ns_per_row"),
        "ns_single": whole(median(own, "ns_single")),
        "ratio_single": ratio("ns_single"),
        "load_s": round(median(own, "load_s"), 4) if own else None,
        "peak_mb": round(median(own, "peak") / 1e6, 1) if own else None,
        "failed": failed,
    }


def measure(system: str, path: Path, folder: Path, order: dict, seconds: float, threads: int) -> dict:
    rows, environment = order["rows"], dict(os.environ)
    match system:
        case "smidgen":
            command = [smidgen.BINARY, "bench", path, folder / "inputs.npz", "--jobs", str(threads), "--json"]
        case "rten":
            if not RTEN.is_file():
                return {"failed": "not built"}
            at_once = 0 if not rows else 1 if order["one_by_one"] else rows
            sizes = [at_once, 1] if rows else [0]
            command = [RTEN, path, folder, str(seconds), *map(str, sizes)]
            environment["RTEN_NUM_THREADS"] = str(threads)
        case _:
            peer = BENCH / "network_peer.py"
            command = [sys.executable, peer, system, path, folder, json.dumps(order), str(threads), str(seconds)]
    told = child(command, environment)
    if "failed" in told:
        return told
    said = told["said"]
    if system == "rten":
        load, every, *single = said
        every = every / at_once if at_once else every
        said = {"load_s": load, "ns_per_row": every, "ns_single": single[0] if single else every}
    return {key: said[key] for key in ("load_s", "ns_per_row", "ns_single")} | {"peak": told["peak"]}


def child(command: list, environment: dict | None = None) -> dict:
    """What a process says, its seconds, and the most memory that it held, in bytes; or why it failed."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [str(word) for word in command], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    peak = 0
    while process.poll() is None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            break
        peak = max([peak] + [1024 * int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")])
        time.sleep(0.005)
    out, err = process.communicate()
    seconds = time.perf_counter() - start
    if process.returncode:
        told = err.strip().splitlines() or [f"exit code {process.returncode}"]
        return {"failed": told[-1][:200]}
    try:
        said = json.loads(out)
    except ValueError:
        said = [float(number) for number in out.split()]
    if isinstance(said, dict) and "failed" in said:
        return said
    return {"said": said, "seconds": seconds, "peak": peak}


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")
    return f"{model}, {os.cpu_count()} cores"


def show(rows: list[dict]) -> None:
    shown = [{key: "" if value is None else value for key, value in row.items()} for row in rows]
    widths = {key: max(len(key), *(len(str(row[key])) for row in shown)) for key in rows[0]}
    for row in [dict(zip(rows[0], rows[0]))] + shown:
        print("  ".join(str(row[key]).rjust(width) for key, width in widths.items()))


if __name__ == "__main__":
    sys.exit(main())
