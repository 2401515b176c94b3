r"""miniF2F: build a theory from a model's proof and have Isabelle check it, where Isabelle is installed.

A problem's gold is the theory up to and with the theorem; the model writes the proof. `sledgehammer` in a sketch
stands for a step that automation must close: it becomes the chain of methods of the public evaluation (auto, simp,
blast, fastforce, force, eval, presburger, sos, arith, linarith, auto with field_simps). What the public evaluation
does in the end, calling the hammer itself through a server, is not done. `sorry`, `oops` and axioms are refused.

Without Isabelle every proof has the status "not_run": an unchecked proof is neither right nor wrong.
"""

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline.artifacts.records import Problem

# The chain that takes the place of `sledgehammer`, in the public evaluation's order
METHODS = "auto simp blast fastforce force eval presburger sos arith linarith".split()
# What proves anything, reads or runs something else, or leaves the theory before its end
_FORBIDDEN = re.compile(
    r"\b(?:sorry|oops|axiomatization|axioms|oracle|ML|ML_file|ML_val|setup|local_setup|method_setup|theory|end)\b"
    r"|\b(?:code_printing|export_code|external_file|attribute_setup|declaration|value|quick_and_dirty)\b"
)
_COMMENT = re.compile(r"\(\*.*?\*\)", re.S)


class ProofChecker(Protocol):
    """What checks a theory: Isabelle, or a stand-in in tests."""

    def check(self, theory: str, name: str) -> str:
        """Status of a theory: proved, failed or timeout."""
        ...


@dataclass(frozen=True, slots=True)
class IsabelleChecker:
    """Checks a theory with the command `isabelle process`; `seconds` of wall time a proof."""

    command: str = "isabelle"
    logic: str = "HOL"
    seconds: float = 120.0

    def check(self, theory: str, name: str) -> str:
        """proved, failed or timeout; the theory's file must have its name."""
        with tempfile.TemporaryDirectory(prefix="isabelle-") as folder:
            (Path(folder) / f"{name}.thy").write_text(theory, "utf-8")

            command = [self.command, "process"]
            command += ["-d", folder, "-l", self.logic, "-T", f"{folder}/{name}"]
            try:
                done = subprocess.run(
                    command, capture_output=True, timeout=self.seconds, cwd=folder
                )
            except subprocess.TimeoutExpired:
                return "timeout"
        return "proved" if done.returncode == 0 else "failed"


def installed_checker() -> ProofChecker | None:
    """The checker of this machine, None where Isabelle is not installed."""
    command = shutil.which("isabelle")
    return IsabelleChecker(command) if command else None


def proof_text(output: str) -> str:
    """The proof in a model's completion: from the first `proof`, `by`, `using`, `unfolding` or `apply` on, without
    what follows the theorem."""
    # A base model goes on with the next problem, which begins with "Informal:".
    text = output.partition("Informal:")[0]
    fenced = re.search(r"```(?:isabelle)?\s*\n(.*?)(?:```|\Z)", text, re.S)
    if fenced:
        text = fenced[1]

    start = re.search(r"^\s*(?:proof|by|using|unfolding|apply)\b", text, re.M)
    return text[start.start() :].strip() if start else ""


def theory_of(problem: Problem, output: str) -> str | None:
    """The whole theory to check, None when there is no proof or it uses what proves anything."""
    proof = proof_text(output)
    if not proof or _FORBIDDEN.search(_COMMENT.sub(" ", proof)):
        return None

    # "; fail": a method that leaves goals open does not count, and the next one is tried.
    closing = " | ".join(f"({method}; fail)" for method in METHODS)
    hammer = f"by ({closing} | (auto simp: field_simps; fail))"
    proof = re.sub(r"\bsledgehammer\b", hammer, proof)
    return f"{problem.answer.rstrip()}\n{proof}\n\nend\n"


def check_proof(checker: ProofChecker | None, problem: Problem, output: str) -> str:
    """Status of a model's proof: proved, failed, timeout, no_answer or not_run."""
    theory = theory_of(problem, output)
    if theory is None:
        return "no_answer"
    if checker is None:
        return "not_run"

    named = re.search(r"^theory\s+(\w+)", problem.answer, re.M)
    return checker.check(theory, named[1] if named else "Scratch")
