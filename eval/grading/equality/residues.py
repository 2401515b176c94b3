"""Residues: 1 (mod 3) is x ≡ 1 (mod 3), and 17 mod 5 is 2."""

from eval.grading.equality.comparison import Comparison
from eval.grading.equality.real_sets import as_line
from eval.grading.formula.exact_value import exact
from eval.grading.formula.nodes import Node, Numeral, Relation, Residue, Scalar, symbols


def same_residue(gold: Node, other: Node, parts: Comparison) -> bool:
    """Whether two answers are the same, of which one at least is a residue.

    The modulus may be missing on one side, where the question has given it.
    """
    match gold, other:
        case Residue(_, modulus), Residue(_, other_modulus):
            if not parts.same(modulus, other_modulus):
                return False

    match gold, other:
        case (Residue() as residue, Scalar() as formula) | (
            Scalar() as formula,
            Residue() as residue,
        ):
            if _has_all_values(formula, residue):
                return True
        case (
            Residue(Relation(_, (name, _))) as residue,
            Relation(("=",), (other_name, formula)),
        ) | (
            Relation(("=",), (other_name, formula)),
            Residue(Relation(_, (name, _))) as residue,
        ):  # n ≡ 1 (mod 4) and n = 4k + 1
            if name == other_name and _has_all_values(formula, residue):
                return True
    return parts.same(_remainder(gold), _remainder(other))


def _has_all_values(formula: Node, residue: Residue) -> bool:
    """7k + 4 for the numbers that are 4 mod 7."""
    names = symbols(formula)
    value = residue.value.sides[-1] if isinstance(residue.value, Relation) else residue.value
    if len(names) != 1 or not isinstance(value, Scalar) or not isinstance(residue.modulus, Scalar):
        return False

    line, start, modulus = as_line(formula, names.pop()), exact(value), exact(residue.modulus)
    if line is None or start is None or not modulus:
        return False
    return abs(line.slope) == abs(modulus) and (line.offset - start) % modulus == 0


def _remainder(node: Node) -> Node:
    """A residue as the number from 0 to its modulus, if both are known: -3 mod 5 is 2."""
    if not isinstance(node, Residue):
        return node

    match node.value:
        case Relation(("=",), (name, value)):
            return Relation(("=",), (name, _remainder(Residue(value, node.modulus))))
    if not isinstance(node.value, Scalar) or not isinstance(node.modulus, Scalar):
        return node.value

    number, divisor = exact(node.value), exact(node.modulus)
    if number is None or not divisor or divisor < 0:
        return node.value
    return Numeral(number % divisor, None, 1)
