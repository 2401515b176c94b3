"""Errors a person can act on, and the one place where a program's exit status is decided.

A `UserError` is the user's mistake (a missing file, a bad value): it ends the program with one line
on stderr and exit status 2. Anything else is our mistake and keeps its traceback.
"""

import errno
import os
import sys
from collections.abc import Callable
from typing import NoReturn

# No space, quota used up, file larger than this user may write.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class UserError(Exception):
    """What is wrong, where, and what is allowed, in one line."""


def run_main(main: Callable[[list[str] | None], object], argv: list[str] | None = None) -> None:
    """Run a stage's `main`, turning the user's mistakes and the machine's limits into one clear
    line.

    Exit status: 0 done, 2 the user's mistake, 28 disk full, 130 interrupted (Ctrl-C).
    """
    # Threads of OpenMP that wait must sleep: spinning ones cost a multiple of the processor time, and
    # stall for minutes when the cores are shared. It is read when torch is loaded, which `main` does
    # after parsing.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

    try:
        main(argv)
    except UserError as error:
        _stop(f"error: {error}", 2)
    except KeyboardInterrupt:
        _stop("interrupted; run the same command again to go on", 130)
    except BrokenPipeError:
        # The reader of our stdout (head, less) went away: that is its right, not an error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if _is_full(error):
            place = getattr(error, "filename", None) or "while writing"
            _stop(f"error: the disk is full ({place}); free space and run again", 28)
        # A missing or forbidden path, a read-only or failing disk: the message names it, a traceback would add nothing.
        if isinstance(error, OSError) and error.filename is not None:
            reason = (error.strerror or "cannot be opened").lower()
            _stop(f"error: {error.filename}: {reason}", 2)
        raise


def _is_full(error: Exception) -> bool:
    """Whether the disk took no more."""
    if getattr(error, "errno", None) in FULL:
        return True
    # Libraries in other languages tell it in their message only.
    message = str(error)
    return any(os.strerror(number) in message for number in FULL)


def _stop(line: str, status: int) -> NoReturn:
    """Print one line on stderr and end the program."""
    sys.stdout.flush()
    print(" ".join(line.split()), file=sys.stderr)
    sys.exit(status)
