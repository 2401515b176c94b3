"""Whether two parsed answers mean the same, whatever their structure.

Structure is decided by structure, elements by `same_scalar` (exact numbers first, then values at
fixed points). An interval's ends must be open or closed alike, a tuple's order counts, a list's
does not.
"""

from fractions import Fraction

from eval.grading.equality.approximations import approximated
from eval.grading.equality.assignments import (
    Solution,
    Solutions,
    names_unknowns,
    same_solutions,
    solutions,
    values_of_one,
)
from eval.grading.equality.canonical import (
    either_of,
    expanded,
    integer_parameter,
    renamed_parameter,
)
from eval.grading.equality.comparison import Comparison
from eval.grading.equality.left_hand_side import is_name
from eval.grading.equality.lists import same_collection
from eval.grading.equality.ratios import is_quotient, same_ratio
from eval.grading.equality.relations import same_relation, single_equation
from eval.grading.equality.residues import same_residue
from eval.grading.equality.rows import as_vectors, same_rows
from eval.grading.equality.scalars import same_scalar
from eval.grading.equality.sets import same_sets
from eval.grading.formula.derivative import derivative
from eval.grading.formula.nodes import (
    Antiderivative,
    Bracketed,
    Call,
    InBase,
    Intersection,
    Listing,
    Matrix,
    NamedSet,
    Node,
    Numeral,
    PlusMinus,
    Product,
    Ratio,
    Relation,
    Residue,
    Scalar,
    SetOf,
    Symbol,
    Union,
    contains,
    contains_kind,
    replaced,
    symbols,
)

_WRITTEN_EMPTY = (Symbol("phi"), Symbol("Phi"))  # what people type for ∅
_STRUCTURES = (SetOf, Matrix, Union, Intersection, Bracketed)  # what S = … may be the name of


def same_formula(gold: Node, other: Node, tolerance: Fraction | None = None) -> bool:
    """Whether `other` answers what `gold` does.

    Raises FormulaLimit where the static limits forbid a decision, and FormulaError where a part has
    no value.
    """
    if gold == other:
        return True
    parts = Comparison(same_formula, tolerance)

    # \sqrt{2} \approx 1.41 is \sqrt{2}; a gold that says so accepts both.
    exact_gold, exact_other = approximated(gold), approximated(other)
    if exact_other:
        other = exact_other.stated
    if exact_gold:
        as_rounded = isinstance(other, Numeral) and same_formula(exact_gold.rounded, other)
        return as_rounded or parts.same(exact_gold.stated, other)

    by_solutions = _same_solutions(gold, other, parts)
    if by_solutions is not None:
        return by_solutions

    if isinstance(gold, Scalar) and isinstance(other, Scalar):
        gold, other = _counted(gold, other), _counted(other, gold)

    other = _with_parameter_of(gold, other)
    gold, other = expanded(gold), expanded(other)
    if gold == other:
        return True
    gold, other = either_of(gold, other), either_of(other, gold)
    return _same_structure(gold, other, parts)


def _same_structure(gold: Node, other: Node, parts: Comparison) -> bool:
    """By the kinds of the two answers, what binds their parts most loosely first."""
    if isinstance(gold, NamedSet) or isinstance(other, NamedSet):
        is_written_empty = gold == NamedSet("empty") and other in _WRITTEN_EMPTY
        return same_sets(gold, other, parts) or is_written_empty
    match gold, other:
        case InBase(digits), Numeral(value, None, _):  # the question names the base of 1011
            return digits == str(value)
    if isinstance(gold, Residue) or isinstance(other, Residue):
        return same_residue(gold, other, parts.exactly())

    match gold, other:
        case Relation(_, (left, *_)), Relation(_, (other_left, *_)) if left == other_left:
            other = _with_letter_of(gold, other)

    # S = {1, 2} beside {1, 2}: the name says nothing.
    structure = _named_structure(gold, other, parts)
    if structure is not None:
        return parts.same(structure, other)
    structure = _named_structure(other, gold, parts)
    if structure is not None:
        return parts.same(gold, structure)

    gold, other = as_vectors(gold, other)
    if isinstance(gold, Listing | SetOf) or isinstance(other, Listing | SetOf):
        return same_collection(gold, other, parts)
    if isinstance(gold, Relation) or isinstance(other, Relation):
        return same_relation(gold, other, parts)
    if isinstance(gold, Scalar) and isinstance(other, Scalar):
        return same_scalar(gold, other, parts.tolerance)

    match gold, other:
        case (Antiderivative() as standing, Scalar() as computed) | (
            Scalar() as computed,
            Antiderivative() as standing,
        ):
            return _is_antiderivative(computed, standing)
        case Ratio(first), Ratio(second):
            return same_ratio(first, second, parts)
        case (Ratio(ratio), single) | (single, Ratio(ratio)):
            return is_quotient(ratio, single)
        case ((Bracketed() | Matrix()), (Bracketed() | Matrix())):
            return same_rows(gold, other, parts)
    return same_sets(gold, other, parts)


# --- values for several unknowns


def _same_solutions(gold: Node, other: Node, parts: Comparison) -> bool | None:
    """Values for several unknowns against each other or against tuples; None for anything else."""
    first, second = solutions(gold), solutions(other)
    if first is None and second is not None:
        first = _bare_values(gold, second, other)
    elif second is None and first is not None:
        second = _bare_values(other, first, gold)
    if first is None or second is None:
        return None

    both_signs = contains_kind(gold, PlusMinus) != contains_kind(other, PlusMinus)
    if not names_unknowns(first) and not names_unknowns(second) and not both_signs:
        return None

    # x = 1 or x = 5 against x_1 = 1, x_2 = 5
    if any(len(solution.values) == 1 for solution in (*first, *second)):
        values, other_values = values_of_one(gold), values_of_one(other)
        if values is None or other_values is None:
            return None
        return parts.in_any_order(values, other_values)
    return same_solutions(first, second, parts.same)


def _bare_values(node: Node, against: Solutions, written: Node) -> Solutions | None:
    """The list "3, 4" as the tuple (3, 4) against values for several names: its order counts."""
    if not names_unknowns(against) or values_of_one(written) is not None:
        return None
    match node:
        case Listing(values) if all(isinstance(value, Scalar) for value in values):
            return (Solution(values),)
    return None


# --- one notation against another


def _counted(node: Node, against: Node) -> Node:
    """C(5, 2) and P(5, 2) as counts beside a number; elsewhere they are points."""
    match node:
        case Product(
            (Symbol("C" | "P") as letter, Bracketed("(", ")", (Numeral(), Numeral()) as numbers))
        ):
            if isinstance(against, Scalar) and not symbols(against):
                return Call("binom" if letter.name == "C" else "arrangements", numbers)
    return node


def _is_antiderivative(computed: Node, integral: Antiderivative) -> bool:
    """Whether the derivative of a formula is what the other answer leaves to be integrated."""
    if integral.bound is not None or not isinstance(integral.body, Scalar):
        return False
    slope = derivative(computed, integral.variable)
    return slope is not None and same_scalar(integral.body, slope, None)


def _with_parameter_of(gold: Node, other: Node) -> Node:
    """`other` with gold's letter for the whole number: "…, k ∈ ℤ" and "…, n ∈ ℤ"."""
    gold_letter, other_letter = integer_parameter(gold), integer_parameter(other)
    if gold_letter is None or other_letter is None or gold_letter == other_letter:
        return other
    if contains(other, gold_letter):
        return other
    return replaced(other, other_letter, gold_letter)


def _with_letter_of(gold: Node, other: Node) -> Node:
    """y = nx with gold's letter, where gold is y = kx: both letters stand for any number."""
    renamed = renamed_parameter(symbols(gold), symbols(other))
    if renamed is None:
        return other
    other_name, gold_name = renamed
    return replaced(other, Symbol(other_name), Symbol(gold_name))


def _named_structure(node: Node, against: Node, parts: Comparison) -> Node | None:
    """The set, tuple or matrix of "S = …", where no equation stands against it."""
    if isinstance(against, Relation | Listing):
        return None
    equation = single_equation(node, parts)
    if equation is None or not isinstance(equation.right, _STRUCTURES):
        return None
    return equation.right if is_name(equation.left) else None
