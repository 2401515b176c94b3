"""The digest of a program's code and data, which a rule carries so that a change of either reruns
it.

Snakemake sees neither the modules that a job imports nor the word lists and templates that these
read. A module names the data files that it reads, relative to its own folder and with wildcards
where it likes:

    DATA_FILES = ("glossary.yaml",)
"""

import ast
import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DECLARATION = "DATA_FILES"


class UnknownModule(LookupError):
    """A name that leads to no file: a rule or an import that was not renamed with its module."""


@cache
def code_digest(*modules: str) -> str:
    """Digest (16 hex characters) of `modules`, of all modules of this repository that they import,
    and of their data.

    Modules count by their syntax tree: comments and layout change nothing. The digest depends on
    the Python minor version (`ast.dump`). A user's own modules are found in the working folder and
    on `sys.path`.

    Raises UnknownModule for a name, given or imported from one of this repository's packages, that
    leads to no file.
    """
    for name in modules:
        if module_path(name) is None:
            raise UnknownModule(
                f"no module {name!r} in {ROOT.name}/, the working folder or the installed packages"
            )

    files: dict[str, bytes] = {}
    waiting = list(modules)
    visited: set[str] = set()

    while waiting:
        name = waiting.pop()
        if name in visited:
            continue
        visited.add(name)

        path = module_path(name)
        # An imported name that is no module but a function or class of one.
        if path is None:
            continue

        module = _parsed(path, path.read_text(encoding="utf-8"))
        files[name] = module.syntax
        for data in declared_data(module.tree, path):
            files[f"{name}:{data.relative_to(path.parent)}"] = data.read_bytes()
        waiting += _own_imports(module, path)
        waiting += _parents(name)

    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(name.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class _Import:
    """One import statement: its line, the modules that it names, and what may be modules in
    them."""

    line: int
    modules: list[str]
    members: list[str]


@dataclass(frozen=True, slots=True)
class _Module:
    """What a digest needs of a file's text."""

    tree: ast.Module
    syntax: bytes
    imports: list[_Import]


@cache
def _parsed(path: Path, text: str) -> _Module:
    """The syntax tree of a module; each file is parsed once, though most programs import it."""
    tree = ast.parse(text, filename=str(path))
    return _Module(tree, ast.dump(tree).encode(), list(_imports(tree)))


def _imports(tree: ast.Module) -> Iterator[_Import]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=aliases):
                yield _Import(node.lineno, [alias.name for alias in aliases], [])
            case ast.ImportFrom(module=str(module), names=aliases, level=0):
                # Each imported name may be a module or something that the module defines.
                members = [f"{module}.{alias.name}" for alias in aliases]
                yield _Import(node.lineno, [module], members)


def module_path(name: str) -> Path | None:
    """The file of a module or package: this repository's first, then the working folder's, then an
    installed one."""
    relative = Path(*name.split("."))
    # What belongs to this repository is nowhere else; that spares a search for every imported name.
    folders = [ROOT] if _is_own(name) else [ROOT, Path.cwd(), *map(Path, sys.path)]
    for folder in folders:
        for path in (folder / relative.with_suffix(".py"), folder / relative / "__init__.py"):
            if path.is_file():
                return path
    return None


def declared_data(tree: ast.Module, path: Path) -> list[Path]:
    """The files that a module names in `DATA_FILES = (…)`, each pattern relative to the module's
    folder.

    Raises FileNotFoundError for a pattern that leads to no file.
    """
    found: list[Path] = []
    for statement in tree.body:
        if not isinstance(statement, ast.Assign) or not _assigns(statement, DECLARATION):
            continue
        for pattern in ast.literal_eval(statement.value):
            matches = sorted(path.parent.glob(pattern))
            if not matches:
                raise FileNotFoundError(
                    f"{path}: {DECLARATION} names {pattern!r}, and there is no such file"
                )
            found += matches
    return found


def _assigns(statement: ast.Assign, name: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == name for target in statement.targets)


def _parents(name: str) -> list[str]:
    """The packages that are imported on the way to a module of this repository: "a.b" and "a" for
    "a.b.c"."""
    if not _is_own(name):
        return []
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


def _is_own(name: str) -> bool:
    """Whether a dotted name belongs to one of this repository's packages."""
    return (ROOT / name.partition(".")[0] / "__init__.py").is_file()


def _own_imports(module: _Module, path: Path) -> Iterator[str]:
    """The modules that a file imports from this repository's packages, or from its own folder.

    Raises UnknownModule where a package of this repository holds no such module.
    """
    for statement in module.imports:
        for name in statement.modules:
            if _is_own(name) and module_path(name) is None:
                raise UnknownModule(
                    f"{path}, line {statement.line}: imports {name!r}, and there is no such module"
                )
        for name in statement.modules + statement.members:
            if _is_own(name) or _lies_beside(name, path):
                yield name


def _lies_beside(name: str, path: Path) -> bool:
    """Whether a script that is in no package, such as a user's own reward, imports its
    neighbour."""
    in_package = (path.parent / "__init__.py").is_file()
    return not in_package and (path.parent / Path(*name.split("."))).with_suffix(".py").is_file()
