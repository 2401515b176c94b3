"""What there is to compute in."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pipeline.config.load import Config

GIB = 2**30


@dataclass(frozen=True, slots=True)
class Card:
    """One GPU of several equal ones, or this machine's processor."""

    name: str
    memory: int
    """Bytes of one GPU, or of the machine."""
    on_gpu: bool
    processes: int = 1
    """Processes that train one model together, each on a card of its own."""
    threads: int = 1
    """Micro-batches that a processor computes at a time."""
    bf16: bool = True
    """Whether `precision: auto` means bf16."""
    nodes: int = 1
    """Machines that the processes run on."""


def named_card(config: Config) -> Card | None:
    """The card that a preset is written for (section `hardware`); None where it names none."""
    hardware = config.hardware
    if hardware.gpu_gb is None:
        return None
    count = hardware.gpus
    return Card(
        name=f"{count} x {hardware.gpu_gb:g} GB GPU"
        if count > 1
        else f"{hardware.gpu_gb:g} GB GPU",
        memory=round(hardware.gpu_gb * 1e9),
        on_gpu=True,
        processes=count,
        nodes=max(1, count // 8),
    )


def this_machine() -> Card | None:
    """The GPUs of this machine if it has any, else its main memory; None where neither can be asked."""
    sizes = _gpus()
    if sizes:
        name = f"{len(sizes)} GPU(s)"
        return Card(name, min(sizes), on_gpu=True, processes=len(sizes))

    limits = [limit for limit in (_main_memory(), _control_group()) if limit]
    if not limits:
        return None
    return Card("main memory", min(limits), on_gpu=False, threads=_threads(), bf16=False)


def _threads() -> int:
    """Cores that torch would use."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    if given.isdigit() and int(given) > 0:
        return int(given)
    return len(os.sched_getaffinity(0))


def _gpus() -> list[int]:
    """Bytes of each of NVIDIA's devices, asked without torch."""
    if not Path("/proc/driver/nvidia/gpus").is_dir() or not shutil.which("nvidia-smi"):
        return []
    command = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
        return [int(line) * 2**20 for line in done.stdout.split()]
    except (OSError, ValueError, subprocess.SubprocessError):
        return []


def _main_memory() -> int | None:
    try:
        found = re.search(r"^MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.M)
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None


def _control_group() -> int | None:
    """The limit of a container."""
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(name).read_text().strip()
        except OSError:
            continue
        return int(text) if text.isdigit() else None
    return None
