#!/usr/bin/env bash
# Start the same training on every node of a Slurm job, one torchrun a node; the resource `launch` of a rule.
#
#   bash profiles/slurm/torchrun.sh -m pretrain.train …      inside a job, on one node or on several
#
# The executor removes every SLURM_ variable but the job's number, so the controller is asked for nodes, CPUs and GPUs.
# Processes a node: PROCESSES_PER_NODE where it is set, else the node's GPUs, else the job's tasks a node.
#
# Slurm announces the end of the time limit with USR1 (profile.yaml: --signal). Trainings answer it with a checkpoint and
# end; the job is then put back into the queue and goes on from there, as often as it takes.
set -euo pipefail

fail() {
  echo "error: torchrun.sh: $*" >&2
  exit 2
}

# The value of the first NAME=value in the job's description, or in another one; empty where there is none.
field() {
  tr " " "\n" <<<"${2-$job}" | awk -v name="$1=" 'index($0, name) == 1 && !n++ { print substr($0, length(name) + 1) }'
}

# Read whole before it starts: the file may be changed while a training runs.
main() {
  : "${SLURM_JOB_ID:?this script runs inside a Slurm job}"
  job=$(scontrol show job --details --oneliner "$SLURM_JOB_ID") || fail "scontrol cannot show job $SLURM_JOB_ID"

  # The smallest and the largest of CPUs and of GPUs a node, from "Nodes=node[1-2] CPU_IDs=0-3 Mem=500 GRES=gpu:a100:2(IDX:0-1)".
  read -r min_cpus min_gpus max_gpus < <(grep -oE ' Nodes=[^ ]+ CPU_IDs=[^ ]* Mem=[^ ]* GRES=[^ ]*' <<<"$job" | awk '
    {
      cpus = 0
      split($2, ids, "=")
      ranges = split(ids[2], range, ",")
      for (i = 1; i <= ranges; i++)
        cpus += split(range[i], ends, "-") == 2 ? ends[2] - ends[1] + 1 : 1

      gpus = 0
      sub("GRES=", "", $4)
      gsub("[(][^)]*[)]", "", $4)
      kinds = split($4, kind, ",")
      for (i = 1; i <= kinds; i++)
        if (kind[i] ~ /^gpu:/) { words = split(kind[i], word, ":"); gpus += word[words] }

      if (NR == 1 || cpus < min_cpus) min_cpus = cpus
      if (NR == 1 || gpus < min_gpus) min_gpus = gpus
      if (gpus > max_gpus) max_gpus = gpus
    }
    END { if (NR) print min_cpus, min_gpus + 0, max_gpus + 0; else print 0, 0, 0 }')

  nodes=$(field NumNodes)
  tasks=$(field NumTasks)
  [[ $nodes =~ ^[1-9][0-9]*$ && $min_cpus -ge 1 ]] || fail "scontrol does not tell the nodes and CPUs of job $SLURM_JOB_ID"

  if [ -n "${PROCESSES_PER_NODE:-}" ]; then
    processes=$PROCESSES_PER_NODE
  elif [ "$max_gpus" -gt 0 ]; then
    [ "$min_gpus" = "$max_gpus" ] || fail "nodes with $min_gpus and with $max_gpus GPUs; ask for --gpus-per-node"
    processes=$min_gpus
  elif grep -qE 'Tres[A-Za-z]*=[^ ]*gpu' <<<"$job"; then
    fail "job $SLURM_JOB_ID has GPUs, but scontrol does not tell how many a node; set PROCESSES_PER_NODE"
  elif [[ $tasks =~ ^[1-9][0-9]*$ ]] && [ $((tasks % nodes)) = 0 ]; then
    processes=$((tasks / nodes))
  else
    fail "job $SLURM_JOB_ID: unknown how many processes a node (no GPUs, ${tasks:-no} tasks on $nodes nodes); set tasks_per_node"
  fi
  [[ $processes =~ ^[1-9][0-9]*$ ]] || fail "PROCESSES_PER_NODE=$processes: not a count"

  # The address by which Slurm itself reaches the first node.
  first=$(scontrol show hostnames "$(field NodeList)" | sed -n 1p)
  address=$(field NodeAddr "$(scontrol show node --oneliner "$first")")
  # Jobs that share a node must not meet at the same port.
  port=$((20000 + SLURM_JOB_ID % 20000))

  export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$((min_cpus > processes ? min_cpus / processes : 1))}
  # Written by a training that ended because it was told to.
  export STOPPED_FILE=$PWD/.snakemake/stopped.$SLURM_JOB_ID
  rm -f "$STOPPED_FILE"

  # torchrun itself must outlive the signal. The node that hosts the meeting is told so: its own name for itself may differ.
  # shellcheck disable=SC2016  # expanded on the node
  on_node='trap "" USR1; [ "$SLURM_NODEID" = 0 ] && host=1 || host=0; exec torchrun --rdzv-conf=is_host=$host "$@"'

  status=0
  srun --nodes="$nodes" --ntasks="$nodes" --ntasks-per-node=1 --cpus-per-task="$min_cpus" --cpu-bind=none \
    --kill-on-bad-exit=1 bash -c "$on_node" torchrun --nnodes="$nodes" --nproc-per-node="$processes" \
    --rdzv-backend=c10d --rdzv-id="$SLURM_JOB_ID" --rdzv-endpoint="${address:-$first}:$port" "$@" || status=$?

  if [ -e "$STOPPED_FILE" ]; then
    rm -f "$STOPPED_FILE"
    echo "job $SLURM_JOB_ID goes back into the queue and goes on from its checkpoint"
    scontrol requeue "$SLURM_JOB_ID" && sleep 600
  fi
  exit "$status"
}

main "$@"
