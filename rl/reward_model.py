"""Train a reward model: of whole solutions ("outcome") or of their steps ("process").

Reads   the base model (the reward model starts from it), the fine-tuned model (it writes the solutions and the
        rollouts that label their steps), training problems.
        With labels of experts (settings `labels`): the experts' scores of the solutions, or --ratings FILES of scored
        answers, in the place of the rule's verdicts.
Writes  a Hugging Face folder (`AutoModelForTokenClassification`, one label: the logit that what stands before a token
        is right) with tokenizer, model card, metrics.jsonl, labels.jsonl (the labelled training solutions) and
        manifest.json, which holds accuracy, AUC and calibration on problems that were kept from training.

    python -m rl.reward_model --kind outcome --config results/mini/config/reward.json \\
        --base results/mini/models/base --sft results/mini/models/sft \\
        --problems results/mini/world/problems/train.jsonl --resume /tmp/reward --out my_reward

Labels and checkpoints are kept in --resume; a killed run goes on there and ends with the same weights.
`torchrun --nproc-per-node 8 -m rl.reward_model …` labels and trains on eight processes. Not done here: RL (rl.train),
and preference pairs: the paper's reward model learns from the rule's verdicts.
"""

import argparse
from pathlib import Path

from pipeline.errors import run_main
from pipeline.training.options import add_job_options


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)

    # Loads torch, which --help and a wrong option do not wait for.
    from rl.reward_model_training import make_reward_model

    make_reward_model(args)


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--kind", choices=("outcome", "process"), required=True)
    add("--config", type=Path, help="settings, the section reward as JSON")
    add("--prompts", type=Path, help="the section prompts as JSON")
    add("--base", type=Path, required=True, help="the model to start from")
    add("--sft", type=Path, required=True, help="the model that writes the solutions")
    add("--problems", type=Path, nargs="+", required=True, help="training problems (JSON Lines)")
    add("--ratings", type=Path, nargs="+", default=[], help="scored answers, for labels: ratings")
    add_job_options(parser)
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_main(main)
