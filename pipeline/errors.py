"""Errors a person can act on, and the one place where a program's exit status is decided.

A `UserError` is the user's mistake (a missing file, a bad value): it ends the program with one line on
stderr and exit status 2. Anything else is our mistake and keeps its traceback.
"""

import errno
import os
import sys
from collections.abc import Callable


class UserError(Exception):
    """What is wrong, where, and what is allowed, in one line."""


def run_main(main: Callable[[list[str] | None], object], argv: list[str] | None = None) -> None:
    """Run a stage's `main`, turning the user's mistakes and the machine's limits into one clear line.

    Exit status: 0 done, 2 the user's mistake, 28 disk full, 130 interrupted (Ctrl-C).
    """
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
    except OSError as error:
        if error.errno == errno.ENOSPC:
            _stop(f"error: the disk is full ({error.filename or 'while writing'}); free space and run again", 28)
        raise


def _stop(line: str, status: int) -> None:
    sys.stdout.flush()
    print(" ".join(line.split()), file=sys.stderr)
    sys.exit(status)
