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
from dataclasses import dataclass
from pathlib import Path

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.artifacts.records import read_solutions
from pipeline.artifacts.write import write_jsonl
from pipeline.config.prompts import Prompts
from pipeline.config.read import read_section
from pipeline.config.rl import RL
from pipeline.errors import UserError, run_main
from pipeline.model import distributed
from pipeline.model.card import Card, origin_of, write_card
from pipeline.model.load import load_model, load_tokenizer
from pipeline.model.model_prompts import (
    ModelPrompts,
    add_evaluation_option,
    carried_by,
    prompts_for,
    read_evaluation,
)
from pipeline.training.job import TrainingJob, add_job_options
from rl.iterative import RewardTraining
from rl.own_code.check import check_own_code
from rl.questions import hold_out, load_questions
from rl.rewards import RewardFunction, load_rewards
from rl.rollouts import Group, Question, solution_groups
from rl.score_model import ModelReward
from rl.tool_sampler import Programs
from rl.trainer import Trainer
from rl.value_model import ValueModel


@distributed.session()
def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    settings = read_section(args.config, RL) if args.config else RL()
    prompts = prompts_for(args.sft, args.prompts)
    job = TrainingJob(
        "rl.train",
        settings,
        inputs=_inputs(args, settings),
        out=args.out,
        resume=args.resume,
        fresh=args.fresh,
        compared={"prompts": prompts.model_dump(mode="json")},
        modules=settings.own_modules,
    )
    check_own_code(settings)

    # What is trained, on what, and what rewards it.
    tokenizer, policy = load_tokenizer(args.sft), load_model(args.sft)
    problems = _problems(args, settings, prompts, tokenizer, policy)
    programs = Programs()
    rewards = load_rewards(settings, _reward_folders(args), tokenizer, programs)

    trainer = Trainer(
        policy,
        tokenizer,
        settings,
        problems.training,
        problems.heldout,
        rewards,
        examples=problems.examples or None,
        value=ValueModel(args.sft, settings) if settings.method == "ppo" else None,
        reward_training=_reward_training(args, settings, rewards),
        programs=programs,
    )
    results = trainer.run(job.checkpoints, job.tracker)

    if args.rollouts and distributed.is_main():
        write_jsonl(args.rollouts, trainer.state.records)

    # Where programs may have run, the manifest says how they were isolated.
    isolation = {"isolation": programs.isolation} if settings.mode != "cot" else {}
    asking = ModelPrompts.of(
        "chat", carried_by(args.sft), prompts, read_evaluation(args.evaluation)
    )
    card = Card(
        title="RL model",
        description=f"Policy after {settings.steps} steps of {settings.method} (DeepSeekMath, section 4).",
        origin=origin_of(args.sft),
        trained_on=[path.name for path in args.problems],
        asking=asking,
        parameters=policy.num_parameters(),
        context=policy.config.max_position_embeddings,
        settings=settings.model_dump(),
        metrics=results,
    )
    job.save(
        trainer.policy,
        tokenizer,
        card=write_card(card),
        asking=asking,
        counts={"questions": len(problems.training), "held_out": len(problems.heldout)},
        metrics=results | isolation,
        lines=trainer.state.lines,
    )


@dataclass(frozen=True, slots=True)
class _Problems:
    """What RL learns on and is measured with."""

    training: list[Question]
    heldout: list[Question]
    examples: dict[str, Group]
    """Worked solutions of the training questions by problem id, for the method sft."""


def _problems(
    args: argparse.Namespace,
    settings: RL,
    prompts: Prompts,
    tokenizer: PreTrainedTokenizerBase,
    policy: PreTrainedModel,
) -> _Problems:
    """Read the training and held-out questions; without --heldout some training ones are held out."""

    def load(paths: list[Path]) -> list[Question]:
        context = policy.config.max_position_embeddings
        return load_questions(
            paths, tokenizer, prompts, context, settings.max_new_tokens, settings.mode
        )

    training = load(args.problems)
    if args.heldout:
        heldout = load(args.heldout)
    else:
        count = min(settings.evaluate_problems, len(training) // 10)
        training, heldout = hold_out(training, count, settings.seed)

    examples: dict[str, Group] = {}
    if settings.method == "sft":
        examples = _examples(args.solutions, training, tokenizer, settings.mode)
        training = [question for question in training if question.problem.id in examples]
    return _Problems(training, heldout, examples)


def _examples(
    paths: list[Path], questions: list[Question], tokenizer: PreTrainedTokenizerBase, mode: str
) -> dict[str, Group]:
    """Worked solutions in the given mode, by problem id."""
    if not paths:
        raise UserError("method sft: give worked solutions with --solutions FILE")

    solutions = [solution for path in paths for solution in read_solutions(path)]
    groups = solution_groups(solutions, questions, tokenizer, mode)
    if not groups:
        raise UserError(f"{paths[0]}: no solution of the mode {mode} of any training problem")
    return {group.question.problem.id: group for group in groups}


def _reward_folders(args: argparse.Namespace) -> dict[str, Path | None]:
    return {"outcome_model": args.outcome_model, "process_model": args.process_model}


def _reward_training(
    args: argparse.Namespace, settings: RL, rewards: dict[str, RewardFunction]
) -> dict[str, RewardTraining]:
    """How the reward models in use learn between iterations, if there are several."""
    if settings.iterations == 1:
        return {}

    # Only reward models learn; the rule and classes of the user's own stay what they are.
    training: dict[str, RewardTraining] = {}
    for name, folder in _reward_folders(args).items():
        reward = rewards.get(name)
        if isinstance(reward, ModelReward) and folder is not None:
            training[name] = RewardTraining.of(folder, reward, settings.replay)
    return training


def _inputs(args: argparse.Namespace, settings: RL) -> dict[str, Path]:
    """Everything that the model is made from."""
    inputs: dict[str, Path] = {"sft": args.sft}
    for name, folder in _reward_folders(args).items():
        if folder and name in settings.rewards:
            inputs[name] = folder

    groups = {"problems": args.problems, "heldout": args.heldout}
    if settings.method == "sft":
        groups["solutions"] = args.solutions
    for name, paths in groups.items():
        for number, path in enumerate(paths):
            inputs[f"{name}.{number}"] = path
    return inputs


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
