"""The work of `python -m benchmarks.rl`: a GRPO step, the sampler and memory, each measured beside others."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerBase

from benchmarks import rl_methods
from benchmarks.grpo import IdReward, even_share
from pipeline.artifacts.records import Problem
from pipeline.config.rl import RL
from pipeline.inference.engine import SampleRequest, SamplingSettings
from pipeline.inference.sampler import Sampler
from rl.monitoring.metrics import peak_memory_mb
from rl.rewards import RewardFunction
from rl.rollouts import Question
from rl.trainer import Trainer
from rl.value_model import ValueModel

SHAPE: dict[str, Any] = {
    "vocab_size": 2048,
    "hidden_size": 256,
    "intermediate_size": 704,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "max_position_embeddings": 512,
}
QUESTIONS, GROUP, NEW, PROMPT = 16, 8, 64, 48
"""Questions and outputs of each; tokens of an output and of a prompt."""


def measure(args: argparse.Namespace) -> None:
    match args.command:
        case "step":
            bench_step(args.harness, args.python, args.threads)
        case "sampler":
            bench_sampler(args.threads)
        case "memory":
            bench_memory()
        case "memory-of":
            memory_of(args.method)
        case "methods":
            rl_methods.run(args)
        case _:
            bench_step(os.environ.get("GRPO_HARNESS"), sys.executable, [1, 2])
            bench_sampler(1)
            bench_memory()


def bench_step(harness: Path | str | None, python: str, threads: list[int]) -> None:
    """Run the harness for every implementation, each in its own process. Model, prompts and clock are the harness's."""
    if harness is None or not Path(harness).is_file():
        print("step: no harness given (--harness FILE or GRPO_HARNESS); left out")
        return

    kinds = {
        "ours": (sys.executable, ["--impl", "benchmarks.grpo:grpo_steps"]),
        "minimal": (sys.executable, ["--impl", "minimal"]),
    }
    imported = subprocess.run([python, "-c", "import trl, accelerate"], capture_output=True)
    if imported.returncode == 0:
        kinds["TRL default"] = (python, ["--impl", "trl"])
        kinds["TRL tuned"] = (python, ["--impl", "trl", "--attn", "eager", "--compile"])
    else:
        print("step: trl or accelerate is not installed; left out")

    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    with tempfile.TemporaryDirectory() as folder:
        make = [sys.executable, str(harness), "make", "--dir", folder]
        subprocess.run(make, check=True, capture_output=True)

        for count in threads:
            for name, (interpreter, options) in kinds.items():
                run = [interpreter, str(harness), "run", "--dir", folder]
                command = [*run, "--threads", str(count), *options]
                done = subprocess.run(
                    command, check=True, capture_output=True, text=True, env=environment
                )

                # The harness's result is the last line that it prints.
                line = json.loads(done.stdout.strip().splitlines()[-1])
                phases = "  ".join(
                    f"{phase} {line[phase]:.2f}" for phase in ("generate", "logprobs", "update")
                )
                print(
                    f"step, {count} thread(s), {name:12} {line['total']:.2f} s  ({phases})"
                    f"  {line['completion_tokens_per_s']:,} tokens/s  peak {line['peak_rss_mb']:,} MB"
                    f"  load {line['load']:.1f}",
                    flush=True,
                )


def bench_sampler(threads: int, rounds: int = 5) -> None:
    """Sample 128 outputs of 64 tokens for prompts of 48; greedily in fp32 the outputs must be equal."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)

    # Without an end token every output has the full length.
    config = LlamaConfig(**SHAPE, bos_token_id=1, eos_token_id=None, pad_token_id=0)
    model = LlamaForCausalLM(config).eval()
    prompts = torch.randint(40, 2048, (QUESTIONS, PROMPT))
    repeated = prompts.repeat_interleave(GROUP, 0)
    clock = time.process_time if threads == 1 else time.perf_counter

    for kind, dtype in (("bf16", torch.bfloat16), ("fp32", torch.float32)):
        peer = LlamaForCausalLM(model.config).eval()
        peer.load_state_dict(model.state_dict())
        peer = peer.to(dtype)
        generate = partial(
            peer.generate,
            repeated,
            attention_mask=torch.ones_like(repeated),
            do_sample=True,
            top_k=0,
            max_new_tokens=NEW,
        )
        request = SampleRequest(prompts.tolist(), GROUP, SamplingSettings(max_new_tokens=NEW))
        sample = partial(Sampler(model, Ends(), 128, dtype).sample, request)

        speeds = {}
        calls: dict[str, Callable[[], object]] = {"transformers": generate, "ours": sample}
        for name, call in calls.items():
            call()  # the first call allocates
            seconds = []
            for _ in range(rounds):
                start = clock()
                call()
                seconds.append(clock() - start)

            speeds[name] = len(repeated) * NEW / statistics.median(seconds)
            print(
                f"sampler, {threads} thread(s), {kind}, {name:12} {speeds[name]:,.0f} tokens/s",
                flush=True,
            )
        ratio = speeds["ours"] / speeds["transformers"]
        print(f"sampler, {threads} thread(s), {kind}: {ratio:.2f} times")

    greedy = SamplingSettings(temperature=0, max_new_tokens=NEW)
    groups = Sampler(model, Ends()).sample(SampleRequest(prompts.tolist(), 1, greedy))
    mine = [samples[0].ids for samples in groups]
    theirs = model.generate(
        prompts, attention_mask=torch.ones_like(prompts), do_sample=False, max_new_tokens=NEW
    )
    same = sum(ids == row for ids, row in zip(mine, theirs[:, PROMPT:].tolist(), strict=True))
    print(f"sampler: greedy output equal for {same} of {QUESTIONS} prompts")


class Ends:
    """The part of a tokenizer that the sampler needs here: no end token, no text."""

    eos_token_id: int | None = None


def bench_memory() -> None:
    """Measure each method in its own process, since peak memory is that of a process."""
    found = {}
    for method in ("grpo_outcome", "ppo"):
        command = [sys.executable, "-m", "benchmarks.rl", "memory-of", method]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found[method] = json.loads(output.splitlines()[-1])

        line = found[method]
        print(
            f"memory, {method:12} model states {line['state_mb']:.1f} MiB, {line['bytes_a_parameter']:.0f} bytes a"
            f" parameter of the policy; peak above the start {line['peak_mb']:,} MB"
        )

    for name in ("state_mb", "peak_mb"):
        saved = 1 - found["grpo_outcome"][name] / found["ppo"][name]
        print(f"memory: GRPO needs {100 * saved:.0f} % less than PPO ({name})")


def memory_of(method: str) -> None:
    """Two steps of the method on a random model; prints model states and the growth of this process's peak memory."""
    settings = RL.model_validate(
        {
            "method": method,
            "rewards": {"rule": 1.0},
            "group_size": GROUP,
            "batch_outputs": QUESTIONS * GROUP,
            "steps": 2,
            "max_new_tokens": NEW,
            "micro_batch_tokens": 2048,
            "precision": "fp32",
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        torch.manual_seed(0)
        shape = SHAPE | {"hidden_size": 512, "intermediate_size": 1408, "num_hidden_layers": 6}
        config = LlamaConfig(**shape, bos_token_id=1, eos_token_id=2, pad_token_id=0)
        model = LlamaForCausalLM(config).eval()
        model.save_pretrained(folder)

        prompts = torch.randint(40, 2048, (2 * QUESTIONS, PROMPT)).tolist()
        questions = [
            Question(Problem(str(place), str(place), ""), prompt)
            for place, prompt in enumerate(prompts)
        ]
        rewards: dict[str, RewardFunction] = {"rule": IdReward(even_share)}
        # The rewards read token ids, so this much of a tokenizer is enough.
        tokenizer = cast(PreTrainedTokenizerBase, Texts())

        before = peak_memory_mb()
        value = ValueModel(Path(folder), settings) if method == "ppo" else None
        trainer = Trainer(model, tokenizer, settings, questions, [], rewards, value=value)
        lines = [trainer.step(step) for step in range(2)]

    parameters = sum(p.numel() for p in model.parameters())
    state_mb = lines[-1]["model_state_mb"]
    found = {
        "state_mb": state_mb,
        "peak_mb": peak_memory_mb() - before,
        "bytes_a_parameter": state_mb * 2**20 / parameters,
    }
    print(json.dumps(found))


class Texts(Ends):
    """The part of a tokenizer that the trainer needs here: an end token, and empty texts."""

    eos_token_id = 2

    def batch_decode(self, rows: Sequence[Sequence[int]], **options: object) -> list[str]:
        return [""] * len(rows)

    def decode(self, ids: Sequence[int]) -> str:
        return ""
