"""Benchmarks of reinforcement learning: a GRPO step, the sampler, memory of PPO beside GRPO, the methods' accuracy.

    python -m benchmarks.rl                         step, sampler and memory, a few minutes
    python -m benchmarks.rl step --harness FILE     a GRPO step beside TRL and a minimal loop (FILE: the harness)
    python -m benchmarks.rl sampler                 tokens a second beside transformers' generate, greedy text equal
    python -m benchmarks.rl memory                  peak memory and model states, PPO beside GRPO
    python -m benchmarks.rl methods --results …       benchmarks/rl_methods.py: all methods on a finished results folder

One thread measures processor time (so that neighbours disturb little), two threads wall time; each figure is a median.
TRL is measured where it is installed (trl 1.16.0, accelerate 1.15.0); --python names the interpreter that has it.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from benchmarks import rl_methods
from benchmarks.grpo import IdReward, even_share
from pipeline.artifacts.records import Problem
from pipeline.config.rl import RL
from pipeline.inference.engine import SampleRequest, SamplingSettings
from pipeline.inference.sampler import Sampler
from rl.monitoring.metrics import peak_memory_mb
from rl.rollouts import Question
from rl.trainer import Trainer
from rl.value_model import ValueModel

SHAPE = {"vocab_size": 2048, "hidden_size": 256, "intermediate_size": 704, "num_hidden_layers": 4}
SHAPE |= {"num_attention_heads": 4, "num_key_value_heads": 4, "max_position_embeddings": 512}
QUESTIONS, GROUP, NEW, PROMPT = 16, 8, 64, 48


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command")
    step = commands.add_parser("step", help="a GRPO step beside TRL and a minimal loop")
    step.add_argument(
        "--harness", type=Path, default=os.environ.get("GRPO_HARNESS"), help="the harness's file"
    )
    step.add_argument(
        "--python", default=sys.executable, help="an interpreter with trl and accelerate"
    )
    step.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    sampler = commands.add_parser("sampler", help="tokens a second beside transformers' generate")
    sampler.add_argument("--threads", type=int, default=1)
    commands.add_parser("memory", help="PPO beside GRPO")
    rl_methods.add_arguments(
        commands.add_parser("methods", help="all methods on a finished results folder")
    )
    one = commands.add_parser("memory-of", help=argparse.SUPPRESS)
    one.add_argument("method")
    args = parser.parse_args(argv)
    if args.command == "step":
        bench_step(args.harness, args.python, args.threads)
    elif args.command == "sampler":
        bench_sampler(args.threads)
    elif args.command == "memory":
        bench_memory()
    elif args.command == "memory-of":
        memory_of(args.method)
    elif args.command == "methods":
        rl_methods.run(args)
    else:
        bench_step(os.environ.get("GRPO_HARNESS"), sys.executable, [1, 2])
        bench_sampler(1)
        bench_memory()


def bench_step(harness: Path | str | None, python: str, threads: list[int]) -> None:
    """Run the harness (model, prompts, clock are its own) for every implementation, one process each."""
    if harness is None or not Path(harness).is_file():
        print("step: no harness given (--harness FILE or GRPO_HARNESS); left out")
        return
    kinds = {"ours": (sys.executable, ["--impl", "benchmarks.grpo:grpo_steps"])}
    kinds["minimal"] = (sys.executable, ["--impl", "minimal"])
    has_trl = (
        subprocess.run([python, "-c", "import trl, accelerate"], capture_output=True).returncode
        == 0
    )
    if has_trl:
        kinds["TRL default"] = (python, ["--impl", "trl"])
        kinds["TRL tuned"] = (python, ["--impl", "trl", "--attn", "eager", "--compile"])
    else:
        print("step: trl or accelerate is not installed; left out")
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, harness, "make", "--dir", folder], check=True, capture_output=True
        )
        for count in threads:
            for name, (interpreter, options) in kinds.items():
                command = [
                    interpreter,
                    str(harness),
                    "run",
                    "--dir",
                    folder,
                    "--threads",
                    str(count),
                    *options,
                ]
                found = subprocess.run(
                    command, check=True, capture_output=True, text=True, env=environment
                )
                line = json.loads(found.stdout.strip().splitlines()[-1])
                phases = "  ".join(
                    f"{name} {line[name]:.2f}" for name in ("generate", "logprobs", "update")
                )
                print(
                    f"step, {count} thread(s), {name:12} {line['total']:.2f} s  ({phases})"
                    f"  {line['completion_tokens_per_s']:,} tokens/s  peak {line['peak_rss_mb']:,} MB"
                    f"  load {line['load']:.1f}",
                    flush=True,
                )


def bench_sampler(threads: int, rounds: int = 5) -> None:
    """128 sequences of 64 tokens behind prompts of 48; then greedily in fp32, where the texts must be equal."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(**SHAPE, bos_token_id=1, eos_token_id=None, pad_token_id=0)
    ).eval()
    prompts = torch.randint(40, 2048, (QUESTIONS, PROMPT))
    whole = prompts.repeat_interleave(GROUP, 0)
    clock = time.process_time if threads == 1 else time.perf_counter
    for kind, dtype in (("bf16", torch.bfloat16), ("fp32", torch.float32)):
        peer = LlamaForCausalLM(model.config).eval()
        peer.load_state_dict(model.state_dict())
        peer = peer.to(dtype)
        sampler = Sampler(model, Ends(), 128, dtype)
        settings = SamplingSettings(max_new_tokens=NEW)
        calls = {
            "transformers": lambda peer=peer: peer.generate(
                whole,
                attention_mask=torch.ones_like(whole),
                do_sample=True,
                top_k=0,
                max_new_tokens=NEW,
            ),
            "ours": lambda sampler=sampler, settings=settings: sampler.sample(
                SampleRequest(prompts.tolist(), GROUP, settings)
            ),
        }
        speeds = {}
        for name, call in calls.items():
            call()
            seconds = []
            for _ in range(rounds):
                start = clock()
                call()
                seconds.append(clock() - start)
            speeds[name] = len(whole) * NEW / statistics.median(seconds)
            print(
                f"sampler, {threads} thread(s), {kind}, {name:12} {speeds[name]:,.0f} tokens/s",
                flush=True,
            )
        print(
            f"sampler, {threads} thread(s), {kind}: {speeds['ours'] / speeds['transformers']:.2f} times"
        )
    greedy = SamplingSettings(temperature=0, max_new_tokens=NEW)
    mine = [
        group[0].ids
        for group in Sampler(model, Ends()).sample(SampleRequest(prompts.tolist(), 1, greedy))
    ]
    theirs = model.generate(
        prompts, attention_mask=torch.ones_like(prompts), do_sample=False, max_new_tokens=NEW
    )
    same = sum(ids == row for ids, row in zip(mine, theirs[:, PROMPT:].tolist(), strict=True))
    print(f"sampler: greedy output equal for {same} of {QUESTIONS} prompts")


class Ends:
    """A tokenizer's part that the sampler needs here: no end token, no text."""

    eos_token_id = None


def bench_memory() -> None:
    """Each method in a process of its own, since peak memory is a process's."""
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
    """Two steps of the method on a random model; prints model states and the growth of this process's peak."""
    with tempfile.TemporaryDirectory() as folder:
        torch.manual_seed(0)
        shape = SHAPE | {"hidden_size": 512, "intermediate_size": 1408, "num_hidden_layers": 6}
        model = LlamaForCausalLM(
            LlamaConfig(**shape, bos_token_id=1, eos_token_id=2, pad_token_id=0)
        ).eval()
        model.save_pretrained(folder)
        settings = RL(
            method=method, rewards={"rule": 1.0}, group_size=GROUP, batch_outputs=QUESTIONS * GROUP, steps=2,
            max_new_tokens=NEW, micro_batch_tokens=2048, precision="fp32",
        )  # fmt: skip
        prompts = torch.randint(40, 2048, (2 * QUESTIONS, PROMPT)).tolist()
        questions = [
            Question(Problem(str(place), str(place), ""), prompt)
            for place, prompt in enumerate(prompts)
        ]
        rewards = {"rule": IdReward(even_share)}
        before = peak_memory_mb()
        value = ValueModel(Path(folder), settings) if method == "ppo" else None
        learner = Trainer(model, Texts(), settings, questions, [], rewards, value=value)
        lines = [learner.step(step) for step in range(2)]
        parameters = sum(p.numel() for p in model.parameters())
    found = {"state_mb": lines[-1]["model_state_mb"], "peak_mb": peak_memory_mb() - before}
    print(json.dumps(found | {"bytes_a_parameter": found["state_mb"] * 2**20 / parameters}))


class Texts(Ends):
    """No text either: rewards read token ids."""

    eos_token_id = 2

    def batch_decode(self, rows: list, **_) -> list[str]:
        return [""] * len(rows)

    def decode(self, ids: list) -> str:
        return ""


if __name__ == "__main__":
    main()
