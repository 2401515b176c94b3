"""Train the policy: one loop for GRPO and its siblings (see rl/methods.py for what tells them apart).

Reads   the fine-tuned model, training problems, held-out problems for the curve of greedy accuracy, and the reward
        models that the settings name.
Writes  a model folder (weights, tokenizer, model card, metrics.jsonl with a line a step, manifest.json) and, with
        --rollouts FILE, some questions with all their outputs, rewards and advantages for reading.

    python -m rl.train --config results/mini/config/rl.json --sft results/mini/models/sft \
        --problems results/mini/world/problems/train.jsonl --heldout results/mini/world/problems/validation.jsonl \
        --resume /tmp/rl --out my_model

A step: draw questions, sample G outputs of each, reward them, turn rewards into per-token columns, update. Killed at
any time, the same command goes on from the last checkpoint in --resume and ends with the same bits on a CPU. Without
--config the paper's settings hold. `torchrun --nproc-per-node 8 -m rl.train …` samples and trains on eight processes.
Not done here: training the first reward models (rl.reward_model).
"""

import argparse
import tempfile
from pathlib import Path

from pipeline.artifacts.code_digest import code_digest
from pipeline.artifacts.records import read_solutions
from pipeline.artifacts.write import check_replaceable, file_digest, write_jsonl
from pipeline.config.load import read_section
from pipeline.config.rl import RL
from pipeline.config.world import Prompts
from pipeline.errors import UserError, run_main
from pipeline.model import distributed
from pipeline.model.load import load_model, load_tokenizer, model_card, save_model
from pipeline.training.checkpoint import Checkpoints, fingerprint, seed_everything
from rl.iterative import RewardTraining
from rl.questions import hold_out, load_questions
from rl.rewards import load_rewards
from rl.rollouts import Group, Question, solution_groups
from rl.score_model import ModelReward
from rl.tool_sampler import Programs
from rl.trainer import Trainer
from rl.value_model import ValueModel


@distributed.session()
def main(argv: list[str] | None = None) -> None:
    args = _parse(argv)
    settings = read_section(args.config, RL) if args.config else RL()
    prompts = read_section(args.prompts, Prompts) if args.prompts else Prompts()
    check_replaceable(args.out)
    seed_everything(settings.seed)
    tokenizer, policy = load_tokenizer(args.sft), load_model(args.sft)
    questions, heldout, examples = _questions(args, settings, prompts, tokenizer, policy)
    folders = {"outcome_model": args.outcome_model, "process_model": args.process_model}
    programs = Programs()
    rewards = load_rewards(settings, folders, tokenizer, programs)
    models = [
        args.sft,
        *(folder for name, folder in folders.items() if folder and name in settings.rewards),
    ]
    inputs = [
        *models,
        *args.problems,
        *args.heldout,
        *(args.solutions if settings.method == "sft" else []),
    ]
    own = [name.partition(":")[0] for name in settings.rewards if ":" in name]
    code = code_digest("rl.train", *own)
    mark = fingerprint(settings.model_dump(), prompts.model_dump(), code, *map(file_digest, inputs))
    checkpoints = Checkpoints(args.resume, mark)
    value = ValueModel(args.sft, settings) if settings.method == "ppo" else None
    training = {
        name: RewardTraining.of(folders[name], reward, settings.replay)
        for name, reward in rewards.items()
        if isinstance(reward, ModelReward) and settings.iterations > 1
    }
    learner = Trainer(
        policy,
        tokenizer,
        settings,
        questions,
        heldout,
        rewards,
        examples=examples or None,
        value=value,
        reward_training=training,
        programs=programs,
    )
    results = learner.run(checkpoints)
    if args.rollouts and distributed.is_main():
        write_jsonl(args.rollouts, learner.state.records)
    ran = {"isolation": programs.isolation} if settings.mode != "cot" else {}
    _save(
        args, learner, inputs, {"questions": len(questions), "held_out": len(heldout)}, results, ran
    )
    checkpoints.delete()


def _questions(
    args: argparse.Namespace, settings: RL, prompts: Prompts, tokenizer, policy
) -> tuple[list[Question], list[Question], dict[str, Group]]:
    """Questions to train on, questions held out, and for the method sft the first ones' worked solutions by id."""
    reading = (
        tokenizer,
        prompts,
        policy.config.max_position_embeddings,
        settings.max_new_tokens,
        settings.mode,
    )
    questions = load_questions(args.problems, *reading)
    if args.heldout:
        heldout = load_questions(args.heldout, *reading)
    else:
        questions, heldout = hold_out(
            questions, min(settings.evaluate_problems, len(questions) // 10), settings.seed
        )
    examples: dict[str, Group] = {}
    if settings.method == "sft":
        examples = _examples(args.solutions, questions, tokenizer, settings.mode)
        questions = [question for question in questions if question.problem.id in examples]
    return questions, heldout, examples


def _save(
    args: argparse.Namespace, learner: Trainer, inputs: list, counts: dict, results: dict, ran: dict
) -> None:
    settings = learner.settings
    description = (
        f"Policy after {settings.steps} steps of {settings.method} (DeepSeekMath, section 4)."
    )
    with tempfile.TemporaryDirectory() as folder:
        write_jsonl(Path(folder) / "metrics.jsonl", learner.state.lines)
        save_model(
            args.out,
            learner.policy,
            learner.tokenizer,
            card=model_card("RL model", description, settings.model_dump(), results),
            stage="rl.train",
            settings=settings.model_dump(),
            inputs=inputs,
            counts=counts,
            metrics=results | ran,
            metrics_file=Path(folder) / "metrics.jsonl",
        )


def _examples(
    paths: list[Path], questions: list[Question], tokenizer, mode: str
) -> dict[str, Group]:
    if not paths:
        raise UserError("method sft: give worked solutions with --solutions FILE")
    solutions = [solution for path in paths for solution in read_solutions(path)]
    groups = {
        group.question.problem.id: group
        for group in solution_groups(solutions, questions, tokenizer, mode)
    }
    if not groups:
        raise UserError(f"{paths[0]}: no solution of the mode {mode} of any training problem")
    return groups


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, help="settings, the section rl as JSON")
    parser.add_argument("--prompts", type=Path, help="the section prompts as JSON")
    parser.add_argument(
        "--sft", type=Path, required=True, help="the fine-tuned model to start from"
    )
    parser.add_argument(
        "--problems", type=Path, nargs="+", required=True, help="training problems (JSON Lines)"
    )
    parser.add_argument(
        "--heldout",
        type=Path,
        nargs="*",
        default=[],
        help="held-out problems; without, some of --problems are kept from training",
    )
    parser.add_argument(
        "--solutions", type=Path, nargs="*", default=[], help="worked solutions, for method sft"
    )
    parser.add_argument("--outcome-model", type=Path, help="folder of the outcome reward model")
    parser.add_argument("--process-model", type=Path, help="folder of the process reward model")
    parser.add_argument("--resume", type=Path, help="folder for checkpoints, deleted at the end")
    parser.add_argument(
        "--rollouts", type=Path, help="write some questions with all their outputs here"
    )
    parser.add_argument("--out", type=Path, required=True, help="the new model's folder")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_main(main)
