"""smidgen as a user runs it: `fit` with nothing said but the target and the time."""

from systems import smidgen

version = smidgen.version


def parameters(definition: dict) -> dict:
    return {"seconds": definition["seconds"]}


def measure(definition: dict, table: dict, folder) -> dict:
    return smidgen.measure_with({}, definition, table, folder, ["--time", str(definition["seconds"])])
