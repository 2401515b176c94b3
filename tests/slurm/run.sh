#!/usr/bin/env bash
# The DAG on a real Slurm: install it, start two nodes in a private folder, run tests/slurm/test_slurm.py, stop them.
#
#   tests/slurm/run.sh PYTHON     an interpreter with requirements-dev.txt and requirements-slurm.txt
#
# Ends with a line that says why, and status 0, where Slurm is neither installed nor can be.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=$(realpath --no-symlinks "${1:-python3}")

if ! command -v slurmctld slurmd slurmdbd munged mariadbd >/dev/null; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "skipped: no Slurm here, and only root can install it with apt-get"
    exit 0
  fi
  "$here/cluster.sh" install || {
    echo "skipped: the packages of Slurm cannot be installed"
    exit 0
  }
fi
if [ "$(id -u)" != 0 ]; then
  echo "skipped: only root can start jobs of a Slurm of its own"
  exit 0
fi

folder=$(mktemp -d "${TMPDIR:-/tmp}/slurm.XXXXXX")
finish() {
  local status=$?
  "$here/cluster.sh" stop "$folder"
  # What may explain a failure stays.
  [ "$status" = 0 ] && rm -rf "$folder" || echo "logs of Slurm: $folder/log" >&2
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

"$here/cluster.sh" start "$folder"
cd "$here/../.."
export SLURM_TEST_FOLDER=$folder OMP_NUM_THREADS=1
PATH=$folder/bin:$(dirname "$python"):$PATH timeout 900 "$python" -m pytest tests/slurm -x --durations=0
