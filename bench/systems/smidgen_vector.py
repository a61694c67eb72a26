"""smidgen with its own shape for several classes: one tree a round, whose leaves hold a value a class."""

from systems import smidgen

version = smidgen.version


def parameters(definition: dict) -> dict:
    return smidgen.parameters(definition, class_trees="vector")


def measure(definition: dict, table: dict, folder) -> dict:
    return smidgen.measure_with(parameters(definition), definition, table, folder)
