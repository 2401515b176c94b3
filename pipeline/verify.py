"""Compare everything that a run has made with what its manifests say.

    python -m pipeline.verify results/mini          also: snakemake --cores 1 verify

Reads   every manifest.json below the folder, and the files that it names by their digests.
Prints  one line for each file that differs, then how many were compared.

Exit status 1 where a file is missing, damaged or changed. Stages compare what they load by
themselves where that is quick (pipeline.artifacts.check); this reads every byte.
"""

import argparse
import sys
from pathlib import Path

from pipeline.artifacts.check import differences, noted_files
from pipeline.artifacts.write import MANIFEST
from pipeline.errors import UserError, run_main


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="a run's folder, or that of one artifact")
    args = parser.parse_args(argv)

    manifests = sorted(args.folder.rglob(MANIFEST))
    if not manifests:
        raise UserError(f"{args.folder}: no {MANIFEST} in or below this folder")

    compared = 0
    found = []
    for manifest in manifests:
        here = list(differences(manifest.parent))
        for difference in here:
            print(f"{difference.file}: {difference.what}")
        found += here
        if not any(difference.file == manifest for difference in here):
            compared += len(noted_files(manifest))

    print(f"{compared} files of {len(manifests)} artifacts compared, {len(found)} differ")
    if found:
        sys.exit(1)


if __name__ == "__main__":
    run_main(main)
