"""Artifacts compared with what their manifests say of them: a disk loses bits, a copy ends early, somebody edits.

    check_artifact("results/mini/models/sft")     a UserError names the first file that differs

Stages call it for what they load. There only folders that are quickly read are compared;
`python -m pipeline.verify` compares everything.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.artifacts.write import MANIFEST, file_digest, read_json
from pipeline.errors import UserError

CHEAP = 2_000_000_000
"""Bytes that a stage reads once more to compare them: a second or two."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A file that is not what its manifest says."""

    file: Path
    what: str


def check_artifact(folder: str | Path, names: Collection[str] | None = None) -> None:
    """Raise a UserError for a file that differs from what `folder`'s manifest says; folders without one are anybody's.

    With `names` only files of these names are looked at. Of more than CHEAP bytes only the presence is checked.
    """
    for found in differences(Path(folder), names, most=CHEAP):
        raise UserError(
            f"{found.file}: {found.what}; delete {folder} to have it made again, or its {MANIFEST} to use it as it is"
        )


def check_inputs(made: str | Path, folder: str | Path) -> None:
    """Raise a UserError for a file of `folder` that is not the one which the artifact `made` was made from.

    Its manifest names inputs without their folders. More than CHEAP bytes are not compared.
    """
    inputs = read_json(Path(made) / MANIFEST).get("inputs", {})
    files = {Path(folder) / name: digest for name, digest in inputs.items()}
    there = [file for file in files if file.is_file()]
    if sum(file.stat().st_size for file in there) > CHEAP:
        return

    for file in there:
        if file_digest(file) != files[file]:
            raise UserError(
                f"{file}: not the file that {made} was made from: damaged or changed; make it again"
            )


def differences(
    folder: Path, names: Collection[str] | None = None, most: int | None = None
) -> Iterator[Difference]:
    """The files of an artifact (of `names` alone, if given) that differ from its manifest."""
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return
    try:
        digests = noted_files(manifest)
    except UserError as error:
        yield Difference(manifest, str(error).removeprefix(f"{manifest}: "))
        return

    wanted = digests.keys() if names is None else digests.keys() & set(names)
    files = {folder / name: digests[name] for name in sorted(wanted)}
    sizes = sum(file.stat().st_size for file in files if file.is_file())
    for file, digest in files.items():
        if not file.is_file():
            yield Difference(file, f"is missing, {MANIFEST} names it")
        elif (most is None or sizes <= most) and file_digest(file) != digest:
            yield Difference(file, f"not what {MANIFEST} says (digest): damaged or changed")


def noted_files(manifest: Path) -> dict[str, str]:
    """Name below the manifest's folder -> digest, as the manifest notes them.

    Manifests of older versions, and other people's, name none.
    """
    noted = read_json(manifest)
    files = noted.get("files") if isinstance(noted, dict) else None
    return files if isinstance(files, dict) else {}
