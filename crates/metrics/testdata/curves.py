"""Writes curves.txt: what scikit-learn gives for averages, curves and quantile losses on the cases of sklearn.txt.

Run from any folder: `python curves.py`. Needs scikit-learn 1.9 (written with the version in the first line) and SciPy.
"""

import sys
from pathlib import Path

# A file beside this one is named like the package: the folder must not be searched for it.
sys.path = [p for p in sys.path if Path(p or ".").resolve() != Path(__file__).resolve().parent]

import numpy as np  # noqa: E402
import sklearn  # noqa: E402
from sklearn import metrics as m  # noqa: E402
from sklearn.calibration import calibration_curve  # noqa: E402


def line(name, values):
    return f"{name} " + " ".join(repr(float(v)) for v in np.asarray(values).ravel())


def cases():
    for block in Path(__file__).with_name("sklearn.txt").read_text().split("\n\n")[1:]:
        case = {}
        for row in block.splitlines():
            key, rest = row.split(" ", 1)
            if key == "case":
                case["name"] = rest
            elif key != "expect":
                case[key] = np.array([float(v) for v in rest.split(" ")])
        yield case


def of_numbers(case, w):
    for level in (0.1, 0.5, 0.9):
        loss = m.mean_pinball_loss(case["targets"], case["predictions"], alpha=level, sample_weight=w)
        yield line(f"pinball_{level}", [loss])


def of_classes(case, w):
    n_classes, positive = int(case["n_classes"][0]), int(case["positive"][0])
    labels, predicted = case["labels"].astype(int), case["predicted"].astype(int)
    # Rows of weight 0 are absent.
    rows = np.ones(len(labels), bool) if w is None else w > 0
    for average in ("macro", "micro", "weighted"):
        scores = m.precision_recall_fscore_support(
            labels[rows], predicted[rows], average=average, zero_division=0, sample_weight=None if w is None else w[rows]
        )
        yield line(average, scores[:3])
    y = (labels == positive)[rows]
    p = case["probabilities"].reshape(-1, n_classes)[:, positive][rows]
    w = None if w is None else w[rows]
    fpr, tpr, thresholds = m.roc_curve(y, p, sample_weight=w, drop_intermediate=False)
    yield line("fpr", fpr)
    yield line("tpr", tpr)
    yield line("roc_thresholds", thresholds)
    yield line("ks", [np.abs(tpr - fpr).max()])
    precision, recall, thresholds = m.precision_recall_curve(y, p, sample_weight=w)
    # Largest threshold first, without the point of recall 0.
    yield line("precision", precision[:-1][::-1])
    yield line("recall", recall[:-1][::-1])
    yield line("pr_thresholds", thresholds[::-1])
    for threshold in (0.2, 0.5, 0.625):
        told = p >= threshold
        scores = m.precision_recall_fscore_support(y, told, average="binary", zero_division=0, sample_weight=w)
        balanced = m.balanced_accuracy_score(y, told, sample_weight=w)
        yield line(f"at_{threshold}", [*scores[:3], balanced, np.average(told, weights=w)])
    if w is None:
        for n_bins in (5, 8):
            observed, mean = calibration_curve(y, p, n_bins=n_bins, strategy="uniform")
            yield line(f"reliability_{n_bins}", [*mean, *observed])


def main():
    out = [f"# Written by curves.py with scikit-learn {sklearn.__version__}, numpy {np.__version__}."]
    for case in cases():
        out += ["", f"case {case['name']}"]
        out += list((of_classes if "labels" in case else of_numbers)(case, case.get("weights")))
    Path(__file__).with_suffix(".txt").write_text("\n".join(out) + "\n", newline="\n")


main()
