"""scikit-learn's random forest of 100 trees.

What it needs before: missing numbers become the median, categories their number.
"""

from systems import passes


def version() -> str | None:
    return passes.installed("scikit-learn")


def parameters(definition: dict) -> dict:
    return {"n_estimators": 100, "n_jobs": definition["threads"], "random_state": definition["seed"]}


def measure(definition: dict, table: dict, folder) -> dict:
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder

    import tables

    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1)
    columns = make_column_transformer(
        (SimpleImputer(strategy="median"), make_column_selector(dtype_include="number")),
        (codes, make_column_selector(dtype_include="category")),
    )
    kind = RandomForestRegressor if table["task"] == "regression" else RandomForestClassifier
    forest = kind(**parameters(definition))
    model = make_pipeline(columns, forest)
    data = tables.frames(table, folder)
    return passes.measured_sklearn(model, definition, table, data, lambda n: forest.set_params(n_jobs=n))
