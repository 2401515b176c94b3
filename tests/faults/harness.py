"""Faults thrown at every command of a small run; whatever is thrown, nothing may be wrong in silence.

    python -m tests.faults.harness --results FOLDER --faults 500

FOLDER is the working folder of a finished run of preset smoke (it is copied). Each command is run undisturbed, then
again and again with one fault of these kinds:

    kill        SIGKILL at a random moment, then the same command again
    full        no file may grow beyond a random size, as on a full disk; then the same command again
    cut         an input ends early
    flip        a bit of an input is another
    checkpoint  SIGKILL after a checkpoint, which is then cut or flipped; then the same command again

The property: in the end all files that equal runs write alike are byte-equal to those of the undisturbed command, or
the command failed with one line. Pages that a damaged archive loses are counted as rejects. Commands run in forks of
this process, which has imported them. No source file may change meanwhile: manifests name the digest of the code.
Prints a table, and a line for every fault that broke the property.
"""

import argparse
import importlib
import os
import random
import resource
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import run_main
from tests.faults.commands import SIDE_FOLDERS, Step, is_result, planned_steps

KINDS = ("kill", "full", "cut", "flip", "checkpoint")
LONGEST = 300.0
"""Seconds after which a command counts as hanging."""


@dataclass(frozen=True)
class Outcome:
    """What became of a command: its status and what it said."""

    status: int
    said: str

    @property
    def is_one_line(self) -> bool:
        """Whether it failed and said so as a person can read it."""
        last = (self.said.strip().splitlines() or [""])[-1]
        return self.status > 0 and "Traceback" not in self.said and last.startswith("error: ")


class Harness:
    """A copy of a run in `folder`, and the faults that are thrown at its commands."""

    def __init__(self, run: Path, folder: Path, seed: int):
        self.folder, self.clean = folder / "run", folder / "clean"
        shutil.copytree(run / "results" / "smoke", self.folder / "results" / "smoke")
        self.random = random.Random(seed)
        self.counts: Counter[tuple[str, str, str]] = Counter()
        self.broken: list[str] = []

    def prepare(self, wanted: list[str]) -> list[Step]:
        """Plan the commands (of the wanted modules, or all) and run each once, undisturbed."""
        steps = [step for step in planned_steps(self.folder) if not wanted or step.module in wanted]
        for step in steps:
            importlib.import_module(step.module)
        for side in SIDE_FOLDERS[1:3]:
            shutil.rmtree(self.folder / "results" / "smoke" / side, ignore_errors=True)

        for step in steps:
            self.run_undisturbed(step)
        shutil.copytree(self.folder / "results", self.clean / "results")
        return steps

    def run_undisturbed(self, step: Step) -> None:
        """Twice, for files that differ between equal runs hold speeds or times and are not compared."""
        before = self.stamps()
        outcome = self.attempt(step)
        if outcome.status:
            raise RuntimeError(f"{step.module}: {outcome.said[-2000:]}")
        written = [path for path, stamp in self.stamps().items() if before.get(path) != stamp]
        first = {path: (self.folder / path).read_bytes() for path in written}

        step.outputs = first
        self.remove_outputs(step)
        begin = time.perf_counter()
        self.attempt(step)
        step.seconds = time.perf_counter() - begin
        step.outputs = {p: c for p, c in first.items() if (self.folder / p).read_bytes() == c}

    def stamps(self) -> dict[Path, tuple[int, int, int]]:
        files = [path for path in (self.folder / "results").rglob("*") if path.is_file()]
        results = [path for path in files if is_result(path, self.folder)]
        return {path.relative_to(self.folder): stamp_of(path) for path in results}

    def attempt(
        self,
        step: Step,
        before: Callable[[], None] | None = None,
        kill: Callable[[], bool] | None = None,
    ) -> Outcome:
        """Run a command in a fork; `before` is called in it, and it is killed as soon as `kill` says so."""
        said = self.folder / "said.txt"
        sys.stdout.flush()
        child = os.fork()
        if not child:
            self.become(step, said, before)

        begin, waited = time.monotonic(), 0
        status = 0
        while not waited:
            waited, status = os.waitpid(child, os.WNOHANG)
            is_late = time.monotonic() - begin > LONGEST
            if not waited and (is_late or (kill is not None and kill())):
                os.killpg(child, signal.SIGKILL)
                waited, status = os.waitpid(child, 0)
            time.sleep(0.002)
        text = said.read_text(errors="replace") if said.exists() else ""
        return Outcome(os.waitstatus_to_exitcode(status), text)

    def become(self, step: Step, said: Path, before: Callable[[], None] | None) -> None:
        """Be the command, in the child, until the process ends."""
        code = 1
        try:
            os.setpgid(0, 0)
            os.chdir(self.folder)
            handle = os.open(said, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o644)
            os.dup2(handle, 1)
            os.dup2(handle, 2)
            sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
            sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
            if before is not None:
                before()
            module = importlib.import_module(step.module)
            sys.argv = [step.module, *step.arguments]
            run_main(module.main, step.arguments)
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(code)

    def restore(self, step: Step) -> None:
        """The state before the command: clean inputs, no outputs, nothing to resume."""
        clean = {file.relative_to(self.clean) for file in self.clean.rglob("*") if file.is_file()}
        for inside in clean:
            here, there = self.folder / inside, self.clean / inside
            if not here.is_file() or stamp_of(here)[1:] != stamp_of(there)[1:]:
                here.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(there, here)
        for file in (self.folder / "results").rglob("*"):
            if file.is_file() and file.relative_to(self.folder) not in clean:
                file.unlink()

        self.remove_outputs(step)
        shutil.rmtree(self.folder / "results" / "smoke" / "resume", ignore_errors=True)

    def remove_outputs(self, step: Step) -> None:
        """As Snakemake does before a job. A folder that is an output goes with all that is in it."""
        if "--out" in step.arguments:
            out = self.folder / step.arguments[step.arguments.index("--out") + 1]
            # A world's folder holds other commands' files too.
            if (out / "manifest.json").exists():
                shutil.rmtree(out)
        for path in step.outputs:
            (self.folder / path).unlink(missing_ok=True)

    def throw(self, step: Step, kind: str) -> None:
        """One fault; its result is counted."""
        self.restore(step)
        what, outcome = getattr(self, f"_{kind}")(step)
        if outcome is None:
            return
        result = self.judge(step, outcome)
        self.counts[step.name, kind, result] += 1
        if result in ("SILENT", "UNREADABLE"):
            last = (outcome.said.strip().splitlines() or [""])[-1][:200]
            self.broken.append(
                f"{result} {step.name} {kind} {what}: status {outcome.status} {last}"
            )
            print(self.broken[-1], flush=True)

    def judge(self, step: Step, outcome: Outcome) -> str:
        if outcome.is_one_line:
            return "one line"
        if outcome.status:
            return "UNREADABLE"
        differing = [
            path
            for path, content in step.outputs.items()
            if not (self.folder / path).is_file() or (self.folder / path).read_bytes() != content
        ]
        if not differing:
            return "equal"
        # Archives come from outside, without digests: what they lost is a reject with its reason, or a warning.
        is_counted = any("rejects" in path.parts for path in differing)
        if step.module == "corpus.extract" and (is_counted or "warning: " in outcome.said):
            return "counted"
        return "SILENT"

    def _kill(self, step: Step) -> tuple[str, Outcome | None]:
        moment = time.monotonic() + self.random.uniform(0, step.seconds)
        self.attempt(step, kill=lambda: time.monotonic() > moment)
        return "", self.attempt(step)

    def _full(self, step: Step) -> tuple[str, Outcome | None]:
        largest = max((len(content) for content in step.outputs.values()), default=1)
        limit = int(largest ** self.random.uniform(0.3, 1))

        def limit_files() -> None:
            # The log may grow: on a full disk it would be lost, not the cause of an error.
            resource.setrlimit(resource.RLIMIT_FSIZE, (max(limit, 2_000), max(limit, 2_000)))

        first = self.attempt(step, before=limit_files)
        if self.judge(step, first) in ("SILENT", "UNREADABLE"):
            return f"of {limit} bytes", first
        return f"of {limit} bytes, again", self.attempt(step)

    def _cut(self, step: Step) -> tuple[str, Outcome | None]:
        file = self.an_input(step)
        if file is None:
            return "", None
        content = file.read_bytes()
        place = self.random.randrange(len(content))
        file.write_bytes(content[:place])
        return f"{file.relative_to(self.folder)} at {place}", self.attempt(step)

    def _flip(self, step: Step) -> tuple[str, Outcome | None]:
        file = self.an_input(step)
        if file is None:
            return "", None
        return self.flip(file), self.attempt(step)

    def _checkpoint(self, step: Step) -> tuple[str, Outcome | None]:
        if step.resume is None:
            return "", None
        state = self.folder / step.resume
        wanted = self.random.randint(1, 3)
        self.attempt(step, kill=lambda: len(checkpoints(state)) >= min(wanted, 2))
        found = checkpoints(state)
        if not found:
            return "", None
        file = self.random.choice(found)
        if self.random.random() < 0.5:
            what = self.flip(file)
        else:
            os.truncate(file, self.random.randrange(file.stat().st_size))
            what = f"{file.name} cut"
        return what, self.attempt(step)

    def an_input(self, step: Step) -> Path | None:
        # Cards are for people to write in.
        files = [file for file in step.inputs(self.folder) if file.name != "README.md"]
        return self.random.choice(files) if files else None

    def flip(self, file: Path) -> str:
        content = bytearray(file.read_bytes())
        place = self.random.randrange(len(content))
        content[place] ^= 1 << self.random.randrange(8)
        file.write_bytes(content)
        return f"{file.relative_to(self.folder)} at byte {place}"


def stamp_of(file: Path) -> tuple[int, int, int]:
    """What changes when a file is written: the file itself, its date, its size."""
    status = file.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size


def checkpoints(state: Path) -> list[Path]:
    """Whole files of resumable state, without the mark of the run."""
    files = [path for path in state.rglob("*") if path.is_file() and not path.name.startswith(".")]
    return sorted(
        f for f in files if f.name not in ("fingerprint", "metrics.jsonl") and f.stat().st_size
    )


def table(counts: Counter[tuple[str, str, str]]) -> str:
    """The counts in Markdown: a line a kind, and one a command."""
    results = ("equal", "one line", "counted", "UNREADABLE", "SILENT")
    lines = ["| | faults | equal | one line | counted | unreadable | silent |", "|---" * 7 + "|"]
    for place in (1, 0):
        for name in sorted({key[place] for key in counts}):
            found = [
                sum(n for key, n in counts.items() if key[place] == name and key[2] == result)
                for result in results
            ]
            lines.append(f"| {name} | {sum(found)} | {' | '.join(map(str, found))} |")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, required=True, help="working folder of a smoke run")
    parser.add_argument("--work", type=Path, required=True, help="empty folder for the copies")
    parser.add_argument("--faults", type=int, default=500)
    parser.add_argument("--seconds", type=float, help="stop after so long, whatever is left")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", nargs="*", default=[], help="modules; default: all")
    parser.add_argument("--kinds", nargs="*", default=KINDS, choices=KINDS)
    args = parser.parse_args(argv)

    harness = Harness(args.results.resolve(), args.work.resolve(), args.seed)
    steps = harness.prepare(args.steps)
    begin = time.monotonic()
    chosen = random.Random(args.seed + 1)
    while sum(harness.counts.values()) < args.faults:
        if args.seconds and time.monotonic() - begin > args.seconds:
            break
        harness.throw(chosen.choice(steps), chosen.choice(args.kinds))

    print(table(harness.counts))
    print(f"{sum(harness.counts.values())} faults, {len(harness.broken)} broke the property")
    return 1 if harness.broken else 0


if __name__ == "__main__":
    sys.exit(main())
