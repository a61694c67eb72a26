"""One file a system: what it is, and how it is measured on one table.

`version()` names what is measured, so that results of an older version are never reused; none if it is not there.
`parameters(definition)` are the settings handed to it.
`measure(definition, table, folder)` runs in a process of its own and returns the measured values by name.
"""

NAMES = ["smidgen", "lightgbm", "sklearn_hgb"]
