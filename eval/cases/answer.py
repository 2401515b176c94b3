"""A structured answer read back: numbered steps from evidence to conclusion, the diagnosis, numbered treatments.

    Reasoning:
    1. night cough, high velmarin -> amber fever
    2. asthma -> no corvane
    Diagnosis: amber fever
    Treatment:
    1. ostral
    2. nembral

The headings are English or Chinese. Line ends do not count: a heading or a number opens a new part wherever it
stands, so that an answer in one line is read like one in ten.
"""

import re
from dataclasses import dataclass

from eval.cases.gold import spelling

HEADINGS = {
    "reasoning": ("diagnostic reasoning", "reasoning", "诊断推理", "推理"),
    "diagnosis": ("diagnosis", "诊断"),
    "treatment": ("treatment advice", "treatment", "治疗建议", "治疗"),
}
"""The parts of an answer, each with the words that open it, longer ones before those that they contain."""

ARROWS = ("->", "→", "=>", "⇒")
LONGEST = 20_000
"""Characters that are read; no answer to a case is longer."""

_WORDS = {word: part for part, words in HEADINGS.items() for word in words}
_HEADING = re.compile(
    "(" + "|".join(sorted(map(re.escape, _WORDS), key=len, reverse=True)) + r")\s*[:：]", re.I
)
# "1." or "2)" at the beginning or behind a blank; a decimal number such as 8.2 opens nothing.
_NUMBER = re.compile(r"(?:^|(?<=\s))\d{1,2}[.)、](?!\d)\s*")
_ARROW = re.compile("|".join(map(re.escape, ARROWS)))
_AND = re.compile(r"[,，、;；]|\s\+\s")


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the reasoning; `evidence` and `conclusion` as `spelling` returns them."""

    evidence: tuple[str, ...]
    conclusion: str


@dataclass(frozen=True, slots=True)
class CaseAnswer:
    """What an answer says. All names are as `spelling` returns them."""

    steps: tuple[Step, ...]
    diagnosis: str
    treatments: tuple[str, ...]

    @property
    def evidence(self) -> tuple[str, ...]:
        """All findings that are cited, each once, in order."""
        return tuple(dict.fromkeys(name for step in self.steps for name in step.evidence))


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a text is no answer: "no diagnosis", "two diagnoses" or "no treatment"."""

    reason: str


def read_answer(text: str) -> CaseAnswer | Unreadable:
    """The answer in a text, or what it lacks. Of a heading that stands twice only one diagnosis is allowed: an answer
    that names two would otherwise be right twice as often."""
    parts = _parts(text[:LONGEST])

    diagnoses = [spelling(body) for body in parts["diagnosis"]]
    diagnoses = list(dict.fromkeys(name for name in diagnoses if name))
    if not diagnoses:
        return Unreadable("no diagnosis")
    if len(diagnoses) > 1:
        return Unreadable("two diagnoses")

    named = [spelling(item) for body in parts["treatment"] for item in _items(body)]
    treatments = tuple(dict.fromkeys(name for name in named if name))
    if not treatments:
        return Unreadable("no treatment")

    steps = [_step(item) for body in parts["reasoning"] for item in _items(body)]
    return CaseAnswer(tuple(step for step in steps if step), diagnoses[0], treatments)


def _parts(text: str) -> dict[str, list[str]]:
    """The texts behind each heading, up to the next one."""
    parts: dict[str, list[str]] = {part: [] for part in HEADINGS}
    headings = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]

    # Without a heading there is nothing to pair the text's end with.
    for heading, end in zip(headings, ends, strict=False):
        body = text[heading.end() : end]
        part = _WORDS[heading[1].lower()]
        # A diagnosis is one line: what stands below it belongs to nothing.
        if part == "diagnosis":
            body = body.strip().split("\n", 1)[0]
        parts[part].append(body)
    return parts


def _items(body: str) -> list[str]:
    """The numbered items of a part; without numbers its lines."""
    numbered = _NUMBER.split(body)
    if len(numbered) > 1:
        return [item.strip() for item in numbered[1:]]
    return [line.strip() for line in body.split("\n") if line.strip()]


def _step(item: str) -> Step | None:
    """A line of the reasoning; None where it draws no conclusion."""
    sides = _ARROW.split(item)
    if len(sides) < 2:
        return None

    evidence = tuple(spelling(name) for name in _AND.split(sides[0]) if spelling(name))
    return Step(evidence, spelling(sides[-1]))
