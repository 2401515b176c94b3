"""Generate the built-in world's crawl: WARC files, seed URLs and the truth about every page.

Reads   the section `mini` of the configuration (pages, warc_files, seed_pages, seed) and the held-out problems
        PROBLEMS/test.jsonl and PROBLEMS/validation.jsonl, some of which leak onto pages.
Writes  under OUT: warc/mini-<n>.warc.gz (one gzip member a record), seeds.jsonl ({"url"}), truth/pages.jsonl (one
        line a response record, in the files' order), web_manifest.json last.
Truth   url, math, kind, language, duplicate_of (url of the original or null), leaks (problem id or null), warc
        (file name), note (copy, leak, damage), formulas, carrier. Tests and the report may read it, stages may not.

    python -m mini.web --config results/mini/config/mini.json --problems results/mini/world/problems \
        --out results/mini/world

Everything comes from the templates in this package; the same seed gives the same bytes. It fetches nothing.
"""

import argparse
import datetime
import math
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mini.crawl.plan import MATHEMATICS, Content, Draft, choose_seeds, plan_web
from mini.crawl.render import choose_damage, respond
from mini.crawl.warc_writer import WarcWriter
from pipeline.artifacts.records import read_problems
from pipeline.artifacts.write import atomic_folder, write_jsonl, write_manifest
from pipeline.config.read import read_section
from pipeline.config.world import MiniWorld
from pipeline.errors import run_main
from pipeline.progress import track

FIRST_CRAWL = datetime.datetime(2024, 5, 18, 3, 20, tzinfo=datetime.UTC)
SECONDS_PER_PAGE = 7
LINKS_PER_PAGE = 6

# Every so many responses are archived with their request, or with metadata, as some crawlers do.
REQUEST_EVERY = 5
METADATA_EVERY = 7

Link = tuple[str, str]
"""(address on the site, label)."""


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv, __doc__)
    write_web(read_section(args.config, MiniWorld), held_out_files(args.problems), args.out)


def parse_args(argv: list[str] | None, description: str | None) -> argparse.Namespace:
    """The arguments of the programs that write a world's web."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", required=True, type=Path, help="JSON file of the section mini")
    parser.add_argument(
        "--problems", required=True, type=Path, help="folder with test.jsonl and validation.jsonl"
    )
    parser.add_argument("--out", required=True, type=Path, help="the world's folder")
    return parser.parse_args(argv)


def held_out_files(problems: Path) -> list[Path]:
    """The splits that leak onto pages."""
    return [problems / f"{split}.jsonl" for split in ("test", "validation")]


def write_web(
    settings: MiniWorld,
    problem_files: list[Path],
    out: Path,
    content: Content = MATHEMATICS,
    module: str = "mini.web",
) -> None:
    """Write the whole crawl under `out`; `problem_files` are the held-out splits, named by their file names.

    `content` is what the web is about, `module` the program that the manifest names.
    """
    problems = {path.stem: read_problems(path) for path in problem_files}
    drafts = plan_web(settings.seed, settings.pages, problems, content)
    drafts = _plain_page_last(drafts)

    with atomic_folder(out / "warc", marker="*.warc.gz") as folder:
        rows = _write_files(folder, drafts, settings)
        truth = list(track(rows, module, len(drafts), "pages"))

    # Seeds are whole: pages that a reader of the archive gets as they were written.
    undamaged = {row["url"] for row in truth if not row["note"]}
    candidates = [draft for draft in drafts if draft.url in undamaged]
    seeds = choose_seeds(settings.seed, candidates, settings.seed_pages)
    write_jsonl(out / "seeds.jsonl", ({"url": url} for url in seeds))
    write_jsonl(out / "truth" / "pages.jsonl", truth)

    notes = Counter(row["note"] or "none" for row in truth)
    write_manifest(
        out / "web_manifest.json",
        module,
        settings=settings.model_dump(include={"pages", "warc_files", "seed_pages", "seed"}),
        inputs=problem_files,
        counts={
            "responses": len(truth),
            "seeds": len(seeds),
            "math": sum(row["math"] for row in truth),
            "notes": dict(sorted(notes.items())),
        },
    )


def _write_files(folder: Path, drafts: list[Draft], settings: MiniWorld) -> Iterator[dict]:
    """Write the WARC files, yielding the truth about each response; the last file ends in a cut gzip member."""
    rng = random.Random(f"{settings.seed} crawl")
    links_of = _Links(drafts)

    # A page and its copies stay whole: a cut original would not be a duplicate of its copy.
    whole: set[str] = set()
    for draft in drafts:
        if draft.duplicate_of:
            whole |= {draft.url, draft.duplicate_of}

    # The last file may be shorter.
    size = math.ceil(len(drafts) / settings.warc_files)
    for number in range(settings.warc_files):
        first = number * size
        name = f"mini-{number:05}.warc.gz"

        with open(folder / name, "wb") as stream:
            writer = WarcWriter(stream, name, _date(first))
            for index, draft in enumerate(drafts[first : first + size], first):
                damage = None if draft.url in whole else choose_damage(draft, rng)
                response = respond(draft, links_of(draft), _date(index), damage)

                if index == len(drafts) - 1:
                    # Nothing may follow the response: its member is the one that is cut.
                    writer.response(response)
                    writer.cut_last()
                    damage = "cut member"
                else:
                    writer.response(
                        response,
                        with_request=index % REQUEST_EVERY == 0,
                        with_metadata=index % METADATA_EVERY == 0,
                    )
                yield _truth(draft, name, damage)


def _truth(draft: Draft, warc: str, damage: str | None) -> dict:
    """What the truth file says about a page."""
    if draft.file:
        kind = "file"
    elif draft.status != 200:
        kind = "error"
    else:
        kind = draft.section.subject

    notes = [note for note in (draft.note, damage) if note]
    return {
        "url": draft.url,
        "math": draft.mathematics,
        "kind": kind,
        "language": draft.article.language if draft.article else "",
        "duplicate_of": draft.duplicate_of,
        "leaks": draft.leaks,
        "warc": warc,
        "note": ", ".join(notes),
        "formulas": draft.article.formulas() if draft.article else 0,
        "carrier": draft.carrier if draft.mathematics else "",
    }


def _plain_page_last(drafts: list[Draft]) -> list[Draft]:
    """The record that is cut is an ordinary page without mathematics that nothing else depends on."""
    originals = {draft.duplicate_of for draft in drafts}
    for at, draft in enumerate(drafts):
        is_ordinary = draft.article is not None and not draft.note
        is_needed = draft.mathematics or draft.url in originals
        if is_ordinary and not is_needed:
            return [*drafts[:at], *drafts[at + 1 :], draft]
    raise AssertionError("a web of any size has an ordinary page without mathematics")


class _Links:
    """Which other pages of its site a page links to."""

    def __init__(self, drafts: list[Draft]):
        self.pages: dict[str, list[Link]] = {draft.site.host: [] for draft in drafts}
        for draft in drafts:
            if draft.article is None or draft.duplicate_of:
                continue
            host = draft.site.host
            address = draft.url.removeprefix(f"https://{host}")
            label = draft.article.title.replace("$", "")
            self.pages[host].append((address, label))

    def __call__(self, draft: Draft) -> tuple[Link, ...]:
        """Some pages of the site, the same ones on a page and on its copies."""
        pages = self.pages[draft.site.host]
        count = min(LINKS_PER_PAGE, len(pages))
        original = draft.duplicate_of or draft.url
        rng = random.Random(f"links {original}")
        return tuple(rng.sample(pages, count))


def _date(index: int) -> str:
    """Crawl time of page `index`."""
    passed = datetime.timedelta(seconds=SECONDS_PER_PAGE * index)
    time = FIRST_CRAWL + passed
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


if __name__ == "__main__":
    run_main(main)
