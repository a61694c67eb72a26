"""scikit-learn's HistGradientBoosting, with the trees that the definition asks for, else its defaults.

It takes frames with categories as they are; turning them into numbers is part of its own prediction, so it is timed.
A column of more categories than it has bins is refused by it, and goes in as the numbers of the categories.
"""

from systems import passes

MAX_CATEGORIES = 255


def version() -> str | None:
    return passes.installed("scikit-learn")


def parameters(definition: dict) -> dict:
    settings = {"random_state": definition["seed"]}
    if "parameters" not in definition:
        return settings
    ours = definition["parameters"]
    return settings | {
        "max_iter": ours["n_trees"],
        "max_leaf_nodes": ours["max_leaves"],
        "learning_rate": ours["learning_rate"],
        "min_samples_leaf": ours["min_leaf_rows"],
        "max_bins": ours["max_bins"],
        "l2_regularization": ours["l2"],
        "early_stopping": False,
        "categorical_features": "from_dtype",
    }


def measure(definition: dict, table: dict, folder) -> dict:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    import tables

    train, target, test, truth = tables.frames(table, folder)
    for name in train.columns:
        if train[name].dtype == "category" and len(train[name].cat.categories) > MAX_CATEGORIES:
            train[name], test[name] = passes.numbers(train[name]), passes.numbers(test[name])
    is_regression = table["task"] == "regression"
    kind = HistGradientBoostingRegressor if is_regression else HistGradientBoostingClassifier
    model = kind(**parameters(definition))
    return passes.measured_sklearn(model, definition, table, (train, target, test, truth))
