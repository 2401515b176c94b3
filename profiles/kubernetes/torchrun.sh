#!/usr/bin/env bash
# One process a GPU on this machine; the resource `launch` of a rule.
#
#   bash profiles/kubernetes/torchrun.sh -m pretrain.train …
#
# The processes answer USR1 with a checkpoint (job.yaml sends it when the pod is evicted); torchrun must outlive it.
trap "" USR1
exec torchrun --standalone --nproc-per-node="${PROCESSES_PER_NODE:-gpu}" "$@"
