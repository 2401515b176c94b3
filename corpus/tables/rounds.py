"""Which rounds of mining belong to a run's corpus."""

import re
from pathlib import Path

from pipeline.artifacts.write import MANIFEST, read_json

_ROUND = re.compile(r"round_([1-9]\d*)")


def round_folders(corpus: Path) -> list[tuple[int, Path]]:
    """Number and folder of each finished round of the run in `corpus`, the first one first.

    A finished corpus says how many rounds made it: further folders are left from a run with more.
    """
    last = None
    final = corpus / "final" / MANIFEST
    if final.is_file():
        last = read_json(final)["counts"].get("rounds")

    folders = []
    for manifest in corpus.glob(f"round_*/{MANIFEST}"):
        match = _ROUND.fullmatch(manifest.parent.name)
        if match and (last is None or int(match[1]) <= last):
            folders.append((int(match[1]), manifest.parent))

    # By number, for round_10 is not the second.
    return sorted(folders)
