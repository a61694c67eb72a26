"""smidgen as a user runs it: `fit` with the target, the time, and what the model may be: in 16 kB."""

from systems import smidgen

version = smidgen.version

WANTED = ["--max-bytes", "16kB"]


def parameters(definition: dict) -> dict:
    return {"seconds": definition["seconds"], "wanted": WANTED}


def measure(definition: dict, table: dict, folder) -> dict:
    return smidgen.measure_with({}, definition, table, folder, ["--time", str(definition["seconds"]), *WANTED])
