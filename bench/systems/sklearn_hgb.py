"""scikit-learn's HistGradientBoosting, with the same trees asked for.

It takes frames with categories as they are; turning them into numbers is part of its own prediction, so it is timed.
"""

import pickle
import time
from importlib import metadata

from systems import passes


def version() -> str:
    return metadata.version("scikit-learn")


def parameters(definition: dict) -> dict:
    ours = definition["parameters"]
    return {
        "max_iter": ours["n_trees"],
        "max_leaf_nodes": ours["max_leaves"],
        "learning_rate": ours["learning_rate"],
        "min_samples_leaf": ours["min_leaf_rows"],
        "max_bins": ours["max_bins"],
        "l2_regularization": ours["l2"],
        "early_stopping": False,
        "categorical_features": "from_dtype",
        "random_state": definition["seed"],
    }


def measure(definition: dict, table: dict, folder) -> dict:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    import tables

    train, target, test, truth = tables.frames(table, folder)
    is_regression = table["task"] == "regression"
    classes = [] if is_regression else tables.classes_of(table, target)
    kind = HistGradientBoostingRegressor if is_regression else HistGradientBoostingClassifier
    model = kind(**parameters(definition))
    predict = model.predict if is_regression else model.predict_proba
    base_mb = passes.peak_mb()

    with threadpool_limits(definition["threads"]):
        from_ = time.perf_counter()
        model.fit(train, target)
        train_s = time.perf_counter() - from_
        predicted = predict(test)
    if not is_regression:
        # Its classes are sorted; ours have the positive one last.
        predicted = predicted[:, [list(model.classes_).index(name) for name in classes]]
    measured = {
        "error": tables.error_of(table, classes, truth, predicted),
        "bytes": len(pickle.dumps(model)),
        "train_s": train_s,
        "peak_mb": passes.peak_mb(),
        "base_mb": base_mb,
    }
    rows = passes.at_least(test, definition["min_timed_rows"])
    with threadpool_limits(1):
        measured["rows_per_s"] = passes.rows_per_s(lambda: predict(rows), len(rows), definition)
    return measured
