#!/usr/bin/env bash
# Start the same training on every node of a Slurm job: one torchrun a node, one process a GPU.
#
#   bash profiles/slurm/torchrun.sh -m pretrain.train …      inside a job, as the resource `launch` of a rule
#
# Processes a node: PROCESSES_PER_NODE where it is set, else the node's GPUs, else 1. The nodes meet at the first one.
set -euo pipefail
nodes=${SLURM_JOB_NUM_NODES:?this script runs inside a Slurm job}
processes=${PROCESSES_PER_NODE:-${SLURM_GPUS_ON_NODE:-1}}
first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
# Jobs that share a node must not meet at the same port.
port=$((20000 + SLURM_JOB_ID % 20000))
exec srun --nodes="$nodes" --ntasks="$nodes" --ntasks-per-node=1 --kill-on-bad-exit=1 \
  torchrun --nnodes="$nodes" --nproc-per-node="$processes" \
  --rdzv-backend=c10d --rdzv-id="$SLURM_JOB_ID" --rdzv-endpoint="$first:$port" "$@"
