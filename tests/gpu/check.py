"""Checks of the training stages on a GPU: train, resume, sample, RL; tokens/s, utilisation, memory against prediction.

Called by tests/gpu/check.sh, which says how. Every check prints one line; exit status 1 when one fails.

Utilisation is the model's arithmetic (6 FLOP a weight and token, and causal attention; what activation checkpointing
computes again does not count) over the rate of a large bf16 matrix product measured on the same device just before.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from pipeline.artifacts.write import read_json, write_json, write_jsonl  # noqa: E402
from pipeline.config.load import load_preset  # noqa: E402
from pipeline.config.schedule import constant  # noqa: E402
from pipeline.config.training import Optimisation  # noqa: E402
from pipeline.forward.batches import Row, context_rows  # noqa: E402
from pipeline.forward.layout import layout_for, row_log_probs  # noqa: E402
from pipeline.inference.engine import SampleRequest, SamplingSettings  # noqa: E402
from pipeline.inference.sampler import Sampler  # noqa: E402
from pipeline.memory.layers import MASTER, Pass  # noqa: E402
from pipeline.memory.shape import Shape  # noqa: E402
from pipeline.model.load import load_model, save_model  # noqa: E402
from pipeline.training.checkpoint import Checkpoints, seed_everything  # noqa: E402
from pipeline.training.loop import Plan, train  # noqa: E402
from pipeline.training.prepare import prepare, store_products_in_bf16  # noqa: E402
from pipeline.training.step import adamw, set_learning_rate, train_step, weighted_nll  # noqa: E402
from tests.support.tiny_model import tiny_model, tiny_tokenizer  # noqa: E402


@dataclass(frozen=True)
class Size:
    """What is trained for the figures; the checks of exactness use a model of two small layers."""

    hidden: int
    intermediate: int
    layers: int
    heads: int
    vocabulary: int
    context: int
    contexts: int  # of a step
    micro_batch_tokens: int
    steps: int
    matmul: int
    sampled: int  # sequences that are sampled side by side, of as many tokens

    @property
    def shape(self) -> Shape:
        """The same for the prediction of memory."""
        return Shape(
            self.hidden,
            self.intermediate,
            self.layers,
            self.heads,
            self.heads,
            self.hidden // self.heads,
            self.vocabulary,
        )


GPU = Size(
    2048, 5504, 24, 16, 102_400, 4096, 16, 16_384, 8, 8192, 256
)  # 1.6B, the paper's context and vocabulary
CPU = Size(128, 352, 2, 4, 1024, 128, 4, 256, 3, 512, 16)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    args = parser.parse_args(argv)
    if args.device == "cuda" and not torch.cuda.is_available():
        print(
            "skipped: no CUDA device on this machine (--device cpu runs the checks on the processor)"
        )
        return 0
    if args.device == "cpu" and torch.cuda.is_available():
        parser.error("--device cpu: start it with CUDA_VISIBLE_DEVICES= on a machine with a GPU")
    size = GPU if args.device == "cuda" else CPU
    name = torch.cuda.get_device_name() if args.device == "cuda" else "processor"
    figures: dict = {"device": name, "torch": torch.__version__}
    print(f"device: {name}, torch {torch.__version__}")
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        for check in CHECKS:
            start = time.perf_counter()
            try:
                figures |= check(size, figures, Path(folder))
            except Exception as error:  # every check runs, whatever fails
                failed.append(check.__name__)
                print(f"FAILED {check.__name__}: {type(error).__name__}: {error}")
            print(f"       ({check.__name__}: {time.perf_counter() - start:.0f} s)", flush=True)
    if args.json:
        write_json(args.json, figures)
    print(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    return 1 if failed else 0


def matmul_rate(size: Size, figures: dict, folder: Path) -> dict:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    a, b = (
        torch.randn(size.matmul, size.matmul, device=device, dtype=torch.bfloat16) for _ in range(2)
    )
    seconds = timed(lambda: a @ b, repeats=20)
    rate = 2 * size.matmul**3 / seconds
    print(f"matrix product, bf16     {rate / 1e12:8.2f} TFLOP/s")
    return {"matmul_tflops": rate / 1e12}


def pretraining_speed(size: Size, figures: dict, folder: Path) -> dict:
    """Full contexts of one length, as in continued pretraining."""
    draw = np.random.default_rng(0)
    contexts = [
        draw.integers(0, size.vocabulary, size.context).astype(np.int32)
        for _ in range(size.contexts)
    ]
    return speed(size, figures, "pretraining", context_rows(contexts, bos=-1), packed=False)


def packed_speed(size: Size, figures: dict, folder: Path) -> dict:
    """Examples of many lengths laid end to end, as in fine-tuning."""
    draw = np.random.default_rng(1)
    rows, left = [], size.context * size.contexts
    while left > 8:
        n = int(min(left, np.clip(draw.lognormal(np.log(size.context / 8), 0.6), 8, size.context)))
        rows.append(
            Row(draw.integers(0, size.vocabulary, n).astype(np.int32), np.arange(n) >= n // 3)
        )
        left -= n
    for row in rows:
        row.columns["weight"] = np.full(len(row), 1 / sum(map(len, rows)), np.float32)
    return speed(size, figures, "packed", rows, packed=True)


def speed(size: Size, figures: dict, name: str, rows: list[Row], packed: bool) -> dict:
    seed_everything(0)
    model = prepare(large_model(size), Optimisation()).train()
    optimiser = adamw(model)
    set_learning_rate(optimiser, 1e-4)

    def step() -> dict[str, float]:
        return train_step(
            model, optimiser, rows, weighted_nll, max_tokens=size.micro_batch_tokens, packed=packed
        )

    first = step()["loss"]
    seconds = timed(step, repeats=size.steps)
    last = step()["loss"]
    if not last < first:
        raise RuntimeError(f"the loss does not fall on the same batch: {first:.3f} -> {last:.3f}")
    tokens = sum(map(len, rows))
    flop = sum(len(row) * flop_of_token(model, size, len(row)) for row in rows)
    result = {"tokens_per_second": tokens / seconds, "tflops": flop / seconds / 1e12}
    result["utilisation"] = result["tflops"] / figures["matmul_tflops"]
    if torch.cuda.is_available():
        result |= peak_against_prediction(size, max(map(len, rows)))
    print(
        f"{name:<24} {result['tokens_per_second']:8,.0f} tokens/s, {model.num_parameters() / 1e9:.2f}B weights, "
        f"{result['tflops']:.2f} TFLOP/s, utilisation {100 * result['utilisation']:.1f} %, "
        f"loss {first:.2f} -> {last:.2f}"
    )
    return {name: result}


def peak_against_prediction(size: Size, longest: int) -> dict:
    """The most that torch has allocated since the last question, and what `python -m pipeline.memory` says."""
    measured = torch.cuda.max_memory_allocated() / 2**30
    torch.cuda.reset_peak_memory_stats()

    tokens = max(size.micro_batch_tokens, longest)
    step = Pass(size.shape, tokens, tokens, bf16=True, recomputes=True)
    predicted = (4 * MASTER * size.shape.parameters + step.peak) / 2**30
    print(f"{'memory':<24} {measured:8.2f} GiB at most, {predicted:.2f} predicted")
    return {"peak_memory_gib": measured, "predicted_memory_gib": predicted}


def flop_of_token(model: LlamaForCausalLM, size: Size, length: int) -> float:
    """Forward and backward: 6 a weight that multiplies (the input embedding does not), causal attention."""
    weights = model.num_parameters() - model.get_input_embeddings().weight.numel()
    return 6 * weights + 6 * size.layers * size.hidden * length


def resume(size: Size, figures: dict, folder: Path) -> dict:
    """A training that is broken off ends like the unbroken one: with the same bits on a CPU."""

    def run(name: str, stop_at: int | None = None) -> torch.Tensor:
        seed_everything(0)
        model = tiny_model().to("cuda" if torch.cuda.is_available() else "cpu")

        def rows_of_step(step: int) -> list[Row]:
            if step == stop_at:
                raise KeyboardInterrupt
            ids = np.random.default_rng(step).integers(0, 250, (4, 32)).astype(np.int32)
            return context_rows(list(ids), bos=-1)

        plan = Plan(name, 8, constant(1e-3), max_tokens=64, checkpoint_every=2)
        checkpoints = Checkpoints(folder / name, "same")
        train(model, adamw(model), rows_of_step, weighted_nll, plan, checkpoints)
        return torch.cat([p.detach().float().flatten() for p in model.parameters()])

    whole = run("whole")
    with suppress(KeyboardInterrupt):
        run("broken", stop_at=5)
    difference = (run("broken") - whole).abs().max().item()
    limit = 1e-4 if torch.cuda.is_available() else 0.0
    print(f"resume                   weights differ by {difference:.1e} at most")
    if not difference <= limit:
        raise RuntimeError(f"a resumed training differs by {difference:.2g}, allowed {limit:.0e}")
    return {"resume_difference": difference}


def sample(size: Size, figures: dict, folder: Path) -> dict:
    """Greedy samples are those of transformers' own `generate`; then the rate of sampling."""
    small, tokenizer = toy(folder), tiny_tokenizer()
    prompt = tokenizer.encode("What is 2+3?")
    greedy = Sampler(small, tokenizer, 8).sample(
        SampleRequest([prompt], 1, SamplingSettings(temperature=0, max_new_tokens=12))
    )
    ids = torch.tensor([prompt], device=small.device)
    theirs = small.generate(ids, max_new_tokens=12, do_sample=False, pad_token_id=258)[
        0, len(prompt) :
    ].tolist()
    mine = greedy[0][0].ids
    if mine != theirs[: len(mine)]:
        raise RuntimeError(f"greedy samples differ from transformers: {mine} and {theirs}")
    settings = SamplingSettings(
        temperature=1.0, max_new_tokens=64 if torch.cuda.is_available() else 16
    )
    rates = {}
    for compiled in (False, True) if torch.cuda.is_available() else (False,):
        sampler, name = (
            Sampler(small, tokenizer, 256, compiled=compiled),
            "compiled" if compiled else "plain",
        )
        again = sampler.sample(
            SampleRequest([prompt], 1, SamplingSettings(temperature=0, max_new_tokens=12))
        )[0][0].ids
        if again != mine:
            raise RuntimeError(f"{name}: greedy samples differ: {again} and {mine}")
        request = SampleRequest([prompt] * 16, 16, settings)
        sampler.sample(request)  # a compiled step is compiled here
        start = time.perf_counter()
        samples = sampler.sample(request)
        rates[name] = sum(len(one.ids) for group in samples for one in group) / (
            time.perf_counter() - start
        )
        print(
            f"sample, {name:<16} {rates[name]:8,.0f} tokens/s, greedy samples equal transformers'"
        )
    return {"sampled_tokens_per_second": rates}


def sampling_speed(size: Size, figures: dict, folder: Path) -> dict:
    """The sampler on the large model, in bf16 on a GPU: as in RL, 16 samples a prompt; caches must be given back."""
    model, tokenizer = large_model(size).eval(), tiny_tokenizer()
    on_gpu = torch.cuda.is_available()
    sampler = Sampler(model, tokenizer, size.sampled, torch.bfloat16 if on_gpu else None)
    sampler.end_ids = []  # every sample has all its tokens

    prompts = [[(7 * i + j) % 250 for j in range(64)] for i in range(size.sampled // 16)]
    new = min(size.sampled, size.context - 64)
    request = SampleRequest(prompts, 16, SamplingSettings(max_new_tokens=new))
    seconds = timed(lambda: sampler.sample(request), repeats=1)
    rate = 16 * len(prompts) * new / seconds
    print(f"{'sampling, large':<24} {rate:8,.0f} tokens/s, {16 * len(prompts)} sequences")

    result = {"large_sampled_tokens_per_second": rate}
    if on_gpu:
        result |= {"sampling_peak_gib": torch.cuda.max_memory_allocated() / 2**30}
        sampler.sleep()
        left = torch.cuda.memory_allocated() - MASTER * sum(p.numel() for p in model.parameters())
        if left > 2**30:
            raise RuntimeError(f"asleep, the sampler still holds {left / 2**30:.1f} GiB")
        torch.cuda.reset_peak_memory_stats()
    return result


def stored_in_bf16(size: Size, figures: dict, folder: Path) -> dict:
    """A model that only computes gives the same numbers with its products stored in bf16."""
    model = large_model(size).eval()
    ids = torch.arange(size.context, device=model.device)[None] % size.vocabulary
    row = Row(ids[0].cpu().numpy().astype(np.int32), np.arange(size.context) > 0)

    def log_probs() -> np.ndarray:
        layout = layout_for(model, allow_fused=False)
        return row_log_probs(model, [row], size.context, layout=layout, precision="bf16")[0]

    before = log_probs()
    store_products_in_bf16(model)
    difference = float(np.abs(log_probs() - before).max())
    print(f"{'stored in bf16':<24} log-probabilities differ by {difference:.1e} at most")
    if difference:
        raise RuntimeError("casting weights before autocast does must not change a number")
    return {"bf16_difference": difference}


def real(size: Size, figures: dict, folder: Path) -> dict:
    """Three steps of RL of preset `real`, from its checkpoint where it lies (REAL_CHECKPOINT, or data/smollm2-135m)."""
    checkpoint = Path(os.environ.get("REAL_CHECKPOINT", ROOT / "data" / "smollm2-135m"))
    if not (checkpoint / "config.json").is_file():
        print(
            f"real                     skipped: no checkpoint in {checkpoint} (make real brings it)"
        )
        return {"real": "skipped: no checkpoint"}
    settings = load_preset("real", {"rl": {"steps": 3, "evaluate_every": 0}}).rl
    return {"real": rl_steps(folder / "real", checkpoint, settings.model_dump(mode="json"))}


def reinforcement(size: Size, figures: dict, folder: Path) -> dict:
    """`python -m rl.train` from a toy model: two steps of GRPO; trainer and sampler must agree in every token."""
    toy_folder = folder / "sft"
    save_model(toy_folder, toy(folder), tiny_tokenizer(), card="toy", stage="rl.train", settings={})
    settings = {
        "group_size": 8,
        "batch_outputs": 32,
        "steps": 2,
        "max_new_tokens": 24,
        "evaluate_problems": 4,
        "rewards": {"parity_reward:Parity": 1.0},
        "evaluate_every": 0,
        "micro_batch_tokens": 4096,
    }
    figures = {"rl_manifest": rl_steps(folder / "trained", toy_folder, settings)}
    if importlib.util.find_spec("peft"):
        adapted = settings | {"lora": {"rank": 8}}
        figures["lora_manifest"] = rl_steps(folder / "adapted", toy_folder, adapted)
    return figures


def rl_steps(folder: Path, start: Path, settings: dict) -> dict:
    """Train from the model in `start`; the manifest's metrics and the steps' speed and memory."""
    folder.mkdir()
    (folder / "parity_reward.py").write_text(PARITY)
    write_jsonl(
        folder / "problems.jsonl",
        ({"id": str(i), "question": f"{i}+1?", "answer": str(i + 1)} for i in range(200)),
    )
    write_json(folder / "rl.json", settings)
    command = [sys.executable, "-m", "rl.train", "--config", "rl.json", "--sft", str(start)]
    command += ["--problems", "problems.jsonl", "--out", "rl"]
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-1000:])

    lines = [
        json.loads(line) for line in (folder / "rl" / "metrics.jsonl").read_text().splitlines()
    ]
    steps = [line for line in lines if "reward" in line]
    agreement = next((line for line in done.stderr.splitlines() if "agree" in line), "")
    if not agreement:
        raise RuntimeError(
            "no step had anything to learn, so that sampler and trainer were not compared"
        )
    print(f"{'RL, ' + folder.name:<24} {len(steps)} steps; {agreement}")
    kept = {name: steps[-1][name] for name in STEP_FIGURES if name in steps[-1]}
    return read_json(folder / "rl" / "manifest.json")["metrics"] | kept


PARITY = """import numpy as np

class Parity:
    def score(self, groups):
        return [np.array([float(len(text) % 2) for text in group.texts]) for group in groups]
"""
"""A reward in which outputs of a random model differ: whether a text has an odd number of characters."""

STEP_FIGURES = (
    "peak_memory_mb",
    "sample_seconds",
    "update_seconds",
    "sample_tokens_per_second",
    "update_tokens_per_second",
)
"""Of a step's metrics."""


def toy(folder: Path) -> LlamaForCausalLM:
    """A small random model on the device, loaded the way stages load theirs."""
    tiny_model(hidden_size=64, intermediate_size=128).save_pretrained(folder / "toy")
    return load_model(folder / "toy")


def large_model(size: Size) -> LlamaForCausalLM:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    config = LlamaConfig(
        vocab_size=size.vocabulary,
        hidden_size=size.hidden,
        intermediate_size=size.intermediate,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        max_position_embeddings=size.context,
        tie_word_embeddings=False,
    )
    with torch.device(device):
        return LlamaForCausalLM(config)


def timed(work, repeats: int) -> float:
    """Seconds of one call, the device's queue emptied before and after."""
    work()
    synchronise()
    start = time.perf_counter()
    for _ in range(repeats):
        work()
    synchronise()
    return (time.perf_counter() - start) / repeats


def synchronise() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


CHECKS = (
    matmul_rate,
    pretraining_speed,
    packed_speed,
    stored_in_bf16,
    resume,
    sample,
    sampling_speed,
    reinforcement,
    real,
)


if __name__ == "__main__":
    sys.exit(main())
