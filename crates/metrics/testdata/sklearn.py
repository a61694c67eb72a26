"""Writes sklearn.txt: random cases and the values that scikit-learn gives them.

Run from any folder: `python sklearn.py`. Needs scikit-learn 1.9 (written with the version in the first line).
Floats are written as shortest round trip, so both sides see the same bits.
`ece` is not in scikit-learn; `ece` below follows the paper, on arrays.
"""

import sys
from pathlib import Path

# This file is named like the package: its folder must not be searched for it.
sys.path = [p for p in sys.path if Path(p or ".").resolve() != Path(__file__).resolve().parent]

import numpy as np  # noqa: E402
import sklearn  # noqa: E402
from sklearn import metrics as m  # noqa: E402


def ece(labels, probabilities, weights):
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    edges = np.arange(16) / 15
    total = 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        rows = (confidence > low) & (confidence <= high)
        if weights[rows].sum() > 0:
            gap = np.average(right[rows], weights=weights[rows]) - np.average(confidence[rows], weights=weights[rows])
            total += weights[rows].sum() * abs(gap)
    return total / weights.sum()


def class_scores(labels, predicted, probabilities, positive, weights):
    n_classes = probabilities.shape[1]
    w = {"sample_weight": weights}
    zero = {"zero_division": 0, **w}
    classes = list(range(n_classes))
    if n_classes == 2:
        y, p = labels == positive, probabilities[:, positive]
        yield "roc_auc", m.roc_auc_score(y, p, **w)
        yield "average_precision", m.average_precision_score(y, p, **w)
        yield "precision", m.precision_score(labels, predicted, pos_label=positive, **zero)
        yield "recall", m.recall_score(labels, predicted, pos_label=positive, **zero)
        yield "f1", m.f1_score(labels, predicted, pos_label=positive, **zero)
        yield "brier", m.brier_score_loss(y, p, **w)
    else:
        one_hot = (labels[:, None] == np.arange(n_classes)).astype(int)
        yield "roc_auc", m.roc_auc_score(labels, probabilities, multi_class="ovr", labels=classes, **w)
        yield "average_precision", m.average_precision_score(one_hot, probabilities, average="macro", **w)
        yield "brier", m.brier_score_loss(labels, probabilities, labels=classes, **w)
    yield "accuracy", m.accuracy_score(labels, predicted, **w)
    yield "balanced_accuracy", m.balanced_accuracy_score(labels, predicted, **w)
    yield "f1_macro", m.f1_score(labels, predicted, average="macro", **zero)
    yield "f1_weighted", m.f1_score(labels, predicted, average="weighted", **zero)
    yield "precision_weighted", m.precision_score(labels, predicted, average="weighted", **zero)
    yield "recall_weighted", m.recall_score(labels, predicted, average="weighted", **zero)
    yield "log_loss", m.log_loss(labels, y_proba=probabilities, labels=classes, **w)
    yield "ece", ece(labels, probabilities, np.ones(len(labels)) if weights is None else weights)


def number_scores(targets, predictions, weights):
    w = {"sample_weight": weights}
    yield "rmse", m.root_mean_squared_error(targets, predictions, **w)
    yield "mse", m.mean_squared_error(targets, predictions, **w)
    yield "mae", m.mean_absolute_error(targets, predictions, **w)
    yield "medae", m.median_absolute_error(targets, predictions, **w)
    yield "r2", m.r2_score(targets, predictions, **w)


def line(name, values):
    return f"{name} " + " ".join(repr(v) for v in np.asarray(values).ravel().tolist())


def weights_of(kind, rng, n_rows):
    if kind == "plain":
        return None
    if kind == "counts":
        return rng.integers(0, 4, n_rows).astype(float)
    return rng.exponential(1.0, n_rows)


def main():
    rng = np.random.default_rng(20240601)
    out = [f"# Written by sklearn.py with scikit-learn {sklearn.__version__}, numpy {np.__version__}."]
    # Probabilities in steps of 1/8 tie often.
    for n_classes in (2, 3, 5):
        for grid in (None, 8):
            for kind in ("plain", "counts", "real"):
                n_rows = int(rng.integers(30, 50))
                labels = rng.integers(0, n_classes, n_rows)
                truth = np.eye(n_classes)[labels]
                if grid is None:
                    probabilities = rng.dirichlet(np.ones(n_classes), n_rows) * 0.6 + truth * 0.4
                    probabilities /= probabilities.sum(axis=1, keepdims=True)
                else:
                    p = (rng.dirichlet(np.ones(n_classes), n_rows) + truth) / 2
                    probabilities = np.array([rng.multinomial(grid, row) for row in p]) / grid
                    # Certain and wrong, certain and right: log_loss clips both.
                    probabilities[0], probabilities[1] = np.roll(truth[0], 1), truth[1]
                positive = int(rng.integers(0, n_classes))
                predicted = probabilities.argmax(axis=1)
                # A tuned threshold: predicted labels that the probabilities alone do not tell.
                predicted[probabilities[:, positive] >= 0.3] = positive
                weights = weights_of(kind, rng, n_rows)
                out += ["", f"case {n_classes} classes, {'tied' if grid else 'distinct'}, weights {kind}"]
                out += [f"n_classes {n_classes}", f"positive {positive}"]
                out += [line("labels", labels), line("predicted", predicted), line("probabilities", probabilities)]
                out += [] if weights is None else [line("weights", weights)]
                scores = class_scores(labels, predicted, probabilities, positive, weights)
                out += [f"expect {name} {float(value)!r}" for name, value in scores]
    for grid in (None, 4):
        for kind in ("plain", "counts", "real"):
            n_rows = int(rng.integers(20, 50))
            targets = rng.normal(50.0, 20.0, n_rows)
            predictions = targets + rng.standard_t(2, n_rows) * 5.0
            if grid is not None:
                targets, predictions = np.round(targets * grid) / grid, np.round(predictions * grid) / grid
            weights = weights_of(kind, rng, n_rows)
            out += ["", f"case numbers, {'tied' if grid else 'distinct'}, weights {kind}"]
            out += [line("targets", targets), line("predictions", predictions)]
            out += [] if weights is None else [line("weights", weights)]
            out += [f"expect {name} {float(value)!r}" for name, value in number_scores(targets, predictions, weights)]
    Path(__file__).with_suffix(".txt").write_text("\n".join(out) + "\n", newline="\n")


main()
