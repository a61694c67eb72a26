#!/usr/bin/env python3
"""One AutoML system on one table, in the environment of these systems (setup_automl.sh); prints one JSON line.

    automl_peer.py SYSTEM '{"folder": .., "table": .., "seconds": .., "threads": .., "seed": .., "out": ..}'

Predictions of the test rows go to `out` (NPY): probabilities in the order of `classes`, or numbers. The error is computed
from them by the same code as everyone's. Bytes are those of what would be deployed: of AutoGluon its clone for deployment.
Rows a second are those of one processor core, frames in, as many passes as are needed for a median and time allows.
"""

import json
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np

import tables
from systems import passes

# No further pass begins after so many seconds of them.
MOST_TIMED_SECONDS = 10.0
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
    deployed = predictor.clone_for_deployment(str(place / "deployed"), return_clone=True)
    deployed.persist()
    if table["task"] == "regression":
        return (lambda rows: deployed.predict(rows).to_numpy()), None, place / "deployed"
    return (lambda rows: deployed.predict_proba(rows).to_numpy()), [str(c) for c in deployed.class_labels], place / "deployed"


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
        return model.predict, None, place / "model"
    return model.predict_proba, [str(c) for c in model.classes_], place / "model"


def rows_per_s(predict, rows, most_passes: int) -> float:
    """Rows a second of the median pass on one core; passes end early where they take long."""
    os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
    seconds = []
    while len(seconds) < most_passes and sum(seconds) < MOST_TIMED_SECONDS:
        from_ = time.perf_counter()
        predict(rows)
        seconds.append(time.perf_counter() - from_)
    return len(rows) / statistics.median(seconds)


def bytes_of(path: Path) -> int:
    return sum(f.stat().st_size for f in path.rglob("*") if f.is_file()) if path.is_dir() else path.stat().st_size


def main() -> None:
    system, order = sys.argv[1], json.loads(sys.argv[2])
    os.environ["OMP_NUM_THREADS"] = str(order["threads"])
    train, target, test, _ = tables.frames(order["table"], Path(order["folder"]))
    place = Path(tempfile.mkdtemp())
    try:
        from_ = time.perf_counter()
        predict, classes, model = {"autogluon": autogluon, "flaml": flaml}[system](order, train, target, test, place)
        measured = {"classes": classes, "whole_s": time.perf_counter() - from_, "bytes": bytes_of(model)}
        np.save(order["out"], np.asarray(predict(test), dtype=np.float64))
        measured["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        measured["rows_per_s"] = rows_per_s(predict, passes.at_least(test, order["min_timed_rows"]), order["passes"])
        print(json.dumps(measured))
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
