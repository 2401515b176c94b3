"""From a row of a benchmark's file to a `Problem`: question, options, gold answer.

Rows are read in the shapes that the sets are published in: a final answer after #### (GSM8K) or in the last box of a
solution (MATH); options as a list, as one printed string or with their letters; the right option as a letter, letters
or an index; chat turns (MGSM-zh). For programs the gold is the test code to run after the candidate, for proofs the
formal statement.
"""

import json
import re

from eval.grading.extract.answer import extract
from eval.tasks.declarations import Fields
from pipeline.artifacts.records import Problem

LETTERS = "ABCDEFGHIJKLMNOPQR"
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_OPTION_MARK = re.compile(r"^\s*\(?\s*[A-Ja-j]\s*[).]\s*")
_OPTION_SPLIT = re.compile(r"(?:^|[\s,])\(?[A-Ja-j]\s*\)\s*|(?:^|\s)[A-J]\.\s+")
_QUOTED = re.compile(r"(['\"])(.*?)\1(?=\s*[,\]])")


def problem_of(
    row: dict, default_id: str, fields: Fields, answer_type: str = "", language: str = ""
) -> Problem | str:
    """The problem of a row, or what the row lacks."""
    if answer_type == "code":
        return _code_problem(row, default_id)
    if answer_type == "proof":
        return _proof_problem(row, default_id)
    question = _first(row, fields.question) or _first_message(row)
    if not question:
        return f"no question (one of {', '.join(fields.question)})"
    question = "\n".join(part for part in (row.get("passage"), question) if part)
    options = _options(row, fields)
    answer = _choice(row, options) if options else _gold(row, fields)
    if not answer:
        return f"no answer (one of {', '.join(fields.gold)})"
    if options:
        question += "\n" + "\n".join(
            f"({letter}) {text}" for letter, text in zip(LETTERS, options, strict=False)
        )
    return Problem(
        id=_first(row, fields.id) or default_id,
        question=question,
        answer=answer,
        language=row.get("language") or language or ("zh" if _CHINESE.search(question) else "en"),
        kind=_first(row, fields.kind),
        level=_first(row, fields.level),
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


def _gold(row: dict, fields: Fields) -> str:
    listed = next((row[field] for field in fields.gold if isinstance(row.get(field), list)), None)
    if listed is not None:
        return json.dumps(listed)
    answer = _first(row, tuple(field for field in fields.gold if field != "solution"))
    if "####" in answer:
        return answer.rsplit("####", 1)[1].strip().replace(",", "")
    if answer:
        return answer
    return extract(_first(row, ("solution",)), final_box_only=True).answer or ""


def _options(row: dict, fields: Fields) -> list[str]:
    """The texts of the options without their letters; an empty list where the question is open."""
    options = next((row[field] for field in fields.options if row.get(field)), [])
    if isinstance(options, str) and options.startswith("["):  # a list that was printed (MathQA)
        options = [text.group(2) for text in _QUOTED.finditer(options)]
    elif isinstance(options, str):
        options = [part for part in _OPTION_SPLIT.split(options) if part.strip(" ,")]
    return [_OPTION_MARK.sub("", str(option)).strip(" ,") for option in options]


def _choice(row: dict, options: list[str]) -> str:
    """The letter (or letters: AD) of the right option, given as letters or as an index."""
    for field in ("label", "Answer", "correct", "answer"):
        value = row.get(field)
        if isinstance(value, int) and 0 <= value < len(options):
            return LETTERS[value]
        if isinstance(value, str):
            letters = "".join(value.split()).upper()
            if (
                letters
                and len(letters) <= len(options)
                and set(letters) <= set(LETTERS[: len(options)])
            ):
                return letters
    return ""


def _code_problem(row: dict, default_id: str) -> Problem | str:
    """HumanEval: the question is the start of a function. MBPP: a description and the tests that must pass."""
    name = str(row.get("task_id") or default_id)
    if row.get("prompt") and row.get("test") and row.get("entry_point"):
        return Problem(
            name,
            row["prompt"],
            f"{row['test']}\n\ncheck({row['entry_point']})\n",
            kind="completion",
        )
    tests = row.get("test_list")
    text = row.get("text") or row.get("prompt")
    if not text or not tests:
        return "no prompt and test, and no text and test_list"
    question = f"{text.strip()}\nYour code should pass these tests:\n\n" + "\n".join(tests)
    setup = row.get("test_setup_code") or "\n".join(row.get("test_imports") or [])
    return Problem(name, question, "\n".join([setup, *tests]).strip() + "\n", kind="function")


def _proof_problem(row: dict, default_id: str) -> Problem | str:
    """miniF2F: the informal statement and proof ask for a formal proof; the gold is the theory up to the proof."""
    missing = [name for name in ("formal_statement", "informal_statement") if not row.get(name)]
    if missing:
        return f"no {' and no '.join(missing)}"
    informal = f"(*### Problem\n\n{row['informal_statement'].strip()}"
    if row.get("informal_proof"):
        informal += f"\n\n### Solution\n\n{row['informal_proof'].strip()}"
    question = f"{informal} *)\n\nFormal:\n{row['formal_statement'].strip()}"
    theory = (row.get("header") or "theory Scratch imports Complex_Main\nbegin\n\n") + row[
        "formal_statement"
    ].strip()
    kind = "numbertheory" if "numbertheory" in row["formal_statement"] else "other"
    return Problem(str(row.get("problem_name") or default_id), question, theory, kind=kind)
