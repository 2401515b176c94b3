"""What the Snakefile and the rules need: the typed configuration, jobs' environment, and code
digests."""

import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator
from enum import Enum
from pathlib import Path

from pipeline.artifacts.code_digest import ROOT, code_digest, module_path
from pipeline.artifacts.resume import fingerprint
from pipeline.artifacts.write import write_json, write_text
from pipeline.config import tracking
from pipeline.config.base import Section
from pipeline.config.load import RECORD, Config, load_preset, name_of_file
from pipeline.config.preset_file import read_yaml
from pipeline.errors import UserError
from pipeline.notice import NOTICE_VARIABLE, SUBJECT_VARIABLE
from pipeline.preflight import run_lock
from pipeline.reuse.earlier import Taken, taken_of
from pipeline.reuse.unseen import unseen_changes
from pipeline.training.tracker_clients import missing

__all__ = [
    "benchmark_files",
    "code_digest",
    "half_of_cores",
    "listed",
    "load_config",
    "options",
    "print_failure",
    "print_unseen_changes",
    "settings_file",
    "shell_prefix",
    "source",
    "taken_stages",
    "thread_settings",
    "write_settings",
]

SETTINGS = Path(".snakemake/settings")
"""Where the jobs' settings lie: beside Snakemake's own notes, so that a dry run leaves the results alone."""

SECTIONS = (
    "mini",
    "medicine",
    "coder",
    "prompts",
    "corpus.extraction",
    "corpus.dedup",
    "corpus.classifier",
    "corpus.selection",
    "corpus.decontamination",
    "pretrain",
    "sft",
    "reward",
    "rl",
    "eval",
)
"""The sections of the configuration that stages read."""

WORLD_TEXTS = ("code", "prose")
WORLD_HELD_OUT = {
    "mathematics": ("math", "code", "prose", "chinese"),
    "medicine": ("medicine", "math", "code", "prose", "chinese"),
}
"""Texts that each built-in world makes (mini/rules.smk)."""

HALF_OF_CORES = "SNAKEMAKE_HALF_OF_CORES"
"""Environment variable with the number that `half_of_cores` gave where the run was started."""

TRIAL_SECONDS = 120
"""How long the user's own code may take on worked examples."""


def shell_prefix(config: Config) -> str:
    """Jobs run under this very interpreter, import from this repository, and stop at the first
    error."""
    binaries = shlex.quote(str(Path(sys.executable).parent))
    settings = [
        f"PATH={binaries}:$PATH",
        f"PYTHONPATH={shlex.quote(str(ROOT))}",
        "TOKENIZERS_PARALLELISM=false",
        "HF_HUB_DISABLE_TELEMETRY=1",
        "PYTHONUNBUFFERED=1",
        f"{run_lock.VARIABLE}={shlex.quote(os.getcwd())}",
        f"{NOTICE_VARIABLE}={shlex.quote(config.notice)}",
        f"{SUBJECT_VARIABLE}={_subject(config)}",
        f"{tracking.VARIABLE}={shlex.quote(config.tracking.model_dump_json())}",
    ]
    # Setting a prefix switches Snakemake's strict mode off; the first command puts it back.
    # Snakemake formats the prefix: braces of a path are doubled.
    exported = " ".join(settings).replace("{", "{{").replace("}", "}}")
    return f"set -euo pipefail; export {exported}; "


def _subject(config: Config) -> str:
    """Mathematics, unless the world or the words by which pages are selected say otherwise."""
    if config.corpus.selection.vocabulary is None:
        return "other"
    return config.sources.world


def thread_settings(threads: int) -> str:
    """Words before a command that give it so many threads, whatever its rule reserves.

    Snakemake sets the same variables to what the rule reserves.
    """
    names = (
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
    )
    return " ".join(f"{name}={threads}" for name in names)


def half_of_cores(cores: int, is_main_process: bool) -> int:
    """Threads of a rule that leaves room for another one: half of the cores that Snakemake was given.

    A job's own Snakemake on a cluster's node is given the job's cores alone, of which it must not take half
    again: it uses the number that the first one has worked out, which the environment hands on.
    """
    if is_main_process or HALF_OF_CORES not in os.environ:
        os.environ[HALF_OF_CORES] = str(max(1, cores // 2))
    return int(os.environ[HALF_OF_CORES])


def settings_file(config: Config, section: str, reruns: bool = True) -> str:
    """Write the settings of one stage ("rl", "corpus.classifier") for its jobs; the file's path.

    The name holds a digest of the values that decide the result, so that a change of one of them is
    another input, which reruns the stage; one of an `Incidental` setting is not. A file that a job
    reads is therefore never given other values, whatever another command (a dry run with an
    overlay, say) plans meanwhile.

    With `reruns` false the name is the section's alone: for what a stage only notes.
    """
    digest = fingerprint(_section(config, section).result_settings())
    path = SETTINGS / (f"{section}.{digest}.json" if reruns else f"{section}.json")
    _write_if_changed(path, stage_json(config, section))
    return str(path)


def write_settings(config: Config, results: str) -> None:
    """The same for people, as `<results>/config/<section>.json`: what a command by hand is given."""
    for section in SECTIONS:
        path = Path(results) / "config" / f"{section}.json"
        _write_if_changed(path, stage_json(config, section))


def stage_json(config: Config, section: str) -> str:
    """One section of the configuration as deterministic JSON."""
    values = _section(config, section).model_dump(mode="json")
    return json.dumps(values, sort_keys=True, ensure_ascii=False)


def _section(config: Config, dotted_name: str) -> Section:
    value: Section = config
    for name in dotted_name.split("."):
        value = getattr(value, name)
    return value


def _write_if_changed(path: Path, line: str) -> None:
    text = line + "\n"
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)


def load_config(
    overlay: dict, files: Iterable[str | Path], known_benchmarks: Collection[str]
) -> Config:
    """The typed configuration of a Snakemake run; on a mistake one line on stderr and exit status
    2.

    `files` are those of --configfile, which `overlay` holds already: of a key that stands twice in one Snakemake takes
    the last without a word.
    """
    try:
        for file in files:
            read_yaml(Path(file))
        config = load_preset(str(overlay.get("preset", "mini")), overlay)
        check_sources(config, known_benchmarks)
        check_own_code(config)
        check_tracker(config)
        return config
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


def check_sources(config: Config, known_benchmarks: Collection[str]) -> None:
    """Raise a UserError for the first of the user's own files that is not there, and for a name that the built-in
    world or the list of benchmarks does not know, before any job starts.

    WARC files are checked by corpus.archives.sources. Words with a colon ("hub:<id>") and Hub ids
    are the stage's.
    """
    for name, path in config.sources.benchmarks.items():
        if path == "hub" and name not in known_benchmarks:
            raise _unknown(
                f"sources.benchmarks.{name} = 'hub'", "benchmark", sorted(known_benchmarks)
            )
    for name, path in config.sources.heldout_text.items():
        there = WORLD_HELD_OUT[config.sources.world]
        if path == "mini" and name not in there:
            raise _unknown(f"sources.heldout_text.{name} = 'mini'", "held-out text", there)
    for name, part in config.pretrain.mixture.items():
        if part.path == "mini" and name not in WORLD_TEXTS:
            raise _unknown(f"pretrain.mixture.{name}.path = 'mini'", "text", WORLD_TEXTS)

    for name, path in _own_paths(config):
        if not Path(path).exists():
            raise UserError(
                f"{name} = {path!r}: no such file or folder; allowed: a path, or the word mini"
            )


def _unknown(setting: str, kind: str, known: Iterable[str]) -> UserError:
    return UserError(f"{setting}: no {kind} of that name; there are {', '.join(known)}")


def _own_paths(config: Config) -> Iterator[tuple[str, str]]:
    """The settings that name the user's own files, with their values, in the order in which they are checked."""
    sources = config.sources
    named: list[tuple[str, str | list[str] | None]] = [
        ("sources.earlier_crawls", sources.earlier_crawls),
        ("sources.seed_positives", sources.seed_positives),
        ("sources.url_annotations", sources.url_annotations),
        ("sources.solutions", sources.solutions),
        ("sources.problems", sources.problems),
        ("sources.ratings", sources.ratings),
    ]
    named += [
        (f"sources.benchmarks.{name}", path)
        for name, path in sources.benchmarks.items()
        if path != "hub"
    ]
    named += [(f"sources.heldout_text.{name}", path) for name, path in sources.heldout_text.items()]
    named += [
        (f"pretrain.mixture.{name}.path", part.path)
        for name, part in config.pretrain.mixture.items()
        if part.path != "corpus"
    ]
    # "owner/name" is a model of the Hub; only what can be nothing but a path is checked.
    if sources.coder.startswith(("/", "./", "../", "~")):
        named.append(("sources.coder", sources.coder))

    for setting, value in named:
        for path in value if isinstance(value, list) else [value]:
            if path is not None and path != "mini" and ":" not in path:
                yield setting, path


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


def check_tracker(config: Config) -> None:
    """Raise a UserError where the client library of the tracker is not installed."""
    tracker = config.tracking.tracker
    if tracker != "tensorboard" and importlib.util.find_spec(tracker) is None:
        raise UserError(missing(tracker))


def taken_stages(config: Config, results: str) -> Taken | None:
    """What the run takes from another one; on a mistake one line on stderr and exit status 2."""
    try:
        benchmarks = benchmark_files(config.sources.benchmarks, results)
        return taken_of(config, Path(results), benchmarks)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


def print_beginning(overlay: dict, config: Config, taken: Taken | None) -> None:
    """Say what a reader of the settings may not expect: the run's name, where nobody gave one, and what is taken from
    another run."""
    preset = Path(str(overlay.get("preset", "mini")))
    is_file = preset.suffix in (".yaml", ".yml")
    if is_file and config.name == name_of_file(preset) and "name" not in overlay:
        print(f"run {config.name}, in results/{config.name}/ (preset {preset})", file=sys.stderr)
    if taken is not None:
        print(*taken.lines(), sep="\n", file=sys.stderr)


def print_unseen_changes(
    config: Config, results: str, wanted: Collection[str], triggers: Iterable[Enum]
) -> None:
    """Say which finished stages were made with other settings, where Snakemake is told not to look at inputs.

    Args:
        wanted: the rules that the targets need.
        triggers: what Snakemake looks at when it decides whether a rule runs again.
    """
    if "INPUT" in {trigger.name for trigger in triggers}:
        return
    for change in unseen_changes(config, Path(results)):
        if change.rule in wanted:
            print(change.line(), file=sys.stderr)


def record_settings(config: Config, results: str) -> None:
    """Write the whole configuration beside what is made with it."""
    write_json(Path(results) / RECORD, config.model_dump(mode="json", by_alias=True))


def source(value: str | list[str], world_path: str) -> str | list[str]:
    """The path under the world's folder where `value` is the word "mini", else the user's own
    path(s)."""
    return world_path if value == "mini" else value


def listed(value: str | list[str] | None) -> list[str]:
    """A setting that may be one path, several or none, as a list."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)


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

    report.append(f"again   {again()}")
    report.append("        what is finished stays; a training goes on from its last checkpoint")
    print(*report, sep="\n", file=sys.stderr)


def again() -> str:
    """This run of Snakemake as a command that can be pasted into the shell that it was started from."""
    program, *arguments = sys.argv

    if Path(program).name == "__main__.py":
        words = [_as_typed(sys.executable), "-m", "snakemake"]
    else:
        words = [_as_typed(program)]
    return shlex.join([*words, *arguments])


def _as_typed(program: str) -> str:
    """A program's name where the shell finds this very file by it, else its path."""
    name = Path(program).name
    found = shutil.which(name)
    is_found = found is not None and os.path.realpath(found) == os.path.realpath(program)
    return name if is_found else program


def _text_of(path: str) -> str:
    """The text of a log; empty where there is none."""
    return Path(path).read_text(encoding="utf-8", errors="replace") if Path(path).is_file() else ""
