"""The tables of a benchmark: the split, written once, and the frames that the Python systems read.

The split needs the standard library only; cells are copied as they stand, so every system types them itself.
"""

import csv
import gzip
import hashlib
import json
import os
import random
import sys
from pathlib import Path

# What smidgen takes for a missing cell, so that everyone sees the same cells missing.
MISSING = ["", "?", "NA", "N/A", "NaN", "null", "None"]


def data_folder(given: str | None = None) -> Path:
    """The folder of tables: the one that is given, else that of SMIDGEN_DATA, else ../shared/data."""
    folder = Path(given or os.environ.get("SMIDGEN_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
    if not folder.is_dir():
        sys.exit(f"bench: there is no data folder {folder}; name it with --data or SMIDGEN_DATA")
    return folder


def split(table: dict, data: Path, cache: Path, seed: int) -> Path:
    """Writes train.csv and test.csv of a table under `cache` unless they are there; returns their folder."""
    changes = {key: table[key] for key in ("drop", "merge") if key in table}
    changed = f"-{hashlib.sha256(json.dumps(changes, sort_keys=True).encode()).hexdigest()[:8]}" if changes else ""
    folder = cache / "splits" / f"{table['name']}-seed{seed}{changed}"
    if (folder / "test.csv").exists() and (folder / "train.csv").exists():
        return folder
    source = data / table["name"]
    if "test" in table:
        parts = {name: changed_rows(table, rows_of(source / table[name])) for name in ("train", "test")}
    else:
        header, *rows = changed_rows(table, rows_of(source / table["data"]))
        order = list(range(len(rows)))
        random.Random(seed).shuffle(order)
        n_test = int(len(rows) * table["test_share"])
        # Within each part the rows keep their order.
        test, train = sorted(order[:n_test]), sorted(order[n_test:])
        parts = {"train": [header] + [rows[row] for row in train], "test": [header] + [rows[row] for row in test]}
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in parts.items():
        unfinished = folder / f"{name}.unfinished"
        with unfinished.open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)
        unfinished.rename(folder / f"{name}.csv")
    return folder


def rows_of(path: Path) -> list[list[str]]:
    opened = gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="")
    with opened as file:
        return [row for row in csv.reader(file) if row]


def changed_rows(table: dict, rows: list[list[str]]) -> list[list[str]]:
    """The rows without the columns of `drop`, without rows that have no target, with the classes of `merge` put together."""
    if "target" not in table:
        return rows
    header, *rows = rows
    target, merge = header.index(table["target"]), table.get("merge", {})
    kept = [at for at, name in enumerate(header) if name not in table.get("drop", [])]
    rows = [row for row in rows if row[target] not in MISSING]
    for row in rows:
        row[target] = merge.get(row[target], row[target])
    return [[row[at] for at in kept] for row in [header, *rows]]


def frames(table: dict, folder: Path):
    """(train columns, train target, test columns, test target): numbers, and categories of the training rows."""
    import pandas as pd

    def read(name):
        return pd.read_csv(folder / name, keep_default_na=False, na_values=MISSING, skipinitialspace=True)

    train, test = read("train.csv"), read("test.csv")
    train_target, test_target = train.pop(table["target"]), test.pop(table["target"])
    for name in train.columns:
        if not pd.api.types.is_numeric_dtype(train[name]):
            train[name] = train[name].astype("category")
            test[name] = pd.Categorical(test[name], categories=train[name].cat.categories)
    return train, train_target, test, test_target


def classes_of(table: dict, train_target) -> list:
    """The classes in the order of probability columns; of a binary table the positive one is last."""
    classes = sorted(train_target.unique())
    if table["task"] == "binary":
        classes.sort(key=lambda name: str(name) == table["positive"])
    return classes


def error_of(table: dict, classes: list, truth, predicted) -> float:
    """The error of `predicted`: probabilities a class (`[n_rows, n_classes]`), or numbers in a regression."""
    import numpy as np
    from sklearn import metrics

    match table["task"]:
        case "binary":
            return 1 - metrics.roc_auc_score(truth == classes[1], np.asarray(predicted)[:, 1])
        case "multiclass":
            return metrics.log_loss(truth, predicted, labels=classes)
        case "regression":
            return metrics.root_mean_squared_error(truth, predicted)
        case other:
            raise ValueError(f"{table['name']}: unknown task {other!r}")
