#!/usr/bin/env bash
# Makes bench/.venv-automl with AutoGluon and FLAML, whose libraries are other than those of bench/.venv.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
[ -x .venv-automl/bin/python ] || "${PYTHON:-python3}" -m venv .venv-automl
.venv-automl/bin/python -m pip install --quiet --disable-pip-version-check \
    "autogluon.tabular[lightgbm,catboost,xgboost]==1.6.3" "flaml[automl]==2.7.0"
.venv-automl/bin/python -c 'from importlib.metadata import version; [print(n, version(n)) for n in ("autogluon.tabular", "flaml")]'
