"""Solutions of a system: values for several names, in any of the ways in which they are written.

    x = 1, y = 2        (x, y) = (1, 2)        (1, 2)        {(1, 2)}        a column of equations

and several solutions of one system: (1, 2), (3, 4); x = 1, y = 2 or x = 3, y = 4. `solutions` reads an answer as
such a list, and compare.py compares two of them: the order of solutions is free, that of a tuple is not.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from eval.grading.equality.left_hand_side import is_name
from eval.grading.formula.exact_value import exact
from eval.grading.formula.nodes import (
    Bracketed,
    Either,
    Listing,
    Matrix,
    Negative,
    Node,
    PlusMinus,
    Relation,
    Scalar,
    SetOf,
    Sum,
    Symbol,
    Union,
    contains_kind,
    map_children,
    symbols,
    walk,
)

Nodes = tuple[Node, ...]
Same = Callable[[Node, Node], bool]

_MOST_SOLUTIONS = 40
_INDEXED = re.compile(r"(\D+)_(\d{1,2})")


@dataclass(frozen=True, slots=True)
class Solution:
    """One value for each unknown. `names` is empty for a tuple, whose unknowns the question names.

    `ordered`: the answer gives the order of the names itself, as (z, y) = (1, 2) does.
    """

    values: Nodes
    names: Nodes = ()
    ordered: bool = False


Solutions = tuple[Solution, ...]


def solutions(node: Node) -> Solutions | None:
    """The solutions that an answer consists of; None for what is no such answer."""
    found = _solutions(node)
    if found is None or not 0 < len(found) <= _MOST_SOLUTIONS:
        return None
    return tuple(found)


def values_of_one(node: Node) -> Nodes | None:
    """The values of x_1 = 1, x_2 = 5 and of x = 1 or x = 5, which are two of one unknown; None for anything else."""
    if not isinstance(node, Listing | SetOf):
        return None

    bases: set[str] = set()
    values: list[Node] = []
    for item in node.items:
        match item:
            case Relation(("=",), (Symbol(name), value)):
                indexed = _INDEXED.fullmatch(name)
                bases.add(indexed[1] if indexed else name)
                values.append(value)
            case _:
                return None
    return tuple(values) if len(bases) == 1 else None


def names_unknowns(found: Solutions) -> bool:
    """Whether the answer gives values to several names, and is not only made of tuples."""
    return any(len(solution.names) > 1 for solution in found)


def same_solutions(gold: Solutions, other: Solutions, same: Same) -> bool:
    """Whether both hold the same solutions in any order; `same` compares two values."""
    if len(gold) != len(other):
        return False

    rest = list(other)
    for solution in gold:
        for index, candidate in enumerate(rest):
            if _same_solution(solution, candidate, same):
                del rest[index]
                break
        else:
            return False
    return True


def _same_solution(gold: Solution, other: Solution, same: Same) -> bool:
    if len(gold.values) != len(other.values):
        return False

    first, second = gold.values, other.values
    if gold.names and other.names:
        if set(gold.names) != set(other.names):
            return False
        value_of = dict(zip(other.names, other.values, strict=True))
        second = tuple(value_of[name] for name in gold.names)
    elif gold.names:
        first = _in_order(gold)
    elif other.names:
        second = _in_order(other)

    return all(same(a, b) for a, b in zip(first, second, strict=True))


def _in_order(solution: Solution) -> Nodes:
    """The values as a tuple without names would give them.

    Letters that follow each other in the alphabet (x, y, z; p, q) stand in its order, whatever the order of writing.
    """
    names = [name.name for name in solution.names if isinstance(name, Symbol)]
    if solution.ordered or len(names) != len(solution.names) or not _follow_each_other(names):
        return solution.values

    value_of = dict(zip(names, solution.values, strict=True))
    return tuple(value_of[name] for name in sorted(names))


def _follow_each_other(names: list[str]) -> bool:
    """a, b, c; x_1, x_2"""
    indexed = [_INDEXED.fullmatch(name) for name in names]
    if all(indexed):
        return len({match[1] for match in indexed if match}) == 1
    if any(len(name) != 1 for name in names):
        return False
    codes = sorted(map(ord, names))
    return codes[-1] - codes[0] == len(codes) - 1


# --- reading


def _solutions(node: Node) -> list[Solution] | None:
    match node:
        case Bracketed("(", ")", values) if len(values) > 1:
            return _tuples(values)
        case PlusMinus(_, None, Bracketed("(", ")", values)) if len(values) > 1:  # ±(1, 2)
            return [Solution(values), Solution(tuple(map(Negative, values)))]
        case Relation(("=" | "in",), (Bracketed("(", ")", names), values)) if _unknowns(names):
            return _named(names, _solutions(values))
        case Relation(_, (Bracketed(), *_)):
            return None
        case Relation() if set(node.operators) == {"="}:
            parts = _separate(node)
            return None if parts == (node,) and len(node.sides) > 2 else _from_items(parts)
        case Listing(items) | SetOf(items) | Either(items) | Union(items):
            return _from_items(items)
        case Matrix(rows):
            return _from_items(tuple(cell for row in rows for cell in row))
    return None


def _unknowns(names: Nodes) -> bool:
    """Different names, and more than one."""
    return len(names) > 1 and len(set(names)) == len(names) and all(map(is_name, names))


def _named(names: Nodes, found: list[Solution] | None) -> list[Solution] | None:
    """Tuples with the names that stand before them."""
    if found is None:
        return None
    named = []
    for solution in found:
        if solution.names or len(solution.values) != len(names):
            return None
        named.append(Solution(solution.values, names, ordered=True))
    return named


def _tuples(values: Nodes) -> list[Solution]:
    """A tuple; (1, ±2) is two of them, and so is (±1, ∓2), but (±1, ±2) may be four."""
    signs = {part.sign for value in values for part in walk(value) if isinstance(part, PlusMinus)}
    several = sum(contains_kind(value, PlusMinus) for value in values) > 1
    if not signs or (several and "mp" not in signs):
        return [Solution(values)]
    return [Solution(tuple(signed(value, plus) for value in values)) for plus in ("pm", "mp")]


def _separate(node: Node) -> Nodes:
    """x = y = 4 as x = 4 and y = 4, and x = 1 + 2 = 3 as x = 3; other nodes as they are."""
    match node:
        case Relation(operators, (Symbol() as name, *steps, value)) if (
            set(operators) == {"="} and steps
        ):
            known = {exact(side) for side in (*steps, value) if isinstance(side, Scalar)}
            if len(known) == 1 and None not in known and not symbols(*steps, value):
                return (Relation(("=",), (name, value)),)

    match node:
        case Relation(operators, (*names, value)) if set(operators) == {"="} and len(names) > 1:
            if all(isinstance(name, Symbol) for name in names) and value not in names:
                return tuple(Relation(("=",), (name, value)) for name in names)
    return (node,)


def _from_items(items: Nodes) -> list[Solution] | None:
    """The solutions of a list: equations belong together, until a name comes a second time."""
    items = tuple(part for item in items for part in _separate(item))
    if all(isinstance(item, Relation) and item.operators == ("=",) for item in items):
        plain = [item for item in items if not _is_named_tuple(item)]
        if len(plain) == len(items):
            return _from_equations(items)

    found: list[Solution] = []
    for item in items:
        inside = _solutions(item)
        if inside is None:
            return None

        # (x, y) = (1, 2), (3, 4): the names hold for what follows.
        if found and found[-1].ordered and not any(solution.names for solution in inside):
            inside = _named(found[-1].names, inside)
            if inside is None:
                return None
        found += inside
    return found


def _is_named_tuple(node: Node) -> bool:
    match node:
        case Relation(_, (Bracketed(), *_)):
            return True
    return False


def _from_equations(equations: Nodes) -> list[Solution] | None:
    groups: list[list[Node]] = [[]]
    seen: set[Node] = set()
    for equation in equations:
        name = equation.sides[0] if isinstance(equation, Relation) else equation
        if name in seen:
            groups.append([])
            seen = set()
        seen.add(name)
        groups[-1].append(equation)

    found: list[Solution] = []
    for group in groups:
        assigned = _assigned(tuple(group))
        if assigned is None:
            return None
        found += _both_signs(assigned)

    # Each solution gives a value to all names, or this is no list of solutions.
    if len({frozenset(solution.names) for solution in found}) != 1:
        return None
    return _by_index(found[0]) or found if len(found) == 1 else found


def _assigned(equations: Nodes) -> Solution | None:
    names, values = [], []
    for equation in equations:
        match equation:
            case Relation(("=",), (name, value)) if is_name(name):
                names.append(name)
                values.append(value)
            case _:
                return None
    return Solution(tuple(values), tuple(names))


def _both_signs(solution: Solution) -> list[Solution]:
    """x = 1, y = ±2 as two solutions; the signs of several ± go together."""
    if not any(contains_kind(value, PlusMinus) for value in solution.values):
        return [solution]
    return [
        Solution(tuple(signed(value, plus) for value in solution.values), solution.names)
        for plus in ("pm", "mp")
    ]


def _by_index(solution: Solution) -> list[Solution] | None:
    """x_1 = 1, y_1 = 2, x_2 = 3, y_2 = 4 as two solutions of x and y."""
    groups: dict[str, dict[str, Node]] = {}
    for name, value in zip(solution.names, solution.values, strict=True):
        match = _INDEXED.fullmatch(name.name) if isinstance(name, Symbol) else None
        if match is None:
            return None
        groups.setdefault(match[2], {})[match[1]] = value

    unknowns = {frozenset(group) for group in groups.values()}
    if len(groups) < 2 or len(unknowns) != 1 or len(next(iter(unknowns))) < 2:
        return None
    return [Solution(tuple(group.values()), tuple(map(Symbol, group))) for group in groups.values()]


def signed(node: Node, plus: str) -> Node:
    """The formula with one of the two signs ("pm" or "mp") read as plus and the other as minus."""
    match node:
        case PlusMinus(sign, left, right):
            term = signed(right, plus)
            if sign != plus:
                term = Negative(term)
            return term if left is None else Sum((signed(left, plus), term))
    return map_children(node, lambda child: signed(child, plus))
