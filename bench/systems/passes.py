"""What the Python systems measure alike: passes over the test rows, the memory of their process, models of scikit-learn."""

import pickle
import resource
import statistics
import time
from importlib import metadata


def installed(package: str) -> str | None:
    """The version of a package; none if it is not there."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def at_least(rows, n_rows: int):
    """The rows, repeated as a whole until there are at least `n_rows`."""
    times = -(-n_rows // len(rows))
    if times <= 1:
        return rows
    if hasattr(rows, "iloc"):
        import pandas as pd

        return pd.concat([rows] * times, ignore_index=True)
    import numpy as np

    return np.concatenate([rows] * times)


def rows_per_s(predict, n_rows: int, definition: dict) -> float:
    """Rows a second of the median pass; one pass before the clock starts."""
    predict()
    seconds = []
    for _ in range(definition["passes"]):
        from_ = time.perf_counter()
        predict()
        seconds.append(time.perf_counter() - from_)
    return n_rows / statistics.median(seconds)


def peak_mb() -> float:
    """The most memory that this process has held so far, in MB of 10^6 bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def numbers(column):
    """A column as floats, a category as its code, missing as NaN."""
    import numpy as np

    if column.dtype != "category":
        return column.to_numpy()
    codes = column.cat.codes.to_numpy()
    return np.where(codes < 0, np.nan, codes)


class Counted:
    """A file that only counts what is written to it."""

    n_bytes = 0

    def write(self, part) -> None:
        self.n_bytes += len(part)


def measured_sklearn(model, definition: dict, table: dict, data: tuple, threads_to=None) -> dict:
    """What is measured of a model with scikit-learn's interface; `data` is that of `tables.frames`.

    `threads_to(n)` sets the threads of models that have a setting for them.
    """
    from threadpoolctl import threadpool_limits

    import tables

    train, target, test, truth = data
    is_regression = table["task"] == "regression"
    predict = model.predict if is_regression else model.predict_proba
    base_mb = peak_mb()

    with threadpool_limits(definition["threads"]):
        from_ = time.perf_counter()
        model.fit(train, target)
        train_s = time.perf_counter() - from_
        predicted = predict(test)
    measured = {"train_s": train_s, "peak_mb": peak_mb(), "base_mb": base_mb}
    classes = [] if is_regression else tables.classes_of(table, target)
    if not is_regression:
        # Its classes are sorted; ours have the positive one last.
        predicted = predicted[:, [list(model.classes_).index(name) for name in classes]]
    measured["error"] = tables.error_of(table, classes, truth, predicted)
    file = Counted()
    pickle.dump(model, file)
    measured["bytes"] = file.n_bytes

    rows = at_least(test, definition["min_timed_rows"])
    if threads_to:
        threads_to(1)
    with threadpool_limits(1):
        measured["rows_per_s"] = rows_per_s(lambda: predict(rows), len(rows), definition)
    return measured
