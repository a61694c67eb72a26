#!/usr/bin/env python3
"""Times reading: every system turns the same CSV files into what it trains on, a process each, and the record is written.

smidgen's time is that of its stages `read` and `encode` in a fit of one tree; pyarrow only reads; LightGBM makes its binned
data set with its own file reader, of a copy in which text cells are numbers, since it reads nothing else.
This process imports the standard library only, since its memory counts into the peaks of its children.
"""

import argparse
import csv
import datetime
import gzip
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import tomllib
from importlib.metadata import version
from pathlib import Path

from run import BENCH, CACHE, PYTHON, QUIET, ROOT, chosen, circumstances, processor_seconds, say
from tables import data_folder

BINARY = ROOT / "target" / "release" / "smidgen"
MEASURES = ["seconds", "best_seconds", "read_seconds", "mb_per_s", "best_mb_per_s", "peak_mb", "base_mb"]


def main() -> int:
    args = arguments()
    if args.child:
        return child(json.loads(args.child))
    if not PYTHON.exists():
        sys.exit("bench/read.py: there is no bench/.venv; run bench/setup.sh first")
    if Path(sys.prefix).resolve() != PYTHON.parent.parent.resolve():
        os.execv(PYTHON, [PYTHON, __file__, *sys.argv[1:]])
    definition = tomllib.loads((BENCH / "definitions" / "read.toml").read_text())
    known = {table["name"]: table for table in definition["table"]}
    tables = [known[name] for name in chosen(args.tables, list(known), "table")]
    systems = chosen(args.systems, definition["systems"], "system")
    if "smidgen" in systems and not BINARY.is_file():
        sys.exit("bench/read.py: there is no release binary; run cargo build --release")
    data = data_folder(args.data)

    rows, problems = [], []
    for table in tables:
        files = {system: file_of(system, table, data, definition["seed"]) for system in systems}
        lines = [(system, threads) for system in systems for threads in definition["threads"]]
        results = {line: [] for line in lines}
        for repetition in range(definition["repetitions"]):
            # Another one begins each time, so that no system always runs on the warmer machine.
            for at in range(len(lines)):
                line = lines[(at + repetition) % len(lines)]
                results[line].append(measured(*line, table, files[line[0]]))
        for (system, threads), results_of in results.items():
            failed = [one["failed"] for one in results_of if "failed" in one]
            wrong = [one["rows"] for one in results_of if one.get("rows", table["expected_rows"]) != table["expected_rows"]]
            if failed or wrong:
                what = failed[0] if failed else f"{wrong[0]} rows, expected {table['expected_rows']}"
                problems.append(f"{system} on {table['name']}: {what}")
                continue
            rows.append(row_of(system, threads, table, files[system], results_of))
    print_rows(rows)
    is_whole = not problems and len(tables) == len(known) and systems == definition["systems"]
    write_record(definition, rows, is_whole)
    loads = [row["foreign_load"] for row in rows]
    if loads and max(loads) > QUIET:
        say(f"THE MACHINE WAS NOT QUIET: other programs used up to {max(loads):.0%} of it; do not quote these times")
    for problem in problems:
        say(f"PROBLEM: {problem}")
    return 1 if problems else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", help="some of the benchmark's tables: a,b")
    parser.add_argument("--systems", help="some of the benchmark's systems: x,y")
    parser.add_argument("--data", help="the folder of tables; else SMIDGEN_DATA, else ../shared/data")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return parser.parse_args()


def file_of(system: str, table: dict, data: Path, seed: int) -> Path:
    """The CSV file that a system reads, written once."""
    folder = CACHE / "read"
    plain = folder / f"{table['name']}-seed{seed}.csv"
    coded = folder / f"{table['name']}-seed{seed}-coded.csv"
    folder.mkdir(parents=True, exist_ok=True)
    if not plain.exists():
        say(f"{table['name']}: writing {plain.relative_to(ROOT)}")
        written(plain, repeated(table, data) if "source" in table else numeric(table, seed))
    if system != "lightgbm":
        return plain
    if not coded.exists():
        say(f"{table['name']}: writing {coded.relative_to(ROOT)}")
        written(coded, without_text(plain))
    return coded


def written(path: Path, lines) -> None:
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("w", newline="") as file:
        file.writelines(lines)
    unfinished.rename(path)


def repeated(table: dict, data: Path):
    with gzip.open(data / table["source"], "rt", newline="") as file:
        header, *lines = file.readlines()
    yield header
    for _ in range(table["repeat"]):
        yield from lines


def numeric(table: dict, seed: int):
    draw = random.Random(seed)
    names = [f"n{at}" for at in range(table["whole"])] + [f"x{at}" for at in range(table["decimals"])]
    yield ",".join([*names, table["target"]]) + "\n"
    for _ in range(table["expected_rows"]):
        whole = [str(draw.randrange(10 ** (1 + at % 7))) for at in range(table["whole"])]
        decimals = [f"{draw.gauss(0, 10 ** (at % 4)):.{2 + at % 5}f}" for at in range(table["decimals"])]
        yield ",".join([*whole, *decimals, str(draw.randrange(2))]) + "\n"


def without_text(plain: Path):
    """The lines with each text cell as the number of its value, and missing cells as LightGBM writes them."""
    missing = {"", "?", "NA"}
    with plain.open(newline="") as file:
        reader = csv.reader(file)
        header = next(reader)
        codes = [{} for _ in header]
        yield ",".join(header) + "\n"
        for row in reader:
            cells = []
            for cell, of in zip(map(str.strip, row), codes, strict=True):
                if cell in missing:
                    cells.append("nan")
                elif is_number(cell):
                    cells.append(cell)
                else:
                    cells.append(str(of.setdefault(cell, len(of))))
            yield ",".join(cells) + "\n"


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def measured(system: str, threads: int, table: dict, path: Path) -> dict:
    say(f"{table['name']}: {system}, {threads} threads")
    before = processor_seconds()
    with tempfile.TemporaryDirectory() as scratch:
        if system == "smidgen":
            fit = [BINARY, "fit", path, "--target", table["target"], "--work", "1", "--set", "gbdt.n_trees=1"]
            command = [*fit, "--holdout", "0.2", "--jobs", threads, "--json", "--quiet", "-o", Path(scratch) / "m.smidgen"]
        else:
            order = {"system": system, "threads": threads, "target": table["target"], "path": str(path)}
            command = [PYTHON, __file__, "--child", json.dumps(order)]
        command = [str(part) for part in command]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        # One thread means one core, whatever threads a system starts beside.
        process = subprocess.Popen(command, preexec_fn=one_core if threads == 1 else None, **pipes)
        said, errors = process.communicate()
    all_s, own_s, there_were_s = (now - then for now, then in zip(processor_seconds(), before, strict=True))
    if process.returncode != 0:
        return {"failed": f"exit {process.returncode}: {(errors or said).strip()[-300:]}"}
    result = json.loads(said.splitlines()[-1])
    if system == "smidgen":
        stages = result["stages"]
        seconds = {"seconds": stages["read"] + stages["encode"], "read_seconds": stages["read"]}
        result = {"rows": result["rows"], **seconds, "peak_mb": peak_of(command), "base_mb": None}
    return result | {"foreign_load": max(0.0, (all_s - own_s) / there_were_s)}


def one_core() -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def peak_of(command: list[str]) -> float:
    """The most memory that a command takes, run once more as the only child of a process."""
    ask = "import resource,subprocess,sys;subprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL,check=True);"
    ask += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    with tempfile.TemporaryDirectory() as scratch:
        again = [*command[:-1], str(Path(scratch) / "m.smidgen")]
        said = subprocess.run([PYTHON, "-c", ask, *again], capture_output=True, text=True, check=True).stdout
    return int(said) * 1024 / 1e6


def child(order: dict) -> int:
    """Reads with a library and prints what it took: this process has the memory of that library alone."""
    import resource
    import time

    if order["system"] == "pyarrow":
        import pyarrow
        from pyarrow import csv as reader

        pyarrow.set_cpu_count(order["threads"])
        pyarrow.set_io_thread_count(1)

        def read() -> int:
            options = reader.ReadOptions(use_threads=order["threads"] > 1)
            return reader.read_csv(order["path"], read_options=options).num_rows
    else:
        import lightgbm

        def read() -> int:
            parameters = {"header": True, "label_column": f"name:{order['target']}", "num_threads": order["threads"], "verbosity": -1}
            return lightgbm.Dataset(order["path"], params=parameters).construct().num_data()

    def peak_mb() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6

    base = peak_mb()
    start = time.perf_counter()
    rows = read()
    seconds = time.perf_counter() - start
    print(json.dumps({"rows": rows, "seconds": seconds, "peak_mb": peak_mb(), "base_mb": base}))
    return 0


def row_of(system: str, threads: int, table: dict, path: Path, results: list[dict]) -> dict:
    mb = path.stat().st_size / 1e6
    seconds = [one["seconds"] for one in results]

    def median_of(name: str) -> float | None:
        known = [one[name] for one in results if one.get(name) is not None]
        return statistics.median(known) if known else None

    return {
        "table": table["name"],
        "system": system,
        "version": version_of(system),
        "threads": threads,
        "mb": mb,
        "seconds": statistics.median(seconds),
        "best_seconds": min(seconds),
        "mb_per_s": mb / statistics.median(seconds),
        "best_mb_per_s": mb / min(seconds),
        "read_seconds": median_of("read_seconds"),
        "peak_mb": median_of("peak_mb"),
        "base_mb": median_of("base_mb"),
        "foreign_load": max(one["foreign_load"] for one in results),
    }


def version_of(system: str) -> str:
    if system != "smidgen":
        return version(system)
    from systems import smidgen

    return smidgen.version() or "unknown"


def print_rows(rows: list[dict]) -> None:
    print(f"{'table':10}{'system':10}{'threads':>8}{'MB':>8}{'median s':>10}{'best s':>9}{'MB/s':>8}{'best MB/s':>11}{'peak MB':>9}")
    for row in rows:
        print(
            f"{row['table']:10}{row['system']:10}{row['threads']:>8}{row['mb']:>8.0f}{row['seconds']:>10.3f}"
            f"{row['best_seconds']:>9.3f}{row['mb_per_s']:>8.0f}{row['best_mb_per_s']:>11.0f}{row['peak_mb']:>9.0f}"
        )


def write_record(definition: dict, rows: list[dict], is_whole: bool) -> None:
    """The record of a whole run, to be committed; a partial run's stays in the cache."""
    folder = (BENCH / "record" if is_whole else CACHE / "partial") / definition["name"]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{datetime.date.today().isoformat()}.csv"
    about = circumstances(argparse.Namespace(times=True), definition | {"parameters": {}})
    del about["parameters"]
    with path.open("w", newline="") as file:
        for key, value in about.items():
            file.write(f"# {key}: {value}\n")
        writer = csv.writer(file, lineterminator="\n")
        columns = ["table", "system", "version", "threads", "mb", *MEASURES, "foreign_load"]
        writer.writerow(columns)
        for row in rows:
            cells = [row[column] for column in columns]
            writer.writerow([f"{cell:.6g}" if isinstance(cell, float) else "" if cell is None else cell for cell in cells])
    say(f"written: {path.relative_to(ROOT)}{'' if is_whole else ' (not a whole run: no record)'}")


if __name__ == "__main__":
    sys.exit(main())
