"""Scores of all kept pages of some shards: the part of a round that is spread over machines.

Reads  a classifier (`corpus.round --until score`), the page tables and the folder of corpus.dedup.
Writes <shard>.parquet (doc_id, score) into the folder `--out`, and `--done`, a JSON object with the names of the
       shards, last.

    python -m corpus.score_shards --config results/mini/config/corpus.classifier.json \\
        --model results/mini/corpus/passes/round_1/classifier.bin --pages results/mini/corpus/pages \\
        --dedup results/mini/corpus/dedup --shards mini-00000 mini-00001 \\
        --out results/mini/corpus/passes/round_1/scores --done results/mini/corpus/passes/round_1/scores/00000.json

Shards whose file is there already, scored by the same classifier, are passed over.
"""

import argparse
from pathlib import Path

from corpus.mining.score import score_shards
from corpus.tables.shards import Crawl
from pipeline.artifacts.write import write_json
from pipeline.config.corpus import Classifier
from pipeline.config.read import read_section
from pipeline.errors import run_main


def main(argv: list[str] | None = None) -> None:
    args = _parse_args(argv)
    settings = read_section(args.config, Classifier)
    crawl = Crawl.part(args.pages, args.dedup, args.shards)

    score_shards(crawl, args.model, args.out, settings.max_tokens, args.workers)
    write_json(args.done, {"shards": list(crawl.shards)})


def _parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", required=True, help="JSON of the section corpus.classifier")
    parser.add_argument("--model", required=True, type=Path, help="classifier.bin of the round")
    parser.add_argument("--pages", required=True, type=Path, help="folder of page tables")
    parser.add_argument("--dedup", required=True, type=Path, help="folder written by corpus.dedup")
    parser.add_argument("--shards", required=True, nargs="+", help="names of the shards")
    parser.add_argument("--out", required=True, type=Path, help="folder of the scores")
    parser.add_argument("--done", required=True, type=Path, help="JSON to write in the end")
    parser.add_argument("--workers", type=int, default=1, help="processes that score")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_main(main)
