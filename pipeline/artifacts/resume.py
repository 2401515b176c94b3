"""Folders of resumable state: what an unfinished run was made from, and whether its state may be
taken up again.

Beside the state lies the file `fingerprint`, a JSON object with two entries:

    run    everything that decides the result: settings, digests of the inputs. State of another run is moved aside.
    code   the digest of the program. Where it differs, one line says so and the state is taken up all the same:
           most changes of code change no result, and a checkpoint may hold weeks of work.

State is never deleted here. What is not taken up is renamed to `<folder>.aside-1`, and one line
names the reason.
"""

import hashlib
import json
import re
import sys
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from pipeline.artifacts.write import write_json
from pipeline.errors import UserError

MARK = "fingerprint"
SHOWN = 3
"""Differences named in the line about state that is moved aside; the rest is counted."""
DIGEST = re.compile(r"[0-9a-f]{16,}")


def fingerprint(*parts: object) -> str:
    """A digest (16 hex characters) of settings, input digests and code digests."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def claim_folder(
    folder: Path,
    run: str | Mapping[str, object],
    *,
    code: str | None = None,
    fresh: bool = False,
) -> None:
    """Make `folder` hold state of `run` and of no other; what it holds of another run is moved
    aside.

    `run` is all that must be equal for state to be taken up again: a name or digest, or JSON values
    by name. `code` is the digest of the program, where a difference deserves a warning. With
    `fresh` all state is moved aside.

    The folder is deleted when the work is done. One that holds anything but resumable state is
    therefore refused with a UserError.
    """
    mark = folder / MARK
    if folder.exists() and not folder.is_dir():
        raise UserError(f"--resume {folder}: not a folder")
    if folder.is_dir() and not mark.is_file() and _holds_state(folder):
        raise UserError(
            f"--resume {folder}: holds other files, which would be deleted at the end; name a new folder"
        )

    # Compared as JSON: what was read back has lists for tuples and strings for keys.
    wanted = json.loads(json.dumps({"run": run, "code": code}, default=str))
    found = _read_mark(mark)

    if _holds_state(folder):
        reasons = ["--fresh"] if fresh else differences(found, wanted["run"])
        if reasons:
            _move_aside(folder, reasons)
        elif found.get("code") != code:
            print(
                f"warning: --resume {folder}: the code has changed since this state was written; "
                "going on with it (--fresh starts anew)",
                file=sys.stderr,
            )

    folder.mkdir(parents=True, exist_ok=True)
    if wanted != _read_mark(mark):
        write_json(mark, wanted)


def differences(found: Mapping[str, object], run: object) -> list[str]:
    """What tells the run of a fingerprint that was read from `run`, in words; empty where they are
    equal."""
    if "run" not in found:
        return ["written by an older version"]
    return _differences("", found["run"], run)


def _differences(name: str, old: object, new: object) -> list[str]:
    if old == new:
        return []
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return [_difference(name, old, new)]

    found: list[str] = []
    for key in sorted(old.keys() | new.keys()):
        inner = f"{name}.{key}" if name else key
        found += _differences(inner, old.get(key), new.get(key))
    return found


def _difference(name: str, old: object, new: object) -> str:
    """One difference; values that say nothing to a reader (digests, long texts, lists) are left
    out."""
    name = name or "run"
    before, after = json.dumps(old, ensure_ascii=False), json.dumps(new, ensure_ascii=False)
    telling = len(before) + len(after) <= 60 and not DIGEST.search(before + after)
    return f"{name} was {before}, is {after}" if telling else f"{name} differs"


def _read_mark(mark: Path) -> dict[str, object]:
    """The fingerprint in a folder; empty where there is none, or one of the time before it was
    JSON."""
    if not mark.is_file():
        return {}
    try:
        value = json.loads(mark.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _holds_state(folder: Path) -> bool:
    """Whether there is anything to lose.

    A run that was killed early leaves only its fingerprint, or the half-written file of it.
    """
    if not folder.is_dir():
        return False

    half_written = f".{MARK}."
    names = [path.name for path in folder.iterdir()]
    return any(name != MARK and not name.startswith(half_written) for name in names)


def _move_aside(folder: Path, reasons: list[str]) -> None:
    """Rename the folder to the first free `<folder>.aside-<n>` and say so."""
    places = (folder.with_name(f"{folder.name}.aside-{number}") for number in count(1))
    aside = next(place for place in places if not place.exists())
    folder.rename(aside)

    text = "; ".join(reasons[:SHOWN])
    if len(reasons) > SHOWN:
        text += f"; and {len(reasons) - SHOWN} more"
    print(
        f"--resume {folder}: this state is not taken up ({text}); moved to {aside}",
        file=sys.stderr,
    )
