"""What the Snakefile and the rules need: the typed configuration, jobs' environment, and code
digests."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from pipeline.artifacts.code_digest import ROOT, code_digest, module_path
from pipeline.config.base import Section
from pipeline.config.load import Config, load_preset
from pipeline.errors import UserError
from pipeline.preflight import run_lock
from pipeline.progress import TERMINAL_VARIABLE

__all__ = [
    "benchmark_files",
    "code_digest",
    "load_config",
    "options",
    "print_failure",
    "shell_prefix",
    "source",
    "stage_json",
]

TRIAL_SECONDS = 120
"""How long the user's own code may take on worked examples."""


def shell_prefix() -> str:
    """Jobs run under this very interpreter, import from this repository, and stop at the first
    error."""
    binaries = shlex.quote(str(Path(sys.executable).parent))
    terminal = "1" if sys.stderr.isatty() else ""
    settings = [
        f"PATH={binaries}:$PATH",
        f"PYTHONPATH={shlex.quote(str(ROOT))}",
        # Threads of OpenMP that wait must sleep: spinning ones stall for minutes when the cores are
        # shared.
        "OMP_WAIT_POLICY=PASSIVE",
        "TOKENIZERS_PARALLELISM=false",
        "HF_HUB_DISABLE_TELEMETRY=1",
        "PYTHONUNBUFFERED=1",
        f"{TERMINAL_VARIABLE}={terminal}",
        f"{run_lock.VARIABLE}={shlex.quote(os.getcwd())}",
    ]
    # Setting a prefix switches Snakemake's strict mode off; the first command puts it back.
    # Snakemake formats the prefix: braces of a path are doubled.
    exported = " ".join(settings).replace("{", "{{").replace("}", "}}")
    return f"set -euo pipefail; export {exported}; "


def stage_json(config: Config, section: str) -> str:
    """One section of the configuration ("rl", "corpus.classifier") as deterministic JSON."""
    value: Section = config
    for name in section.split("."):
        value = getattr(value, name)
    return json.dumps(value.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)


def load_config(overlay: dict) -> Config:
    """The typed configuration of a Snakemake run; on a mistake one line on stderr and exit status
    2."""
    try:
        config = load_preset(str(overlay.get("preset", "mini")), overlay)
        check_sources(config)
        check_own_code(config)
        return config
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


def check_sources(config: Config) -> None:
    """Raise a UserError for the first of the user's own files that is not there, before any job
    starts.

    WARC files are checked by corpus.archives.sources. Words with a colon ("hub:<id>") and Hub ids
    are the stage's.
    """
    for name, path in _own_paths(config):
        if path is None or path == "mini" or ":" in path:
            continue
        if not Path(path).exists():
            raise UserError(
                f"sources.{name} = {path!r}: no such file or folder; allowed: a path, or the word mini"
            )


def _own_paths(config: Config) -> Iterator[tuple[str, str | None]]:
    """The settings below `sources` that name files, with their values, in the order in which they
    are checked."""
    sources = config.sources
    yield "seed_positives", sources.seed_positives
    yield "url_annotations", sources.url_annotations

    for name, value in (("solutions", sources.solutions), ("problems", sources.problems)):
        for path in value if isinstance(value, list) else [value]:
            yield name, path
    for benchmark, path in sources.benchmarks.items():
        if path != "hub":
            yield f"benchmarks.{benchmark}", path
    for text, path in sources.heldout_text.items():
        yield f"heldout_text.{text}", path

    # "owner/name" is a model of the Hub; only what can be nothing but a path is checked.
    if sources.coder.startswith(("/", "./", "../", "~")):
        yield "coder", sources.coder


def check_own_code(config: Config) -> None:
    """Raise a UserError for code of the user's own ("module:name") that is nowhere to be found, or that fails on a
    worked example."""
    for setting, names in config.rl.own_code.items():
        for name in names:
            module = name.partition(":")[0]
            if module_path(module) is None:
                raise UserError(
                    f"rl.{setting}: no module {module!r} ({name}) in the working folder or among the packages"
                )
    if config.rl.own_code:
        _try_own_code(config)


def _try_own_code(config: Config) -> None:
    """Run the user's code as the job will run it: in a process of its own, from the working folder."""
    command = [sys.executable, "-m", "rl.own_code.check", "--config", "/dev/stdin"]
    problems = config.sources.problems
    first = problems[0] if isinstance(problems, list) and problems else problems
    # Problems of one's own may hold what a reward reads; those of the built-in world are not made yet.
    if isinstance(first, str) and Path(first).is_file():
        command += ["--problems", first]

    names = ", ".join(name for own in config.rl.own_code.values() for name in own)
    print(f"trying {names} on worked examples", file=sys.stderr)
    try:
        done = subprocess.run(
            command,
            input=stage_json(config, "rl"),
            capture_output=True,
            text=True,
            timeout=TRIAL_SECONDS,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
    except subprocess.TimeoutExpired:
        raise UserError(
            f"rl: {names}: not done with a worked example in {TRIAL_SECONDS} s"
        ) from None

    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise UserError(lines[-1].removeprefix("error: "))


def source(value: str | list[str], world_path: str) -> str | list[str]:
    """The path under the world's folder where `value` is the word "mini", else the user's own
    path(s)."""
    return world_path if value == "mini" else value


def benchmark_files(benchmarks: dict[str, str], results: str) -> dict[str, str]:
    """Each benchmark's file: the world's own ("mini"), one that a job fetches ("hub"), or the
    user's."""
    files = {}
    for name, path in benchmarks.items():
        match path:
            case "mini":
                files[name] = f"{results}/world/problems/test.jsonl"
            case "hub":
                files[name] = f"{results}/fetched/{name}.jsonl"
            case _:
                files[name] = path
    return files


def options(flag: str, paths: dict[str, str]) -> list[str]:
    """The words `flag NAME=PATH` for each of the paths; a list, so that each is quoted by itself."""
    words = []
    for name, path in paths.items():
        words += [flag, f"{name}={path}"]
    return words


def print_failure(snakemake_logs: str | list[str], results: str) -> None:
    """After a failed run: the last lines of each failed job's log, and the command that goes on
    from there."""
    paths = [snakemake_logs] if isinstance(snakemake_logs, str) else snakemake_logs
    text = "".join(_text_of(path) for path in paths)
    # Snakemake reports a failed job as a rule's name and an indented block that names the job's
    # log.
    failed = re.findall(r"^Error in rule (\w+):\n(?:    .*\n)*?    log: (\S+)", text, re.M)

    report = [""]
    # A job that was tried again is reported once a try.
    for rule, log in dict.fromkeys(failed):
        report.append(f"failed  {rule}: {log} ends with")
        report += [f"        {line}" for line in _text_of(log).splitlines()[-5:]]
    if not failed:
        report.append(f"failed  the jobs' logs lie in {results}/logs/")

    report.append(f"again   {shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])}")
    report.append("        what is finished stays; a training goes on from its last checkpoint")
    print(*report, sep="\n", file=sys.stderr)


def _text_of(path: str) -> str:
    """The text of a log; empty where there is none."""
    return Path(path).read_text(encoding="utf-8", errors="replace") if Path(path).is_file() else ""
