#!/usr/bin/env python3
"""Runs the benchmark `emit`: forests of equal trees and leaves as C of smidgen, emlearn and m2cgen.

Each line is a forest as C of one converter. Flash and memory are those of arm-none-eabi-gcc -mcpu=cortex-m4 -Os;
instructions are counted by valgrind's callgrind on this machine, at -O2, as a difference of two runs.

    apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi valgrind
    pip install -r bench/requirements_emit.txt
    cargo build --release
    bench/emit.py                 # all tables, recorded
    bench/emit.py digits          # one table, shown only
"""

import csv
import datetime
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from importlib.metadata import version
from pathlib import Path

import emlearn
import lightgbm
import m2cgen
import numpy
import sklearn.datasets
from sklearn.ensemble import RandomForestClassifier

BENCH = Path(__file__).resolve().parent
SMIDGEN = Path(os.environ.get("SMIDGEN") or BENCH.parent / "target" / "release" / "smidgen")
COLUMNS = ["table", "forest", "code", "splits", "flash_object", "flash_linked", "stack", "static", "instructions", "compile_s", "compile_more_s"]
CORTEX = ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-Os", "-ffunction-sections", "-fdata-sections", "-w"]


def main() -> int:
    definition = tomllib.loads((BENCH / "definitions" / "emit.toml").read_text())
    lines = []
    for table in definition["table"]:
        if len(sys.argv) < 2 or table["name"] in sys.argv[1].split(","):
            for line in measured(definition, table):
                lines.append(line)
                print("  ".join(str(line[column]) for column in COLUMNS), flush=True)
    if len(sys.argv) < 2:
        record(definition, lines)
    return 0


def measured(definition: dict, table: dict):
    cells, labels = whole(table)
    for name, make in forests(definition, table).items():
        folders = [Path(tempfile.mkdtemp()) for _ in range(2)]
        for folder, trees in zip(folders, (definition["trees"], definition["trees_to_compile"])):
            codes, splits = make(folder, cells, labels, trees)
            if folder == folders[0]:
                here, n_splits = codes, splits
        for code in here:
            first, more = (folder / code for folder in folders)
            line = {"table": table["name"], "forest": name, "code": code, "splits": n_splits}
            yield line | sizes(first) | {
                "instructions": instructions(first, cells, definition["rows"]),
                "compile_s": compiled(first, definition), "compile_more_s": compiled(more, definition) if more.exists() else "",
            }


def whole(table: dict):
    data = getattr(sklearn.datasets, "load_" + table["name"])()
    low, high = data.data.min(0), data.data.max(0)
    if table["largest"] < high.max():
        data.data = (data.data - low) / (high - low) * table["largest"]
    return numpy.rint(data.data).astype(int), data.target


def forests(definition: dict, table: dict) -> dict:
    """Makers of a forest: each writes a folder for each form of code, and says the splits of all trees."""
    made = {"scikit-learn forest": lambda *given: scikit(definition, table, *given)}
    for bits in definition["leaf_bits"]:
        made[f"smidgen forest, {bits} bits"] = lambda *given, bits=bits: own(definition, table, *given, bits)
    made["LightGBM"] = lambda *given: boosted(definition, table, *given)
    return made


def scikit(definition: dict, table: dict, folder: Path, cells, labels, trees: int):
    forest = RandomForestClassifier(trees, max_leaf_nodes=definition["leaves"], random_state=definition["seed"]).fit(cells, labels)
    n_features, n_classes = cells.shape[1], len(set(labels))
    codes = []
    for method in ("inline", "loadable"):
        # Its search for equal leaves takes minutes for a larger forest with shares.
        for leaf_bits in (0, 8) if trees == definition["trees"] else (0,):
            name = f"emlearn {method}, {'classes' if leaf_bits == 0 else '8 bits'} in leaves"
            converted = emlearn.convert(forest, method=method, dtype="int16_t", leaf_bits=leaf_bits)
            try:
                text = converted.save(name="model", format="c", include_proba=False)
            except AssertionError:
                # More leaves than the table can name.
                continue
            codes.append(name)
            call = f"model_predict(rows[i], {n_features})"
            write(folder / name, text, "int32_t model_predict(const int16_t *, int32_t);", "int16_t", cells, call)
    out = f"double said[{n_classes}]; score((double *)rows[i], said);"
    text = m2cgen.export_to_c(forest, function_name="score")
    write(folder / "m2cgen", text, "void score(double *, double *);", "double", cells, None, out)
    codes.append("m2cgen")
    splits = sum(int((tree.tree_.children_left >= 0).sum()) for tree in forest.estimators_)
    if n_classes == 2:
        (folder / "forest.txt").write_text(as_lightgbm(forest, n_features))
        codes += exported(table, folder, folder / "forest.txt", cells)
    return codes, splits


def as_lightgbm(forest, n_features: int) -> str:
    """The same forest of two classes, as text that smidgen reads: the average of the shares of the second class."""
    head = f"tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx={n_features - 1}\n"
    head += "objective=regression\naverage_output\n"
    head += "feature_names=" + " ".join(f"x{k}" for k in range(n_features)) + "\n"
    head += "feature_infos=" + " ".join(["[-32768:32767]"] * n_features) + "\n\n"
    out = [head]
    for number, tree in enumerate(estimator.tree_ for estimator in forest.estimators_):
        splits = [i for i in range(tree.node_count) if tree.children_left[i] >= 0]
        leaves = [i for i in range(tree.node_count) if tree.children_left[i] < 0]
        place = {node: k for k, node in enumerate(splits)} | {node: -1 - k for k, node in enumerate(leaves)}
        values = [tree.value[i][0][1] / tree.value[i][0].sum() for i in leaves]
        lists = {
            "split_feature": [tree.feature[i] for i in splits], "threshold": [float(tree.threshold[i]) for i in splits],
            "decision_type": [2] * len(splits), "left_child": [place[tree.children_left[i]] for i in splits],
            "right_child": [place[tree.children_right[i]] for i in splits], "leaf_value": [float(v) for v in values],
            "split_gain": [1] * len(splits),
            "leaf_weight": [1] * len(leaves), "leaf_count": [1] * len(leaves), "internal_value": [0] * len(splits),
            "internal_weight": [0] * len(splits), "internal_count": [1] * len(splits),
        }
        out.append(f"Tree={number}\nnum_leaves={len(leaves)}\nnum_cat=0\n")
        out += [f"{name}={' '.join(map(str, values))}\n" for name, values in lists.items()]
        out.append("is_linear=0\nshrinkage=1\n\n\n")
    out.append("end of trees\n")
    return "".join(out)


def own(definition: dict, table: dict, folder: Path, cells, labels, trees: int, leaf_bits: int):
    data = folder / "data.csv"
    with data.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow([f"x{k}" for k in range(cells.shape[1])] + ["y"])
        out.writerows([*row, label] for row, label in zip(cells.tolist(), labels))
    settings = [f"forest.n_trees={trees}", f"forest.max_leaves={definition['leaves']}", f"forest.leaf_bits={leaf_bits}"]
    command = [SMIDGEN, "fit", data, "--target", "y", "--task", "binary" if len(set(labels)) == 2 else "multiclass"]
    command += ["--learners", "forest", "--work", "1", "--quiet", "--seed", definition["seed"], "-o", folder / "model.smidgen"]
    for setting in settings:
        command += ["--set", setting]
    run(command)
    codes = exported(table, folder, folder / "model.smidgen", cells)
    found = re.findall(r"trees, ([\d,]+) splits", run([SMIDGEN, "inspect", folder / "model.smidgen"]))
    return codes, sum(int(n.replace(",", "")) for n in found)


def boosted(definition: dict, table: dict, folder: Path, cells, labels, trees: int):
    n_classes = len(set(labels))
    options = {"n_estimators": trees if n_classes == 2 else trees // n_classes, "num_leaves": definition["leaves"]}
    options |= {"min_child_samples": 1, "min_child_weight": 0.0, "random_state": definition["seed"], "verbose": -1, "n_jobs": 1}
    model = lightgbm.LGBMClassifier(**options).fit(cells, labels)
    model.booster_.save_model(folder / "forest.txt")
    text = m2cgen.export_to_c(model, function_name="score")
    body = f"double said[{n_classes}]; score((double *)rows[i], said);"
    write(folder / "m2cgen", text, "void score(double *, double *);", "double", cells, None, body)
    codes = exported(table, folder, folder / "forest.txt", cells)
    splits = sum(tree["num_leaves"] - 1 for tree in model.booster_.dump_model()["tree_info"])
    return ["m2cgen", *codes], splits


def exported(table: dict, folder: Path, model: Path, cells) -> list[str]:
    """The model as C with its columns in doubles, and in each of the integers of the table."""
    names = []
    for given in ("", *table["types"]):
        name = f"smidgen, {given}" if given else "smidgen"
        out = folder / name
        columns = columns_of(out, model, {})
        if given:
            columns = columns_of(out, model, {column: given for column, _ in columns})
        rows = cells[:100][:, [k for _, k in columns]]
        body = ",\n".join("{" + ",".join(map(str, row)) + ", {0}}" for row in rows.tolist())
        text = f'#include "model.h"\nstatic const model_row rows[100] = {{\n{body}\n}};\n'
        (out / "main.c").write_text(driver(text, None, "model_result result; model_predict(rows + i, &result); sum += *(const uint8_t *)&result;"))
        (out / "entry").write_text("model_predict")
        names.append(name)
    return names


def columns_of(folder: Path, model: Path, types: dict) -> list[tuple[str, int]]:
    """Writes C; the columns that it takes, by name and place in the table."""
    shutil.rmtree(folder, ignore_errors=True)
    command = [SMIDGEN, "export", model, "--to", "c", "-o", folder]
    run(command + (["--types", ",".join(f"{name}={given}" for name, given in types.items())] if types else []))
    found = re.findall(r"(?:u?int\d+_t|double) \w+; /\* \d+: \w+ \"(\w*?(\d+))\" \*/", (folder / "model.h").read_text())
    return [(name, int(k)) for name, k in found]


def write(folder: Path, text: str, declared: str, dtype: str, cells, call: str | None, body: str | None = None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.c").write_text(text)
    rows = ",\n".join("{" + ",".join(map(str, row)) + "}" for row in cells[:100].tolist())
    given = f"#include <stdint.h>\n{declared}\nstatic const {dtype} rows[100][{cells.shape[1]}] = {{\n{rows}\n}};\n"
    (folder / "main.c").write_text(driver(given, call, body or ""))
    (folder / "entry").write_text("model_predict" if call else "score")


def driver(given: str, call: str | None, body: str) -> str:
    body = f"sum += (uint32_t){call};" if call else body + ("" if "sum" in body else " sum += (uint32_t)(100 * said[0]);")
    return (
        f"#include <stdio.h>\n#include <stdlib.h>\n{given}int main(int n_arguments, char **arguments)\n{{\n"
        f"    int n = atoi(arguments[1]), at, i = 0;\n    uint32_t sum = 0;\n    for (at = 0; at < n; at++) {{\n        {body}\n"
        "        i = i == 99 ? 0 : i + 1;\n    }\n    printf(\"%u\\n\", sum);\n    return n_arguments < 2;\n}\n"
    )


def sizes(folder: Path) -> dict:
    include = ["-I", emlearn.includedir]
    run([*CORTEX, *include, "-fstack-usage", "-c", "model.c", "-o", "model.o"], folder)
    entry = (folder / "entry").read_text()
    run([*CORTEX, "-nostartfiles", "--specs=nosys.specs", "-Wl,--gc-sections", f"-Wl,--entry={entry}", "model.o", "-lm", "-o", "model.elf"], folder)
    of = {}
    for name in ("model.o", "model.elf"):
        of[name] = [int(n) for n in run(["arm-none-eabi-size", name], folder).splitlines()[1].split()[:3]]
    frames = {}
    for line in (folder / "model.su").read_text().splitlines():
        place, n_bytes, _ = line.split("\t")
        frames[place.split(":")[-1].split(".")[0]] = int(n_bytes)
    others = [n for name, n in frames.items() if name != entry]
    text, data, bss = of["model.o"]
    linked = of["model.elf"]
    return {"flash_object": text + data, "flash_linked": linked[0] + linked[1], "stack": frames[entry] + max(others, default=0), "static": data + bss}


def instructions(folder: Path, cells, rows: list) -> int:
    run(["gcc", "-O2", "-w", "-I", emlearn.includedir, "main.c", "model.c", "-lm", "-o", "run"], folder)
    counted = []
    for n in rows:
        said = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=counted", "./run", str(n)], cwd=folder, capture_output=True, text=True, check=True)
        counted.append(int(re.search(r"Collected : (\d+)", said.stderr)[1]))
    return round((counted[1] - counted[0]) / (rows[1] - rows[0]))


def compiled(folder: Path, definition: dict) -> float | str:
    start = time.perf_counter()
    command = [*CORTEX, "-I", emlearn.includedir, "-c", "model.c", "-o", "again.o"]
    try:
        subprocess.run(command, cwd=folder, capture_output=True, check=True, timeout=definition["longest_compile"])
    except subprocess.TimeoutExpired:
        return f"> {definition['longest_compile']}"
    return round(time.perf_counter() - start, 2)


def run(command: list, folder: Path | None = None) -> str:
    done = subprocess.run([str(part) for part in command], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"bench/emit.py: {' '.join(map(str, command))}: {done.stderr.strip()}")
    return done.stdout


def record(definition: dict, lines: list[dict]) -> None:
    path = BENCH / "record" / "emit" / f"{datetime.date.today()}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        file.write(f"# seed: {definition['seed']}\n# trees: {definition['trees']}, leaves: {definition['leaves']}; compile_more_s: {definition['trees_to_compile']} trees\n")
        file.write(f"# smidgen: {run([SMIDGEN, '--version']).strip()}\n")
        file.write("".join(f"# {name}: {version(name)}\n" for name in ("emlearn", "m2cgen", "scikit-learn", "lightgbm")))
        for compiler in ("arm-none-eabi-gcc", "gcc"):
            file.write(f"# {compiler}: {run([compiler, '-dumpfullversion']).strip()}\n")
        out = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        out.writeheader()
        out.writerows(lines)


if __name__ == "__main__":
    sys.exit(main())
