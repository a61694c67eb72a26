#!/usr/bin/env python3
"""Runs the benchmark `joint`: three ways to an ensemble within a budget of bytes.

`compose_first`: the ensemble of a search without limits, all members cut alike until its file is short enough; weights stay.
`cut_first`: each of its members cut until its file has its share, weights learnt anew from rows that they had not seen.
`joint`: `smidgen fit --max-bytes`, which chooses members and their sizes together.
Errors are those of the test rows. What was measured of one binary is kept in .cache.
"""

import csv
import datetime
import hashlib
import json
import os
import random
import statistics
import sys
import tempfile
import tomllib
from pathlib import Path

import tables
from systems import smidgen

BENCH = Path(__file__).resolve().parent
CACHE = BENCH / ".cache"
WAYS = ["compose_first", "cut_first", "joint"]
AUGMENTATIONS = ["noise", "mixup", "oversample", "smote", "borderline_smote", "adasyn"]
# What `fit` exits with where a demand is not met.
UNMET = 1


def main() -> int:
    version = smidgen.version()
    if version is None:
        sys.exit("bench/joint.py: build it first: cargo build --release")
    definition = tomllib.loads((BENCH / "definitions" / "joint.toml").read_text())
    of = tomllib.loads((BENCH / "definitions" / f"{definition['tables_of']}.toml").read_text())
    data = tables.data_folder()
    names = sys.argv[1].split(",") if len(sys.argv) > 1 else definition["names"]
    if len(sys.argv) > 2:
        definition["work"] = int(sys.argv[2])
    rows = []
    for table in of["table"]:
        if table["name"] in names:
            rows += measured(definition, table, tables.split(table, data, CACHE, definition["seed"]), version)
    show(definition, rows)
    record(definition, rows, version, whole=len(sys.argv) == 1)
    return 0


def measured(definition: dict, table: dict, folder: Path, version: str) -> list[dict]:
    """The lines of a table, from the cache if they are there."""
    key = hashlib.sha256(json.dumps([version, definition, table], sort_keys=True).encode()).hexdigest()[:16]
    path = CACHE / "joint" / f"{table['name']}-{key}.json"
    if path.exists():
        return json.loads(path.read_text())
    with tempfile.TemporaryDirectory() as scratch:
        rows = Table(definition, table, folder, Path(scratch)).rows()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows))
    return rows


class Table:
    """A table with its members, fitted to all training rows (`train`) or to those that are not held out (`taught`)."""

    def __init__(self, definition: dict, table: dict, folder: Path, scratch: Path):
        self.definition, self.table, self.scratch = definition, table, scratch
        self.parts = {"train": folder / "train.csv", "test": folder / "test.csv"}
        header, *rows = tables.rows_of(folder / "train.csv")
        random.Random(definition["seed"]).shuffle(rows)
        n_held = int(len(rows) * definition["held_out"])
        for name, own in [("held", rows[:n_held]), ("taught", rows[n_held:])]:
            self.parts[name] = scratch / f"{name}.csv"
            with self.parts[name].open("w", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows([header, *own])
        # Trees of a member, by what it is.
        self.rounds: dict[str, int] = {}

    def rows(self) -> list[dict]:
        say(f"{self.table['name']}: without limits")
        work = ["--work", self.definition["work"], "--calibrator", "none"]
        free = self.fit(self.scratch / "free.smidgen", "train", work)
        members = [(read(member["recipe"]), member["weight"]) for member in free["members"]]
        rows = [self.row("unlimited", None, self.scratch / "free.smidgen", len(members))]
        for limit in self.definition["limits"]:
            for way in WAYS:
                say(f"{self.table['name']}: {limit} bytes: {way}")
                model = self.scratch / f"{way}-{limit}.smidgen"
                match way:
                    case "joint":
                        said = self.fit(model, "train", [*work, "--max-bytes", limit, "--distil", "none"])
                        n = len(said["members"])
                    case "compose_first":
                        n = self.compose_first(members, limit, model)
                    case _:
                        n = self.cut_first([member for member, _ in members], limit, model)
                if n:
                    rows.append(self.row(way, limit, model, n))
        return rows

    def compose_first(self, members: list, limit: int, model: Path) -> int:
        """All members at the first rung at which the file is short enough; the lightest goes where there is none. How many stay."""
        members = sorted(members, key=lambda member: -member[1])
        while members:
            def bytes_at(rung: int) -> int:
                files = [self.member(member, rung, "train") for member, _ in members]
                return self.composed(files, [weight for _, weight in members], model)

            if first_within(bytes_at, len(self.rungs()), limit):
                break
            members.pop()
        return len(members)

    def cut_first(self, members: list, limit: int, model: Path) -> int:
        """Each member at the first rung at which its file has its share of the bytes; those that never have are left out."""
        share = limit // len(members)
        cut = []
        for member in members:
            size = lambda rung, member=member: os.path.getsize(self.member(member, rung, "train"))
            rung = first_within(size, len(self.rungs()), share)
            if rung is not None:
                cut.append((member, rung))
        if not cut:
            return 0
        if len(cut) > 1:
            taught = [self.member(member, rung, "taught") for member, rung in cut]
            out = self.scratch / "weights.smidgen"
            said = json.loads(self.run(["compose", *taught, "--data", self.parts["held"], "--method", "greedy", "--json", "-o", out]))
            weights = [member["weight"] for member in said["members"]]
            cut = [(member, rung, weight) for (member, rung), weight in zip(cut, weights) if weight > 0]
        else:
            cut = [(member, rung, 1.0) for member, rung in cut]
        files = [self.member(member, rung, "train") for member, rung, _ in cut]
        self.composed(files, [weight for *_, weight in cut], model)
        return len(cut)

    def rungs(self) -> list[tuple]:
        bits = [(*both, 1.0) for both in self.definition["bits"]]
        return bits + [(*self.definition["bits"][-1], share) for share in self.definition["shares"]]

    def member(self, member: dict, rung: int, part: str) -> Path:
        """The file of a member at a rung, fitted to a part of the rows."""
        name = hashlib.sha256(json.dumps(member, sort_keys=True).encode()).hexdigest()[:12]
        path = self.scratch / f"{name}-{rung}-{part}.smidgen"
        if path.exists():
            return path
        leaf_bits, max_bins, share = self.rungs()[rung]
        settings, learner = dict(member["settings"]), member["learner"]
        if learner == "gbdt":
            if name not in self.rounds:
                found = self.fit(self.scratch / "found.smidgen", "train", self.of_member(member, settings))
                self.rounds[name] = found["rounds"]
            n_trees = max(1, int(self.rounds[name] * share))
            rate = float(settings.get("learning_rate", 0.1)) * self.rounds[name] / n_trees
            settings |= {"n_trees": n_trees, "learning_rate": min(rate, max(self.definition["most_rate"], float(settings.get("learning_rate", 0.1))))}
        elif learner in ("forest", "extra_trees"):
            settings["n_trees"] = max(1, int(int(settings.get("n_trees", 100)) * share))
        if learner in ("gbdt", "forest", "extra_trees", "tree") and rung > 0:
            settings |= {"leaf_bits": leaf_bits, "max_bins": max_bins}
        if learner == "ebm" and rung > 0:
            settings |= {"max_bins": max_bins, "table_bits": max(4, 2 * leaf_bits - 4)}
        self.fit(path, part, self.of_member(member, settings))
        return path

    def of_member(self, member: dict, settings: dict) -> list:
        """The flags of one configuration."""
        flags = ["--work", 1, "--holdout", 0.2, "--calibrator", "none", "--learners", member["learner"]]
        for name, value in settings.items():
            flags += ["--set", f"{member['learner']}.{name}={value}"]
        if member["transforms"]:
            flags += ["--transforms", ",".join(member["transforms"])]
        return flags + (["--augment", member["augment"]] if member["augment"] else [])

    def composed(self, files: list[Path], weights: list[float], model: Path) -> int:
        """The weighted mean of files as one; its length."""
        if len(files) == 1:
            model.write_bytes(files[0].read_bytes())
        else:
            weights = ",".join(map(str, weights))
            self.run(["compose", *files, "--data", self.parts["held"], "--method", "average", "--weights", weights, "-o", model])
        return os.path.getsize(model)

    def fit(self, model: Path, part: str, flags: list) -> dict:
        target = ["--target", self.table["target"], "--task", self.table["task"]]
        common = ["--seed", self.definition["seed"], "--jobs", self.definition["threads"], "--json", "-o", model]
        return json.loads(self.run(["fit", self.parts[part], *target, *common, *flags], UNMET))

    def row(self, way: str, limit: int | None, model: Path, n_members: int) -> dict:
        said = json.loads(self.run(["evaluate", model, self.parts["test"], "--json"]))
        size = os.path.getsize(model)
        return {"table": self.table["name"], "limit": limit, "way": way, "error": said["error"], "bytes": size, "members": n_members}

    def run(self, command: list, allowed: int = 0) -> str:
        return smidgen.run([smidgen.BINARY, *command], allowed)


def read(recipe: str) -> dict:
    """A recipe as flags say it: `construct; smote k=3; gbdt l2=1`."""
    *before, (learner, *settings) = [part.split(" ") for part in recipe.split("; ")]
    transforms = [":".join(part) for part in before if part[0] not in AUGMENTATIONS]
    augment = next((part[0] for part in before if part[0] in AUGMENTATIONS), None)
    return {"learner": learner, "settings": dict(s.split("=", 1) for s in settings), "transforms": transforms, "augment": augment}


def first_within(bytes_at, n: int, limit: int) -> int | None:
    """The first rung within a limit, since each is shorter than the one before; the last one looked at is that rung."""
    if bytes_at(n - 1) > limit:
        return None
    low, high = -1, n - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if bytes_at(middle) <= limit else (middle, high)
    bytes_at(high)
    return high


def means(definition: dict, rows: list[dict]) -> dict[tuple, float]:
    """The geometric mean over the tables of what the error is of that of `compose_first`, by limit and way."""
    ratios = {}
    for limit in definition["limits"]:
        for way in WAYS:
            own = {row["table"]: row["error"] for row in rows if (row["limit"], row["way"]) == (limit, way)}
            first = {row["table"]: row["error"] for row in rows if (row["limit"], row["way"]) == (limit, WAYS[0])}
            ratios[limit, way] = statistics.geometric_mean([own[name] / first[name] for name in own if name in first])
    return ratios


def show(definition: dict, rows: list[dict]) -> None:
    for row in rows:
        limit = f"{row['limit']:,}" if row["limit"] else ""
        print(f"{row['table']:24}{limit:>10}  {row['way']:16}{row['error']:12.6g}{row['bytes']:12,}{row['members']:4}")
    for (limit, way), ratio in means(definition, rows).items():
        print(f"{'mean ratio':24}{limit:>10,}  {way:16}{ratio:12.4f}")


def record(definition: dict, rows: list[dict], version: str, whole: bool) -> None:
    folder = (BENCH / "record" if whole else CACHE / "partial") / definition["name"]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{datetime.date.today().isoformat()}.csv"
    with path.open("w", newline="") as file:
        file.write(f"# smidgen: {version}\n# work: {definition['work']}\n")
        for (limit, way), ratio in means(definition, rows).items():
            file.write(f"# error of {way} at {limit} bytes, of that of {WAYS[0]}, geometric mean: {ratio:.4f}\n")
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({name: f"{cell:.6g}" if isinstance(cell, float) else cell for name, cell in row.items()})
    print(f"\nbench: written: {path.relative_to(BENCH.parent)}", file=sys.stderr)


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
