"""Writes the tables of this folder from the sets that scikit-learn bundles.

Run with any working folder: `python export.py`. Needs numpy and scikit-learn; README.md names the versions that
the committed files were written with. No network. The same versions give the same bytes.

Columns and rows stand as in scikit-learn. Numbers are the shortest text that reads back as the same f64, whole
ones without a point. Lines end in a line feed.
"""

import csv
from pathlib import Path

import sklearn.datasets as sets
from sklearn.model_selection import train_test_split

FOLDER = Path(__file__).resolve().parent
SEED = 42


def text(value):
    number = float(value)
    return str(int(number)) if number.is_integer() else repr(number)


def write(name, header, rows):
    with open(FOLDER / f"{name}.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def export(name, bunch, target, classes, test_size=None):
    """One table; with `test_size`, its two halves beside it, in the order in which scikit-learn splits them."""
    labels = [text(y) for y in bunch.target] if classes is None else [classes[y] for y in bunch.target]
    header = [*bunch.feature_names, target]
    rows = [[*map(text, x), y] for x, y in zip(bunch.data, labels)]
    write(name, header, rows)
    if test_size is not None:
        train, test = train_test_split(rows, test_size=test_size, random_state=SEED)
        write(f"{name}_train", header, train)
        write(f"{name}_test", header, test)


def main():
    bunch = sets.load_breast_cancer()
    export("breast_cancer", bunch, "diagnosis", bunch.target_names, test_size=0.3)
    bunch = sets.load_iris()
    export("iris", bunch, "species", bunch.target_names, test_size=0.2)
    # Scaled, as scikit-learn loads it by default: the worked ridge example is stated on these columns.
    export("diabetes", sets.load_diabetes(scaled=True), "progression", None, test_size=0.2)
    bunch = sets.load_wine()
    export("wine", bunch, "class", bunch.target_names)
    export("digits", sets.load_digits(), "digit", None)


main()
