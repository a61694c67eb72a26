#!/usr/bin/env bash
# Makes bench/.venv with the pinned peers of requirements.txt and prints their versions.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

"${PYTHON:-python3}" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "bench/setup.sh: Python 3.11 or newer is needed; name one with PYTHON=.." >&2
    exit 2
}
[ -x .venv/bin/python ] || "${PYTHON:-python3}" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
.venv/bin/python - <<'PY'
import platform
from importlib.metadata import version

print("python", platform.python_version())
for name in ("lightgbm", "xgboost-cpu", "catboost", "scikit-learn", "pandas", "numpy", "scipy"):
    print(name, version(name))
PY
