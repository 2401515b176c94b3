"""Generate the medical world's crawl: WARC files, seed URLs and the truth about every page.

Reads   the section `mini` of the configuration and the held-out cases PROBLEMS/test.jsonl and validation.jsonl, some
        of which leak onto pages.
Writes  what mini.web writes, in the same forms; `math` in the truth marks pages of the subject, here medicine.

    python -m mini.medicine.web --config results/medical/config/mini.json \\
        --problems results/medical/world/problems --out results/medical/world

The sites are those of the mathematical world with medicine in the place of mathematics; some sections of other sites
hold mathematics, which is not looked for here. Invented cases, not medical advice: every medical page says so.
"""

import json
from dataclasses import replace

from mini.crawl.plan import Content
from mini.crawl.sites import Section, Site
from mini.medicine import pages
from mini.web import held_out_files, parse_args, write_web
from pipeline.artifacts.records import Problem
from pipeline.config.read import read_section
from pipeline.config.world import MiniWorld
from pipeline.errors import run_main

IN_PATHS = {"math": "medicine", "shuxue": "yixue"}
"""Parts of addresses that name the subject."""

NOW_MATHEMATICS = "economy"
"""The subject whose sections hold mathematics in this world."""


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv, __doc__)
    settings = read_section(args.config, MiniWorld)
    write_web(settings, held_out_files(args.problems), args.out, MEDICINE, "mini.medicine.web")


def medical(site: Site) -> Site:
    """A site of the mathematical world as it is here."""
    return replace(site, sections=tuple(_medical(section) for section in site.sections))


def _medical(section: Section) -> Section:
    if section.subject == NOW_MATHEMATICS:
        return replace(section, path="/abs/math/", subject="mathematics")
    path = section.path
    if section.mathematics:
        for before, after in IN_PATHS.items():
            path = path.replace(before, after)
    return replace(section, path=path)


def as_written(problem: Problem) -> Problem:
    """The problem with its answer as a page states it: the diagnosis and the treatments."""
    case = json.loads(problem.answer)
    place = 1 if problem.language == "zh" else 0
    names = [case["diagnosis"][place], *(slot[place] for slot in case["plan"])]
    return replace(problem, answer=", ".join(names))


MEDICINE = Content(
    article=pages.article, long_article=pages.long_article, adapt=medical, as_written=as_written
)

if __name__ == "__main__":
    run_main(main)
