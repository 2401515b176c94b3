"""What a round starts from: its command line, read."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from corpus.mining.passes import PASSES
from corpus.tables.shards import Crawl
from pipeline.config.corpus import Classifier, Selection
from pipeline.config.read import read_section
from pipeline.errors import UserError


@dataclass(frozen=True, slots=True)
class Given:
    """What a round starts from."""

    number: int  # from 1
    crawl: Crawl
    seeds: Path
    previous: Path | None  # folder of the round before
    annotations: Path | None  # a person's, who may have judged any prefix
    classifier: Classifier
    selection: Selection
    workers: int
    passes: Path | None = (
        None  # folder of what the passes over all texts leave; None: a temporary one
    )
    by_jobs: bool = False  # whether other jobs do these passes
    until: str | None = None  # the pass before which to stop

    @classmethod
    def read(cls, args: argparse.Namespace) -> "Given":
        if (args.number == 1) != (args.previous is None):
            raise UserError(
                f"--number {args.number}: --previous is for rounds after the first, and needed there"
            )
        if args.until and not args.passes:
            raise UserError("--until needs --passes: the folder of what the passes leave")
        return cls(
            number=args.number,
            crawl=Crawl.open(args.pages, args.dedup),
            seeds=args.seeds,
            previous=args.previous,
            annotations=args.annotations,
            classifier=read_section(args.classifier, Classifier),
            selection=read_section(args.selection, Selection),
            workers=args.workers,
            passes=args.passes or args.resume,
            by_jobs=args.passes is not None,
            until=args.until,
        )

    def settings(self) -> dict:
        return {
            "number": self.number,
            "classifier": self.classifier.model_dump(),
            "selection": self.selection.model_dump(),
        }

    def input_files(self) -> list[Path]:
        """The files that the manifest names; the page tables are in the manifest of dedup."""
        files = [self.crawl.dedup / "manifest.json", self.seeds]
        if self.annotations:
            files.append(self.annotations)
        if self.previous:
            names = ("url_prefixes.yaml", "collected.parquet", "judged.parquet")
            files += [self.previous / name for name in names]
        return files


def parse_args(argv: list[str] | None, description: str | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--number", type=int, required=True, help="the round, from 1")
    parser.add_argument("--classifier", required=True, help="JSON of the section corpus.classifier")
    parser.add_argument("--selection", required=True, help="JSON of the section corpus.selection")
    parser.add_argument("--pages", type=Path, required=True, help="folder of page tables")
    parser.add_argument("--dedup", type=Path, required=True, help="folder written by corpus.dedup")
    parser.add_argument("--seeds", type=Path, required=True, help="JSON Lines with `url`")
    parser.add_argument(
        "--previous", type=Path, help="folder of the round before; none for round 1"
    )
    parser.add_argument(
        "--annotations",
        type=Path,
        help="a person's YAML of URL prefixes (see corpus.mining.annotations)",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument(
        "--resume", type=Path, metavar="DIR", help="folder for finished passes, deleted at the end"
    )
    parser.add_argument(
        "--passes",
        type=Path,
        metavar="DIR",
        help="folder of passes that other jobs do (corpus.read_shards, corpus.score_shards)",
    )
    parser.add_argument(
        "--until", choices=PASSES, help="write what this pass needs into --passes, and stop"
    )
    parser.add_argument("--workers", type=int, default=1, help="processes that read and score")
    return parser.parse_args(argv)
