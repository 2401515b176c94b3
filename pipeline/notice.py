"""The notice of a run (`notice` in its settings), which stands on every report and model card: "invented cases".

Jobs find it in their environment; a command that is called by hand has none, unless the variable is set.
"""

import os

NOTICE_VARIABLE = "RUN_NOTICE"
SUBJECT_VARIABLE = "RUN_SUBJECT"
"""What the run is about; cards of models and corpora have tags by it."""

MATHEMATICS = "mathematics"


def notice() -> str:
    """The notice; empty where there is none."""
    return os.environ.get(NOTICE_VARIABLE, "").strip()


def is_about_mathematics() -> bool:
    """Whether the run's pages and models are about mathematics, as those of a command called by hand are."""
    return os.environ.get(SUBJECT_VARIABLE, MATHEMATICS) == MATHEMATICS
