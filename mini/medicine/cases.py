"""A case of the medical world: drawn, told as a question, judged (the gold of eval/cases), worked out (an answer).

Levels: how many findings of the condition are told, how many findings of others lead astray, and whether a laboratory
value is given that is normal and means nothing.

    1   four of five findings                         3   three, two that lead astray, a normal value
    2   three, one that leads astray                  4   two, two that lead astray, a normal value

The findings that are told always speak for one condition more than for any other. The key of a case is what it tells,
whatever the wording, age and numbers; the key alone decides its space (train, test, …).
"""

import hashlib
import json
from dataclasses import dataclass
from random import Random

from mini.medicine.table import Named, table, words
from mini.templates.slots import fill

LEVELS = (1, 2, 3, 4)
SPACES = {"test": 14, "validation": 6, "heldout": 4, "train": 76}
"""Percent of all keys that belong to each space."""

TELLS = {1: (4, 0, 0), 2: (3, 1, 0), 3: (3, 2, 1), 4: (2, 2, 1)}
"""Level -> findings of the condition, findings that lead astray, normal values."""

FORBIDDING = 0.55
"""Share of the cases whose history forbids the first choice of some treatment."""
IDLE_HISTORY = 0.2
"""Share with a history that forbids nothing in the plan."""
WITH_RISK = 0.4
PREGNANT_AGES = (19, 44)
AGES = (19, 88)
PAGE_FORM = 2
"""How pages tell a case."""
OTHER_SPELLING = 0.3
"""Share of the findings that a training question names in other words."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A finding as a case tells it; of a laboratory value the number."""

    finding: str
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """What is known about a patient. Names are identifiers of the table."""

    condition: str
    level: int
    facts: tuple[Fact, ...]
    """Findings of the condition."""
    astray: tuple[Fact, ...]
    """Findings that belong to other conditions."""
    normal: tuple[Fact, ...]
    """Laboratory values that are in order."""
    history: str | None
    risk: str | None
    is_man: bool
    age: int

    @property
    def key(self) -> str:
        present = sorted(fact.finding for fact in (*self.facts, *self.astray))
        return "/".join([self.condition, *present, str(self.history), str(self.risk)])

    @property
    def space(self) -> str:
        place = int.from_bytes(hashlib.sha256(self.key.encode()).digest()[:4], "big") % 100
        for space, percent in SPACES.items():
            if place < percent:
                return space
            place -= percent
        raise AssertionError("the percents add up to 100")


def draw_case(rng: Random, level: int, space: str) -> Case:
    """A case of this level and space; drawn anew until it fits."""
    while True:
        case = _draw(rng, level)
        if case is not None and case.space == space:
            return case


def _draw(rng: Random, level: int) -> Case | None:
    """A case of any space; None where its findings speak for another condition, too."""
    known = table()
    told, led_astray, normal_values = TELLS[level]
    condition = rng.choice(list(known.conditions))
    own = known.conditions[condition].findings
    facts = rng.sample(own, told)
    foreign = [name for name in known.findings if name not in own]
    astray = rng.sample(foreign, led_astray)
    if not _is_clear(condition, facts, astray):
        return None

    present = {*facts, *astray}
    labs = [n for n, f in known.findings.items() if f.kind == "lab" and n not in present]
    normal = rng.sample(labs, normal_values)
    history = _history(rng, condition)
    risk = None
    if rng.random() < WITH_RISK:
        risk = (
            known.conditions[condition].risk
            if rng.random() < 0.7
            else rng.choice(list(known.risks))
        )

    is_pregnant = history == "pregnancy"
    return Case(
        condition=condition,
        level=level,
        facts=tuple(_fact(rng, name) for name in facts),
        astray=tuple(_fact(rng, name) for name in astray),
        normal=tuple(_fact(rng, name, is_normal=True) for name in normal),
        history=history,
        risk=risk,
        is_man=rng.random() < 0.5 and not is_pregnant,
        age=rng.randint(*(PREGNANT_AGES if is_pregnant else AGES)),
    )


def _is_clear(condition: str, facts: list[str], astray: list[str]) -> bool:
    """Whether what is told speaks for no other condition as much."""
    present = {*facts, *astray}
    others = [set(c.findings) for name, c in table().conditions.items() if name != condition]
    return all(len(present & findings) < len(facts) for findings in others)


def _history(rng: Random, condition: str) -> str | None:
    known = table()
    firsts = [known.treatments[slot.first] for slot in known.conditions[condition].plan]
    forbidding = [t.contraindicated for t in firsts if t.contraindicated is not None]
    draw = rng.random()
    if draw < FORBIDDING:
        return rng.choice(forbidding)
    if draw < FORBIDDING + IDLE_HISTORY:
        return rng.choice([name for name in known.histories if name not in forbidding])
    return None


def _fact(rng: Random, name: str, is_normal: bool = False) -> Fact:
    lab = table().findings[name].lab
    if lab is None:
        return Fact(name)
    low, high = (0.3, 0.9) if is_normal else (1.2, lab.highest / lab.normal)
    # The value's own unit decides how it is written: 8.2, 140.
    value = lab.normal * rng.uniform(low, high)
    return Fact(name, round(value, 1) if lab.normal < 20 else float(round(value)))


# A case as a question


def question(case: Case, language: str, rng: Random, form: int | None = None) -> str:
    """The case in words; without `form` in any of them. Held-out wordings have the forms 0 and 1, whose findings have
    one spelling each, pages the form PAGE_FORM: no page tells a case as a benchmark asks it."""
    spoken = words(language)
    told = [*case.facts, *case.astray, *case.normal]
    rng.shuffle(told)
    number = rng.randrange(len(spoken.questions)) if form is None else form
    texts = [_told(fact, language, rng, form) for fact in told]

    facts = spoken.joiner.join(texts)
    if number == 1 and len(texts) > 1:
        facts = spoken.joiner.join(texts[:-1]) + spoken.last + texts[-1]
    if number != 1:
        facts = facts[:1].upper() + facts[1:]

    sex = int(case.is_man)
    return fill(
        spoken.questions[number],
        sex=spoken.sexes[sex],
        patient=spoken.patients[sex],
        age=case.age,
        facts=facts,
        history=_history_text(case, language, number),
    )


def _told(fact: Fact, language: str, rng: Random, form: int | None) -> str:
    finding = table().findings[fact.finding]
    if finding.lab is not None and fact.value is not None:
        return f"{finding.lab.name(language)} {fact.value:g} {finding.lab.unit}"
    other = form == 1 if form in (0, 1) else rng.random() < OTHER_SPELLING
    return finding.name(language, other)


def _history_text(case: Case, language: str, number: int) -> str:
    known, spoken = table(), words(language)
    items: list[Named] = []
    if case.history is not None:
        items.append(known.histories[case.history])
    if case.risk is not None:
        items.append(known.risks[case.risk])
    if not items:
        return ""

    names = [item.name(language, other=number == 1) for item in items]
    return fill(spoken.history[number], items=spoken.joiner.join(names))


# What a right answer is


def gold(case: Case, name: str) -> str:
    """The JSON object that eval/cases/gold.py reads; `name` is the case's."""
    known = table()
    condition = known.conditions[case.condition]
    related = [
        spelling
        for other in known.conditions.values()
        if other.system == condition.system and other is not condition
        for spelling in other.spellings
    ]
    values: dict[str, object] = {
        "case": name,
        "diagnosis": condition.spellings,
        "related": related,
        "findings": [known.findings[fact.finding].spellings for fact in case.facts],
        **_guideline(case, revised=False),
    }
    revised = _guideline(case, revised=True)
    # Only where the change concerns the patient's condition.
    slots = [name for slot in condition.plan for name in (slot.first, slot.otherwise)]
    if known.withdrawn in slots:
        values["revised"] = revised
    return json.dumps(values, ensure_ascii=False)


def _guideline(case: Case, revised: bool) -> dict[str, list]:
    known = table()
    plan = known.plan(case.condition, case.history, revised=revised)
    unsafe = known.unsafe(case.history, revised=revised)
    return {
        "plan": [known.treatments[name].spellings for name in plan],
        "unsafe": [spelling for name in unsafe for spelling in known.treatments[name].spellings],
    }


# An answer


@dataclass(frozen=True, slots=True)
class Care:
    """How carefully an answer was worked out."""

    looks_at_history: bool = True
    is_complete: bool = True
    adds_tonic: bool = False
    cites_astray: bool = False


def worked_answer(case: Case, language: str, care: Care = Care()) -> str:
    """A structured answer, as a colleague of this care would write it."""
    known, spoken = table(), words(language).answer
    diagnosis = known.conditions[case.condition].name(language)

    cited = [fact.finding for fact in case.facts]
    if care.cites_astray:
        cited = [*cited[:-1], *(fact.finding for fact in case.astray[:1])]
    # Two findings a line.
    lines = []
    for start in range(0, len(cited), 2):
        names = [known.findings[name].name(language) for name in cited[start : start + 2]]
        lines.append(spoken.joiner.join(names) + spoken.arrow + diagnosis)

    plan = [slot.first for slot in known.conditions[case.condition].plan]
    if care.looks_at_history and case.history is not None:
        lines += _checks(case, language)
        plan = known.plan(case.condition, case.history)
    if not care.is_complete:
        plan = plan[:-1]
    if care.adds_tonic:
        plan = [*plan, "restwater"]

    treatments = [known.treatments[name].name(language) for name in plan]
    return "\n".join(
        [
            spoken.reasoning,
            *_numbered(lines),
            spoken.diagnosis + diagnosis,
            spoken.treatment,
            *_numbered(treatments),
        ]
    )


def _checks(case: Case, language: str) -> list[str]:
    """The steps that rule treatments of the plan out."""
    known, spoken = table(), words(language)
    assert case.history is not None
    history = known.histories[case.history].name(language)
    firsts = [slot.first for slot in known.conditions[case.condition].plan]

    lines = []
    for name in firsts:
        if name in known.unsafe(case.history):
            treatment = known.treatments[name].name(language)
            lines.append(history + spoken.answer.arrow + fill(spoken.check, treatment=treatment))
    return lines


def _numbered(lines: list[str]) -> list[str]:
    return [f"{number}. {line}" for number, line in enumerate(lines, 1)]
