"""The notice of a run (`notice` in its settings), which stands on every report and model card: "invented cases".

Jobs find it in their environment; a command that is called by hand has none, unless the variable is set.
"""

import os

NOTICE_VARIABLE = "RUN_NOTICE"


def notice() -> str:
    """The notice; empty where there is none."""
    return os.environ.get(NOTICE_VARIABLE, "").strip()
