"""CatBoost with its defaults; categories are handed to it as text, a missing one as a category of its own.

Its 1000 rounds take minutes where there are many classes. It predicts from frames.
"""

import os
import tempfile
import time
from pathlib import Path

from systems import passes


def version() -> str | None:
    return passes.installed("catboost")


def parameters(definition: dict) -> dict:
    settings = {"thread_count": definition["threads"], "random_seed": definition["seed"]}
    return settings | {"allow_writing_files": False, "logging_level": "Silent"}


def measure(definition: dict, table: dict, folder) -> dict:
    import catboost
    import numpy as np

    import tables

    train, target, test, truth = tables.frames(table, folder)
    categories = [name for name in train.columns if train[name].dtype == "category"]
    for frame in (train, test):
        for name in categories:
            frame[name] = frame[name].astype(object).where(frame[name].notna(), "missing").astype(str).astype(object)
    is_regression = table["task"] == "regression"
    classes = [] if is_regression else tables.classes_of(table, target)
    labels = target if is_regression else target.map({name: at for at, name in enumerate(classes)})
    kind = catboost.CatBoostRegressor if is_regression else catboost.CatBoostClassifier
    model = kind(cat_features=categories, **parameters(definition))
    base_mb = passes.peak_mb()

    from_ = time.perf_counter()
    model.fit(train, labels)
    train_s = time.perf_counter() - from_

    def predict(rows, threads):
        return model.predict(rows, prediction_type="RawFormulaVal" if is_regression else "Probability", thread_count=threads)

    predicted = np.asarray(predict(test, definition["threads"]))
    measured = {"train_s": train_s, "peak_mb": passes.peak_mb(), "base_mb": base_mb}
    measured["error"] = tables.error_of(table, classes, truth, predicted)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "model.cbm"
        model.save_model(str(path))
        measured["bytes"] = os.path.getsize(path)
    rows = passes.at_least(test, definition["min_timed_rows"])
    measured["rows_per_s"] = passes.rows_per_s(lambda: predict(rows, 1), len(rows), definition)
    return measured
