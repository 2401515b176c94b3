r"""Rules of the parser for matrices, systems and other environments, and for the objects that sympy prints."""

from eval.grading.formula.nodes import (
    Bracketed,
    Call,
    Listing,
    Matrix,
    Node,
    Quotient,
    SetOf,
    Union,
)
from eval.grading.formula.reader import Reader
from eval.grading.formula.tokens import FormulaError


class EnvironmentRules(Reader):
    """What stands between \\begin and \\end, and Matrix(…), FiniteSet(…)."""

    def environment(self) -> Node:
        r"""\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}; arrays and cases are matrices too."""
        name = self.take().text
        if name == "array" and self.is_op("{"):  # the columns: {cc|c}
            while not self.is_op("}"):
                if self.take().kind == "end of input":
                    raise FormulaError("array without columns")
            self.take()

        rows: list[list[Node]] = [[]]
        while self.peek().kind != "end":
            if self.is_command("\\"):
                self.take()
                rows.append([])
            elif self.is_op("&") or self.is_command("hline"):
                self.take()
            else:
                cell = self.sequence()
                rows[-1].append(cell[0] if len(cell) == 1 else Listing(cell))
        self.take()

        # Empty rows come from \\ and \hline at the edges.
        matrix = Matrix(tuple(tuple(row) for row in rows if row))
        if not matrix.rows:
            raise FormulaError(f"an empty {name}")
        return Call("det", (matrix,)) if name == "vmatrix" else matrix

    def sympy_object(self) -> Node:
        """Matrix([[1, 2]]), FiniteSet(1, 2), Rational(1, 2), Interval(0, 1), Union(…)."""
        name = self.take().text
        arguments = self.arguments()
        match name, arguments:
            case "Rational", (above, below):
                return Quotient(above, below)
            case "FiniteSet", _:
                return SetOf(arguments)
            case "Union", _:
                return Union(arguments)
            case "Matrix", (Bracketed(_, _, rows),):
                return Matrix(
                    tuple(row.items if isinstance(row, Bracketed) else (row,) for row in rows)
                )
            case "Interval", (_, _):
                return Bracketed("[", "]", arguments)
        raise FormulaError(f"unknown object {name}")
