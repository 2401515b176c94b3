"""Train the policy: one loop for GRPO and its siblings (rl/methods.py says what tells them apart).

Reads   the fine-tuned model, training problems, held-out problems for the curve of greedy accuracy, and the reward
        models that the settings name.
Writes  a model folder (weights, tokenizer, prompts.json, model card, metrics.jsonl with a line a step,
        manifest.json) and, with --rollouts FILE, some questions with all their outputs, rewards and advantages for
        reading.

    python -m rl.train --config results/mini/config/rl.json --sft results/mini/models/sft \\
        --problems results/mini/world/problems/train.jsonl --heldout results/mini/world/problems/validation.jsonl \\
        --resume /tmp/rl --out my_model

A step: draw questions, sample G outputs of each, reward them, turn rewards into a number for each token, update
(rl/trainer.py). A run that was killed goes on from its last checkpoint in --resume when the same command is run again,
and ends with the same weights on a CPU. Without --config the paper's settings hold; without --prompts questions are
put as the fine-tuned model's prompts.json says.
`torchrun --nproc-per-node 8 -m rl.train …` samples and trains on eight processes. Not done here: training the first
reward models (rl.reward_model).
"""

import argparse
from pathlib import Path

from pipeline.errors import run_main
from pipeline.model.model_prompts import add_evaluation_option
from pipeline.training.options import add_job_options


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)

    # Loads torch, which --help and a wrong option do not wait for.
    from rl.policy_training import train_policy

    train_policy(args)


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--config", type=Path, help="settings, the section rl as JSON")
    add("--prompts", type=Path, help="the section prompts as JSON; default: the model's own")
    add("--sft", type=Path, required=True, help="the fine-tuned model to start from")
    add("--problems", type=Path, nargs="+", required=True, help="training problems (JSON Lines)")
    add(
        "--heldout",
        type=Path,
        nargs="*",
        default=[],
        help="held-out problems; without, some of --problems are kept from training",
    )
    add("--solutions", type=Path, nargs="*", default=[], help="worked solutions, for method sft")
    add("--outcome-model", type=Path, help="folder of the outcome reward model")
    add("--process-model", type=Path, help="folder of the process reward model")
    add("--rollouts", type=Path, help="write some questions with all their outputs here")
    add_evaluation_option(parser)
    add_job_options(parser)
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_main(main)
