"""Benchmarks: any JSON Lines file with a question and an answer becomes a list of Problem records.

The field names of the public sets are known (GSM8K, MATH, MATH-500, MGSM, CMATH, SAT, MMLU, AQuA, Gaokao, OCW, AIME,
TheoremQA, GSM-Hard); an own file needs `question` and `answer`. Multiple choice gets its options appended to the
question and a letter as its answer. Not read here: benchmarks scored by running tests (HumanEval, MBPP) or by a
proof checker (miniF2F).
"""

import json
import re
import sys
from pathlib import Path

from eval.extraction import extract
from pipeline.errors import UserError
from pipeline.records import Problem, read_jsonl

QUESTION_FIELDS = ("question", "problem", "Question", "input")
GOLD_FIELDS = ("answer", "Answer", "target", "golden", "correct", "label")
ID_FIELDS = ("id", "unique_id", "task_id", "idx")
KIND_FIELDS = ("kind", "type", "subject", "topic", "subfield", "task")
LEVEL_FIELDS = ("level", "grade", "reasoning_step")
LETTERS = "ABCDEFGHIJ"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
OPTION_MARK = re.compile(r"^\s*\(?\s*[A-Ja-j]\s*[).]\s*")
OPTION_SPLIT = re.compile(r"(?:^|[\s,])\(?[A-Ja-j]\s*\)\s*|(?:^|\s)[A-J]\.\s+")
QUOTED = re.compile(r"(['\"])(.*?)\1(?=\s*[,\]])")


def load_benchmark(path: str | Path, name: str | None = None, limit: int | None = None) -> list[Problem]:
    """Read a benchmark file; `limit` keeps the first so many problems.

    Records without a question or an answer are left out and named on stderr; a file of nothing else is a UserError.
    """
    name = name or Path(path).stem
    problems: list[Problem] = []
    flaws: list[str] = []
    seen: set[str] = set()
    for number, row in enumerate(read_jsonl(path), 1):
        if limit is not None and len(problems) >= limit:
            break
        problem = _problem(row, f"{name}-{number}")
        if isinstance(problem, str):
            flaws.append(f"record {number}: {problem}")
            continue
        if problem.id in seen:  # ids that repeat (one id for several solutions) get their record number
            problem.id = f"{problem.id}#{number}"
        seen.add(problem.id)
        problems.append(problem)
    if not problems:
        raise UserError(f"{path}: no usable problem" + (f" ({flaws[0]})" if flaws else "; the file is empty"))
    if flaws:
        print(f"{path}: {len(flaws)} of {number} records left out ({'; '.join(flaws[:3])})", file=sys.stderr)
    return problems


def _problem(row: dict, default_id: str) -> Problem | str:
    """The problem of a row, or what the row lacks."""
    question = _first(row, QUESTION_FIELDS) or _first_message(row)
    if not question:
        return f"no question (one of {', '.join(QUESTION_FIELDS)})"
    question = "\n".join(part for part in (row.get("passage"), question) if part)
    options = _options(row)
    answer = _choice(row, options) if options else _gold(row)
    if not answer:
        return f"no answer (one of {', '.join(GOLD_FIELDS)})"
    if options:
        question += "\n" + "\n".join(f"({letter}) {text}" for letter, text in zip(LETTERS, options, strict=False))
    return Problem(
        id=_first(row, ID_FIELDS) or default_id,
        question=question,
        answer=answer,
        language=row.get("language") or ("zh" if CHINESE.search(question) else "en"),
        kind=_first(row, KIND_FIELDS),
        level=_first(row, LEVEL_FIELDS),
    )


def _first(row: dict, fields: tuple[str, ...]) -> str:
    for field in fields:
        value = row.get(field)
        if value is not None and not isinstance(value, list | dict) and str(value).strip():
            return str(value).strip()
    return ""


def _first_message(row: dict) -> str:
    """The user's turn of a chat-shaped row (MGSM-zh in the form of the public evaluation)."""
    turns = row.get("messages") or []
    return next((str(turn["content"]).strip() for turn in turns if turn.get("role") == "user"), "")


def _gold(row: dict) -> str:
    """The final answer: after #### (GSM8K), in the last box of a solution (MATH), or the answer field itself."""
    listed = next((row[field] for field in GOLD_FIELDS if isinstance(row.get(field), list)), None)
    if listed is not None:
        return json.dumps(listed)
    answer = _first(row, GOLD_FIELDS)
    if "####" in answer:
        return answer.rsplit("####", 1)[1].strip().replace(",", "")
    if answer:
        return answer
    return extract(_first(row, ("solution",)), final_box_only=True).answer or ""


def _options(row: dict) -> list[str]:
    """The texts of the options without their letters; an empty list where the question is open."""
    options = row.get("options") or row.get("choices") or []
    if isinstance(options, str) and options.startswith("["):  # a list that was printed (MathQA)
        options = [text.group(2) for text in QUOTED.finditer(options)]
    elif isinstance(options, str):
        options = [part for part in OPTION_SPLIT.split(options) if part.strip(" ,")]
    return [OPTION_MARK.sub("", str(option)).strip(" ,") for option in options]


def _choice(row: dict, options: list[str]) -> str:
    """The letter (or letters: AD) of the right option, given as letters or as an index."""
    for field in ("label", "Answer", "correct", "answer"):
        value = row.get(field)
        if isinstance(value, int) and 0 <= value < len(options):
            return LETTERS[value]
        if isinstance(value, str):
            letters = "".join(value.split()).upper()
            if letters and len(letters) <= len(options) and set(letters) <= set(LETTERS[: len(options)]):
                return letters
    return ""
