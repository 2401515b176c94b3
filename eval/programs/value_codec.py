"""Plain Python values as JSON and back: what a function under test takes and returns, from one process to another.

`packed(value)` is a tagged list that json can write, `unpacked(data)` the value. Numbers, text, bytes and the builtin
collections come back equal to themselves; another iterable (a generator, dict_keys) as something that can be
iterated and equals nothing; everything else as something that equals nothing. Nothing is executed. The source of this
module is part of the programs of eval.programs.isolated_tests; it imports nothing of the project.
"""

import itertools
from collections.abc import Iterator
from typing import Any

_MOST_ITEMS = 100_000  # of an iterable, which may be endless

# The more special first: True is an int as well.
_SCALARS = (bool, int, float, complex, str)
_COLLECTIONS: tuple[Any, ...] = (list, tuple, set, frozenset)


class NotPlain(Exception):
    """An argument that cannot be handed to another process."""


class Opaque:
    """A value of a kind that is not handed over. It equals nothing, itself included, and has no hash."""

    def __init__(self, items: list[Any] | None = None) -> None:
        self.items = items

    def __eq__(self, other: object) -> bool:
        return False

    def __iter__(self) -> Iterator[Any]:
        if self.items is None:
            raise TypeError("not iterable")
        return iter(self.items)


def packed(value: Any, strict: bool = False) -> list[Any]:
    """A value as a list of its kind and its content. `strict`: NotPlain instead of an opaque value, for arguments.

    The methods are those of the builtin types: a subclass's own could say anything, and would be run here.
    """
    if value is None or value is True or value is False:
        return ["value", value]

    for scalar in _SCALARS:
        if isinstance(value, scalar):
            return [scalar.__name__, _written(scalar, value)]
    if isinstance(value, (bytes, bytearray)):
        return ["bytes", bytes(value).hex()]

    for kind in _COLLECTIONS:
        if isinstance(value, kind):
            return [kind.__name__, [packed(item, strict) for item in kind.__iter__(value)]]
    if isinstance(value, dict):
        items = dict.items(value)
        return ["dict", [[packed(key, strict), packed(item, strict)] for key, item in items]]

    if strict:
        raise NotPlain(type(value).__name__)
    if not hasattr(value, "__iter__"):
        return ["opaque", None]
    return ["opaque", [packed(item) for item in itertools.islice(value, _MOST_ITEMS)]]


def _written(kind: type, value: Any) -> str:
    """Integers in hexadecimal, which has no limit of digits."""
    if kind is int or kind is bool:
        return hex(int.__int__(value))
    if kind is float:
        return float.__repr__(value)
    if kind is complex:
        return complex.__repr__(value)
    return str.__str__(value)


def unpacked(data: Any) -> Any:
    """Inverse of `packed`. ValueError for what it never writes."""
    name, content = data

    if name == "value" and (content is None or isinstance(content, bool)):
        return content
    if name in ("int", "bool"):
        return int(content, 16)
    if name == "float":
        return float(content)
    if name == "complex":
        return complex(content)
    if name == "str" and isinstance(content, str):
        return content
    if name == "bytes":
        return bytes.fromhex(content)

    for kind in _COLLECTIONS:
        if name == kind.__name__:
            return kind(unpacked(item) for item in content)
    if name == "dict":
        return {unpacked(key): unpacked(item) for key, item in content}
    if name == "opaque":
        return Opaque(None if content is None else [unpacked(item) for item in content])

    raise ValueError(name)
