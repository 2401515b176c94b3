"""The memory that each training takes, against what this machine has: plain arithmetic, from below.

Counted for one process that holds the whole model: weights, gradients and Adam's two moments in fp32; the reference
and reward models of RL; activations of one micro-batch (34 bytes a token, layer and hidden unit at 16 bits without
the attention matrix, Korthikanti et al., arXiv 2205.05198, twice that at 32; with activation checkpointing only each
layer's input); logits with their gradient; keys and values of the outputs that are sampled at a time. Not counted:
what the libraries, the data and fragmentation take, some hundred MB and a tenth.
"""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pipeline.config.load import Config
from pipeline.preflight.checkpoint import Checkpoint

FP32 = 4
TRAINED = 16
"""Bytes a parameter: weight, gradient, two moments."""
ACTIVATIONS = 68
"""Bytes a token, layer and hidden unit without activation checkpointing, at 32 bits."""
PROMPT = 256
"""Tokens of a prompt, roughly; only the cache of keys and values depends on it."""
GIB = 2**30


@dataclass(frozen=True, slots=True)
class Need:
    """What one stage takes, in bytes."""

    stage: str
    fixed: int
    """Of the model itself: no setting makes it less."""
    working: int
    """Activations, logits and caches, which the settings named in `lever` decide."""
    lever: str

    @property
    def total(self) -> int:
        return self.fixed + self.working


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is to compute in."""

    name: str
    memory: int
    """Bytes, of all devices together."""
    on_gpu: bool


def needs(config: Config, model: Checkpoint) -> list[Need]:
    """The needs of all stages that hold a model; `model` is the coder checkpoint."""
    trained = TRAINED * model.parameters
    held = FP32 * model.parameters
    rl = config.rl
    extra_models = int(rl.beta > 0)
    extra_models += sum(1 for name in ("outcome_model", "process_model") if rl.rewards.get(name))
    sampled = rl.batch_outputs * (PROMPT + rl.max_new_tokens)
    evaluated = config.eval.batch * (PROMPT + config.eval.max_new_tokens)

    rl_step = max(_step(model, rl.micro_batch_tokens, False), sampled * _cached_token(model))
    return [
        Need(
            "pretrain",
            trained,
            _step(model, config.pretrain.optimisation.micro_batch_tokens, _recomputes(config)),
            "pretrain.optimisation.micro_batch_tokens",
        ),
        Need(
            "sft",
            trained,
            _step(model, config.sft.optimisation.micro_batch_tokens, _recomputes(config)),
            "sft.optimisation.micro_batch_tokens",
        ),
        Need("rl", trained + extra_models * held, rl_step, "rl.micro_batch_tokens, batch_outputs"),
        Need("eval", held, evaluated * _cached_token(model), "eval.batch, max_new_tokens"),
    ]


def _recomputes(config: Config) -> bool:
    """Whether each layer is computed again in the backward pass; `auto` does so on a GPU."""
    setting = config.pretrain.optimisation.activation_checkpointing
    return setting == "always" or (setting == "auto" and _gpus() is not None)


def _step(model: Checkpoint, tokens: int, recomputes: bool) -> int:
    """Bytes of a micro-batch's activations and logits."""
    of_layer = FP32 * model.hidden if recomputes else ACTIVATIONS * model.hidden
    logits = 2 * FP32 * model.vocabulary
    return tokens * (model.layers * of_layer + logits)


def _cached_token(model: Checkpoint) -> int:
    """Bytes of one token's keys and values in all layers."""
    return 2 * FP32 * model.layers * model.key_value_heads * model.head_size


def machine() -> Machine | None:
    """The GPUs of this machine if it has any, else its main memory; None where neither can be
    asked."""
    gpus = _gpus()
    if gpus is not None:
        return gpus

    limits = [limit for limit in (_main_memory(), _control_group()) if limit]
    return Machine("main memory", min(limits), on_gpu=False) if limits else None


def _gpus() -> Machine | None:
    """NVIDIA's devices, asked without torch."""
    if not Path("/proc/driver/nvidia/gpus").is_dir() or not shutil.which("nvidia-smi"):
        return None
    command = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
        sizes = [int(line) for line in done.stdout.split()]
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return Machine(f"{len(sizes)} GPU(s)", sum(sizes) * 2**20, on_gpu=True) if sizes else None


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


def judged(found: list[Need], there: Machine) -> tuple[list[str], str | None]:
    """Warnings, a line each, and the error if a stage surely cannot run.

    Sure is only what no setting changes: weights, gradients and moments. All else can be made
    smaller, or is spread over processes.
    """
    largest = max(found, key=lambda need: need.fixed)
    if largest.fixed > there.memory:
        error = (
            f"{largest.stage}: weights, gradients and Adam's moments take {_gib(largest.fixed)}, "
            f"{there.name}: {_gib(there.memory)}; choose a smaller checkpoint or a larger machine"
        )
        return [], error

    warnings = []
    for need in found:
        if need.total > 0.8 * there.memory:
            warnings.append(
                f"{need.stage} takes about {_gib(need.total)} of {_gib(there.memory)} ({there.name}); "
                f"less with smaller {need.lever}"
            )
    return warnings, None


def _gib(size: int) -> str:
    return f"{size / GIB:.1f} GiB"
