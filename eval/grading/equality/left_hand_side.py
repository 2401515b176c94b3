"""What stands on the left of "=" only as a name: x, f(x), AB, area. Used by eval.grading.equality.compare."""

from eval.grading.formula.nodes import ONE

_NAMED_CALLS = frozenset("abs prime sin cos tan cot sec csc".split())


def is_name(node: tuple) -> bool:
    """What an answer may be called on the left of "=": x, f(x), AB, x + y, (x, y), area — not 2x."""
    kind = node[0]
    if kind in ("sym", "text") or (kind == "const" and node[1] in "ei"):
        return True
    if kind in ("ratio", "union", "inter"):
        return all(is_name(item) for item in node[1])
    if kind == "matrix":
        return all(is_name(cell) for row in node[1] for cell in row)
    if kind == "group":
        return bool(node[3]) and all(is_name(item) for item in node[3])
    if kind == "mul":
        return is_name(node[1][0]) and all(
            is_name(p) or (p[0] in ("num", "const") and p is node[1][-1]) for p in node[1][1:]
        )
    if kind in ("add", "div"):
        parts = node[1] if kind == "add" else node[1:]
        return all(is_name(part[1] if part[0] == "neg" else part) for part in parts)
    if kind == "call":  # |z|, f'(x), sin θ
        return node[1] in _NAMED_CALLS and is_name(node[2][0])
    # a_n^2 and f^{-1}, but not the square of a plain letter
    return (
        kind == "pow" and node[1][0] == "sym" and (len(node[1][1]) > 1 or node[2] == ("neg", ONE))
    )


def names_a_function(node: tuple) -> bool:
    """y, f(x), g(t): the value of a function."""
    return node == ("sym", "y") or (
        node[0] == "mul"
        and len(node[1]) == 2
        and node[1][0][0] == node[1][1][0] == "sym"
        and node[1][0][1] in "fgh"
    )


def length_name(name: tuple) -> tuple:
    """|AB| as AB."""
    return (
        name[2][0]
        if name[:2] == ("call", "abs") and name[2][0][0] == "mul" and is_name(name[2][0])
        else name
    )


def assigned_values(items: tuple) -> list[tuple] | None:
    """Values of x = 1, y = 2 in the order of writing, when every item assigns to another name."""
    values, names = [], set()
    for item in items:
        if item[0] != "rel" or item[1] != ("=",) or not is_name(item[2][0]):
            return None
        names.add(item[2][0])
        values.append(item[2][1])
    return values if len(names) == len(items) else None
