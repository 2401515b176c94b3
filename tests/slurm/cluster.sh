#!/usr/bin/env bash
# A small real Slurm on this host: two slurmds, slurmctld, slurmdbd, MariaDB and munge, all in one private folder.
#
#   tests/slurm/cluster.sh install         the packages, from the distribution (root, Debian or Ubuntu)
#   tests/slurm/cluster.sh start FOLDER    start it; clients are FOLDER/bin/srun and so on
#   tests/slurm/cluster.sh stop FOLDER     end what was started, by process number
#
# Nothing outside FOLDER is read or written: own ports, sockets and munge key. The nodes pretend to have CPUS CPUs and
# MEMORY_MB of memory each, and two GPUs that are only counted, so that a job with GPUs can be placed.
set -euo pipefail

CPUS=${CPUS:-4}
MEMORY_MB=${MEMORY_MB:-16000}
PACKAGES=(slurm-wlm slurmdbd mariadb-server munge)
CLIENTS=(sbatch srun squeue scancel scontrol sinfo sacct sacctmgr sshare)

fail() {
  echo "error: $*" >&2
  exit 1
}

install_packages() {
  command -v apt-get >/dev/null || fail "no apt-get: install ${PACKAGES[*]} by hand"
  [ "$(id -u)" = 0 ] || fail "only root can install ${PACKAGES[*]}"
  # RUNLEVEL keeps the packages from starting services of their own.
  export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
  apt-get -qq update || echo "warning: the lists of packages could not be renewed" >&2
  apt-get -qq install --yes --no-install-recommends "${PACKAGES[@]}" >/dev/null
}

# The first of COUNT free ports in a row.
free_ports() {
  python3 - "$1" <<'PYTHON'
import random
import socket
import sys

count = int(sys.argv[1])
while True:
    first = random.randrange(20000, 30000)
    sockets = [socket.socket() for _ in range(count)]
    try:
        for number, listener in enumerate(sockets):
            listener.bind(("127.0.0.1", first + number))
    except OSError:
        continue
    finally:
        for listener in sockets:
            listener.close()
    break
print(first)
PYTHON
}

wait_for() {
  local what=$1
  shift
  for _ in $(seq 300); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.2
  done
  fail "$what does not answer after a minute; see $folder/log/"
}

# Start a program that stays in the foreground, and note its number.
launch() {
  local name=$1
  shift
  setsid "$@" >"$folder/log/$name.out" 2>&1 </dev/null &
  echo $! >"$folder/pid/$name"
}

write_settings() {
  local port=$1
  local host
  host=$(hostname -s)

  cat >"$folder/slurmdbd.conf" <<SETTINGS
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
DbdHost=localhost
DbdPort=$((port + 1))
SlurmUser=root
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort=$port
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm
LogFile=$folder/log/slurmdbd.log
PidFile=$folder/pid/slurmdbd.own
SETTINGS
  chmod 600 "$folder/slurmdbd.conf"

  cat >"$folder/slurm.conf" <<SETTINGS
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
MpiDefault=none
SlurmctldPort=$((port + 2))
SlurmctldPidFile=$folder/pid/slurmctld.own
SlurmdPidFile=$folder/pid/slurmd-%n.own
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd-%n.log
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool-%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=2,batch_sched_delay=0
ReturnToService=2
KillWait=10
MinJobAge=300
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort=$((port + 1))
AccountingStoragePass=$folder/munge.socket
AccountingStorageEnforce=associations
GresTypes=gpu
NodeName=node1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 3)) CPUs=$CPUS RealMemory=$MEMORY_MB Gres=gpu:2
NodeName=node2 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 4)) CPUs=$CPUS RealMemory=$MEMORY_MB Gres=gpu:2
PartitionName=main Nodes=node1,node2 Default=YES MaxTime=2-00:00:00 State=UP
SETTINGS
  # Only counted, never opened; Slurm asks for files that are devices.
  printf 'Name=gpu File=%s\n' /dev/null /dev/zero >"$folder/gres.conf"
}

# The executor removes SLURM_CONF from its jobs, so the clients set it themselves.
write_clients() {
  local name
  for name in "${CLIENTS[@]}"; do
    printf '#!/bin/sh\nSLURM_CONF=%q exec %q "$@"\n' "$folder/slurm.conf" "$(command -v "$name")" >"$folder/bin/$name"
    chmod +x "$folder/bin/$name"
  done
}

start() {
  mkdir -p "$folder"/{bin,log,pid,state,database,munge}
  chmod 700 "$folder/munge"
  write_settings "$(free_ports 5)"
  write_clients
  export SLURM_CONF=$folder/slurm.conf
  local port
  port=$(sed -n 's/^StoragePort=//p' "$folder/slurmdbd.conf")

  dd if=/dev/urandom of="$folder/munge/key" bs=128 count=1 status=none
  chmod 600 "$folder/munge/key"
  launch munged munged --foreground --force --key-file="$folder/munge/key" --socket="$folder/munge.socket" \
    --log-file="$folder/log/munged.log" --pid-file="$folder/munge/pid" --seed-file="$folder/munge/seed"
  wait_for munged munge --socket="$folder/munge.socket" --no-input

  mariadb-install-db --no-defaults --user=root --datadir="$folder/database" --auth-root-authentication-method=socket \
    --skip-test-db >"$folder/log/database.out" 2>&1
  launch mariadb mariadbd --no-defaults --user=root --datadir="$folder/database" --socket="$folder/database.socket" \
    --bind-address=127.0.0.1 --port="$port" --pid-file="$folder/pid/mariadb.own" --innodb-buffer-pool-size=64M
  wait_for MariaDB mariadb --no-defaults --socket="$folder/database.socket" -e "select 1"
  mariadb --no-defaults --socket="$folder/database.socket" -e "create database slurm;
    create user slurm@127.0.0.1 identified by 'slurm'; create user slurm@localhost identified by 'slurm';
    grant all on slurm.* to slurm@127.0.0.1; grant all on slurm.* to slurm@localhost;"

  launch slurmdbd slurmdbd -D
  wait_for slurmdbd sacctmgr --noheader list cluster
  sacctmgr --immediate add cluster test >/dev/null || true
  sacctmgr --immediate add account tests Description=tests Organization=tests >/dev/null
  sacctmgr --immediate add user "$(id -un)" Account=tests >/dev/null

  launch slurmctld slurmctld -D -c
  wait_for slurmctld scontrol ping
  launch slurmd-node1 slurmd -D -N node1
  launch slurmd-node2 slurmd -D -N node2
  wait_for "the second node" bash -c '[ "$(sinfo --noheader --states=idle --format=%D | head -n 1)" = 2 ]'
  echo "Slurm $(sinfo --version | sed "s/.* //"): two nodes, in $folder"
}

stop() {
  local name number
  # Jobs first: their steps are children of nobody when slurmd is gone.
  if [ -x "$folder/bin/scancel" ]; then
    "$folder/bin/scancel" --user="$(id -un)" 2>/dev/null || true
    for _ in $(seq 60); do
      [ -z "$("$folder/bin/squeue" --noheader 2>/dev/null)" ] && break
      sleep 0.5
    done
  fi
  for name in slurmd-node1 slurmd-node2 slurmctld slurmdbd mariadb munged; do
    [ -f "$folder/pid/$name" ] || continue
    number=$(cat "$folder/pid/$name")
    kill "$number" 2>/dev/null || continue
    for _ in $(seq 100); do
      kill -0 "$number" 2>/dev/null || break
      sleep 0.2
    done
    kill -9 "$number" 2>/dev/null && echo "warning: $name had to be killed" >&2
    rm -f "$folder/pid/$name"
  done
}

case "${1:-}" in
  install) install_packages ;;
  start | stop)
    folder=$(realpath -m "${2:?a folder}")
    "$1"
    ;;
  *) fail "usage: $0 install | start FOLDER | stop FOLDER" ;;
esac
