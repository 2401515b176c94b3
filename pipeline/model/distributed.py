"""Several processes that train one model; with one process every function here does nothing.

    torchrun --nproc-per-node 2 -m pretrain.train …     the same command as with python, on two processes

Every process reads the whole step and computes its share of the rows; gradients, losses and counts are SUMS over all
processes, since denominators are totals of the whole step (pipeline.training.step). Results are therefore those of one
process up to the order of sums. Two ways to hold the model:

    replicate   each process holds all of it; gradients are added up (as DDP does)
    shard       each process holds a part of every layer, gathered when it computes (FSDP2, torch's fully_shard);
                hybrid: sharded over the processes of a node, replicated over nodes (HSDP)

A model that will be sharded is loaded by the first process alone, into main memory; the others make an empty one, and
`shard` hands each its part: no GPU ever holds all of it.

Not done here: starting processes (torchrun, profiles/), tensor or pipeline parallelism.
"""

import functools
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TextIO, TypeVar, cast

import torch
import torch.distributed as dist
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh

from pipeline.errors import UserError

Item = TypeVar("Item")

PATIENCE = timedelta(minutes=15)
"""How long processes wait for one another before the training ends with an error."""

LONG_PATIENCE = timedelta(hours=2)
"""How long they wait while the first reads or writes a large model alone."""

SYNCHRONISED_ONCE = 1 / 8
"""Share of a GPU's memory that whole gradients in fp32 may take; they travel once a step then, not once a
micro-batch."""

BUCKET = 2**24
"""Numbers that are added up over all processes at a time (64 MiB in fp32)."""


@contextmanager
def session() -> Iterator[None]:
    """Join the processes that torchrun started, if it did; usable as a decorator of `main`.

    Only the first process prints to stdout, and a user's mistake, which all of them find, is told once.
    """
    if int(os.environ.get("WORLD_SIZE", 1)) == 1 or dist.is_initialized():
        yield
        return

    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(backend, timeout=PATIENCE)
    if not is_main():
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  it stays open

    try:
        yield
    except UserError:
        if is_main():
            raise
        sys.exit(2)
    except RuntimeError as error:
        if not _is_timeout(error):
            raise
        minutes = round(PATIENCE.total_seconds() / 60)
        print(
            f"error: process {rank()} of {world_size()} waited {minutes} minutes for the others: one of them has "
            "ended or hangs; the first error above this line is the reason",
            file=sys.stderr,
        )
        # The process group is broken: leaving it in an orderly way would wait again.
        sys.stderr.flush()
        os._exit(1)

    wait_for_main()
    dist.destroy_process_group()


def _is_timeout(error: RuntimeError) -> bool:
    """Whether processes waited for one another in vain; torch tells it by the message alone."""
    text = str(error).lower()
    return "timed out waiting" in text or "collective operation timeout" in text


def world_size() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """This process's number, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def is_main() -> bool:
    """Whether this is the first process, which prints and writes."""
    return rank() == 0


def barrier() -> None:
    """Wait until all processes are here."""
    if dist.is_initialized():
        dist.barrier()


def wait_for_main() -> None:
    """Wait until all processes are here, longer than usual: the first reads or writes something large."""
    if dist.is_initialized():
        dist.barrier(group=_patient_group())


def on_main(function: Callable[[], Item]) -> Item | None:
    """Call `function` in the first process while the others wait; they get None, and its UserError where it raises
    one."""
    if world_size() == 1:
        return function()

    result: Item | None = None
    found: list[str | None] = [None]
    if is_main():
        try:
            result = function()
        except UserError as error:
            found = [str(error)]

    dist.broadcast_object_list(found, group=_patient_group())
    if found[0] is not None:
        raise UserError(found[0])
    return result


@functools.cache
def _patient_group() -> dist.ProcessGroup:
    """All processes once more, on the CPU, with a longer time-out. All of them must ask for it at the same time."""
    return dist.new_group(backend="gloo", timeout=LONG_PATIENCE)


def progress_stream() -> TextIO:
    """Where a training shows its progress: the first process's stderr."""
    return sys.stderr if is_main() else open(os.devnull, "w")


def shard_for_rank(items: Sequence[Item]) -> Sequence[Item]:
    """This process's part of what all processes have: every n-th item."""
    return items[rank() :: world_size()] if world_size() > 1 else items


def gather(part: Sequence[Item]) -> list[Item]:
    """The inverse of `shard_for_rank`: every process gives its part and gets all, in the original order."""
    if world_size() == 1:
        return list(part)

    parts: list[Sequence[Item]] = [()] * world_size()
    dist.all_gather_object(parts, list(part))

    items: list[Any] = [None] * sum(map(len, parts))
    for place, of_rank in enumerate(parts):
        items[place :: world_size()] = of_rank
    return items


def all_reduce_sum(values: dict[str, float]) -> dict[str, float]:
    """The sums of all processes' numbers by name, equal on every process; a name may be missing on some."""
    if world_size() == 1:
        return values

    gathered: list[dict[str, float]] = [{} for _ in range(world_size())]
    dist.all_gather_object(gathered, values)

    # As objects and not as a tensor: Python adds them in fp64, in the order of the ranks, on every process alike.
    names = dict.fromkeys(name for part in gathered for name in part)
    return {name: sum(part.get(name, 0) for part in gathered) for name in names}


def all_reduce_max(number: int) -> int:
    """The largest of all processes' numbers."""
    if world_size() == 1:
        return number

    counts: list[int] = [0] * world_size()
    dist.all_gather_object(counts, number)
    return max(counts)


def all_reduce_gradients(parameters: Iterable[torch.nn.Parameter]) -> None:
    """Add up the gradients of all processes, in place; a process without a gradient adds zero."""
    if world_size() == 1:
        return

    # In buckets: a call for each small tensor would cost more than its numbers.
    bucket: list[torch.Tensor] = []
    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        bucket.append(parameter.grad)

        if sum(gradient.numel() for gradient in bucket) >= BUCKET:
            _all_reduce(bucket)
            bucket = []

    if bucket:
        _all_reduce(bucket)


def _all_reduce(tensors: list[torch.Tensor]) -> None:
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    dist.all_reduce(flat)

    pieces = flat.split([tensor.numel() for tensor in tensors])
    for tensor, piece in zip(tensors, pieces, strict=True):
        tensor.copy_(piece.view_as(tensor))


def is_shared_out(distribution: str) -> bool:
    """Whether models will be sharded here."""
    return world_size() > 1 and distribution != "replicate"


def shard(
    model: torch.nn.Module,
    layers: Iterable[torch.nn.Module],
    device: torch.device,
    bf16: bool,
    *,
    hybrid: bool = False,
) -> None:
    """Shard `model` in place over all processes, each of `layers` and the rest as a unit (FSDP2), on `device`.

    The first process's weights count; the others' models may be empty ones (device meta). Weights stay fp32; with
    `bf16` they travel and compute as bf16, gradients are reduced in fp32. Everything that is computed with a sharded
    model goes through `run`.
    """
    # Imported here, since it takes a second.
    from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard

    policy = MixedPrecisionPolicy(torch.bfloat16, torch.float32) if bf16 else MixedPrecisionPolicy()
    mesh = _mesh(device, hybrid)

    # The unit of the whole model is gathered when its `forward` is called; `run` passes its function in there.
    forward = model.forward

    def forward_or_run(*args: Any, run: Callable[..., Any] | None = None, **kwargs: Any) -> Any:
        return run(model, *args, **kwargs) if run else forward(*args, **kwargs)

    cast(Any, model).forward = forward_or_run

    whole = _emptied(model)
    for layer in layers:
        fully_shard(layer, mesh=mesh, mp_policy=policy)
    fully_shard(model, mesh=mesh, mp_policy=policy)
    _fill(model, whole, device)

    # Gradients are sums over all processes, not means.
    for module in model.modules():
        if isinstance(module, FSDPModule):
            module.set_gradient_divide_factor(1.0)
            module.set_force_sum_reduction_for_comms(True)

    held = cast(Any, model)
    held.is_sharded = True
    held.is_hybrid = mesh.ndim == 2
    held.synchronises_once = _gradients_are_small(model, device)


def _mesh(device: torch.device, hybrid: bool) -> DeviceMesh:
    """All processes in a row; for `hybrid`, and with several nodes, a row a node."""
    of_node = int(os.environ.get("LOCAL_WORLD_SIZE", world_size()))
    if hybrid and of_node < world_size():
        return init_device_mesh(
            device.type,
            (world_size() // of_node, of_node),
            mesh_dim_names=("replicate", "shard"),
        )
    return init_device_mesh(device.type, (world_size(),), mesh_dim_names=("shard",))


@dataclass(frozen=True, slots=True)
class _Whole:
    """What `shard` hands out: the first process's tensors, in main memory; nothing on the others."""

    weights: dict[str, torch.Tensor]
    buffers: dict[str, torch.Tensor]
    tied: dict[str, str]
    """Second names of a weight -> its first name."""


def _emptied(model: torch.nn.Module) -> _Whole:
    """Take the weights out of the model, which keeps their shapes only."""
    names: dict[int, str] = {}
    tied = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        first = names.setdefault(id(parameter), name)
        if first != name:
            tied[name] = first

    weights, buffers = {}, {}
    if is_main():
        weights = {name: parameter.detach().cpu() for name, parameter in model.named_parameters()}
        buffers = {name: buffer.cpu() for name, buffer in model.named_buffers()}
    trained = {name: parameter.requires_grad for name, parameter in model.named_parameters()}

    model.to("meta")
    _tie(model, tied)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(trained[name])
    return _Whole(weights, buffers, tied)


def _tie(model: torch.nn.Module, tied: dict[str, str]) -> None:
    """Give weights with two names one tensor again."""
    for name, first in tied.items():
        module, _, attribute = name.rpartition(".")
        setattr(model.get_submodule(module), attribute, model.get_parameter(first))


def _fill(model: torch.nn.Module, whole: _Whole, device: torch.device) -> None:
    """Give every process its part of the first process's weights, and all of its buffers; one tensor at a time."""
    from torch.distributed.checkpoint.state_dict import StateDictOptions, set_model_state_dict

    model.to_empty(device=device)
    _tie(model, whole.tied)

    weights: dict[str, Any] = dict(whole.weights)
    for name, first in whole.tied.items():
        if weights:
            weights[name] = weights[first]
    # Buffers that a model folder does not hold either (rotary frequencies) are not part of a state.
    for name, buffer in model.named_buffers():
        if is_main():
            buffer.copy_(whole.buffers[name])
        dist.broadcast(buffer, src=0)

    options = StateDictOptions(full_state_dict=True, broadcast_from_rank0=True, strict=False)
    set_model_state_dict(model, weights, options=options)


def _gradients_are_small(model: torch.nn.Module, device: torch.device) -> bool:
    """Whether a process can hold the whole gradients beside its part of the model."""
    if device.type != "cuda":
        return True
    size = 4 * sum(parameter.numel() for parameter in model.parameters())
    return size <= SYNCHRONISED_ONCE * torch.cuda.get_device_properties(device).total_memory


def synchronise_gradients(model: torch.nn.Module, *, is_last: bool) -> None:
    """Say before a sharded model's micro-batch whether it is the step's last, at which gradients are added up.

    Where whole gradients would take too much memory, every micro-batch's are dealt out at once; only those that nodes
    exchange wait for the last.
    """
    held = cast(Any, model)
    if held.synchronises_once:
        held.set_requires_gradient_sync(is_last)
    elif held.is_hybrid:
        held.set_requires_all_reduce(is_last)


def is_sharded(model: torch.nn.Module) -> bool:
    """Whether `shard` was called on the model."""
    return getattr(model, "is_sharded", False)


def run(function: Callable[..., Any], model: torch.nn.Module, *args: Any) -> Any:
    """`function(model, *args)`, with the weights gathered that it uses."""
    if is_sharded(model):
        return model(*args, run=function)
    return function(model, *args)


def reshard(model: torch.nn.Module) -> None:
    """Give back what computing without a backward pass has left gathered of a sharded model.

    Until then its parameters are whole copies; an optimiser that is made meanwhile would train those.
    """
    if is_sharded(model):
        cast(Any, model).reshard()


def full_tensor(tensor: torch.Tensor) -> torch.Tensor:
    """A sharded tensor gathered from all processes; any other as it is."""
    return tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor


def full_state_dict(model: torch.nn.Module) -> dict[str, torch.Tensor] | None:
    """The weights of a sharded model on the first process's CPU; None where the model holds its own weights."""
    if not is_sharded(model):
        return None

    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict

    options = StateDictOptions(full_state_dict=True, cpu_offload=True)
    state = cast(dict[str, torch.Tensor], get_model_state_dict(model, options=options))

    # A tied weight has two names; save_pretrained wants one.
    all_names = {name for name, _ in model.named_parameters(remove_duplicate=False)}
    first_names = {name for name, _ in model.named_parameters()}
    for name in all_names - first_names:
        state.pop(name, None)
    return state
