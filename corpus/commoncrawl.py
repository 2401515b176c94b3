"""Which WARC files of a Common Crawl are mined: a sample of the crawl's own list, spread evenly over it.

Reads  `crawl-data/<crawl>/warc.paths.gz` from Common Crawl or a mirror of it.
Writes the addresses of the chosen files, one a line.

    python -m corpus.commoncrawl CC-MAIN-2024-10 --files 20 --out results/gpu/corpus/crawls/CC-MAIN-2024-10.txt

The files themselves are fetched by the extracting jobs, each its own, one at a time, and deleted when their pages are
extracted: the disk holds one WARC file (about 1 GB) a job. Names of shards follow from the settings alone, so that
planning needs no network.
"""

import argparse
import gzip
import re
import tempfile
import zlib
from pathlib import Path

from corpus.archives.download import fetch
from pipeline.artifacts.write import write_text
from pipeline.errors import UserError, run_main

SERVER = "https://data.commoncrawl.org/"
_CRAWL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("crawl", help="its id, as in CC-MAIN-2024-10")
    parser.add_argument("--files", type=int, required=True, help="how many WARC files to take")
    parser.add_argument("--server", default=SERVER, help="Common Crawl or a mirror of it")
    parser.add_argument(
        "--out", type=Path, required=True, help="text file to write: one address a line"
    )
    options = parser.parse_args(argv)
    chosen = choose(crawl_files(options.crawl, options.server), options.files, options.crawl)
    write_text(options.out, "".join(f"{address}\n" for address in chosen))
    print(f"{options.crawl}: {len(chosen)} WARC files chosen")


def crawl_files(crawl: str, server: str = SERVER) -> list[str]:
    """Addresses of all WARC files of a crawl, in the order of its list."""
    if not _CRAWL.fullmatch(crawl):
        raise UserError(f"{crawl!r} is no crawl id; one looks like CC-MAIN-2024-10")
    root = server.rstrip("/") + "/"
    address = f"{root}crawl-data/{crawl}/warc.paths.gz"
    with tempfile.TemporaryDirectory() as scratch:
        listing = fetch(address, Path(scratch)).read_bytes()
    try:
        lines = gzip.decompress(listing).decode("ascii").split()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise UserError(f"{address}: not a gzipped list of paths ({error})") from None
    return [root + line.lstrip("/") for line in lines]


def choose(addresses: list[str], count: int, crawl: str) -> list[str]:
    """`count` of the files, evenly spread: the files of one segment were crawled within hours of each other."""
    if not 1 <= count <= len(addresses):
        raise UserError(f"sources.crawl_files = {count}: {crawl} has {len(addresses)} WARC files")
    return [addresses[number * len(addresses) // count] for number in range(count)]


if __name__ == "__main__":
    run_main(main)
