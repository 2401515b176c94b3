#!/usr/bin/env bash
# A folder of wheels for a machine that has torch and transformers, but no network:
#
#   tests/gpu/wheels.sh wheels [3.11]                                    here; for that version of Python
#   pip install --no-index --no-deps --find-links wheels wheels/*.whl    there, then tests/gpu/check.sh
#
# What is pinned in requirements.txt comes in that version. About 60 MB with pyarrow, which evaluation and fine-tuning
# read and write; the folder's size is printed.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=${1:?usage: tests/gpu/wheels.sh FOLDER [PYTHON_VERSION]}
version=${2:-3.11}
names="pydantic pydantic_core annotated-types typing_extensions typing-inspection tensorboardX protobuf pyarrow psutil"

for name in $names; do
  # pip writes names with hyphens or underscores, in capitals or not.
  pattern="^${name//[-_]/[-_.]}=="
  grep -iE "$pattern" requirements.txt || { echo "error: $name is not in requirements.txt" >&2; exit 1; }
done > "${TMPDIR:-/tmp}/wheels.$$"
trap 'rm -f "${TMPDIR:-/tmp}/wheels.$$"' EXIT

python3 -m pip download --quiet --no-deps --only-binary :all: --python-version "$version" --dest "$folder" \
  --requirement "${TMPDIR:-/tmp}/wheels.$$"
python3 -m pip download --quiet --no-deps --only-binary :all: --python-version "$version" --dest "$folder" \
  $(grep -E '^(peft|accelerate)==' requirements-lora.txt)
du -sh "$folder"
