"""The work of `python -m rl.train`: problems, rewards and models put together for the trainer, and its result saved."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from eval.cases.gold import case_of
from pipeline.artifacts.records import read_solutions
from pipeline.artifacts.write import MANIFEST, read_json, write_jsonl
from pipeline.config.prompts import Prompts
from pipeline.config.read import read_section
from pipeline.config.rl import RL
from pipeline.errors import UserError
from pipeline.model import distributed
from pipeline.model.adapters import parameter_count
from pipeline.model.card import Card, origin_of, write_card
from pipeline.model.load import load_model, load_tokenizer
from pipeline.model.model_prompts import (
    ModelPrompts,
    carried_by,
    prompts_for,
    read_evaluation,
)
from pipeline.training.job import TrainingJob
from rl.implicit.gate import check_process_model
from rl.iterative import RewardTraining
from rl.own_code.trials import check_own_code
from rl.questions import hold_out, load_questions
from rl.rewards import ExpertReward, RewardFunction, load_rewards
from rl.rollouts import Group, Question, solution_groups
from rl.score_model import ModelReward
from rl.tool_sampler import Programs
from rl.trainer import Trainer
from rl.value_model import ValueModel


@distributed.session()
def train_policy(args: argparse.Namespace) -> None:
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
    check_process_model(settings, args.process_model)

    # What is trained, on what, and what rewards it.
    tokenizer = load_tokenizer(args.sft)
    policy = load_model(args.sft, distribution=settings.distribution)
    problems = _problems(args, settings, prompts, tokenizer, policy)
    programs = Programs()
    rewards = load_rewards(settings, _reward_folders(args), tokenizer, programs)

    # Where the questions are cases, what unbiased experts would say is logged beside every other reward.
    if case_of(problems.training[0].problem.answer) is not None:
        rewards["experts"] = ExpertReward(_revised_from(args.outcome_model))

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
        parameters=parameter_count(policy),
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
    return {
        "outcome_model": args.outcome_model,
        "process_model": args.process_model,
        "reference": args.sft,
    }


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


def _revised_from(folder: Path | None) -> int | None:
    """The iteration from which the experts of a reward model go by the changed guideline."""
    if folder is None or not (folder / MANIFEST).is_file():
        return None
    experts = read_json(folder / MANIFEST)["settings"].get("experts") or {}
    return experts.get("revised_from")


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
