"""What the Snakefile and the rules need: the typed configuration, jobs' environment, and code digests."""

import ast
import hashlib
import json
import re
import shlex
import sys
from functools import cache
from pathlib import Path

from pipeline.progress import TERMINAL_VARIABLE

ROOT = Path(__file__).resolve().parent.parent


def shell_prefix() -> str:
    """Jobs run under this very interpreter, import from this repository, and stop at the first error.

    Setting a prefix switches Snakemake's strict mode off, so the prefix puts it back. OpenMP threads that wait
    must sleep: spinning ones stall for minutes when the cores are shared with another process.
    """
    binaries = shlex.quote(str(Path(sys.executable).parent))
    return (
        f"set -euo pipefail; export PATH={binaries}:$PATH PYTHONPATH={shlex.quote(str(ROOT))} "
        "OMP_WAIT_POLICY=PASSIVE TOKENIZERS_PARALLELISM=false HF_HUB_DISABLE_TELEMETRY=1 PYTHONUNBUFFERED=1 "
        f"{TERMINAL_VARIABLE}={'1' if sys.stderr.isatty() else ''}; "
    )


def stage_json(config, section: str) -> str:
    """One section of the configuration ("rl", "corpus.classifier") as deterministic JSON."""
    value = config
    for name in section.split("."):
        value = getattr(value, name)
    return json.dumps(value.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)


@cache
def code_digest(*modules: str) -> str:
    """Digest of the syntax trees of `modules` and of every module of this repository that they import.

    Snakemake does not see changes in imported modules; a rule carries this digest in its params instead.
    Comments and layout change nothing. The digest depends on the Python minor version (`ast.dump`).
    """
    seen: dict[str, str] = {}
    queue = list(modules)
    while queue:
        name = queue.pop()
        path = _module_path(name)
        if path is None or name in seen:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        seen[name] = ast.dump(tree)
        queue.extend(_imports(tree))
    digest = hashlib.sha256()
    for name in sorted(seen):
        digest.update(f"{name}\0{seen[name]}\0".encode())
    return digest.hexdigest()[:16]


def _module_path(name: str) -> Path | None:
    base = ROOT.joinpath(*name.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def _imports(tree: ast.AST) -> list[str]:
    """Names that may be modules of ours: `import a.b`, `from a import b` (b may be a module or an attribute)."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names += [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def load_config(overlay: dict):
    """The typed configuration of a Snakemake run; on a mistake one line on stderr and exit status 2."""
    from pipeline.config import load_preset
    from pipeline.errors import UserError

    try:
        config = load_preset(str(overlay.get("preset", "mini")), overlay)
        check_sources(config)
        return config
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


def check_sources(config) -> None:
    """Raise a UserError for the first of the user's own files that is not there, before any job starts.

    WARC files are checked by corpus.sources. Words with a colon ("hub:<id>") and Hub ids are left to the stage.
    """
    from pipeline.errors import UserError

    sources = config.sources
    paths = [("seed_positives", sources.seed_positives), ("url_annotations", sources.url_annotations)]
    for name in ("solutions", "problems"):
        value = getattr(sources, name)
        paths += [(name, path) for path in (value if isinstance(value, list) else [value])]
    paths += [(f"benchmarks.{name}", path) for name, path in sources.benchmarks.items() if path != "hub"]
    paths += [(f"heldout_text.{name}", path) for name, path in sources.heldout_text.items()]
    if sources.coder.startswith(("/", "./", "../", "~")):
        paths.append(("coder", sources.coder))
    for name, path in paths:
        if path is not None and path != "mini" and ":" not in path and not Path(path).exists():
            raise UserError(f"sources.{name} = {path!r}: no such file or folder; allowed: a path, or the word mini")


def source(value: str | list[str], world_path: str) -> str | list[str]:
    """The path under the world's folder where `value` is the word "mini", else the user's own path(s)."""
    return world_path if value == "mini" else value


def benchmark_files(benchmarks: dict[str, str], results: str) -> dict[str, str]:
    """Each benchmark's file: the world's own ("mini"), one that a job fetches ("hub"), or the user's."""
    made = {"mini": f"{results}/world/problems/test.jsonl"}
    return {
        name: f"{results}/fetched/{name}.jsonl" if path == "hub" else made.get(path, path)
        for name, path in benchmarks.items()
    }


def print_failure(snakemake_logs: str | list[str], results: str) -> None:
    """After a failed run: the last lines of each failed job's log, and the command that goes on from there."""
    paths = [snakemake_logs] if isinstance(snakemake_logs, str) else snakemake_logs
    text = "".join(_lines(path) for path in paths)
    failed = re.findall(r"^Error in rule (\w+):\n(?:    .*\n)*?    log: (\S+)", text, re.M)
    report = [""]
    for rule, log in dict.fromkeys(failed):
        report += [f"failed  {rule}: {log} ends with", *(f"        {line}" for line in _lines(log).splitlines()[-5:])]
    if not failed:
        report.append(f"failed  the jobs' logs lie in {results}/logs/")
    report.append(f"again   {shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])}")
    report.append("        what is finished stays; a training goes on from its last checkpoint")
    print(*report, sep="\n", file=sys.stderr)


def _lines(path: str) -> str:
    return Path(path).read_text(encoding="utf-8", errors="replace") if Path(path).is_file() else ""
