#!/usr/bin/env bash
# Does everything train on this machine's GPU, and how fast? Five minutes; without CUDA one line and exit status 0.
#
#   tests/gpu/check.sh                          the GPU
#   tests/gpu/check.sh --json figures.json      figures into a file too
#   tests/gpu/check.sh --device cpu             the same checks, tiny, on the processor
#
# PYTHON chooses the interpreter (default: .venv/bin/python where `make install` made it, else python3).
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:-$([ -x .venv/bin/python ] && echo .venv/bin/python || echo python3)}
exec "$python" -m tests.gpu.check "$@"
