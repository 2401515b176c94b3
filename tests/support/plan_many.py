"""Plan many Snakemake command lines in one process: `plan_many.py ARGUMENTS.json RESULTS.json`.

They are planned in the current folder. Snakemake takes seconds to start, a plan a fraction of one. Each line is a list
of arguments; its result is null where the plan worked, else what was printed.
"""

import contextlib
import io
import json
import sys
from pathlib import Path

from snakemake.cli import args_to_api, parse_args


def plan(words: list[str]) -> str | None:
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        try:
            parser, args = parse_args(words)
            worked = args_to_api(args, parser)
        except SystemExit as end:
            worked = end.code in (0, None)
    return None if worked else output.getvalue() or "failed"


if __name__ == "__main__":
    lines = json.loads(Path(sys.argv[1]).read_text())
    Path(sys.argv[2]).write_text(json.dumps([plan(words) for words in lines]))
