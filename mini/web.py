"""Generate the built-in world's crawl: WARC files, seed URLs and the truth about every page.

Reads   the section `mini` of the configuration (pages, warc_files, seed_pages, seed) and the held-out problems
        PROBLEMS/test.jsonl and PROBLEMS/validation.jsonl, some of which leak onto pages.
Writes  under OUT: warc/mini-<n>.warc.gz (one gzip member a record), seeds.jsonl ({"url"}), truth/pages.jsonl (one
        line a response record, in the files' order), web_manifest.json last.
Truth   url, math, kind, language, duplicate_of (url of the original or null), leaks (problem id or null), warc
        (file name), note (copy, leak, damage), formulas, carrier. Tests and the report may read it, stages may not.

    python -m mini.web --config results/mini/config/mini.json --problems results/mini/world/problems \
        --out results/mini/world

Everything comes from templates in this folder; the same seed gives the same bytes. It fetches nothing.
"""

import argparse
import datetime
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mini.crawl.plan import Draft, choose_seeds, plan_web
from mini.crawl.render import choose_damage, respond
from mini.crawl.warc_writer import WarcWriter
from pipeline.artifacts.records import read_problems
from pipeline.artifacts.write import atomic_folder, write_jsonl, write_manifest
from pipeline.config.load import read_section
from pipeline.config.world import MiniWorld
from pipeline.errors import run_main
from pipeline.progress import track

_START = datetime.datetime(2024, 5, 18, 3, 20, tzinfo=datetime.UTC)
_LINKS = 6


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", required=True, type=Path, help="JSON file of the section mini")
    parser.add_argument(
        "--problems", required=True, type=Path, help="folder with test.jsonl and validation.jsonl"
    )
    parser.add_argument("--out", required=True, type=Path, help="the world's folder")
    arguments = parser.parse_args(argv)
    settings = read_section(arguments.config, MiniWorld)
    files = [arguments.problems / f"{split}.jsonl" for split in ("test", "validation")]
    write_web(settings, files, arguments.out)


def write_web(settings: MiniWorld, problem_files: list[Path], out: Path) -> None:
    """Write the whole crawl under `out`; `problem_files` are the held-out splits, named by their file names."""
    problems = {path.stem: read_problems(path) for path in problem_files}
    drafts = _plain_page_last(plan_web(settings.seed, settings.pages, problems))
    with atomic_folder(out / "warc", marker="*.warc.gz") as folder:
        truth = list(
            track(_write_files(folder, drafts, settings), "mini.web", len(drafts), "pages")
        )
    undamaged = {row["url"] for row in truth if not row["note"]}
    seeds = choose_seeds(
        settings.seed, [d for d in drafts if d.url in undamaged], settings.seed_pages
    )
    write_jsonl(out / "seeds.jsonl", ({"url": url} for url in seeds))
    write_jsonl(out / "truth" / "pages.jsonl", truth)
    used = {"pages", "warc_files", "seed_pages", "seed"}
    counts = {
        "responses": len(truth),
        "seeds": len(seeds),
        "math": sum(row["math"] for row in truth),
    }
    counts["notes"] = dict(sorted(Counter(row["note"] or "none" for row in truth).items()))
    write_manifest(
        out / "web_manifest.json",
        "mini.web",
        settings=settings.model_dump(include=used),
        inputs=problem_files,
        counts=counts,
    )


def _write_files(folder: Path, drafts: list[Draft], settings: MiniWorld) -> Iterator[dict]:
    """Write the WARC files, yielding the truth about each response; the last file ends in a cut gzip member."""
    rng = random.Random(f"{settings.seed} crawl")
    titles = _titles_by_host(drafts)
    # A page and its copies stay whole: a cut original would not be a duplicate of its copy.
    twins = {draft.duplicate_of for draft in drafts} | {
        draft.url for draft in drafts if draft.duplicate_of
    }
    size = -(-len(drafts) // settings.warc_files)
    for number in range(settings.warc_files):
        name = f"mini-{number:05}.warc.gz"
        with open(folder / name, "wb") as stream:
            writer = WarcWriter(stream, name, _date(number * size))
            for index in range(number * size, min((number + 1) * size, len(drafts))):
                draft = drafts[index]
                damage = None if draft.url in twins else choose_damage(draft, rng)
                response = respond(draft, _links(draft, titles), _date(index), damage)
                cut = index == len(drafts) - 1
                writer.response(response, index % 5 == 0 and not cut, index % 7 == 0 and not cut)
                if cut:
                    writer.cut_last()
                yield _truth(draft, name, "cut member" if cut else damage)


def _truth(draft: Draft, warc: str, damage: str | None) -> dict:
    kind = "file" if draft.file else "error" if draft.status != 200 else draft.section.subject
    return {
        "url": draft.url,
        "math": draft.mathematics,
        "kind": kind,
        "language": draft.article.language if draft.article else "",
        "duplicate_of": draft.duplicate_of,
        "leaks": draft.leaks,
        "warc": warc,
        "note": ", ".join(part for part in (draft.note, damage) if part),
        "formulas": draft.article.formulas() if draft.article else 0,
        "carrier": draft.carrier if draft.mathematics else "",
    }


def _plain_page_last(drafts: list[Draft]) -> list[Draft]:
    """The record that is cut is an ordinary page without mathematics that nothing else depends on."""
    needed = {draft.duplicate_of for draft in drafts}
    plain = (d for d in drafts if d.article and not (d.mathematics or d.note or d.url in needed))
    last = next(plain)
    return [draft for draft in drafts if draft is not last] + [last]


def _titles_by_host(drafts: list[Draft]) -> dict[str, list[tuple[str, str]]]:
    titles: dict[str, list[tuple[str, str]]] = {draft.site.host: [] for draft in drafts}
    for draft in drafts:
        if draft.article and not draft.duplicate_of:
            path = draft.url.removeprefix(f"https://{draft.site.host}")
            titles[draft.site.host].append((path, draft.article.title.replace("$", "")))
    return titles


def _links(draft: Draft, titles: dict[str, list[tuple[str, str]]]) -> tuple[tuple[str, str], ...]:
    """Other pages of the site, the same ones on a page and on its copies."""
    pages = titles[draft.site.host]
    return tuple(
        random.Random(f"links {draft.duplicate_of or draft.url}").sample(
            pages, min(_LINKS, len(pages))
        )
    )


def _date(index: int) -> str:
    """Crawl time of page `index`: seven seconds after the page before it."""
    return (_START + datetime.timedelta(seconds=7 * index)).strftime("%Y-%m-%dT%H:%M:%SZ")


if __name__ == "__main__":
    run_main(main)
