"""Which WARC files of a Common Crawl are mined: a sample, spread evenly over the crawl's list.

Reads  `crawl-data/<crawl>/warc.paths.gz` from Common Crawl or a mirror of it.
Writes the addresses of the chosen files, one a line.

    python -m corpus.commoncrawl CC-MAIN-2024-10 --files 20 \\
        --out results/gpu/corpus/crawls/CC-MAIN-2024-10.txt

The files themselves are fetched by the extracting jobs, each its own, one at a time, and deleted
when their pages are extracted: the disk holds one WARC file (about 1 GB) a job. Names of shards
follow from the settings alone, so that planning needs no network.
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
    args = parser.parse_args(argv)

    addresses = crawl_files(args.crawl, args.server)
    chosen = choose(addresses, args.files, args.crawl)
    write_text(args.out, "".join(f"{address}\n" for address in chosen))
    print(f"{args.crawl}: {len(chosen)} WARC files chosen")


def crawl_files(crawl: str, server: str = SERVER) -> list[str]:
    """Addresses of all WARC files of a crawl, in the order of its list.

    Args:
        crawl: its id, as in CC-MAIN-2024-10.
        server: Common Crawl, or a mirror of it.

    Raises UserError when there is no such crawl, or its list cannot be read.
    """
    # The id becomes part of an address and of a file name: nothing that leads elsewhere is allowed.
    if not _CRAWL.fullmatch(crawl):
        raise UserError(f"{crawl!r} is no crawl id; one looks like CC-MAIN-2024-10")

    root = server.rstrip("/") + "/"
    address = f"{root}crawl-data/{crawl}/warc.paths.gz"
    with tempfile.TemporaryDirectory() as scratch:
        listing = fetch(address, Path(scratch)).read_bytes()

    # Mirrors and proxies answer with HTML pages now and then.
    try:
        lines = gzip.decompress(listing).decode("ascii").split()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise UserError(f"{address}: not a gzipped list of paths ({error})") from None
    return [root + line.lstrip("/") for line in lines]


def choose(addresses: list[str], count: int, crawl: str) -> list[str]:
    """`count` of the files, evenly spread.

    The files of one segment were crawled within hours of each other.

    Raises UserError when the crawl has fewer files.
    """
    total = len(addresses)
    if not 1 <= count <= total:
        raise UserError(f"sources.crawl_files = {count}: {crawl} has {total} WARC files")
    return [addresses[number * total // count] for number in range(count)]


if __name__ == "__main__":
    run_main(main)
