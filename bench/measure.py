"""The child process of run.py: measures one system on one table and prints one JSON line.

A process each, so that memory is its own and no library's threads or caches reach the next system.
"""

import importlib
import json
import sys
from pathlib import Path


def main() -> None:
    order = json.loads(sys.argv[1])
    system = importlib.import_module(f"systems.{order['system']}")
    try:
        measured = system.measure(order["definition"], order["table"], Path(order["folder"]))
    except Exception as error:  # The parent goes on with the other systems and tells why this one has no figures.
        measured = {"failed": f"{type(error).__name__}: {error}"}
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
