"""Prompts for models that were never taught to chat (coder, base): worked examples, then the question.

    Problem:
    <question>

    Solution:
    <worked solution>

is the layout of most benchmarks; Chinese sets have it in Chinese, BIG-Bench Hard, functions and formal proofs have
the layouts of their papers. Examples come from the run's own fine-tuning data (`read_shots`), or from eval/shots, one
YAML file for each kind of answer, written for this project; BIG-Bench Hard's are read from the data set itself.
A completion ends where the model starts on a problem of its own.
"""

from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

from eval.programs.unit_tests import STOP as FUNCTION_STOP
from eval.tasks.declarations import COT_PROMPTS, Benchmark
from pipeline.artifacts.records import Problem, read_jsonl, read_solutions
from pipeline.errors import UserError

STOP = ("\nProblem:", "\nProblem：")
FENCES = {"code": ("```python\n", "\n```"), "output": ("```output\n", "\n```"), "text": ("", "")}
KEPT = 64  # shots kept of each mode and language: no prompt shows more

DATA_FILES = ("../shots/*.yaml",)
SHOTS = Path(__file__).parents[1] / "shots"


@dataclass(frozen=True, slots=True)
class Layout:
    """Text around a question and around an answer, and where a completion ends."""

    before: str
    between: str
    after: str
    stop: tuple[str, ...]


LAYOUTS = {
    "plain": Layout("Problem:\n", "\n\nSolution:\n", "\n\n", STOP),
    "plain_zh": Layout("问题：", "\n解答：", "\n\n", ("\n问题：", "\n问题 ", *STOP)),
    "textbook": Layout("Example. ", "\n\nSolution. ", "\n\n", ("\nExample", "\nExercise", *STOP)),
    "textbook_zh": Layout("例题：", "\n\n解：", "\n\n", ("\n例题", "\n练习", *STOP)),
    "plain_bn": Layout("প্রশ্ন: ", "\nসমাধান: ", "\n\n", ("\nপ্রশ্ন:", *STOP)),
    "plain_de": Layout("Aufgabe: ", "\nLösung: ", "\n\n", ("\nAufgabe:", *STOP)),
    "plain_es": Layout("Problema: ", "\nSolución: ", "\n\n", ("\nProblema:", *STOP)),
    "plain_fr": Layout(
        "Problème : ", "\nSolution : ", "\n\n", ("\nProblème :", "\nProblème:", *STOP)
    ),
    "plain_ja": Layout("問題：", "\n解答：", "\n\n", ("\n問題：", *STOP)),
    "plain_ru": Layout("Задача: ", "\nРешение: ", "\n\n", ("\nЗадача:", *STOP)),
    "plain_sw": Layout("Swali: ", "\nSuluhisho: ", "\n\n", ("\nSwali:", *STOP)),
    "plain_te": Layout("ప్రశ్న: ", "\nపరిష్కారం: ", "\n\n", ("\nప్రశ్న:", *STOP)),
    "plain_th": Layout("โจทย์: ", "\nวิธีทำ: ", "\n\n", ("\nโจทย์:", *STOP)),
    "bbh": Layout("Q: ", "\nA: Let's think step by step.\n", "\n\n", ("\nQ:",)),
    "completion": Layout("", "", "", FUNCTION_STOP),
    "function": Layout("Task: ", "\n[BEGIN]\n", "\n[DONE]\n\n", ("[DONE]", "\nTask:")),
    "formal": Layout("Informal:\n", "\n", "\n\n", ("\nInformal:",)),
}


@dataclass(frozen=True, slots=True)
class Shot:
    """A worked example as it is shown."""

    question: str
    text: str
    mode: str
    language: str


@dataclass(frozen=True, slots=True)
class FewShot:
    """How one benchmark is shown to a base model in one mode."""

    shots: tuple[Shot, ...]
    layout: Layout = LAYOUTS["plain"]
    # Worked examples as one text, by the problem's kind: they take the place of the shots.
    heads: dict[str, str] = field(default_factory=dict)

    def prompt(self, problem: Problem) -> str:
        """The text to complete."""
        head = self.heads.get(problem.kind)
        if head:
            return f"{head}\n\n{few_shot_prompt(problem, [], self.layout)}"
        return few_shot_prompt(problem, list(self.shots), self.layout)

    def cut(self, text: str) -> str:
        """A completion up to where the model starts on a problem of its own."""
        return cut_at_stop(text, self.layout.stop)


def few_shot(
    benchmark: Benchmark,
    mode: str,
    given: list[Shot],
    count: int,
    language: str = "",
    file: str | Path = "",
) -> FewShot:
    """The few-shot prompt of a benchmark: `given` examples where there are any of the mode, else its declared ones.

    `count` applies to given examples; declared sets show as many as the paper. `file`: the benchmark's own file.
    """
    if benchmark.answer == "code":
        layout = LAYOUTS["function" if benchmark.examples else "completion"]
        shown = declared_shots(benchmark.examples, "pot")[: benchmark.shots["pot"]]
        return FewShot(shown, layout)
    if benchmark.answer == "proof":
        shown = declared_shots(benchmark.examples, "cot")[: benchmark.shots["cot"]]
        return FewShot(shown, LAYOUTS["formal"])
    if benchmark.examples == "cot_prompts":
        return FewShot((), LAYOUTS["bbh"], _task_prompts(str(Path(file).parent / COT_PROMPTS)))

    # Given examples: of the problem's own language, which counts before the benchmark's
    if any(shot.mode == mode for shot in given):
        language = language or benchmark.language or "en"
        name = benchmark.layout
        if language == "zh" and name != "plain":
            name += "_zh"
        return FewShot(tuple(pick_shots(given, mode, language, count)), LAYOUTS[name])

    # Declared examples, in the benchmark's language
    language = benchmark.language or language or "en"
    examples = benchmark.examples or ("school_zh" if language == "zh" else "school_en")
    shown = declared_shots(examples, mode)[: benchmark.shots.get(mode, count)]
    return FewShot(shown, LAYOUTS.get(f"plain_{language}", LAYOUTS["plain"]))


@lru_cache(maxsize=64)
def declared_shots(name: str, mode: str) -> tuple[Shot, ...]:
    """The examples of a set in eval/shots that have a solution in this mode ("cot" or "pot"), in order."""
    if not name:
        return ()

    rows = yaml.safe_load((SHOTS / f"{name}.yaml").read_text("utf-8"))
    language = name.rpartition("_")[2] if "_" in name else "en"
    # Programs stand in a Python block, but where the layout of functions and proofs marks them already.
    fenced = mode == "pot" and name not in ("functions_en", "proofs")

    shots = []
    for row in rows:
        if row.get(mode):
            solution = row[mode].strip()
            text = f"```python\n{solution}\n```" if fenced else solution
            shots.append(Shot(row["question"].strip(), text, mode, language))
    return tuple(shots)


@lru_cache(maxsize=4)
def _task_prompts(path: str) -> dict[str, str]:
    """BIG-Bench Hard's own worked examples by task, without the canary line; none where the file is missing."""
    if not Path(path).exists():
        return {}

    heads = {}
    for row in read_jsonl(path):
        examples = row["prompt"].partition("-----\n")[2]
        heads[row["task"]] = examples.strip()
    return heads


def read_shots(path: str | Path, tokenizer: Any) -> list[Shot]:
    """Worked examples from sft/examples.parquet (training split) or from JSON Lines of Solution records."""
    if Path(path).suffix != ".parquet":
        return [
            Shot(solution.question, _turns_text(solution.turns), solution.format, solution.language)
            for solution in read_solutions(path)
        ]

    columns = ["question", "format", "language", "ids", "scored", "split"]
    try:
        batches = pq.ParquetFile(path).iter_batches(1000, columns=columns)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not a table of fine-tuning examples ({error})") from None

    shots: list[Shot] = []
    seen: Counter[tuple[str, str]] = Counter()
    for batch in batches:
        for row in batch.to_pylist():
            kind = row["format"], row["language"]
            if row["split"] != "train" or seen[kind] >= KEPT:
                continue

            seen[kind] += 1
            answer = row["ids"][row["scored"].index(True) :]  # behind the prompt
            text = tokenizer.decode(answer, skip_special_tokens=True).strip()
            shots.append(Shot(row["question"], text, row["format"], row["language"]))
    return shots


def pick_shots(shots: list[Shot], mode: str, language: str, count: int) -> list[Shot]:
    """The first `count` shots of a mode and language; of any language where there are too few."""
    fitting = [shot for shot in shots if shot.mode == mode]
    same_language = [shot for shot in fitting if shot.language == language]
    others = [shot for shot in fitting if shot.language != language]
    return (same_language + others)[:count]


def few_shot_prompt(problem: Problem, shots: list[Shot], layout: Layout = LAYOUTS["plain"]) -> str:
    """The text to complete. The shots are never the problem itself: they come from training data."""
    if layout is LAYOUTS["completion"]:
        return problem.question

    text = ""
    for shot in shots:
        text += layout.before + shot.question.strip() + layout.between + shot.text + layout.after
    return text + layout.before + problem.question.strip() + layout.between


def cut_at_stop(text: str, stop: tuple[str, ...] = STOP) -> str:
    """What the model wrote before it started another problem."""
    for mark in stop:
        text = text.split(mark, 1)[0]
    # The first line of a function's body is indented.
    return text.rstrip() if stop is FUNCTION_STOP else text.strip()


def chat_question(benchmark: Benchmark, problem: Problem) -> str:
    """What a chat model is asked; for functions and proofs the request is part of it and no suffix is added."""
    if problem.kind == "completion" and benchmark.answer == "code":
        return (
            "Complete this Python function. Answer with the whole function in one Python code block.\n"
            f"```python\n{problem.question.rstrip()}\n```"
        )
    if benchmark.answer == "code":
        return f"{problem.question}\n\nAnswer with the function in one Python code block."
    if benchmark.answer == "proof":
        return f"Prove this theorem in Isabelle. Answer with the proof alone.\n\n{problem.question}"
    return problem.question


def _turns_text(turns: list[dict[str, str]]) -> str:
    """The turns of a solution as one text, code and output in fences."""
    parts = []
    for turn in turns:
        opening, closing = FENCES[turn["role"]]
        parts.append(opening + turn["content"].strip() + closing)
    return "\n".join(parts)
