"""What every rule for a structure is given: how the parts of two answers are compared."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from eval.grading.formula.exact_value import exact
from eval.grading.formula.nodes import Node, Scalar
from eval.grading.formula.tokens import FormulaLimit

Nodes = tuple[Node, ...]

_MAX_PAIRS = 2_500  # element comparisons of two lists that are not plain numbers


@dataclass(frozen=True, slots=True)
class Comparison:
    """The rule for whole answers, to be used for their parts: structures hold structures.

    `rule` is `same_formula` of compare.py; it is handed down, since the modules of the structures
    cannot import the module that calls them.
    """

    rule: Callable[[Node, Node, Fraction | None], bool]
    tolerance: Fraction | None = None

    def exactly(self) -> "Comparison":
        """The same comparison without a tolerance."""
        return Comparison(self.rule)

    def same(self, gold: Node, other: Node) -> bool:
        return self.rule(gold, other, self.tolerance)

    def in_order(self, gold: Nodes, other: Nodes) -> bool:
        """Whether the parts are the same, one by one."""
        if len(gold) != len(other):
            return False
        pairs = zip(gold, other, strict=True)
        return all(self.same(gold_item, other_item) for gold_item, other_item in pairs)

    def in_any_order(self, gold: Nodes, other: Nodes) -> bool:
        """Whether the parts are the same, each as often on both sides.

        Raises FormulaLimit where the pairs to be compared are too many.
        """
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
                if self.same(item, candidate):
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
