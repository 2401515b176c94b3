"""Signatures of the pages of some shards: the part of deduplication that is spread over machines.

Reads  the page tables of the shards named.
Writes <shard>.parquet for each of them (corpus.duplicates.lsh_bands) into the folder `--out`, and `--done`, a JSON
       object with the shards and the number of their pages, last.

    python -m corpus.hash_shards --config results/mini/config/corpus.dedup.json \\
        --pages results/mini/corpus/pages --shards mini-00000 mini-00001 \\
        --out results/mini/corpus/signatures --done results/mini/corpus/signatures/00000.json

Shards whose file is there already, made from the same page table with the same settings, are passed
over: a killed job goes on where it was.
"""

import argparse
from pathlib import Path

from corpus.duplicates.lsh_bands import write_bands
from corpus.tables.shards import shard_files
from pipeline.artifacts.write import write_json
from pipeline.config.corpus import Dedup
from pipeline.config.read import read_section
from pipeline.errors import run_main
from pipeline.process_pool import run_jobs
from pipeline.progress import track


def main(argv: list[str] | None = None) -> None:
    args = _parse_args(argv)
    settings = read_section(args.config, Dedup)
    files = shard_files(args.pages, args.shards)

    pages = hash_shards(files, args.out, settings, args.workers)
    write_json(args.done, {"shards": sorted(args.shards), "pages": pages})


def hash_shards(files: list[Path], out: Path, settings: Dedup, workers: int) -> int:
    """Write the side file of each page table into the folder `out`; the number of pages."""
    jobs = [(file, out / file.name, settings) for file in files]
    counts = run_jobs(write_bands, jobs, workers)
    return sum(track(counts, "dedup signatures", total=len(jobs), unit="shards"))


def _parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", required=True, help="JSON of the section corpus.dedup")
    parser.add_argument("--pages", required=True, type=Path, help="folder of page tables")
    parser.add_argument("--shards", required=True, nargs="+", help="names of the shards")
    parser.add_argument("--out", required=True, type=Path, help="folder of the side files")
    parser.add_argument("--done", required=True, type=Path, help="JSON to write in the end")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_main(main)
