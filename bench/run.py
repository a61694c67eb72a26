#!/usr/bin/env python3
"""Runs a benchmark: every system on every table, a process each, and writes the record.

What was measured of a system version on a table with given parameters is kept and not measured again, so an interrupted
run goes on where it stopped: of what is ours in .cache, of peers in kept, where it is committed. Times are compared within one run only: see --times.
This process imports the standard library only, since its memory counts into the peaks of its children.
"""

import argparse
import csv
import datetime
import hashlib
import importlib
import json
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import tomllib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tables import data_folder, split

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
CACHE = BENCH / ".cache"
KEPT = BENCH / "kept"
PYTHON = BENCH / ".venv" / "bin" / "python"

MEASURES = ["error", "bytes", "rows_per_s", "train_s", "peak_mb"]
TIMES = ["rows_per_s", "train_s"]
# The second line of one system in a run with --times; what it differs from the first is noise.
TWIN = "(A/A)"
# Samples of the tables behind the interval of a mean over them.
N_DRAWS = 10_000
# The share of the machine that other programs may use before times are called misleading.
QUIET = 0.05


def main() -> int:
    args = arguments()
    if not PYTHON.exists():
        sys.exit("bench/run.py: there is no bench/.venv; run bench/setup.sh first")
    if Path(sys.prefix).resolve() != PYTHON.parent.parent.resolve():
        os.execv(PYTHON, [PYTHON, __file__, *sys.argv[1:]])

    definition = defined(args.benchmark)
    known_tables = {table["name"]: table for table in definition["table"]}
    names = chosen(args.systems, definition["systems"], "system")
    tables = [known_tables[name] for name in chosen(args.tables, list(known_tables), "table")]
    data = data_folder(args.data)

    versions = {name: importlib.import_module(f"systems.{name}").version() for name in names}
    for name in [name for name in names if versions[name] is None]:
        say(f"{name} IS MISSING and left out: run `cargo build --release` or bench/setup.sh, then this again")
        names.remove(name)

    bench = Bench(definition, versions, data)
    problems = []
    rows = []
    for table in tables:
        for name in names:
            measured = bench.cached(name, table)
            problem = judged(measured, table)
            if problem:
                problems.append(f"{name} on {table['name']}: {problem}")
            else:
                rows.append({"table": table["name"], "system": name, "version": versions[name]} | measured)
    if args.times:
        rows = timed(bench, tables, rows, problems)
    add_ratios(rows, definition["rivals"], with_times=args.times)

    # Ratios to many rivals stand at the end, not beside each row.
    print_rows(rows, [] if "ours" in definition else definition["rivals"], args.times)
    for line in aligned(summary(rows, definition)):
        print(line)
    is_whole = not problems and len(names) == len(definition["systems"]) and len(tables) == len(known_tables)
    write_record(args, definition, rows, is_whole)
    loads = [row["foreign_load"] for row in rows]
    if args.times and loads and max(loads) > QUIET:
        say(f"THE MACHINE WAS NOT QUIET: other programs used up to {max(loads):.0%} of it; do not quote these times")
    for problem in problems:
        say(f"PROBLEM: {problem}")
    return 1 if problems else 0


def defined(benchmark: str) -> dict:
    """A definition, with the tables of another one where it names one."""
    definition = tomllib.loads((BENCH / "definitions" / f"{benchmark}.toml").read_text())
    if "tables_of" in definition:
        definition["table"] = defined(definition["tables_of"])["table"]
    return definition


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("benchmark", nargs="?", default="skeleton", help="a file of bench/definitions, without .toml")
    parser.add_argument("--tables", help="some of the benchmark's tables: a,b")
    parser.add_argument("--systems", help="some of the benchmark's systems: x,y")
    parser.add_argument("--data", help="the folder of tables; else SMIDGEN_DATA, else ../shared/data")
    parser.add_argument("--times", action="store_true", help="time all systems again, in turn, with ratios")
    return parser.parse_args()


def chosen(text: str | None, known: list[str], what: str) -> list[str]:
    if text is None:
        return list(known)
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in known:
            sys.exit(f'bench/run.py: unknown {what} "{name}"; known: {", ".join(known)}')
    return names


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


class Bench:
    """Measures, and remembers what it measured."""

    def __init__(self, definition: dict, versions: dict, data: Path):
        self.definition = definition
        self.versions = versions
        self.data = data

    def folders(self, table: dict) -> list[Path]:
        """One folder a split of the table, cut by seeds in a row."""
        seeds = [self.definition["seed"] + at for at in range(table.get("splits", 1))]
        # In a process of its own: what this one ever held counts as memory of the systems that it starts.
        with ProcessPoolExecutor(1) as pool:
            cuts = [pool.submit(split, table, self.data, CACHE, seed) for seed in seeds]
            return [cut.result() for cut in cuts]

    def cached(self, name: str, table: dict) -> dict:
        """What is known of a system on a table, measured now if it is not.

        Failures are not kept, nor are times of a busy machine.
        """
        # A peer's version does not change with our commits: what costs it minutes a table is committed.
        is_peer = "ours" in self.definition and name not in self.definition["ours"]
        path = (KEPT if is_peer else CACHE / "results") / f"{name}-{table['name']}-{self.key(name, table)}.json"
        if path.exists():
            return json.loads(path.read_text())
        measured = self.measured(name, table)
        # What had to share the machine found less in its time.
        is_hindered = is_peer and "seconds" in self.definition and measured.get("foreign_load", 0) > QUIET
        if "failed" not in measured and not is_hindered:
            if measured["foreign_load"] > QUIET:
                measured |= dict.fromkeys([*TIMES, "whole_s"])
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_suffix(".unfinished")
            unfinished.write_text(json.dumps(measured) + "\n")
            unfinished.rename(path)
        return measured

    def key(self, name: str, table: dict) -> str:
        """A digest of all that the result depends on."""
        files = [folder / part for folder in self.folders(table) for part in ("train.csv", "test.csv")]
        parts = {
            "version": self.versions[name],
            "python": platform.python_version(),
            "parameters": importlib.import_module(f"systems.{name}").parameters(self.definition),
            "definition": {key: self.definition[key] for key in ("seed", "threads", "min_timed_rows", "passes")},
            "table": {key: table[key] for key in ("name", "task", "target")},
            "rows": [hashlib.sha256(file.read_bytes()).hexdigest() for file in files],
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    def measured(self, name: str, table: dict) -> dict:
        """A process a split, and the mean of the splits."""
        say(f"{table['name']}: {name} {self.versions[name]}")
        return mean_of([self.measured_in(folder, name, table) for folder in self.folders(table)])

    def measured_in(self, folder: Path, name: str, table: dict) -> dict:
        order = {"system": name, "definition": self.definition, "table": table, "folder": str(folder)}
        environment = os.environ | {"OMP_NUM_THREADS": str(self.definition["threads"])}
        before = processor_seconds()
        command = [PYTHON, BENCH / "measure.py", json.dumps(order)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        if done.returncode != 0:
            return {"failed": f"exit {done.returncode}: {done.stderr.strip()[-500:]}"}
        all_s, own_s, there_were_s = (now - then for now, then in zip(processor_seconds(), before, strict=True))
        return json.loads(done.stdout.splitlines()[-1]) | {"foreign_load": max(0.0, (all_s - own_s) / there_were_s)}


def mean_of(splits: list[dict]) -> dict:
    """One result of several splits: means, and the largest memory and load; a failure if any is one."""
    failed = [split for split in splits if "failed" in split]
    if len(splits) == 1 or failed:
        return (failed or splits)[0]
    of_all = {"bytes": lambda values: round(statistics.mean(values))}
    of_all |= dict.fromkeys(("peak_mb", "base_mb", "foreign_load"), max)
    columns = {name: [split[name] for split in splits] for name in splits[0]}
    return {
        name: None if None in values else of_all.get(name, statistics.mean)(values) for name, values in columns.items()
    }


def processor_seconds() -> tuple[float, float, float]:
    """Processor seconds so far: used by everything on the machine, used by our children, and offered."""
    counts = Path("/proc/stat").read_text().split(maxsplit=9)[1:9]
    user, nice, system, idle, iowait, irq, softirq, steal = map(int, counts)
    ticks = os.sysconf("SC_CLK_TCK")
    used = user + nice + system + irq + softirq + steal
    own = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used / ticks, own.ru_utime + own.ru_stime, (used + idle + iowait) / ticks


def judged(measured: dict, table: dict) -> str | None:
    """What is wrong with a result, if anything: the answer is checked before it is timed."""
    if "failed" in measured:
        return measured["failed"]
    low, high = table["expected_error"]
    if not low <= measured["error"] <= high:
        return f"error {measured['error']:.6g} is outside the expected {low} to {high}"
    return None


def timed(bench: Bench, tables: list[dict], rows: list[dict], problems: list[str]) -> list[dict]:
    """The rows again with medians over repetitions, the systems in turn, the first one twice.

    Systems that the definition does not time keep their errors, bytes and memory, and no times.
    """
    to_time = bench.definition.get("timed", bench.definition["systems"])
    result = []
    for table in tables:
        of_table = [row for row in rows if row["table"] == table["name"]]
        untimed = [row for row in of_table if row["system"] not in to_time]
        lines = [row for row in of_table if row["system"] in to_time]
        lines += [row | {"system": f"{row['system']} {TWIN}"} for row in lines[:1]]
        repeats = [[] for _ in lines]
        for repetition in range(bench.definition["repetitions"]):
            # Another one begins each time, so that no system always runs on the warmer machine.
            for at in range(len(lines)):
                line = (at + repetition) % len(lines)
                repeats[line].append(bench.measured(lines[line]["system"].removesuffix(f" {TWIN}"), table))
        for line, measured in zip(lines, repeats, strict=True):
            failed = [one["failed"] for one in measured if "failed" in one]
            if failed:
                problems.append(f"{line['system']} on {table['name']}: {failed[0]}")
                continue
            if any(one["error"] != line["error"] or one["bytes"] != line["bytes"] for one in measured):
                problems.append(f"{line['system']} on {table['name']}: error or bytes differ between repetitions")
            names = [*TIMES, "peak_mb", "base_mb", "whole_s"]
            medians = {name: median([one.get(name) for one in measured]) for name in names}
            medians["foreign_load"] = max(one["foreign_load"] for one in measured)
            result.append(line | medians)
        result += [row | dict.fromkeys(TIMES) | {"foreign_load": 0.0} for row in untimed]
    return result


def median(values: list) -> float | None:
    return None if None in values else statistics.median(values)


def add_ratios(rows: list[dict], rivals: list[str], with_times: bool) -> None:
    """Each measure divided by the rival's on the same table; of times only where they come from this run."""
    by_name = {(row["table"], row["system"]): row for row in rows}
    for row in rows:
        for rival in rivals:
            other = by_name.get((row["table"], rival))
            for name in MEASURES:
                may_quote = with_times or name not in TIMES
                known = other and row.get(name) is not None and other.get(name)
                row[f"{name}_vs_{rival}"] = row[name] / other[name] if may_quote and known else None


def summary(rows: list[dict], definition: dict) -> list[list[str]]:
    """What each of `ours` has divided by every rival: errors a table, and all measures over the tables."""
    result = []
    for ours in definition.get("ours", []):
        of_ours = [row for row in rows if row["system"] == ours]
        if not of_ours:
            continue
        result.append([f"{ours} /", "", *definition["rivals"]])
        for row in of_ours:
            ratios = [row[f"error_vs_{rival}"] for rival in definition["rivals"]]
            result.append(["error", row["table"], *["" if ratio is None else f"{ratio:.4f}" for ratio in ratios]])
        for name in MEASURES:
            over = statistics.median if name in ("bytes", "peak_mb") else statistics.geometric_mean
            known = [[row[f"{name}_vs_{rival}"] for row in of_ours] for rival in definition["rivals"]]
            known = [[ratio for ratio in ratios if ratio is not None] for ratios in known]
            # A mean over some of the tables says how many they are.
            cells = [f"{over(ratios):.4f}" + of_so_many(ratios, of_ours) if ratios else "" for ratios in known]
            if any(cells):
                result.append([name, over.__name__.replace("_", " "), *cells])
            if name == "error" and any(cells):
                result.append([name, "interval of 95 %", *[interval(ratios) for ratios in known]])
                result.append([name, "tables won", *[won(ratios) for ratios in known]])
    return result


def interval(ratios: list[float]) -> str:
    """The percentile bootstrap of the geometric mean, tables drawn with replacement from a fixed seed."""
    if len(ratios) < 2:
        return ""
    draw = random.Random(0)
    means = [statistics.geometric_mean(draw.choices(ratios, k=len(ratios))) for _ in range(N_DRAWS)]
    cuts = statistics.quantiles(means, n=40)
    return f"{cuts[0]:.3f} to {cuts[-1]:.3f}"


def won(ratios: list[float]) -> str:
    return f"{sum(ratio < 1 for ratio in ratios)} of {len(ratios)}"


def of_so_many(some: list, every: list) -> str:
    return "" if len(some) == len(every) else f" ({len(some)} of {len(every)})"


def columns(rivals: list[str]) -> list[str]:
    ratios = [f"{name}_vs_{rival}" for rival in rivals for name in MEASURES]
    own = ["base_mb", "whole_s", "cost_ns", "cost_ns_single", "ns_single", "foreign_load"]
    return ["table", "system", "version", *MEASURES, *own, *ratios]


def shown(value) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def aligned(lines: list[list[str]]) -> list[str]:
    """Cells in columns, two of names and the others of figures."""
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))] if lines else []
    result = []
    for line in lines:
        names = [cell.ljust(width) for cell, width in zip(line[:2], widths[:2], strict=True)]
        figures = [cell.rjust(width) for cell, width in zip(line[2:], widths[2:], strict=True)]
        result.append("  ".join(names + figures).rstrip())
    return result


def print_rows(rows: list[dict], rivals: list[str], with_times: bool) -> None:
    """The record as a table to read, then what noise the twin shows."""
    header = ["table", "system", "error", "bytes", "rows/s", "train s", "peak MB"]
    header += [f"{name} / {rival}" for rival in rivals for name in ("error", "bytes", *(TIMES if with_times else []))]
    lines = [header]
    for row in rows:
        line = [row["table"], row["system"], f"{row['error']:.5g}", f"{row['bytes']:,}"]
        for name, digits in (("rows_per_s", 0), ("train_s", 3), ("peak_mb", 0)):
            line.append("" if row[name] is None else f"{row[name]:,.{digits}f}")
        for rival in rivals:
            ratios = [row[f"{name}_vs_{rival}"] for name in ("error", "bytes", *(TIMES if with_times else []))]
            line += ["" if ratio is None else f"{ratio:.3g}" for ratio in ratios]
        lines.append(line)
    print("\n".join(aligned(lines)))
    if not with_times:
        print("times come from different moments (none: the machine was busy) and are not compared; run with --times")
        return
    by_name = {(row["table"], row["system"]): row for row in rows}
    for (table, system), row in by_name.items():
        first = by_name.get((table, system.removesuffix(f" {TWIN}")))
        if system.endswith(TWIN) and first:
            noise = [f"{name} x {row[name] / first[name]:.3f}" for name in TIMES if row[name] and first[name]]
            print(f"noise on {table}: {system}: {', '.join(noise)}; a difference below that is no difference")


def write_record(args: argparse.Namespace, definition: dict, rows: list[dict], is_whole: bool) -> None:
    """The record of a whole run, to be committed; a partial run's stays in the cache."""
    today = datetime.date.today().isoformat()
    name = f"{today}.csv" if args.times else f"{today}-untimed.csv"
    folder = (BENCH / "record" if is_whole else CACHE / "partial") / definition["name"]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    with path.open("w", newline="") as file:
        for key, value in circumstances(args, definition).items():
            file.write(f"# {key}: {value}\n")
        for line in aligned(summary(rows, definition)):
            file.write(f"# {line}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns(definition["rivals"]))
        for row in rows:
            writer.writerow([shown(row.get(column)) for column in columns(definition["rivals"])])
    remark = "" if is_whole else " (not a whole run: no record)"
    say(f"written: {path.relative_to(ROOT)}{remark}")


def circumstances(args: argparse.Namespace, definition: dict) -> dict:
    cpu = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        cpu.setdefault(key.strip(), value.strip())
    wanted = ("sse4_2", "avx", "avx2", "avx512", "amx", "fma")
    flags = [flag for flag in cpu.get("flags", "").split() if flag.startswith(wanted)]
    times = f"medians of {definition['repetitions']} runs in turn" if args.times else "from the cache, not comparable"
    return {
        "benchmark": definition["name"],
        "cpu": cpu.get("model name", platform.processor()),
        "cores": os.cpu_count(),
        "cpu flags": " ".join(flags),
        "rust flags": os.environ.get("RUSTFLAGS", "") or "none",
        "revision": revision(),
        "threads": definition["threads"],
        "seed": definition["seed"],
        "parameters": json.dumps(definition.get("parameters", "defaults")),
        "times": times,
    }


def revision() -> str:
    """The commit, marked if the working tree differs from it."""

    def git(*command: str) -> str | None:
        command = ("git", "--no-optional-locks", *command)
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    commit = git("rev-parse", "HEAD")
    if commit is None:
        return "unknown"
    return f"{commit} with changes" if git("status", "--porcelain", "--untracked-files=no") else commit


if __name__ == "__main__":
    sys.exit(main())
