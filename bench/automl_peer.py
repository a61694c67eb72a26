#!/usr/bin/env python3
"""One AutoML system on one table, in the environment of these systems (setup_automl.sh); prints one JSON line.

    automl_peer.py SYSTEM '{"folder": .., "table": .., "seconds": .., "threads": .., "seed": .., "out": ..}'

Predictions of the test rows go to `out` (NPY): probabilities in the order of `classes`, or numbers. The error is computed
from them by the same code as everyone's.
"""

import json
import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np

import tables

METRICS = {
    "autogluon": {"binary": "roc_auc", "multiclass": "log_loss", "regression": "root_mean_squared_error"},
    "flaml": {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"},
}


def autogluon(order: dict, train, target, test, place: Path):
    from autogluon.tabular import TabularPredictor

    table = order["table"]
    name = table["target"]
    positive = {"positive_class": positive_of(order, target)} if table["task"] == "binary" else {}
    predictor = TabularPredictor(
        name, problem_type=table["task"], eval_metric=METRICS["autogluon"][table["task"]], path=str(place / "model"), verbosity=0, **positive
    )
    predictor.fit(
        train.assign(**{name: target}),
        presets="best_quality",
        time_limit=order["seconds"],
        num_cpus=order["threads"],
        num_gpus=0,
        ag_args_ensemble={"fold_fitting_strategy": "sequential_local"},
    )
    if table["task"] == "regression":
        return predictor.predict(test).to_numpy(), None, place / "model"
    shares = predictor.predict_proba(test)
    return shares.to_numpy(), [str(c) for c in shares.columns], place / "model"


def positive_of(order: dict, target):
    """The positive class as the frame spells it."""
    return next(c for c in target.unique() if str(c) == order["table"]["positive"])


def flaml(order: dict, train, target, test, place: Path):
    import pickle

    from flaml import AutoML

    table = order["table"]
    model = AutoML()
    model.fit(
        train,
        target,
        task="regression" if table["task"] == "regression" else "classification",
        metric=METRICS["flaml"][table["task"]],
        time_budget=order["seconds"],
        n_jobs=order["threads"],
        seed=order["seed"],
        verbose=0,
    )
    with open(place / "model", "wb") as file:
        pickle.dump(model, file)
    if table["task"] == "regression":
        return model.predict(test), None, place / "model"
    return model.predict_proba(test), [str(c) for c in model.classes_], place / "model"


def bytes_of(path: Path) -> int:
    return sum(f.stat().st_size for f in path.rglob("*") if f.is_file()) if path.is_dir() else path.stat().st_size


def main() -> None:
    system, order = sys.argv[1], json.loads(sys.argv[2])
    os.environ["OMP_NUM_THREADS"] = str(order["threads"])
    train, target, test, _ = tables.frames(order["table"], Path(order["folder"]))
    place = Path(tempfile.mkdtemp())
    try:
        from_ = time.perf_counter()
        predicted, classes, model = {"autogluon": autogluon, "flaml": flaml}[system](order, train, target, test, place)
        seconds = time.perf_counter() - from_
        np.save(order["out"], np.asarray(predicted, dtype=np.float64))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        print(json.dumps({"classes": classes, "whole_s": seconds, "bytes": bytes_of(model), "peak_mb": peak}))
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
