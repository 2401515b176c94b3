"""What the supervisor imports and does once, so that no program pays for it: sympy fills its caches on first use.

A program that simplifies a quotient takes 26 ms after a bare import and 13 ms after this (0.2 s, once). Nothing of a
program's own is kept: this runs in the supervisor, before the fork.
"""

import contextlib
import sys

LIBRARIES = ("numpy", "sympy")


def warm(wanted: set[str]) -> bool:
    """Import and exercise these libraries where that has not been done; whether anything was new."""
    before = len(sys.modules)

    with contextlib.suppress(ImportError):
        if "numpy" in wanted and "numpy" not in sys.modules:
            _numpy()
        if "sympy" in wanted and "sympy" not in sys.modules:
            _sympy()

    return len(sys.modules) != before


def _numpy() -> None:
    import numpy

    matrix = numpy.array([[2.0, 1.0], [1.0, 3.0]])
    numpy.linalg.solve(matrix, matrix[0])
    str(numpy.arange(3) + numpy.random.default_rng(0).random(3))


def _sympy() -> None:
    import sympy

    x, y = sympy.symbols("x y")
    quotient = (x**2 - 1) / (x - 1)

    # Equations, systems and inequalities
    sympy.solve(x**2 - 5 * x + 6, x)
    sympy.solve([x + y - 3, x - y - 1], [x, y])
    sympy.solve(sympy.Eq(2 * x + 3, 7), x)
    sympy.solve(x**2 - 4 > 0, x)
    sympy.solveset(x**2 - 4, x, sympy.S.Reals)

    # Rewriting and printing
    expression = quotient + sympy.sqrt(8) / 3
    sympy.simplify(expression)
    sympy.factor(expression)
    sympy.expand(expression)
    sympy.cancel(expression)
    sympy.apart(expression)
    sympy.latex(expression)
    str(expression)
    sympy.trigsimp(sympy.sin(x) ** 2 + sympy.cos(x) ** 2)

    # Calculus
    sympy.integrate(x**2, x)
    sympy.diff(sympy.sin(x) * x, x)
    sympy.limit(sympy.sin(x) / x, x, 0)
    sympy.summation(x, (x, 1, 10))

    # Numbers and matrices
    sympy.nsolve(x**2 - 2, x, 1)
    sympy.N(sympy.pi, 20)
    sympy.factorint(360)
    sympy.isprime(97)
    sympy.binomial(5, 2)
    sympy.Matrix([[1, 2], [3, 4]]).det()
