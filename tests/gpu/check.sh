#!/usr/bin/env bash
# Does everything train on this machine's GPU, how fast, and in how much memory? Ten minutes at most on one GPU with
# 80 GB; without CUDA one line and exit status 0. No network: what a machine with torch (from 2.11) and transformers
# (from 5.17) lacks comes along as wheels (tests/gpu/wheels.sh).
#
#   tests/gpu/check.sh                          the GPU
#   tests/gpu/check.sh --json figures.json      figures into a file too
#   tests/gpu/check.sh --device cpu             the same checks, tiny, on the processor
#
# With a checkpoint in data/smollm2-135m (or REAL_CHECKPOINT) three steps of RL of preset `real` run from it; where the
# package peft is installed, RL with adapters too. PYTHON chooses the interpreter (default: .venv/bin/python where `make install` made it, else python3).
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:-$([ -x .venv/bin/python ] && echo .venv/bin/python || echo python3)}
exec "$python" -m tests.gpu.check "$@"
