"""smidgen as a user runs it: `fit` with the target, the time, and what the model may be: in 100 kB and 5 microseconds a row."""

from systems import smidgen

version = smidgen.version

WANTED = ["--max-bytes", "100kB", "--max-us", "5"]


def parameters(definition: dict) -> dict:
    return {"seconds": definition["seconds"], "wanted": WANTED}


def measure(definition: dict, table: dict, folder) -> dict:
    return smidgen.measure_with({}, definition, table, folder, ["--time", str(definition["seconds"]), *WANTED])
