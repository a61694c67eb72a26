"""FLAML with its defaults: a search over learners and their parameters; the file is the pickle of all of it."""

from systems import automl

parameters = automl.parameters


def version() -> str | None:
    return automl.version("flaml")


def measure(definition: dict, table: dict, folder) -> dict:
    return automl.measure("flaml", definition, table, folder)
