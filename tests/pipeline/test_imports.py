"""How the house is built: imports go one way and in no circle, data files are declared, no folder is crowded."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.artifacts.code_digest import declared_data

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = {
    "pipeline": {"pipeline"},
    "corpus": {"corpus", "pipeline"},
    "pretrain": {"pretrain", "pipeline"},
    "eval": {"eval", "pipeline"},
    "sft": {"sft", "eval", "pipeline"},
    "rl": {"rl", "eval", "pipeline"},
    "mini": {"mini", "pipeline"},
    "findings": {"findings", "mini", "corpus", "eval", "pipeline"},
}
"""pipeline <- eval <- {sft, rl}; corpus, pretrain and mini import pipeline only; findings read what they made."""
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path
    for folder in ALLOWED
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path.name != "__init__.py"
}
LARGEST_FOLDER = 20


def imported(nodes: Iterator[ast.AST]) -> set[str]:
    """Dotted names of what import statements name: a module, or something in it."""
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def at_import(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """The statements that run when a module is imported; those for the type checker do not."""
    for statement in body:
        yield statement
        for block in ("body", "orelse", "finalbody", "handlers"):
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
                continue
            yield from at_import(getattr(statement, block, []))


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@pytest.mark.parametrize("folder", ALLOWED)
def test_a_folder_imports_only_what_stands_below_it(folder):
    wrong = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        folders = {name.partition(".")[0] for name in imported(ast.walk(tree_of(path)))}
        extra = folders & set(ALLOWED) - ALLOWED[folder]
        if extra:
            wrong[str(path.relative_to(ROOT))] = sorted(extra)
    assert not wrong


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Circles in a graph, at least one in each group of nodes that lead to one another."""
    found: list[list[str]] = []
    done: set[str] = set()

    def visit(node: str, path: list[str]) -> None:
        if node in path:
            found.append([*path[path.index(node) :], node])
        elif node not in done:
            for following in sorted(graph[node]):
                visit(following, [*path, node])
            done.add(node)

    for node in graph:
        visit(node, [])
    return found


def test_circles_are_found():
    assert circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == [["b", "c", "b"]]


def test_an_import_is_seen_where_it_runs_and_not_in_a_function():
    code = (
        "import a\ntry:\n    import b\nexcept E:\n    import c\nif TYPE_CHECKING:\n    import d\n"
    )
    code += "def f():\n    import e\nclass K:\n    import g\n"
    assert imported(at_import(ast.parse(code).body)) == {"a", "b", "c", "g"}


def test_no_modules_import_one_another_in_a_circle():
    graph = {
        name: imported(at_import(tree_of(path).body)) & set(MODULES) - {name}
        for name, path in MODULES.items()
    }
    assert circles(graph) == []


def test_every_data_file_is_declared_by_the_module_that_reads_it():
    """Only declared files enter the code digest, by which a change of theirs reruns the rules that read them."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *ALLOWED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    data = {
        ROOT / name
        for name in listed
        if not name.endswith((".py", "rules.smk")) and (ROOT / name).is_file()
    }

    declared: set[Path] = set()
    for path in MODULES.values():
        declared |= {file.resolve() for file in declared_data(tree_of(path), path)}
    assert data == declared & data, sorted(str(path) for path in data - declared)


def test_no_folder_holds_more_modules_than_a_reader_takes_in():
    sizes: dict[Path, int] = {}
    for path in MODULES.values():
        sizes[path.parent] = sizes.get(path.parent, 0) + 1
    crowded = {
        str(folder.relative_to(ROOT)): n for folder, n in sizes.items() if n > LARGEST_FOLDER
    }
    assert not crowded


def test_no_program_of_the_corpus_stage_loads_torch():
    modules = [name for name in MODULES if name.startswith("corpus.")]
    code = f"import sys, importlib\nfor m in {modules}: importlib.import_module(m)\nprint('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_every_code_folder_is_a_package_and_tests_are_not():
    folders = {path.parent for path in MODULES.values()}
    assert all((folder / "__init__.py").is_file() for folder in folders)
    assert not (ROOT / "tests" / "__init__.py").exists(), (
        "tests/eval/ would shadow the package eval"
    )
