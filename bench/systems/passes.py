"""What the Python systems measure alike: passes over the test rows, and the memory of their process."""

import resource
import statistics
import time


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
