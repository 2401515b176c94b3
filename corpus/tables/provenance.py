"""Which version of this program made a data set."""

import subprocess

from pipeline.artifacts.code_digest import ROOT


def commit() -> str:
    """The commit of this repository, marked where files differ from it; "unknown" outside of git."""
    head = _git("rev-parse", "HEAD")
    if not head:
        return "unknown"
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return f"{head} with local changes" if changed else head


def _git(*arguments: str) -> str:
    """What git prints; "" where it fails or is not installed."""
    command = ["git", "-C", str(ROOT), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
