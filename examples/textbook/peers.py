"""Prints what two scikit-learn models get on the splits of ../data: the numbers in README.md.

Run with any working folder: `python peers.py`. Needs numpy and scikit-learn.
"""

import csv
from pathlib import Path

import numpy as np
import sklearn
from sklearn import metrics as m
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

DATA = Path(__file__).resolve().parent.parent / "data"


def read(name):
    with open(DATA / f"{name}.csv", encoding="utf-8", newline="") as file:
        _, *rows = csv.reader(file)
    return np.array([row[:-1] for row in rows], dtype=float), np.array([row[-1] for row in rows])


print(f"scikit-learn {sklearn.__version__}, numpy {np.__version__}")
for table in ("breast_cancer", "iris"):
    x, y = read(f"{table}_train")
    x_test, y_test = read(f"{table}_test")
    for model in (RandomForestClassifier(n_estimators=100, random_state=42), HistGradientBoostingClassifier()):
        predicted = model.fit(x, y).predict(x_test)
        weighted = {"average": "weighted", "zero_division": 0}
        print(f"\n{table}: {type(model).__name__}")
        print(f"right     {(predicted == y_test).sum()} of {len(y_test)}")
        print(f"accuracy  {m.accuracy_score(y_test, predicted):.4f}")
        print(f"precision {m.precision_score(y_test, predicted, **weighted):.4f} (weighted)")
        print(f"recall    {m.recall_score(y_test, predicted, **weighted):.4f} (weighted)")
        print(f"f1        {m.f1_score(y_test, predicted, **weighted):.4f} (weighted)")
        print(f"confusion {m.confusion_matrix(y_test, predicted).tolist()} (rows true; {', '.join(model.classes_)})")
