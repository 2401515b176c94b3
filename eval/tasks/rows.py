"""From a row of a benchmark's file to a `Problem`: question, options, gold answer.

Rows are read in the shapes that the sets are published in: a final answer after #### (GSM8K) or in the last box of a
solution (MATH); options as a list, as one printed string or with their letters; the right option as a letter, letters
or an index; chat turns (MGSM-zh). For programs the gold is the test code to run after the candidate, for proofs the
formal statement.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, TypeGuard

from eval.cases.gold import case_of
from eval.grading.extract.answer import extract
from eval.tasks.declarations import Fields
from pipeline.artifacts.records import Problem
from pipeline.errors import UserError

Row = dict[str, Any]  # a JSON object of a benchmark's file

LETTERS = "ABCDEFGHIJKLMNOPQR"
LONGEST = 1_000_000  # characters of a question with its answer: more is no question
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
    if isinstance(row.get("passage"), str) and row["passage"]:
        question = f"{row['passage']}\n{question}"

    options = _options(row, fields)
    if isinstance(options, str):
        return options
    answer = _right_option(row, options) if options else _gold(row, fields)
    if not answer:
        return f"no answer (one of {', '.join(fields.gold)})"
    for letter, option in zip(LETTERS, options, strict=False):
        question += f"\n({letter}) {option.text}"
    if len(question) + len(answer) > LONGEST:
        return f"longer than {LONGEST:,} characters"
    flaw = _flaw_of_case(answer)
    if flaw:
        return flaw
    if not _is_text(question + answer):
        return "half a character (a lone surrogate)"

    recognised = "zh" if _CHINESE.search(question) else "en"
    return Problem(
        id=_first(row, fields.id) or default_id,
        question=question,
        answer=answer,
        language=_first(row, ("language",)) or language or recognised,
        kind=_first(row, fields.kind),
        level=_first(row, fields.level),
    )


def _flaw_of_case(answer: str) -> str:
    """What is wrong with an answer that describes a case; empty where it is in order, or of another kind."""
    try:
        case_of(answer)
    except UserError as error:
        return str(error)
    return ""


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
    messages = row.get("messages")
    for turn in messages if isinstance(messages, list) else []:
        if isinstance(turn, dict) and turn.get("role") == "user":
            return str(turn.get("content") or "").strip()
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


@dataclass(frozen=True, slots=True)
class _Option:
    """An option of a multiple-choice question."""

    mark: str
    """How the row itself names it ("A", "1"); empty where it does not."""
    text: str


def _options(row: Row, fields: Fields) -> list[_Option] | str:
    """The options without their letters; an empty list where the question is open, or what is wrong
    with them."""
    value: Any = next((row[name] for name in fields.options if row.get(name)), [])

    found: list[_Option] | None
    match value:
        case str() if value.startswith("["):  # a list that was printed (MathQA)
            found = [_Option("", text[2]) for text in _QUOTED.finditer(value)]
        case str():
            parts = _OPTION_SPLIT.split(value)
            found = [_Option("", part) for part in parts if part.strip(" ,")]
        case list():
            found = _listed(value)
        case {"text": list(texts), "label": list(marks)} if len(texts) == len(marks):  # ARC
            found = [_Option(str(m), str(t)) for m, t in zip(marks, texts, strict=True)]
        case dict():
            found = [_Option(str(mark), str(text)) for mark, text in value.items()]
            # {"B": ..., "A": ...}: by letter; other marks as they come.
            if all(len(option.mark) == 1 for option in found):
                found.sort(key=lambda option: option.mark)
        case _:
            found = None

    if found is None:
        return "the options are no list, mapping or text"
    if len(found) > len(LETTERS):
        return f"{len(found)} options, at most {len(LETTERS)} have letters"
    return [
        _Option(option.mark.strip().upper(), _OPTION_MARK.sub("", option.text).strip(" ,"))
        for option in found
    ]


def _listed(values: list[Any]) -> list[_Option] | None:
    """Options of a list: texts, numbers, or objects with a label and a text; None for other
    things."""
    found = []
    for value in values:
        if not isinstance(value, dict):
            if isinstance(value, list) or value is None:
                return None
            found.append(_Option("", str(value)))
            continue

        mark = next((value[name] for name in ("label", "key", "id", "letter") if name in value), "")
        text = next((value[name] for name in ("text", "content", "value") if name in value), None)
        if text is None and len(value) == 1:  # {"A": "1"}
            mark, text = next(iter(value.items()))
        if text is None:
            return None
        found.append(_Option(str(mark), str(text)))
    return found


def _right_option(row: Row, options: list[_Option]) -> str:
    """The letter (or letters: AD) of the right option, given as letters, by its mark, as an index, or
    by its text."""
    allowed = set(LETTERS[: len(options)])
    marks = {option.mark: LETTERS[n] for n, option in enumerate(options) if option.mark}

    for name in ("label", "Answer", "correct", "answer", "answerKey"):
        value = row.get(name)
        # "1" names the option that is marked so, where options have marks of their own.
        if str(value).strip().upper() in marks:
            return marks[str(value).strip().upper()]
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(options):
            return LETTERS[value]
        if not isinstance(value, str):
            continue

        letters = "".join(value.split()).upper()
        if letters and len(letters) <= len(options) and set(letters) <= allowed:
            return letters
        same = [n for n, option in enumerate(options) if option.text == value.strip()]
        if len(same) == 1:
            return LETTERS[same[0]]
    return ""


def _are_texts(values: object) -> TypeGuard[list[str]]:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _is_text(text: str) -> bool:
    """Whether every character is whole: JSON can write half of a pair, which no file can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _code_problem(row: Row, default_id: str) -> Problem | str:
    """HumanEval: the question is the start of a function. MBPP: a description and the tests that must pass."""
    name = str(row.get("task_id") or default_id)

    parts = (row.get("prompt"), row.get("test"), row.get("entry_point"))
    if all(isinstance(part, str) and part for part in parts):
        tests_of_function = f"{row['test']}\n\ncheck({row['entry_point']})\n"
        return Problem(name, row["prompt"], tests_of_function, kind="completion")

    tests = row.get("test_list")
    text = row.get("text") or row.get("prompt")
    if not text or not tests:
        return "no prompt and test, and no text and test_list"

    imports = row.get("test_imports") or []
    if not (isinstance(text, str) and _are_texts(tests) and _are_texts(imports)):
        return "text, test_list or test_imports is no text or list of texts"

    question = f"{text.strip()}\nYour code should pass these tests:\n\n" + "\n".join(tests)
    setup = row.get("test_setup_code") or "\n".join(imports)
    program = "\n".join([setup, *tests]).strip() + "\n"
    return Problem(name, question, program, kind="function")


def _proof_problem(row: Row, default_id: str) -> Problem | str:
    """miniF2F: the informal statement and proof ask for a formal proof; the gold is the theory up to the proof."""
    needed = ("formal_statement", "informal_statement")
    missing = [name for name in needed if not isinstance(row.get(name), str) or not row[name]]
    if missing:
        return f"no {' and no '.join(missing)}"

    statement = row["formal_statement"].strip()
    informal = f"(*### Problem\n\n{row['informal_statement'].strip()}"
    if row.get("informal_proof"):
        informal += f"\n\n### Solution\n\n{str(row['informal_proof']).strip()}"
    question = f"{informal} *)\n\nFormal:\n{statement}"

    header = row.get("header") or "theory Scratch imports Complex_Main\nbegin\n\n"
    kind = "numbertheory" if "numbertheory" in row["formal_statement"] else "other"
    return Problem(
        str(row.get("problem_name") or default_id), question, header + statement, kind=kind
    )
