"""GRPO in sixty lines: the method of the paper, built from this project's public functions.

    python -m examples.grpo_from_scratch --results results/mini

Takes a few optimiser steps from the fine-tuned model of a finished run and prints the mean reward of each. The same
questions come back in every step, so a dozen steps are enough for the reward to rise. The complete version, with fresh
questions, a KL term, checkpoints and evaluation, is `rl.trainer.Trainer`.
"""

import argparse
from pathlib import Path

import numpy as np

from eval.grading.grader import grade
from pipeline.artifacts.records import read_problems
from pipeline.config.prompts import Prompts
from pipeline.config.read import read_section
from pipeline.forward.batches import Row
from pipeline.inference.engine import SampleRequest, SamplingSettings
from pipeline.inference.sampler import Sampler
from pipeline.model.chat import encode_prompt
from pipeline.model.load import load_model, load_tokenizer
from pipeline.training.step import adamw, set_learning_rate, train_step
from rl.advantages import outcome_advantages
from rl.objectives import grpo_loss

GROUP_SIZE, MAX_NEW_TOKENS, LEARNING_RATE = 8, 64, 2e-4


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--results", type=Path, default=Path("results/mini"))
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--questions", type=int, default=16)
    args = parser.parse_args(argv)

    # The policy, and problems with their prompts as token ids.
    folder = args.results / "models/sft"
    tokenizer, policy = load_tokenizer(folder), load_model(folder)
    suffixes = read_section(args.results / "config/prompts.json", Prompts)
    problems = read_problems(args.results / "world/problems/train.jsonl")[: args.questions]
    prompts = [encode_prompt(tokenizer, p.question, "cot", p.language, suffixes) for p in problems]

    sampler = Sampler(policy, tokenizer)
    optimiser = adamw(policy, weight_decay=0.0)
    set_learning_rate(optimiser, LEARNING_RATE)
    loss = grpo_loss(beta=0.0, kl="k3", low=0.2, high=0.2)  # beta 0: no KL term, no reference model

    for step in range(args.steps):
        # Rollout: a group of outputs for each question, sampled from the policy as it is now.
        sampler.load(policy)
        sampling = SamplingSettings(max_new_tokens=MAX_NEW_TOKENS, seed=step)
        groups = sampler.sample(SampleRequest(prompts, GROUP_SIZE, sampling))

        rows, all_rewards = [], []
        for problem, prompt, samples in zip(problems, prompts, groups, strict=True):
            # Reward: the benchmark's grader. Only the last \boxed{} counts.
            ids = [sample.ids for sample in samples]
            texts = tokenizer.batch_decode(ids, skip_special_tokens=True)
            verdicts = [grade(problem.answer, text, final_box_only=True) for text in texts]
            rewards = np.array([verdict.correct for verdict in verdicts], dtype=float)
            all_rewards.append(rewards)

            # Advantage: each reward compared with its own group's, the same for all tokens of an output.
            advantages = outcome_advantages(rewards, [sample.length for sample in samples])

            # Rows: prompt and output as one sequence; columns hold a number for each token of the output.
            for sample, advantage in zip(samples, advantages, strict=True):
                loss_mask = np.arange(len(prompt) + sample.length) >= len(prompt)
                # Eq. 3 takes the mean over an output's tokens, then over outputs: one weight does both.
                weight = 1 / (sample.length * GROUP_SIZE * len(problems))
                row = Row(np.array(prompt + sample.ids, dtype=np.int32), loss_mask)
                columns = (
                    ("weight", weight),
                    ("advantage", advantage),
                    ("old_log_probs", sample.logprobs),
                )
                for name, values in columns:
                    row.columns[name] = np.zeros(len(row), dtype=np.float32)
                    row.columns[name][loss_mask] = values
                rows.append(row)

        # Update: one optimiser step, computed in micro-batches of at most `max_tokens` tokens.
        metrics = train_step(policy, optimiser, rows, loss, max_tokens=4096)
        print(
            f"step {step:2}  reward {np.mean(all_rewards):.3f}  grad norm {metrics['grad_norm']:.3f}"
        )


if __name__ == "__main__":
    main()
