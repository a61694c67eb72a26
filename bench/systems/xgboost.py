"""XGBoost with its defaults, through its scikit-learn interface; categories are handed to it as such.

It predicts from frames, which is the form that knows categories.
"""

import time

from systems import passes


def version() -> str | None:
    return passes.installed("xgboost-cpu")


def parameters(definition: dict) -> dict:
    return {"n_jobs": definition["threads"], "random_state": definition["seed"], "enable_categorical": True}


def measure(definition: dict, table: dict, folder) -> dict:
    import xgboost

    import tables

    train, target, test, truth = tables.frames(table, folder)
    is_regression = table["task"] == "regression"
    classes = [] if is_regression else tables.classes_of(table, target)
    labels = target if is_regression else target.map({name: at for at, name in enumerate(classes)})
    model = (xgboost.XGBRegressor if is_regression else xgboost.XGBClassifier)(**parameters(definition))
    predict = model.predict if is_regression else model.predict_proba
    base_mb = passes.peak_mb()

    from_ = time.perf_counter()
    model.fit(train, labels)
    train_s = time.perf_counter() - from_

    predicted = predict(test)
    measured = {"train_s": train_s, "peak_mb": passes.peak_mb(), "base_mb": base_mb}
    measured["error"] = tables.error_of(table, classes, truth, predicted)
    measured["bytes"] = len(model.get_booster().save_raw("ubj"))
    rows = passes.at_least(test, definition["min_timed_rows"])
    model.set_params(n_jobs=1)
    measured["rows_per_s"] = passes.rows_per_s(lambda: predict(rows), len(rows), definition)
    return measured
