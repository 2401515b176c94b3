"""Bring finished artifacts of one run into the folder of another, as they are.

Reads   another run's folder (--from) and paths below it.
Writes  the same paths below --out, and taken.json: where from, and for each path the digest of what was taken. Large
        files of folders are hard links where the file system allows it, so that they cost no space; all else is copied.

    python -m pipeline.reuse.take --from results/mini --out results/mine models/base models/sft sft/examples.parquet

A model whose manifest names another model as its input than the one that lies there is refused: the other run was
changed and has not come to its end. Not done here: deciding what to take (pipeline/reuse/earlier.py).
"""

import argparse
import os
import shutil
from pathlib import Path

from pipeline.artifacts.write import (
    MANIFEST,
    atomic_folder,
    atomic_path,
    file_digest,
    read_json,
    write_json,
)
from pipeline.errors import UserError, run_main
from pipeline.reuse.stages import REWARD_MODELS, STAGES

RECORD = "taken.json"
LINKED_BYTES = 1 << 20
"""Smaller files are copied: somebody may edit a card or a configuration in its place."""


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    run: Path = args.run
    for path in args.paths:
        if not (run / path).exists():
            raise UserError(f"--from {run}: there is no {path}")

    digests = {path: file_digest(run / path) for path in args.paths}
    check_links(run, digests)

    for path in args.paths:
        take(run / path, args.out / path)
        print(f"taken {args.out / path} from {run / path}, digest {digests[path]}")
    write_json(args.out / RECORD, {"from": str(run), "digests": digests})


def check_links(run: Path, digests: dict[str, str]) -> None:
    """Raise a UserError where a model was made from another artifact than the one that is taken with it."""
    for stage in (*STAGES, *REWARD_MODELS):
        if stage.model not in digests:
            continue
        inputs = (
            read_json(run / stage.model / MANIFEST).get("inputs", {}) if stage.made_from else {}
        )
        for path in stage.made_from:
            known = inputs.get(Path(path).name)
            if known and path in digests and known != digests[path]:
                raise UserError(
                    f"{run / stage.model}: was not made from the {path} that lies there now; run {run} to its end, "
                    "or take less"
                )


def take(source: Path, target: Path) -> None:
    """Make `target` equal to `source`, a file or a folder; whole or not at all."""
    if source.is_file():
        with atomic_path(target) as temporary:
            shutil.copyfile(source, temporary)
        return

    with atomic_folder(target, marker="*") as folder:
        for path in sorted(source.rglob("*")):
            place = folder / path.relative_to(source)
            if path.is_dir():
                place.mkdir()
            # Hidden files are Snakemake's, about the other run.
            elif not path.name.startswith("."):
                _link_or_copy(path, place)


def _link_or_copy(source: Path, target: Path) -> None:
    """Artifacts are replaced and never changed in place, so that two runs may share a file."""
    if source.stat().st_size >= LINKED_BYTES:
        try:
            os.link(source.resolve(), target)
            return
        # Another file system, or a file that belongs to somebody else.
        except OSError:
            pass
    shutil.copyfile(source, target)


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--from", dest="run", type=Path, required=True, help="folder of the other run")
    add("--out", type=Path, required=True, help="folder of the new run")
    add("paths", nargs="+", metavar="PATH", help="folders and files below --from")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_main(main)
