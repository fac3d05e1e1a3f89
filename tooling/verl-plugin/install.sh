#!/usr/bin/env bash
# Makes a virtual environment with Ray, verl and TRL: install.sh FOLDER [pip options]; PYTHON names the interpreter.
set -euo pipefail
folder=${1:?"usage: install.sh FOLDER [pip options]"}
shift
"${PYTHON:-python3}" -m venv "$folder"
"$folder/bin/pip" install --quiet "$@" -r "$(dirname "$0")/requirements.txt"
"$folder/bin/python" -W ignore -c 'import ray, trl, verl; print(f"Ray {ray.__version__}, TRL {trl.__version__}, verl {verl.__version__}")'
