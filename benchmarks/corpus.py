"""Speed of the corpus stage per core, compared with other libraries, and the share of formulas that it keeps.

    python -m benchmarks.corpus                      # all, some minutes; real pages: SHARED_DATA or shared/data
    python -m benchmarks.corpus extraction minhash   # some of it
    python -m benchmarks.corpus --json figures.json

extraction        pages a second, from archive record to row of the page table, and from bytes to text with formulas;
                  compared with resiliparse alone (bytes to main content) and trafilatura, on pages of 60 to 500 kB:
                  ordinary web pages, and manuals
formulas          share of the TeX in mathematical manuals (.math elements, image descriptions) that is in the text
minhash           signatures of 128 hashes over 5-word shingles, compared with datasketch's update_batch
decontamination   million characters a second against every benchmark in the data
scoring           pages a second: tokens and fastText (dimension 256, trigrams), first 1,000 tokens

Processor time of one core, best of --repeats. The libraries compared with run on the same pages in turn; trafilatura
is no dependency of the project and is left out, with a message, where it is not installed.
"""

import argparse
import json
import os
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

from corpus.archives.charset import decode_page
from corpus.archives.http_payload import PayloadError, decoded_body, parse_http
from corpus.archives.warc import Record, read_records
from corpus.decontaminate import load_benchmarks
from corpus.duplicates.minhash import signatures
from corpus.html.main_text import extract_text
from corpus.html.page import Rejected, page_of_record
from corpus.leaks.index import LeakIndex
from corpus.mining.fasttext_model import NEGATIVE, POSITIVE, Scorer, train
from corpus.mining.features import line_of
from pipeline.config.corpus import Decontamination, Extraction

Figures = dict[str, float | int]
Page = tuple[Record, bytes, str]
"""A record, its decoded body, and its Content-Type."""
Work = Callable[[Any], object]

SETTINGS = Extraction()
SMALLEST, LARGEST = 60_000, 500_000  # bytes of a page
DELIMITED_TEX = re.compile(r"\\[(\[](.*?)\\[)\]]", re.DOTALL)  # \(...\) and \[...\]


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "what", nargs="*", metavar="WHAT", help=f"of {', '.join(MEASURES)}; default: all"
    )
    parser.add_argument(
        "--data", type=Path, default=_data(), help="folder with crawl/ and benchmarks/"
    )
    parser.add_argument("--pages", type=int, default=500, help="pages of each kind (500)")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    args = parser.parse_args(argv)

    unknown = set(args.what) - MEASURES.keys()
    if unknown:
        parser.error(f"no measure {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
    if not (args.data / "crawl").is_dir():
        print(f"left out: no real pages in {args.data} (set SHARED_DATA)")
        return

    load = os.getloadavg()[0]
    measured: dict[str, Figures] = {}
    for name in args.what or MEASURES:
        measured[name] = MEASURES[name](args)
        print(f"\n{name}")
        for row, value in measured[name].items():
            shown = f"{value:,.4g}" if isinstance(value, float) else str(value)
            print(f"  {row:<52}{shown:>12}")

    if args.json:
        figures = {"load before": load, **measured}
        args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def extraction(args: argparse.Namespace) -> Figures:
    figures: Figures = {}
    # Kind of page -> how its source begins in labels.jsonl.
    for kind, source in (("web", "GitHub"), ("manuals", "Debian")):
        pages = _large_pages(args, source)
        megabytes = sum(len(body) for _, body, _ in pages) / 1e6
        figures[f"{kind}: pages"] = len(pages)
        figures[f"{kind}: kB a page"] = 1000 * megabytes / len(pages)

        works: dict[str, Work] = {
            "this project": _ours,
            "this project, text alone": _text,
            "resiliparse alone": _resiliparse,
            **_trafilatura(),
        }
        for name, seconds in _in_turn(works, pages, args.repeats).items():
            figures[f"{kind}: {name}, pages/s"] = len(pages) / seconds
            figures[f"{kind}: {name}, MB/s"] = megabytes / seconds
    return figures


def _ours(page: Page) -> None:
    with suppress(Rejected):
        page_of_record(page[0], "", SETTINGS)


def _text(page: Page) -> None:
    extract_text(decode_page(page[1], page[2])[0])


def _resiliparse(page: Page) -> None:
    source, _ = decode_page(page[1], page[2])
    extract_plain_text(HTMLTree.parse(source), main_content=True, alt_texts=False)


def _trafilatura() -> dict[str, Work]:
    try:
        from trafilatura import extract
    except ImportError:
        print("trafilatura is not installed: left out")
        return {}
    return {"trafilatura": lambda page: extract(decode_page(page[1], page[2])[0])}


def formulas(args: argparse.Namespace) -> Figures:
    """How much of the TeX that the manuals' authors wrote is in our text, ignoring white space."""
    expected: Counter[str] = Counter()
    found: Counter[str] = Counter()
    pages = 0

    for _, body, header in _pages(args):
        if b"math" not in body:
            continue
        source, _ = decode_page(body, header)
        document = HTMLTree.parse(source).document
        if document is None:
            continue

        written: dict[str, list[str]] = {"in text": [], "image descriptions": []}
        for node in document.query_selector_all(".math").values():
            written["in text"] += DELIMITED_TEX.findall(node.text or "")
        for node in document.query_selector_all("img.math").values():
            written["image descriptions"].append(node.get_attribute("alt") or "")
        if not any(written.values()):
            continue

        pages += 1
        text = "".join(extract_text(source).text.split())
        for kind, tex in written.items():
            expected[kind] += len(tex)
            found[kind] += sum("".join(formula.split()) in text for formula in tex)

    figures: Figures = {"pages": pages}
    for kind in ("in text", "image descriptions"):
        figures[f"{kind}: formulas"] = expected[kind]
        figures[f"{kind}: share kept"] = found[kind] / max(1, expected[kind])
    return figures


def minhash(args: argparse.Namespace) -> Figures:
    # The project's own signatures do without this library; it is a dependency of tests and benchmarks.
    from datasketch import MinHash

    texts = _texts(args)
    word = re.compile(r"\w+")

    def peer(texts: list[str]) -> None:
        for text in texts:
            words = word.findall(text.lower())
            shingles = {" ".join(words[i : i + 5]) for i in range(max(1, len(words) - 4))}
            MinHash(num_perm=128).update_batch([shingle.encode() for shingle in shingles])

    works: dict[str, Work] = {
        "this project": lambda batch: signatures(batch, 5, 128, 0),
        "datasketch update_batch": peer,
    }
    # The table of characters is made once in a process.
    signatures(["warm up"], 5, 128, 0)
    seconds = _in_turn(works, [texts], args.repeats)

    figures: Figures = {
        "pages": len(texts),
        "characters a page": sum(map(len, texts)) / len(texts),
    }
    for name, value in seconds.items():
        figures[f"{name}, pages/s"] = len(texts) / value
    figures["ratio"] = seconds["datasketch update_batch"] / seconds["this project"]
    return figures


def decontamination(args: argparse.Namespace) -> Figures:
    texts = _texts(args)
    files = sorted(str(path) for path in (args.data / "benchmarks").glob("*/test*.jsonl"))
    items = load_benchmarks(files)

    start = time.process_time()
    index = LeakIndex(items, Decontamination())
    built = time.process_time() - start

    batches = [texts[i : i + 100] for i in range(0, len(texts), 100)]
    seconds = _in_turn({"find": index.find}, batches, args.repeats)["find"]
    characters = sum(map(len, texts))
    return {
        "benchmark files": len(files),
        "items": len(items),
        "index built, s": built,
        "million characters/s": characters / seconds / 1e6,
        "million words/s": sum(len(text.split()) for text in texts) / seconds / 1e6,
        "pages/s": len(texts) / seconds,
    }


def scoring(args: argparse.Namespace) -> Figures:
    texts = _texts(args)

    # Labels alternate: the model's speed does not depend on what it has learnt.
    labels = (POSITIVE, NEGATIVE)
    examples = [f"{labels[n % 2]} {line_of(text, 1000)}\n" for n, text in enumerate(texts[:400])]
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "lines.txt"
        lines.write_text("".join(examples))
        parameters = {
            "dim": 256,
            "lr": 0.5,
            "epoch": 1,
            "wordNgrams": 3,
            "minCount": 3,
            "bucket": 100_000,
        }
        train(lines, Path(folder) / "model.bin", parameters | {"thread": 1, "seed": 0})
        scorer = Scorer(Path(folder) / "model.bin")

    works: dict[str, Work] = {
        "tokens": lambda text: line_of(text, 1000),
        "tokens and score": lambda text: scorer.score(line_of(text, 1000)),
    }
    seconds = _in_turn(works, texts, args.repeats)

    tokens = sum(line_of(text, 1000).count(" ") + 1 for text in texts)
    figures: Figures = {"tokens a page": tokens / len(texts)}
    for name, value in seconds.items():
        figures[f"{name}, pages/s"] = len(texts) / value
    return figures


def _in_turn(works: dict[str, Work], items: Sequence[Any], repeats: int) -> dict[str, float]:
    """Best processor time of each work over all items, in seconds; the works take turns."""
    best = dict.fromkeys(works, float("inf"))
    for _ in range(repeats):
        for name, work in works.items():
            start = time.process_time()
            for item in items:
                work(item)
            best[name] = min(best[name], time.process_time() - start)
    return best


def _large_pages(args: argparse.Namespace, source: str) -> list[Page]:
    """Up to `--pages` large pages whose source begins with `source`."""
    sources: dict[str, str] = {}
    with open(args.data / "crawl" / "labels.jsonl", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            sources[row["url"]] = row["source"]

    chosen: list[Page] = []
    for record, body, content_type in _pages(args):
        is_large = SMALLEST <= len(body) <= LARGEST
        if is_large and sources.get(record.url, "").startswith(source):
            chosen.append((record, body, content_type))
            if len(chosen) == args.pages:
                break
    return chosen


def _pages(args: argparse.Namespace) -> Iterator[Page]:
    """Every HTML response of the crawl."""
    for path in sorted((args.data / "crawl").glob("*.warc.gz")):
        for record in read_records(path):
            if record.kind != "response" or record.problem:
                continue
            http = parse_http(record.block)
            try:
                body = decoded_body(http, 5_000_000)
            except PayloadError:
                continue
            if "html" in http.get("content-type"):
                yield record, body, http.get("content-type")


def _texts(args: argparse.Namespace) -> list[str]:
    """Texts of three times `--pages` pages of the crawl, of any size."""
    texts: list[str] = []
    for _, body, header in _pages(args):
        text = extract_text(decode_page(body, header)[0]).text
        if text:
            texts.append(text)
        if len(texts) == 3 * args.pages:
            break
    return texts


def _data() -> Path:
    return Path(
        os.environ.get("SHARED_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data"
    )


MEASURES: dict[str, Callable[[argparse.Namespace], Figures]] = {
    "extraction": extraction,
    "formulas": formulas,
    "minhash": minhash,
    "decontamination": decontamination,
    "scoring": scoring,
}

if __name__ == "__main__":
    main()
