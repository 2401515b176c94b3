"""Whether two parsed answers mean the same, whatever their structure.

Structure is decided by structure, elements by `same_scalar` (exact numbers first, then values at
fixed points). An interval's ends must be open or closed alike, a tuple's order counts, a list's
does not.
"""

from collections import Counter
from dataclasses import dataclass
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
    as_interval,
    ascending,
    components,
    either_of,
    expanded,
    integer_parameter,
    items,
    renamed_parameter,
)
from eval.grading.equality.left_hand_side import (
    assigned_values,
    is_name,
    length_name,
    names_a_function,
)
from eval.grading.equality.pieces import same_pieces
from eval.grading.equality.real_sets import as_line, as_real_set
from eval.grading.equality.scalars import same_scalar
from eval.grading.formula.derivative import derivative
from eval.grading.formula.exact_value import exact
from eval.grading.formula.nodes import (
    Antiderivative,
    Bracketed,
    Call,
    InBase,
    Intersection,
    Listing,
    Matrix,
    NamedSet,
    Negative,
    Node,
    Numeral,
    PlusMinus,
    Power,
    Product,
    Quotient,
    Ratio,
    Relation,
    Residue,
    Scalar,
    SetBuilder,
    SetDifference,
    SetOf,
    Sum,
    Symbol,
    Text,
    Union,
    contains,
    contains_kind,
    replaced,
    symbols,
)
from eval.grading.formula.same_value import constant_ratio
from eval.grading.formula.tokens import FormulaLimit

Nodes = tuple[Node, ...]

_SYMMETRIC = frozenset(["parallel", "perp", "sim", "cong"])  # relations without a left and a right
_WRITTEN_EMPTY = (Symbol("phi"), Symbol("Phi"))  # what people type for ∅
_PLAIN = (Listing, SetOf, Scalar, Text, Relation, InBase, Ratio, NamedSet)
_STRUCTURES = (SetOf, Matrix, Union, Intersection, Bracketed)  # what S = … may be the name of
_CONDITIONS = frozenset(["<", "<=", ">", ">=", "!=", "in"])  # on the variable of a function
_MAX_PAIRS = 2_500  # element comparisons of two lists that are not plain numbers


@dataclass(frozen=True, slots=True)
class _Equation:
    left: Node
    right: Node


def same_formula(gold: Node, other: Node, tolerance: Fraction | None = None) -> bool:
    """Whether `other` answers what `gold` does.

    Raises FormulaLimit where the static limits forbid a decision, and FormulaError where a part has
    no value.
    """
    if gold == other:
        return True

    # \sqrt{2} \approx 1.41 is \sqrt{2}; a gold that says so accepts both.
    exact_gold, exact_other = approximated(gold), approximated(other)
    if exact_other:
        other = exact_other.stated
    if exact_gold:
        as_rounded = isinstance(other, Numeral) and same_formula(exact_gold.rounded, other)
        return as_rounded or same_formula(exact_gold.stated, other, tolerance)

    by_solutions = _same_solutions(gold, other, tolerance)
    if by_solutions is not None:
        return by_solutions

    if isinstance(gold, Scalar) and isinstance(other, Scalar):
        gold, other = _counted(gold, other), _counted(other, gold)

    other = _with_parameter_of(gold, other)
    gold, other = expanded(gold), expanded(other)
    if gold == other:
        return True
    gold, other = either_of(gold, other), either_of(other, gold)

    if isinstance(gold, NamedSet) or isinstance(other, NamedSet):
        is_written_empty = gold == NamedSet("empty") and other in _WRITTEN_EMPTY
        return _same_sets(gold, other) or is_written_empty
    if isinstance(gold, Residue) or isinstance(other, Residue):
        return _same_residue(gold, other)

    match gold, other:
        case Relation(_, (left, *_)), Relation(_, (other_left, *_)) if left == other_left:
            other = _with_letter_of(gold, other)

    # S = {1, 2} beside {1, 2}: the name says nothing.
    structure = _named_structure(gold, against=other)
    if structure is not None:
        return same_formula(structure, other, tolerance)
    structure = _named_structure(other, against=gold)
    if structure is not None:
        return same_formula(gold, structure, tolerance)

    # From here on the kinds decide, the loosest structure first.
    gold, other = _as_vectors(gold, other)
    if isinstance(gold, Listing | SetOf) or isinstance(other, Listing | SetOf):
        return _same_collection(gold, other, tolerance)
    if isinstance(gold, Relation) or isinstance(other, Relation):
        return _same_relation(gold, other, tolerance)
    if isinstance(gold, Scalar) and isinstance(other, Scalar):
        return same_scalar(gold, other, tolerance)

    match gold, other:
        case (Antiderivative() as standing, Scalar() as computed) | (
            Scalar() as computed,
            Antiderivative() as standing,
        ):
            return _is_antiderivative(computed, standing)
        case Ratio(first), Ratio(second):
            return _same_ratio(first, second)
        case (Ratio(parts), single) | (single, Ratio(parts)):
            if len(parts) != 2 or not isinstance(single, Quotient):
                return False
            above, below = parts
            return same_scalar(Quotient(above, below), single, None)
        case ((Bracketed() | Matrix()), (Bracketed() | Matrix())):
            return _same_rows(gold, other, tolerance)
    return _same_sets(gold, other)


def _same_solutions(gold: Node, other: Node, tolerance: Fraction | None) -> bool | None:
    """Values for several unknowns against each other or against tuples; None where either is something else."""
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
    if any(len(solution.values) == 1 for solution in (*first, *second)):
        # x = 1 or x = 5 against x_1 = 1, x_2 = 5
        values, other_values = values_of_one(gold), values_of_one(other)
        if values is None or other_values is None:
            return None
        return _same_multiset(values, other_values, tolerance)
    return same_solutions(first, second, lambda a, b: same_formula(a, b, tolerance))


def _bare_values(node: Node, against: Solutions, written: Node) -> Solutions | None:
    """The list "3, 4" as the tuple (3, 4), against values for several names: then its order counts."""
    if not names_unknowns(against) or values_of_one(written) is not None:
        return None
    match node:
        case Listing(values) if all(isinstance(value, Scalar) for value in values):
            return (Solution(values),)
    return None


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


def _named_structure(node: Node, against: Node) -> Node | None:
    """The set, tuple or matrix of "S = …", where no equation stands against it."""
    if isinstance(against, Relation | Listing):
        return None
    equation = _single_equation(node)
    if equation is None or not isinstance(equation.right, _STRUCTURES):
        return None
    return equation.right if is_name(equation.left) else None


def _as_vectors(gold: Node, other: Node) -> tuple[Node, Node]:
    r"""3i - j as (3, -1) beside a vector, and \binom{1}{2} as a column beside a matrix."""
    if isinstance(gold, Matrix):
        other = _as_column(other)
    elif isinstance(other, Matrix):
        gold = _as_column(gold)

    vectors = (Matrix, Bracketed)
    if not isinstance(gold, vectors) and not isinstance(other, vectors):
        return gold, other
    return components(gold) or gold, components(other) or other


def _as_column(node: Node) -> Node:
    match node:
        case Call("binom", entries):
            return Matrix(tuple((entry,) for entry in entries))
    return node


# --- collections


def _same_collection(gold: Node, other: Node, tolerance: Fraction | None) -> bool:
    """A list or set against anything."""
    match gold, other:
        case Bracketed(opening, _, parts), Listing(others):  # a tuple without its parentheses
            may_be_tuple = opening != "[" or len(parts) > 2
            return may_be_tuple and _elementwise(parts, others, tolerance)
        case SetOf((Bracketed("(") as point,)), _:  # the one solution {(0, 0)}
            return same_formula(point, other, tolerance)
        case _, SetOf((Bracketed("(") as point,)):
            return same_formula(gold, point, tolerance)
        case _, Bracketed():
            return _collection_is_bracketed(gold, other, tolerance)

    # 3x + 2, x > 0 against 3x + 2
    without = _without_domain(gold, other), _without_domain(other, gold)
    if without != (gold, other):
        return same_formula(*without, tolerance)

    # An interval, or elements that are sets themselves: what counts is the set of numbers.
    if isinstance(gold, Bracketed) or not _has_plain_items(gold) or not _has_plain_items(other):
        return _same_sets(gold, other)

    # A set has no repetitions, a list of answers may.
    gold_items, other_items = items(gold), items(other)
    if isinstance(gold, SetOf) or isinstance(other, SetOf):
        gold_items, other_items = _distinct(gold_items), _distinct(other_items)
    return _same_multiset(gold_items, other_items, tolerance)


def _without_domain(node: Node, against: Node) -> Node:
    """A function without the condition on its variable that stands beside it, against one without condition."""
    match node, against:
        case Listing(
            (Scalar() | Relation(("=",), _) as value, Relation(operators, sides))
        ), Scalar():
            names = symbols(*sides)
            if set(operators) <= _CONDITIONS and len(names) == 1 and names <= symbols(value):
                return value
    return node


def _collection_is_bracketed(gold: Node, other: Bracketed, tolerance: Fraction | None) -> bool:
    """Whether the brackets stand for the list or set."""
    # A Python list stands for a list of answers; for a set only when it cannot be an interval.
    is_python_list = other.opening == "[" and other.closing == "]"
    may_be_interval = len(other.items) == 2 and not isinstance(gold, Listing)
    if is_python_list and not may_be_interval:
        return _same_multiset(items(gold), other.items, tolerance)
    if not isinstance(gold, Listing) or other.opening != "(":
        return False

    if len(gold.items) > 2 and _elementwise(gold.items, other.items, tolerance):
        return True
    assigned = assigned_values(gold.items)  # x = 1, y = 2 and (1, 2)
    return assigned is not None and _elementwise(assigned, other.items, tolerance)


def _has_plain_items(node: Node) -> bool:
    """Whether the answer, or each element of it, is something other than a set or an inequality."""
    if not isinstance(node, _PLAIN):
        return False
    return not any(_is_inequality(item) for item in items(node))


def _is_inequality(node: Node) -> bool:
    return isinstance(node, Relation) and node.operators != ("=",)


def _distinct(nodes: Nodes) -> Nodes:
    """The elements without repetitions, by exact value where there is one."""
    kept: dict[Node | Fraction, Node] = {}
    for node in nodes:
        value = exact(node) if isinstance(node, Scalar) else None
        key = node if value is None else value
        kept.setdefault(key, node)
    return tuple(kept.values())


def _same_multiset(gold: Nodes, other: Nodes, tolerance: Fraction | None) -> bool:
    if len(gold) != len(other):
        return False

    gold_values, other_values = _exact_values(gold), _exact_values(other)
    all_known = None not in gold_values and None not in other_values
    if all_known and Counter(gold_values) == Counter(other_values):
        return True
    if len(gold) ** 2 > _MAX_PAIRS:
        raise FormulaLimit("elements")

    # Each element of the gold takes the first one that equals it.
    rest = list(other)
    for item in gold:
        for index, candidate in enumerate(rest):
            if same_formula(item, candidate, tolerance):
                del rest[index]
                break
        else:
            return False
    return True


def _exact_values(nodes: Nodes) -> list[Fraction | None]:
    values: list[Fraction | None] = []
    for node in nodes:
        value = exact(node) if isinstance(node, Scalar) else None
        values.append(value)
    return values


def _elementwise(gold: Nodes, other: Nodes, tolerance: Fraction | None) -> bool:
    if len(gold) != len(other):
        return False
    for gold_item, other_item in zip(gold, other, strict=True):
        if not same_formula(gold_item, other_item, tolerance):
            return False
    return True


# --- tuples, vectors, intervals and matrices


def _same_rows(
    gold: Bracketed | Matrix, other: Bracketed | Matrix, tolerance: Fraction | None
) -> bool:
    match gold, other:
        case Bracketed(), Bracketed():
            both_vectors = _is_vector(gold) and _is_vector(other)
            if both_vectors or _same_brackets(gold, other):
                return _elementwise(gold.items, other.items, tolerance)
            return _same_sets(gold, other)  # (1, ∞] for (1, ∞)
        case Matrix(), Matrix():
            return _same_entries(gold, other, tolerance)
        case Matrix(), Bracketed():
            shaped = _shaped_like(gold, other)
            return shaped is not None and _same_entries(gold, shaped, tolerance)
        case Bracketed(), Matrix():
            shaped = _shaped_like(other, gold)
            return shaped is not None and _same_entries(shaped, other, tolerance)
    return False


def _same_entries(gold: Matrix, other: Matrix, tolerance: Fraction | None) -> bool:
    if len(gold.rows) != len(other.rows):
        return False
    pairs = zip(gold.rows, other.rows, strict=True)
    return all(_elementwise(row, other_row, tolerance) for row, other_row in pairs)


def _shaped_like(matrix: Matrix, brackets: Bracketed) -> Matrix | None:
    """The brackets as a matrix: a list of rows, or a vector as a column or row like the matrix."""
    rows = [item.items for item in brackets.items if isinstance(item, Bracketed)]
    if len(rows) == len(brackets.items):
        return Matrix(tuple(rows))
    if brackets.opening == "[" and len(brackets.items) < 3:
        return None  # may be an interval

    is_column = all(len(row) == 1 for row in matrix.rows)
    if is_column:
        column = [(item,) for item in brackets.items]
        return Matrix(tuple(column))
    return Matrix((brackets.items,))


def _same_brackets(gold: Bracketed, other: Bracketed) -> bool:
    return gold.opening == other.opening and gold.closing == other.closing


def _is_vector(node: Bracketed) -> bool:
    """(1, 2), [1, 2, 3] and ⟨1, 2⟩ may be vectors; [1, 2] is an interval."""
    match node.opening, node.closing:
        case ("<", ">") | ("(", ")"):
            return True
        case "[", "]":
            return len(node.items) > 2
    return False


# --- residues, ratios, sets


def _same_residue(gold: Node, other: Node) -> bool:
    """1 (mod 3) is x ≡ 1 (mod 3), and 1 where one side leaves the modulus to the question; 17 mod 5 is 2."""
    match gold, other:
        case Residue(_, modulus), Residue(_, other_modulus):
            if not same_formula(modulus, other_modulus):
                return False

    match gold, other:
        case (Residue() as residue, Scalar() as formula) | (
            Scalar() as formula,
            Residue() as residue,
        ):
            if _has_all_values(formula, residue):
                return True
    return same_formula(_remainder(gold), _remainder(other))


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
    """The number from 0 to the modulus that a residue is, where both are known: of 17 mod 5 and -3 mod 5 it is 2."""
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


def _same_ratio(gold: Nodes, other: Nodes) -> bool:
    """3 : 4 is 6 : 8, but 2:30 (two digits behind the colon) may be a time and is only itself."""
    if len(gold) != len(other):
        return False
    match gold:
        case _, Numeral(minutes, None, 2) if minutes < 60:
            return gold == other

    # a : b is c : d when a d = b c; so no division is needed, but the first parts must not be 0.
    first, second = _exact_ratio(gold), _exact_ratio(other)
    if first is None or second is None:
        return _elementwise(gold, other, None)
    return all(a * second[0] == b * first[0] for a, b in zip(first, second, strict=True))


def _exact_ratio(nodes: Nodes) -> list[Fraction] | None:
    """Exact values that do not begin with 0."""
    values: list[Fraction] = []
    for value in [exact(node) for node in nodes]:
        if value is None:
            return None
        values.append(value)
    return values if values[0] else None


def _same_sets(gold: Node, other: Node) -> bool:
    """Sets of real numbers in any notation; with symbolic ends, part by part."""
    if isinstance(gold, Relation) and isinstance(other, Relation) and _other_name(gold, other):
        return False
    first, second = as_real_set(gold), as_real_set(other)
    if first is not None and second is not None:
        return same_pieces(first, second)

    # Symbols in the ends, (a, b): part by part.
    gold, other = as_interval(gold, other), as_interval(other, gold)
    match gold, other:
        case Bracketed(), Bracketed():
            return _same_brackets(gold, other) and _elementwise(gold.items, other.items, None)
        case (
            (Union(parts), Union(others))
            | (Intersection(parts), Intersection(others))
            | (Listing(parts), Listing(others))
        ):
            return _same_multiset(parts, others, None)
        case SetDifference(), SetDifference():
            return same_formula(gold.left, other.left) and same_formula(gold.right, other.right)
        case SetBuilder(), SetBuilder():
            same_element = same_formula(gold.element, other.element)
            return same_element and same_formula(gold.condition, other.condition)
    return False


def _other_name(gold: Relation, other: Relation) -> bool:
    """x > 2 and y > 2: inequalities of two different symbols."""
    if "in" in gold.operators or "in" in other.operators:
        return False
    gold_names, other_names = symbols(*gold.sides), symbols(*other.sides)
    if len(gold_names) != 1 or len(other_names) != 1:
        return False
    return gold_names != other_names


# --- relations


def _single_equation(node: Node) -> _Equation | None:
    """The equation, else None; a chain a = b = c counts when what follows a is one value."""
    if not isinstance(node, Relation):
        return None
    if set(node.operators) != {"="} and node.operators != ("~",):
        return None

    match node.sides:
        case (Numeral() | Negative() | Quotient() | Power()) as value, name:
            if is_name(name) and not is_name(value):
                return _Equation(name, value)  # 5 = x

    # x = 2 + 3 = 5 says that x is 5, if 2 + 3 is.
    left, *others, right = node.sides
    if not all(same_formula(right, side) for side in others):
        return None
    return _Equation(left, right)


def _same_relation(gold: Node, other: Node, tolerance: Fraction | None) -> bool:
    gold_equation = _single_equation(gold)
    other_equation = _single_equation(other)
    if gold_equation and other_equation:
        return _same_equation(gold_equation, other_equation, tolerance)

    # x = 5 and 5, and a calculation 2 + 3 = 5 and 5
    if gold_equation and not isinstance(other, Relation):
        value = gold_equation.right
        return _only_names(gold_equation) and same_formula(value, other, tolerance)
    if other_equation and not isinstance(gold, Relation):
        value = other_equation.right
        return _only_names(other_equation) and same_formula(gold, value, tolerance)

    # Inequalities and the like.
    if not isinstance(gold, Relation) or not isinstance(other, Relation):
        return _same_sets(gold, other)
    if gold.operators == other.operators and gold.operators[0] in _SYMMETRIC:
        return _same_multiset(gold.sides, other.sides, None)
    return _same_sets(gold, other) or _same_inequality(gold, other)


def _only_names(equation: _Equation) -> bool:
    """Whether the left side says no more than what the right side is the value of."""
    if is_name(equation.left):
        return True
    return not symbols(equation.left) and same_formula(equation.left, equation.right)


def _same_equation(gold: _Equation, other: _Equation, tolerance: Fraction | None) -> bool:
    gold = _Equation(length_name(gold.left), gold.right)
    other = _Equation(length_name(other.left), other.right)
    if gold.left == other.left and is_name(gold.left):
        return same_formula(gold.right, other.right, tolerance)
    if names_a_function(gold.left) and names_a_function(other.left):
        return _same_function(gold, other, tolerance)

    sides = (gold.left, gold.right, other.left, other.right)
    if not all(isinstance(side, Scalar) for side in sides):  # (x, y) = …
        same_tuple = isinstance(gold.left, Bracketed) and gold.left == other.left
        return same_tuple and same_formula(gold.right, other.right)

    # Two equations are one when left - right are multiples of each other.
    names = symbols(gold.left, gold.right)
    if not names or names != symbols(other.left, other.right):
        return False
    gold_difference = _difference(gold.left, gold.right)
    other_difference = _difference(other.left, other.right)
    return constant_ratio(gold_difference, other_difference) is not None


def _same_function(gold: _Equation, other: _Equation, tolerance: Fraction | None) -> bool:
    """y = x² and f(x) = x²; f(t) = t² with another letter; but not g(x) = x²."""
    other_value = other.right
    match gold.left, other.left:
        case Product((function, variable)), Product((other_function, other_variable)):
            if function != other_function:
                return False
            other_value = replaced(other_value, other_variable, variable)
    return same_formula(gold.right, other_value, tolerance)


def _difference(left: Node, right: Node) -> Node:
    return Sum((left, Negative(right)))


def _same_inequality(gold: Relation, other: Relation) -> bool:
    gold, other = ascending(gold), ascending(other)
    if gold.operators != other.operators:
        return False
    if _elementwise(gold.sides, other.sides, None):
        return True

    # x < y and 2x < 2y: left - right are positive multiples of each other.
    if gold.operators not in (("<",), ("<=",)):
        return False
    if symbols(*gold.sides) != symbols(*other.sides):
        return False
    if not all(isinstance(side, Scalar) for side in (*gold.sides, *other.sides)):
        return False
    gold_difference = _difference(*gold.sides)
    other_difference = _difference(*other.sides)
    return constant_ratio(gold_difference, other_difference) == 1
