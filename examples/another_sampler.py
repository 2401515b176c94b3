"""Another sampling engine in the RL trainer, through its `sampler=` argument.

    python -m examples.another_sampler --results results/mini

The trainer asks three things of an engine (`pipeline.inference.engine.Engine`): take over the policy's current
weights, sample, and sleep while the policy is updated. This one samples with transformers' `generate`; a client of an
inference server looks the same. The trainer checks before its first update that the engine's log-probabilities are
those of the policy.
"""

import argparse
import zlib
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase

from pipeline.config.prompts import Prompts
from pipeline.config.read import read_section
from pipeline.config.rl import RL
from pipeline.inference.engine import Sample, SampleRequest
from pipeline.model.load import load_model, load_tokenizer
from rl.questions import load_questions
from rl.rewards import RewardFunction, RuleReward
from rl.trainer import Trainer


class GenerateEngine:
    """Samples each prompt's group with `model.generate`."""

    def __init__(self, model: Any, tokenizer: PreTrainedTokenizerBase):
        self.model, self.tokenizer = model, tokenizer

    def load(self, model: Any) -> None:
        # Same process, same weights. An engine elsewhere would be sent `model.state_dict()` here.
        self.model = model

    def sleep(self) -> None:
        # Nothing is kept between two calls. An engine elsewhere would free its cache here, before the update.
        pass

    @torch.no_grad()
    def sample(self, request: SampleRequest) -> list[list[Sample]]:
        groups = []
        for prompt, key in zip(request.prompts, request.key_names, strict=True):
            # A key names step and question, so that every step draws other numbers, and a resumed run the same ones.
            torch.manual_seed(zlib.crc32(f"{request.settings.seed}/{key}".encode()))
            groups.append(self._group(list(prompt), request))
        return groups

    def _group(self, prompt: list[int], request: SampleRequest) -> list[Sample]:
        settings = request.settings
        is_greedy = settings.temperature == 0
        out = self.model.generate(
            torch.tensor([prompt]),
            num_return_sequences=request.samples_per_prompt,
            max_new_tokens=settings.max_new_tokens,
            do_sample=not is_greedy,
            temperature=None if is_greedy else settings.temperature,
            # transformers' own defaults would cut the distribution: RL needs that of the policy itself.
            top_k=None if is_greedy else 0,
            top_p=None if is_greedy else 1.0,
            pad_token_id=self.tokenizer.eos_token_id,
            return_dict_in_generate=True,
            output_scores=True,
        )
        log_probs = self.model.compute_transition_scores(
            out.sequences, out.scores, normalize_logits=True
        )

        samples = []
        for sequence, of_tokens in zip(out.sequences, log_probs, strict=True):
            ids = sequence[len(prompt) :].tolist()
            # The ending token belongs to the sample; the padding behind it does not.
            ended = self.tokenizer.eos_token_id in ids
            length = ids.index(self.tokenizer.eos_token_id) + 1 if ended else len(ids)
            finish = "stop" if ended else "length"
            samples.append(Sample(ids[:length], of_tokens[:length].tolist(), finish))
        return samples


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--results", type=Path, default=Path("results/mini"))
    args = parser.parse_args(argv)

    # The run's own settings, with a step small enough for `generate`.
    settings = read_section(args.results / "config/rl.json", RL)
    settings = settings.model_copy(
        update={"steps": 2, "batch_outputs": 32, "group_size": 8, "rewards": {"rule": 1.0}}
    )
    folder = args.results / "models/sft"
    tokenizer, policy = load_tokenizer(folder), load_model(folder)
    prompts = read_section(args.results / "config/prompts.json", Prompts)
    problems = args.results / "world/problems/train.jsonl"
    context = policy.config.max_position_embeddings
    questions = load_questions([problems], tokenizer, prompts, context, settings.max_new_tokens)

    engine = GenerateEngine(policy, tokenizer)
    rewards: dict[str, RewardFunction] = {"rule": RuleReward()}
    trainer = Trainer(policy, tokenizer, settings, questions, [], rewards, sampler=engine)
    for step in range(settings.steps):
        metrics = trainer.step(step)
        print(f"step {step}  right {metrics['right']:.2f}  mean length {metrics['length']:.1f}")


if __name__ == "__main__":
    main()
