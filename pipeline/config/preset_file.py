"""Read a preset's YAML: a mapping of settings, no larger and no deeper than settings are, each key once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import UserError

MOST_BYTES = 1_000_000
DEEPEST = 30
MOST_VALUES = 100_000
"""Bounds of a preset. Aliases count as often as they are used: a few lines of them can stand for billions of values."""


def read_yaml(path: Path) -> dict[str, Any]:
    """The settings in a YAML file; a UserError names the file, the line where there is one, and what is wrong."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UserError(f"{path}: larger than settings are ({MOST_BYTES:,} bytes at most)")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise UserError(f"{path}: cannot be read ({reason})") from None

    try:
        _check_depth(path, text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is None:
            return {}
        _check_values(path, node)
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not YAML ({' '.join(str(error).split())})") from None

    if not isinstance(values, dict):
        raise UserError(f"{path}: expected a mapping of settings, found {type(values).__name__}")
    return values


def _check_depth(path: Path, text: str) -> None:
    """Events come one after another, so that no depth can exhaust the stack here."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise UserError(f"{path}, line {line}: nested deeper than {DEEPEST} levels")


def _check_values(path: Path, root: yaml.Node) -> None:
    """Refuse a key that stands twice in a mapping, and more values than settings have."""
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()

    def size(node: yaml.Node) -> int:
        """Values below a node, aliases written out."""
        if id(node) in sizes:
            return sizes[id(node)]
        if id(node) in open_nodes:
            raise UserError(
                f"{path}, line {node.start_mark.line + 1}: an alias that contains itself"
            )

        open_nodes.add(id(node))
        sizes[id(node)] = 1 + sum(size(child) for child in _children(path, node))
        open_nodes.remove(id(node))
        return sizes[id(node)]

    if size(root) > MOST_VALUES:
        raise UserError(f"{path}: more than {MOST_VALUES:,} values, its aliases written out")


def _children(path: Path, node: yaml.Node) -> Iterator[yaml.Node]:
    """The values of a collection; a UserError where a mapping has a key twice."""
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    if not isinstance(node, yaml.MappingNode):
        return

    seen: dict[str, int] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        # A key that is no plain word is refused later, as an unknown one.
        if isinstance(key, yaml.ScalarNode):
            if key.value in seen:
                raise UserError(
                    f"{path}, line {line}: {key.value} stands twice, in line {seen[key.value]} already"
                )
            seen[key.value] = line
        yield value
