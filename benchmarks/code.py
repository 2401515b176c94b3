"""How dense the code is, and how much of it is comments and blank lines, for each package and over all files.

    python -m benchmarks.code                     the product's packages
    python -m benchmarks.code corpus eval/grading --worst 10

nodes      syntax nodes for each line of function bodies (without docstrings and blank lines), median over files
comments   share of lines that hold only a comment, of all lines that are not blank
blank      share of blank lines, of all lines of function bodies
ignores    `# type: ignore` comments
"""

import argparse
import ast
import statistics
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("pipeline", "corpus", "eval", "mini", "pretrain", "sft", "rl")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Reading:
    """Counts of one file."""

    path: Path
    nodes: int
    body_lines: int
    blank_body_lines: int
    lines: int
    comment_lines: int
    ignores: int

    @property
    def density(self) -> float:
        """Syntax nodes for each line of its function bodies."""
        return self.nodes / max(1, self.body_lines)


def read(path: Path) -> Reading:
    """Count what one file holds."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    nodes = body_lines = blank = 0

    for function in _outermost_functions(ast.parse(text)):
        body = function.body[1:] if ast.get_docstring(function) else function.body
        if not body:
            continue

        # The end line is the last one of the body, blank lines inside included.
        span = lines[body[0].lineno - 1 : function.end_lineno]
        nodes += sum(1 for statement in body for _ in ast.walk(statement))
        body_lines += sum(bool(line.strip()) for line in span)
        blank += sum(not line.strip() for line in span)

    return Reading(
        path=path,
        nodes=nodes,
        body_lines=body_lines,
        blank_body_lines=blank,
        lines=sum(bool(line.strip()) for line in lines),
        comment_lines=sum(line.lstrip().startswith("#") for line in lines),
        ignores=text.count("# type: ignore"),
    )


def _outermost_functions(node: ast.AST) -> list[Function]:
    """Functions and methods that are not inside another function: its body holds the inner ones already."""
    found: list[Function] = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            found.append(child)
        else:
            found += _outermost_functions(child)
    return found


def row(name: str, readings: list[Reading]) -> str:
    """One line of the table."""
    dense = [reading.density for reading in readings if reading.body_lines]
    lines = sum(reading.lines for reading in readings)
    bodies = sum(reading.body_lines + reading.blank_body_lines for reading in readings)

    comments = sum(reading.comment_lines for reading in readings) / max(1, lines)
    blank = sum(reading.blank_body_lines for reading in readings) / max(1, bodies)
    nodes = statistics.median(dense) if dense else 0.0
    ignores = sum(reading.ignores for reading in readings)

    return f"{name:24} {len(readings):5} {lines:7} {nodes:7.1f} {comments:9.1%} {blank:7.1%} {ignores:8}"


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", default=list(PACKAGES), metavar="FOLDER")
    parser.add_argument("--worst", type=int, default=0, help="also list the N densest files")
    args = parser.parse_args(argv)

    print(
        f"{'':24} {'files':>5} {'lines':>7} {'nodes':>7} {'comments':>9} {'blank':>7} {'ignores':>8}"
    )
    every: list[Reading] = []
    for folder in args.folders:
        readings = [read(path) for path in sorted((ROOT / folder).rglob("*.py"))]
        print(row(folder, readings))
        every += readings
    print(row("all", every))

    for reading in sorted(every, key=lambda one: -one.density)[: args.worst]:
        print(f"{reading.density:6.1f}  {reading.path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
