"""vLLM as an engine: it samples in a process of its own, and takes the policy's weights after each update.

Weights go through files in memory (/dev/shm), in the precision in which vLLM computes, and are read by its own
`reload_weights`. On a GPU it sleeps during updates: weights and KV cache are given back, and read again when they are
needed. Each sample has a seed of its own, made of the run's seed, its prompt's key and its index.

vLLM's kernels round otherwise than the trainer's: what it reports differs from the trainer's log-probabilities, in
fp32 by about 1e-6, in bf16 by some hundredths. RL weighs what was sampled for that reason (`rl.importance`).

    engine = VLLMEngine.of_model(policy, tokenizer, settings.vllm, max_batch=256, bf16=True)
    engine.load(policy)
    groups = engine.sample(SampleRequest(prompts, 8, settings, keys=ids))
    engine.sleep()

Not done: several GPUs for one copy of the model. With several processes each has a vLLM of its own, on its own GPU.
"""

import hashlib
import os
import shutil
import sys
import weakref
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.config.engines import VLLM
from pipeline.errors import UserError
from pipeline.inference.engine import Sample, SampleRequest
from pipeline.inference.vllm_process import VLLMProcess, new_folder, python_with_vllm
from pipeline.model import distributed
from pipeline.model.adapters import merged_state
from pipeline.model.older_releases import write_older_fields

SHARD_SIZE = "2GB"
"""Largest file of weights: what is read beside the model at a time."""

SEED_BITS = 62
"""Bits of a sample's seed; vLLM takes whole numbers below 2^63."""


class VLLMEngine:
    """Samples with vLLM. `handover` is where `load` writes weights; None: the engine's model stays what it is."""

    def __init__(
        self,
        process: VLLMProcess,
        tokenizer: PreTrainedTokenizerBase,
        handover: "Handover | None" = None,
    ):
        self.process = process
        self.tokenizer = tokenizer
        self.handover = handover
        self.context: int = process.ready["context"]
        how = "sleeps during updates" if process.ready["sleeps"] else "stays awake (no GPU)"
        print(f"sampling: vLLM, context {self.context}, {how}", file=sys.stderr)

    @classmethod
    def of_model(
        cls,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        settings: VLLM,
        max_batch: int,
        bf16: bool,
    ) -> "VLLMEngine":
        """An engine that starts with the weights of `model`; with several processes all must call it."""
        python_with_vllm(settings)  # before anything is written

        dtype = torch.bfloat16 if bf16 else torch.float32
        handover = Handover(model, tokenizer, dtype)
        handover.write(model)
        options = _options(
            str(handover.folder), settings, max_batch, "bfloat16" if bf16 else "float32"
        )
        return cls(VLLMProcess(settings, handover.own_folder(), options), tokenizer, handover)

    @classmethod
    def of_source(
        cls,
        source: str | Path,
        tokenizer: PreTrainedTokenizerBase,
        settings: VLLM,
        max_batch: int,
        precision: str = "auto",
    ) -> "VLLMEngine":
        """An engine for a model folder or Hub id, which vLLM reads by itself."""
        dtypes = {"bf16": "bfloat16", "fp32": "float32"}
        # On a GPU vLLM takes the checkpoint's precision, on a processor what is exact.
        automatic = "auto" if torch.cuda.is_available() else "float32"
        options = _options(str(source), settings, max_batch, dtypes.get(precision, automatic))
        return cls(VLLMProcess(settings, new_folder(), options), tokenizer)

    def load(self, model: PreTrainedModel) -> None:
        """Hand over the model's current weights; with several processes all must call it."""
        if self.handover is None:
            raise UserError("engine vllm: it reads its model itself and takes no other weights")
        self.handover.write(model)
        self.process.order("load", folder=str(self.handover.folder))

    def sleep(self) -> None:
        """Let vLLM give back its memory, where it can."""
        self.process.order("sleep")

    def sample(self, request: SampleRequest) -> list[list[Sample]]:
        """See `Engine.sample`."""
        groups: list[list[Sample | None]] = [
            [None] * request.samples_per_prompt for _ in request.prompts
        ]
        wanted = self._wanted(request, groups)
        if wanted:
            self._fill(request, groups, wanted)
        return [[sample for sample in group if sample is not None] for group in groups]

    def _wanted(
        self, request: SampleRequest, groups: list[list[Sample | None]]
    ) -> list[tuple[int, int]]:
        """(prompt, index) of what must be sampled; puts into `groups` what the store has or has no room."""
        store, wanted = request.store, []
        for place, (prompt, key) in enumerate(zip(request.prompts, request.key_names, strict=True)):
            if not len(prompt):
                raise UserError("sampling: a prompt is empty; it needs at least one token")
            for index in range(request.samples_per_prompt):
                found = store.get(key, index, prompt) if store is not None else None
                if found is None and len(prompt) < self.context:
                    wanted.append((place, index))
                    continue
                groups[place][index] = found or Sample([], [], "length")
                if request.progress is not None:
                    request.progress.add(1)
        return wanted

    def _fill(
        self,
        request: SampleRequest,
        groups: list[list[Sample | None]],
        wanted: list[tuple[int, int]],
    ) -> None:
        """Have `wanted` sampled and put into `groups`."""
        settings, keys = request.settings, request.key_names
        orders = []
        for place, index in wanted:
            room = min(settings.max_new_tokens, self.context - len(request.prompts[place]))
            seed = _seed(settings.seed, keys[place], request.index_of(place, index))
            orders.append({"prompt": place, "room": room, "seed": seed})

        answers = self.process.ask(
            do="sample",
            prompts=[[int(token) for token in prompt] for prompt in request.prompts],
            wanted=orders,
            settings={
                "temperature": settings.temperature,
                "top_p": settings.top_p,
                "stop": list(settings.stop),
                "end_ids": [self.tokenizer.eos_token_id, *settings.stop_ids],
            },
        )
        for answer in answers:
            made = answer["sample"]
            place, index = wanted[made["number"]]
            sample = Sample(made["ids"], made["logprobs"], made["finish"], made["stop"])
            groups[place][index] = sample
            if request.store is not None:
                request.store.keep(keys[place], index, request.prompts[place], sample)
            if request.progress is not None:
                request.progress.add(1)


class Handover:
    """A folder in memory through which the weights of a model in training go to vLLM.

    With several processes there is one on each machine, written by the first process there; every method must be
    called by all of them.
    """

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, dtype: torch.dtype
    ):
        self.dtype = dtype
        self._rank_here = (
            int(os.environ.get("LOCAL_RANK", 0)) if distributed.world_size() > 1 else 0
        )
        size = sum(tensor.numel() for tensor in model.state_dict().values()) * dtype.itemsize
        own = [new_folder(size) if self._writes else None]

        # Each process learns the folder of the first one on its machine.
        folder = distributed.gather(own)[distributed.rank() - self._rank_here]
        assert folder is not None
        self.folder: Path = folder
        if self._writes:
            weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
            tokenizer.save_pretrained(self.folder)

    @property
    def _writes(self) -> bool:
        return self._rank_here == 0

    def own_folder(self) -> Path:
        """A folder that may go when this process ends: that of the weights for the process that writes them."""
        return self.folder if self._writes else new_folder()

    @torch.no_grad()
    def write(self, model: PreTrainedModel) -> None:
        """Write the model's weights, in the place of the former ones."""
        # A tied weight has two names and is written under its first.
        all_names = {name for name, _ in model.named_parameters(remove_duplicate=False)}
        second_names = all_names - {name for name, _ in model.named_parameters()}

        weights: dict[str, torch.Tensor] = {}
        for name, tensor in model.state_dict().items():
            if name in second_names:
                continue
            whole = distributed.full_tensor(tensor)
            if self._writes:
                weights[name] = whole.to("cpu", self.dtype)

        if self._writes:
            # The library's own writer: it knows what vLLM expects of every architecture.
            merged = merged_state(model, weights)
            model.save_pretrained(self.folder, state_dict=merged, max_shard_size=SHARD_SIZE)
            write_older_fields(self.folder)
        distributed.barrier()


def _options(model: str, settings: VLLM, max_batch: int, dtype: str) -> dict[str, Any]:
    """What the worker is started with."""
    return {
        "model": model,
        "tokenizer": model,
        "dtype": dtype,
        "max_batch": max_batch,
        "memory_share": settings.memory_share,
        "cache_mb": settings.cache_mb,
    }


def _seed(seed: int, key: str, index: int) -> int:
    """A sample's own seed: it depends on the run's seed, the prompt's key and the sample's index alone."""
    digest = hashlib.blake2b(f"{seed}\0{key}\0{index}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> (64 - SEED_BITS)
