"""LightGBM, through its Python package, with the trees that the definition asks for, else its defaults.

Its own choice between row-wise and column-wise histograms is left to it: that is what its users run.
Treatment of categories and minimal rows a bin are its defaults.
"""

import time

from systems import passes


def version() -> str | None:
    return passes.installed("lightgbm")


def parameters(definition: dict) -> dict:
    settings = {
        "num_threads": definition["threads"],
        "seed": definition["seed"],
        "deterministic": True,
        "verbosity": -1,
    }
    if "parameters" not in definition:
        return settings
    ours = definition["parameters"]
    return settings | {
        "num_iterations": ours["n_trees"],
        "num_leaves": ours["max_leaves"],
        "learning_rate": ours["learning_rate"],
        "min_data_in_leaf": ours["min_leaf_rows"],
        "max_bin": ours["max_bins"],
        "lambda_l2": ours["l2"],
    }


def measure(definition: dict, table: dict, folder) -> dict:
    import lightgbm
    import numpy as np

    import tables

    train, target, test, truth = tables.frames(table, folder)
    classes = [] if table["task"] == "regression" else tables.classes_of(table, target)
    labels = target if not classes else target.map({name: at for at, name in enumerate(classes)}).to_numpy()
    settings = parameters(definition) | {"objective": table["task"]}
    if table["task"] == "multiclass":
        settings["num_class"] = len(classes)
    base_mb = passes.peak_mb()

    from_ = time.perf_counter()
    model = lightgbm.train(settings, lightgbm.Dataset(train, labels))
    train_s = time.perf_counter() - from_

    predicted = model.predict(test)
    highest_mb = passes.peak_mb()
    if table["task"] == "binary":
        predicted = np.column_stack([1 - predicted, predicted])
    measured = {
        "error": tables.error_of(table, classes, truth, predicted),
        "bytes": len(model.model_to_string().encode()),
        "train_s": train_s,
        "peak_mb": highest_mb,
        "base_mb": base_mb,
    }
    # Categories are turned into numbers before the clock starts: the faster of the forms that LightGBM takes.
    rows = np.column_stack([passes.numbers(test[name]) for name in test.columns]).astype(np.float64)
    rows = passes.at_least(rows, definition["min_timed_rows"])
    measured["rows_per_s"] = passes.rows_per_s(lambda: model.predict(rows, num_threads=1), len(rows), definition)
    return measured
