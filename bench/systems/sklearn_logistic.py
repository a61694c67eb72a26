"""scikit-learn's logistic regression, or ridge regression of numbers.

What they need before: missing numbers become the median, numbers are standardized, categories become columns.
"""

from systems import passes

# Its default of 100 steps ends with a warning on half of the tables.
MAX_STEPS = 1000


def version() -> str | None:
    return passes.installed("scikit-learn")


def parameters(definition: dict) -> dict:
    return {"max_iter": MAX_STEPS}


def measure(definition: dict, table: dict, folder) -> dict:
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    import tables

    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), make_column_selector(dtype_include="number")),
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_include="category")),
    )
    linear = Ridge() if table["task"] == "regression" else LogisticRegression(**parameters(definition))
    model = make_pipeline(columns, linear)
    return passes.measured_sklearn(model, definition, table, tables.frames(table, folder))
