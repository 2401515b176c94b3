"""How fast the corpus stage is per core, beside its peers, and how many formulas it keeps.

    python -m benchmarks.corpus                      # all, some minutes; real pages: SHARED_DATA or shared/data
    python -m benchmarks.corpus extraction minhash   # some of it
    python -m benchmarks.corpus --json figures.json

extraction        pages a second of archive record -> row of the page table, and of bytes -> text with formulas alone,
                  beside resiliparse alone (bytes -> main content) and trafilatura, on pages of 60 to 500 kB: ordinary
                  web pages, and manuals
formulas          share of the TeX of mathematical manuals (.math elements, image descriptions) that is in the text
minhash           signatures of 128 hashes over 5-word shingles, beside datasketch's update_batch
decontamination   million characters a second against every benchmark there is
scoring           pages a second: tokens and fastText (dimension 256, trigrams), first 1,000 tokens

Processor time of one core, best of --repeats; the peers run on the same pages in turn. Nothing of a peer is in the
project: trafilatura is left out with a word where it is not installed.
"""

import argparse
import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

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

SETTINGS = Extraction()
SMALLEST, LARGEST = 60_000, 500_000  # bytes of a page


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "what", nargs="*", metavar="WHAT", help=f"of {', '.join(MEASURES)}; without: all"
    )
    parser.add_argument(
        "--data", type=Path, default=_data(), help="folder with crawl/ and benchmarks/"
    )
    parser.add_argument("--pages", type=int, default=500, help="pages of each kind (500)")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    if unknown := set(options.what) - MEASURES.keys():
        parser.error(f"no measure {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
    if not (options.data / "crawl").is_dir():
        print(f"left out: no real pages in {options.data} (set SHARED_DATA)")
        return
    figures = {"load before": os.getloadavg()[0]}
    for name in options.what or MEASURES:
        figures[name] = MEASURES[name](options)
        print(f"\n{name}")
        for row, value in figures[name].items():
            print(
                f"  {row:<52}{value:>12,.4g}"
                if isinstance(value, float)
                else f"  {row:<52}{value:>12}"
            )
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def extraction(options: argparse.Namespace) -> dict:
    figures: dict = {}
    kinds = {
        "web": lambda source: source.startswith("GitHub"),
        "manuals": lambda source: source.startswith("Debian"),
    }
    for kind, belongs in kinds.items():
        pages = _large_pages(options, belongs)
        megabytes = sum(len(body) for _, body, _ in pages) / 1e6
        figures[f"{kind}: pages"] = len(pages)
        figures[f"{kind}: kB a page"] = 1000 * megabytes / len(pages)
        works = {
            "this project": _ours,
            "this project, text alone": _text,
            "resiliparse alone": _resiliparse,
        }
        works |= _trafilatura()
        for name, seconds in _in_turn(works, pages, options.repeats).items():
            figures[f"{kind}: {name}, pages/s"] = len(pages) / seconds
            figures[f"{kind}: {name}, MB/s"] = megabytes / seconds
    return figures


def _ours(page: tuple[Record, bytes, str]) -> None:
    with suppress(Rejected):
        page_of_record(page[0], "", SETTINGS)


def _text(page: tuple[Record, bytes, str]) -> None:
    extract_text(decode_page(page[1], page[2])[0], markup=page[1])


def _resiliparse(page: tuple[Record, bytes, str]) -> None:
    source, _ = decode_page(page[1], page[2])
    extract_plain_text(HTMLTree.parse(source), main_content=True, alt_texts=False)


def _trafilatura() -> dict[str, Callable]:
    try:
        from trafilatura import extract
    except ImportError:
        print("trafilatura is not installed: left out")
        return {}
    return {"trafilatura": lambda page: extract(decode_page(page[1], page[2])[0])}


def formulas(options: argparse.Namespace) -> dict:
    """TeX that the manuals' authors wrote, and whether it is in our text, white space apart."""
    counts = {"in text": [0, 0], "image descriptions": [0, 0]}
    pages = 0
    for _, body, header in _pages(options):
        if b"math" not in body:
            continue
        source, _ = decode_page(body, header)
        document = HTMLTree.parse(source).document
        written = {
            "in text": [tex for node in document.query_selector_all(".math").values()
                        for tex in re.findall(r"\\[(\[](.*?)\\[)\]]", node.text, re.DOTALL)],
            "image descriptions": [node.get_attribute("alt") or "" for node in
                                   document.query_selector_all("img.math").values()],
        }  # fmt: skip
        if not any(written.values()):
            continue
        pages += 1
        text = "".join(extract_text(source, markup=body).text.split())
        for kind, tex in written.items():
            counts[kind][0] += len(tex)
            counts[kind][1] += sum("".join(formula.split()) in text for formula in tex)
    figures: dict = {"pages": pages}
    for kind, (expected, found) in counts.items():
        figures |= {f"{kind}: formulas": expected, f"{kind}: share kept": found / max(1, expected)}
    return figures


def minhash(options: argparse.Namespace) -> dict:
    from datasketch import MinHash

    texts = _texts(options)
    word = re.compile(r"\w+")

    def peer(texts: list[str]) -> None:
        for text in texts:
            words = word.findall(text.lower())
            shingles = {" ".join(words[i : i + 5]) for i in range(max(1, len(words) - 4))}
            MinHash(num_perm=128).update_batch([shingle.encode() for shingle in shingles])

    works = {
        "this project": lambda batch: signatures(batch, 5, 128, 0),
        "datasketch update_batch": peer,
    }
    signatures(["warm up"], 5, 128, 0)  # the table of characters is made once a process
    seconds = _in_turn(works, [texts], options.repeats)
    rates = {f"{name}, pages/s": len(texts) / value for name, value in seconds.items()}
    ratio = seconds["datasketch update_batch"] / seconds["this project"]
    return (
        {"pages": len(texts), "characters a page": sum(map(len, texts)) / len(texts)}
        | rates
        | {"ratio": ratio}
    )


def decontamination(options: argparse.Namespace) -> dict:
    texts = _texts(options)
    files = sorted(str(path) for path in (options.data / "benchmarks").glob("*/test*.jsonl"))
    items = load_benchmarks(files)
    start = time.process_time()
    index = LeakIndex(items, Decontamination())
    built = time.process_time() - start
    batches = [texts[i : i + 100] for i in range(0, len(texts), 100)]
    seconds = _in_turn({"find": index.find}, batches, options.repeats)["find"]
    characters = sum(map(len, texts))
    return {
        "benchmark files": len(files),
        "items": len(items),
        "index built, s": built,
        "million characters/s": characters / seconds / 1e6,
        "million words/s": sum(len(text.split()) for text in texts) / seconds / 1e6,
        "pages/s": len(texts) / seconds,
    }


def scoring(options: argparse.Namespace) -> dict:
    texts = _texts(options)
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "lines.txt"
        labels = (POSITIVE, NEGATIVE)
        lines.write_text(
            "".join(
                f"{labels[n % 2]} {line_of(text, 1000)}\n" for n, text in enumerate(texts[:400])
            )
        )
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
    prepared = [line_of(text, 1000) for text in texts]
    works = {
        "tokens": lambda text: line_of(text, 1000),
        "tokens and score": lambda t: scorer.score(line_of(t, 1000)),
    }
    seconds = _in_turn(works, texts, options.repeats)
    return {"tokens a page": sum(line.count(" ") + 1 for line in prepared) / len(texts)} | {
        f"{name}, pages/s": len(texts) / value for name, value in seconds.items()
    }


def _in_turn(works: dict[str, Callable], items: list, repeats: int) -> dict[str, float]:
    """Best processor time of each work over all items, the works taking turns."""
    best = dict.fromkeys(works, float("inf"))
    for _ in range(repeats):
        for name, work in works.items():
            start = time.process_time()
            for item in items:
                work(item)
            best[name] = min(best[name], time.process_time() - start)
    return best


def _large_pages(
    options: argparse.Namespace, belongs: Callable[[str], bool]
) -> list[tuple[Record, bytes, str]]:
    sources = {}
    with open(options.data / "crawl" / "labels.jsonl", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            sources[row["url"]] = row["source"]
    chosen = []
    for page in _pages(options):
        if SMALLEST <= len(page[1]) <= LARGEST and belongs(sources.get(page[0].url, "")):
            chosen.append(page)
            if len(chosen) == options.pages:
                break
    return chosen


def _pages(options: argparse.Namespace) -> Iterator[tuple[Record, bytes, str]]:
    """(record, decoded body, Content-Type) of every HTML response of the crawl."""
    for path in sorted((options.data / "crawl").glob("*.warc.gz")):
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


def _texts(options: argparse.Namespace) -> list[str]:
    """Texts of as many pages of the crawl, of any size, as `--pages` says, three times over."""
    texts: list[str] = []
    for _, body, header in _pages(options):
        text = extract_text(decode_page(body, header)[0]).text
        if text:
            texts.append(text)
        if len(texts) == 3 * options.pages:
            break
    return texts


def _data() -> Path:
    return Path(
        os.environ.get("SHARED_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data"
    )


MEASURES = {
    "extraction": extraction,
    "formulas": formulas,
    "minhash": minhash,
    "decontamination": decontamination,
    "scoring": scoring,
}

if __name__ == "__main__":
    main()
