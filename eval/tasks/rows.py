"""From a row of a benchmark's file to a `Problem`: question, options, gold answer.

Rows are read in the shapes that the sets are published in: a final answer after #### (GSM8K) or in the last box of a
solution (MATH); options as a list, as one printed string or with their letters; the right option as a letter, letters
or an index; chat turns (MGSM-zh). For programs the gold is the test code to run after the candidate, for proofs the
formal statement.
"""

import json
import re
from typing import Any

from eval.grading.extract.answer import extract
from eval.tasks.declarations import Fields
from pipeline.artifacts.records import Problem

Row = dict[str, Any]  # a JSON object of a benchmark's file

LETTERS = "ABCDEFGHIJKLMNOPQR"
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
# "A)", "(B) ", "c." in front of an option
_OPTION_MARK = re.compile(r"^\s*\(?\s*[A-Ja-j]\s*[).]\s*")
# Where the next option begins in options that were printed in one line
_OPTION_SPLIT = re.compile(r"(?:^|[\s,])\(?[A-Ja-j]\s*\)\s*|(?:^|\s)[A-J]\.\s+")
# An element of a printed Python list: up to the quotation mark before a comma or bracket, for "it's" holds one
_QUOTED = re.compile(r"(['\"])(.*?)\1(?=\s*[,\]])")


def problem_of(
    row: Row, default_id: str, fields: Fields, answer_type: str = "", language: str = ""
) -> Problem | str:
    """The problem of a row, or what the row lacks."""
    if answer_type == "code":
        return _code_problem(row, default_id)
    if answer_type == "proof":
        return _proof_problem(row, default_id)

    question = _first(row, fields.question) or _first_message(row)
    if not question:
        return f"no question (one of {', '.join(fields.question)})"
    if row.get("passage"):
        question = f"{row['passage']}\n{question}"

    options = _options(row, fields)
    answer = _right_option(row, options) if options else _gold(row, fields)
    if not answer:
        return f"no answer (one of {', '.join(fields.gold)})"
    for letter, text in zip(LETTERS, options, strict=False):
        question += f"\n({letter}) {text}"

    recognised = "zh" if _CHINESE.search(question) else "en"
    return Problem(
        id=_first(row, fields.id) or default_id,
        question=question,
        answer=answer,
        language=row.get("language") or language or recognised,
        kind=_first(row, fields.kind),
        level=_first(row, fields.level),
    )


def _first(row: Row, names: tuple[str, ...]) -> str:
    """The first of these fields that holds a text or number."""
    for name in names:
        value = row.get(name)
        if value is None or isinstance(value, list | dict):
            continue
        text = str(value).strip()
        if text:
            return text
    return ""


def _first_message(row: Row) -> str:
    """The user's turn of a chat-shaped row (MGSM-zh in the form of the public evaluation)."""
    for turn in row.get("messages") or []:
        if turn.get("role") == "user":
            return str(turn["content"]).strip()
    return ""


def _gold(row: Row, fields: Fields) -> str:
    """The right answer of an open question: given, behind ####, or in the last box of the solution."""
    for name in fields.gold:
        if isinstance(row.get(name), list):
            return json.dumps(row[name])

    # A field "solution" is never the answer itself.
    answer = _first(row, tuple(name for name in fields.gold if name != "solution"))
    if "####" in answer:
        return answer.rsplit("####", 1)[1].strip().replace(",", "")
    if answer:
        return answer
    return extract(_first(row, ("solution",)), final_box_only=True).answer or ""


def _options(row: Row, fields: Fields) -> list[str]:
    """The texts of the options without their letters; an empty list where the question is open."""
    options: str | list[Any] = next((row[name] for name in fields.options if row.get(name)), [])

    if isinstance(options, str) and options.startswith("["):  # a list that was printed (MathQA)
        options = [text[2] for text in _QUOTED.finditer(options)]
    elif isinstance(options, str):
        options = [part for part in _OPTION_SPLIT.split(options) if part.strip(" ,")]

    return [_OPTION_MARK.sub("", str(option)).strip(" ,") for option in options]


def _right_option(row: Row, options: list[str]) -> str:
    """The letter (or letters: AD) of the right option, given as letters or as an index."""
    allowed = set(LETTERS[: len(options)])

    for name in ("label", "Answer", "correct", "answer"):
        value = row.get(name)
        if isinstance(value, int) and 0 <= value < len(options):
            return LETTERS[value]
        if isinstance(value, str):
            letters = "".join(value.split()).upper()
            if letters and len(letters) <= len(options) and set(letters) <= allowed:
                return letters
    return ""


def _code_problem(row: Row, default_id: str) -> Problem | str:
    """HumanEval: the question is the start of a function. MBPP: a description and the tests that must pass."""
    name = str(row.get("task_id") or default_id)

    if row.get("prompt") and row.get("test") and row.get("entry_point"):
        tests_of_function = f"{row['test']}\n\ncheck({row['entry_point']})\n"
        return Problem(name, row["prompt"], tests_of_function, kind="completion")

    tests = row.get("test_list")
    text = row.get("text") or row.get("prompt")
    if not text or not tests:
        return "no prompt and test, and no text and test_list"

    question = f"{text.strip()}\nYour code should pass these tests:\n\n" + "\n".join(tests)
    setup = row.get("test_setup_code") or "\n".join(row.get("test_imports") or [])
    program = "\n".join([setup, *tests]).strip() + "\n"
    return Problem(name, question, program, kind="function")


def _proof_problem(row: Row, default_id: str) -> Problem | str:
    """miniF2F: the informal statement and proof ask for a formal proof; the gold is the theory up to the proof."""
    missing = [name for name in ("formal_statement", "informal_statement") if not row.get(name)]
    if missing:
        return f"no {' and no '.join(missing)}"

    statement = row["formal_statement"].strip()
    informal = f"(*### Problem\n\n{row['informal_statement'].strip()}"
    if row.get("informal_proof"):
        informal += f"\n\n### Solution\n\n{row['informal_proof'].strip()}"
    question = f"{informal} *)\n\nFormal:\n{statement}"

    header = row.get("header") or "theory Scratch imports Complex_Main\nbegin\n\n"
    kind = "numbertheory" if "numbertheory" in row["formal_statement"] else "other"
    return Problem(
        str(row.get("problem_name") or default_id), question, header + statement, kind=kind
    )
