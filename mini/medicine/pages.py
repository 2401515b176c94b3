"""Medical pages: chapters on a condition, case discussions, threads, abstracts. Each ends with the notice."""

from random import Random

from mini.crawl.article import Article, Part
from mini.crawl.math_pages import article as mathematics
from mini.crawl.other_pages import article as other
from mini.crawl.other_pages import byline
from mini.crawl.phrases import phrases
from mini.crawl.sites import Section
from mini.medicine.cases import LEVELS, PAGE_FORM, Care, draw_case, question, worked_answer
from mini.medicine.table import table, words
from mini.templates.slots import fill

LEVEL_WEIGHTS = (4, 3, 2, 1)
CAREFUL = 0.7
"""Share of the worked cases on pages that look at the history."""

LONG_CHAPTERS = 45
"""Chapters of a page of several thousand words."""


def article(rng: Random, section: Section) -> Article:
    """A page of a section of the medical world's sites; some sections hold mathematics, which is not looked for."""
    if not section.mathematics:
        if section.subject == "mathematics":
            return mathematics(rng, "lecture", section.language)
        return other(rng, section.subject)

    match section.subject:
        case "qa":
            return _discussion(rng, section.language)
        case "chat":
            return _thread(rng, section.language)
        case "research":
            return _abstract(rng, section.language)
    return _chapter(rng, section.language)


def long_article(rng: Random, language: str) -> Article:
    """A page of several thousand words, for leaks that hide in its middle."""
    parts: list[Part] = []
    for _ in range(LONG_CHAPTERS):
        parts += _chapter_parts(rng, language, "train")
    return _page(rng, "lecture", parts, language)


def held_out_text(rng: Random, language: str) -> str:
    """A document whose cases no page, training, validation or test case repeats."""
    parts = _chapter_parts(rng, language, "heldout") + _chapter_parts(rng, language, "heldout")
    return "\n\n".join(part.text for part in parts)


def _chapter(rng: Random, language: str) -> Article:
    """A chapter or two of a textbook: what the condition is, then worked cases."""
    parts = _chapter_parts(rng, language, "train")
    for _ in range(rng.randint(0, 2)):
        parts += _chapter_parts(rng, language, "train")
    return _page(rng, "lecture", parts, language)


def _chapter_parts(rng: Random, language: str, space: str) -> list[Part]:
    condition = rng.choice(list(table().conditions))
    name = table().conditions[condition].name(language)
    parts = [Part("heading", name[:1].upper() + name[1:])]

    templates = list(words(language).chapter)
    rng.shuffle(templates)
    text = _sentences(rng, templates[: rng.randint(5, 8)], condition, language)
    parts.append(Part("paragraph", text))
    for _ in range(rng.randint(1, 3)):
        parts += _worked_case(rng, language, space)
    return parts


def _discussion(rng: Random, language: str) -> Article:
    """Cases that colleagues work out."""
    parts: list[Part] = []
    for number in range(1, rng.randint(3, 5)):
        parts.append(byline(rng, number, language))
        parts.append(Part("paragraph", _remark(rng, words(language).leads, language)))
        parts += _worked_case(rng, language, "train")
        parts.append(Part("paragraph", _remark(rng, words(language).remarks, language)))
    return _page(rng, "qa", parts, language)


def _thread(rng: Random, language: str) -> Article:
    """Chatter of people with and without a case."""
    parts: list[Part] = []
    for number in range(1, rng.randint(5, 8)):
        parts.append(byline(rng, number, language))
        remarks = rng.sample(words(language).remarks, rng.randint(1, 3))
        texts = [_remark(rng, (remark,), language) for remark in remarks]
        parts.append(Part("paragraph", _joined(texts, language)))
        if rng.random() < 0.6:
            parts += _worked_case(rng, language, "train")
    return _page(rng, "chat", parts, language)


def _abstract(rng: Random, language: str) -> Article:
    """What a trial found."""
    condition = rng.choice(list(table().conditions))
    templates = list(words(language).abstract)
    parts: list[Part] = []
    for _ in range(rng.randint(2, 3)):
        rng.shuffle(templates)
        parts.append(Part("paragraph", _sentences(rng, templates, condition, language)))
    return _page(rng, "research", parts, language, condition)


def _worked_case(rng: Random, language: str, space: str) -> list[Part]:
    """A case and its answer, in the layout that base models are shown."""
    level = rng.choices(LEVELS, LEVEL_WEIGHTS)[0]
    case = draw_case(rng, level, space)
    care = Care(looks_at_history=rng.random() < CAREFUL)
    labels = phrases(language).block_labels
    return [
        Part("paragraph", labels["example"] + question(case, language, rng, PAGE_FORM)),
        Part("paragraph", labels["solution"] + worked_answer(case, language, care)),
    ]


def _page(
    rng: Random, kind: str, parts: list[Part], language: str, condition: str | None = None
) -> Article:
    """The parts under a title, the notice below them."""
    condition = condition or rng.choice(list(table().conditions))
    template = rng.choice(words(language).titles[kind])
    title = fill(template, **_slots(rng, condition, language))
    notice = Part("paragraph", table().notice[language])
    return Article(title[:1].upper() + title[1:], [*parts, notice], language)


def _sentences(rng: Random, templates: list[str], condition: str, language: str) -> str:
    slots = _slots(rng, condition, language)
    texts = [fill(template, **slots) for template in templates]
    return _joined([text[:1].upper() + text[1:] for text in texts], language)


def _joined(texts: list[str], language: str) -> str:
    return ("" if language == "zh" else " ").join(texts)


def _remark(rng: Random, templates: tuple[str, ...], language: str) -> str:
    return fill(rng.choice(templates), n=rng.randint(2, 40))


def _slots(rng: Random, condition: str, language: str) -> dict[str, object]:
    """What sentences about a condition may name."""
    known = table()
    about = known.conditions[condition]
    findings = [known.findings[name] for name in about.findings]
    symptoms = [finding for finding in findings if finding.kind == "symptom"]
    [lab] = [finding.lab for finding in findings if finding.lab is not None]
    [sign] = [finding for finding in findings if finding.kind == "sign"]
    [image] = [finding for finding in findings if finding.kind == "image"]

    slot = rng.choice(about.plan)
    forbidden = known.treatments[slot.first]
    history = known.histories[forbidden.contraindicated or ""]
    first, second = rng.sample(symptoms, 2)
    one, two, three = (known.treatments[each.first].name(language) for each in about.plan)
    number = rng.randint(20, 90)
    return {
        "condition": about.name(language),
        "first": first.name(language),
        "second": second.name(language),
        "sign": sign.name(language),
        "image": image.name(language),
        "lab": lab.name(language),
        "normal": f"{lab.normal:g}",
        "unit": lab.unit,
        "risk": known.risks[about.risk].name(language),
        "history": history.name(language),
        "forbidden": forbidden.name(language),
        "otherwise": known.treatments[slot.otherwise].name(language),
        "one": one,
        "two": two,
        "three": three,
        "n": number,
        "m": rng.randint(2, number - 1),
    }
