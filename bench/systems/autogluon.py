"""AutoGluon with its preset `best_quality`: bagged, stacked, blended; without graphics cards, folds one after the other."""

from systems import automl

parameters = automl.parameters


def version() -> str | None:
    return automl.version("autogluon.tabular")


def measure(definition: dict, table: dict, folder) -> dict:
    return automl.measure("autogluon", definition, table, folder)
