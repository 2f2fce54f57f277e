#!/usr/bin/env bash
# Expected: after `pip install mlflow-skinny`, `mlflow.start_run()` keeps a run in the current folder.
# Seen: no local store works. The default is `sqlite:///...` now, which fails as "unsupported URI" without SQLAlchemy;
#   `file:` is refused as "in maintenance mode". mlflow-skinny 3.17.2, alone in its environment.
# Matters: a training host without a tracking server fails at the first log call. Where another package (optuna)
#   installs SQLAlchemy and alembic, the same line works.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
cat >run.py <<'PYTHON'
import sys

import mlflow

if sys.argv[1:]:
    mlflow.set_tracking_uri(sys.argv[1])
try:
    with mlflow.start_run():
        mlflow.log_metric("ndcg", 0.1)
    seen = "kept"
except mlflow.exceptions.MlflowException as error:
    seen = f"refused by {type(error).__name__}"
print(f"  {mlflow.get_tracking_uri().split(':')[0]} store: {seen}")
sys.exit(seen != "kept")
PYTHON
run() { env -u MLFLOW_TRACKING_URI -u MLFLOW_ALLOW_FILE_STORE venv/bin/python -I run.py "$@" 2>log; }

venv/bin/pip install --quiet --disable-pip-version-check mlflow-skinny==3.17.2
echo "mlflow-skinny 3.17.2 alone"
! run || { echo "another behaviour: the default store works" >&2; exit 1; }
! run "file://$folder/runs" || { echo "another behaviour: the file store works" >&2; exit 1; }
venv/bin/pip install --quiet --disable-pip-version-check sqlalchemy==2.1.9 alembic==1.20.1
echo "with SQLAlchemy 2.1.9 and alembic 1.20.1"
run || { tail -3 log >&2; echo "another behaviour: the default store does not work" >&2; exit 1; }
! run "file://$folder/runs" || { echo "another behaviour: the file store works" >&2; exit 1; }
