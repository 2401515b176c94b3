"""Pairs of a gold and an answer that is almost it: one sign, digit, unit, bracket, place or solution is another.

Every kind is a function that draws pairs; `near_misses()` gives all of them, the same ones every time.
"""

import random
from collections.abc import Callable

from tests.support.worded_near_misses import WORDED_KINDS

Pair = tuple[str, str]
_PAIRS_OF_A_KIND = 60


def near_misses() -> list[tuple[str, str, str]]:
    """(kind, gold, wrong answer), without repetitions."""
    pairs: dict[tuple[str, str, str], None] = {}
    for draw in KINDS + WORDED_KINDS:
        rng = random.Random(draw.__name__)
        for _ in range(_PAIRS_OF_A_KIND):
            gold, answer = draw(rng)
            pairs[draw.__name__.strip("_"), gold, answer] = None
    return list(pairs)


def _number(rng: random.Random) -> int:
    return rng.randint(2, 99)


def _two(rng: random.Random) -> tuple[int, int]:
    """Two different numbers."""
    first, second = rng.sample(range(2, 60), 2)
    return first, second


def _ascending(rng: random.Random) -> tuple[int, int]:
    first, second = sorted(rng.sample(range(-30, 60), 2))
    return first, second


# --- numbers


def _sign(rng: random.Random) -> Pair:
    a, b = _two(rng)
    value = rng.choice(
        [f"{a}", f"\\frac{{{a}}}{{{b + 60}}}", f"{a}\\sqrt{{2}}", f"{a}.{b}", f"{a}\\pi", f"{a}x"]
    )
    return rng.choice([(value, f"-{value}"), (f"-{value}", value)])


def _off_by_one(rng: random.Random) -> Pair:
    a = rng.randint(2, 10_000)
    other = a + rng.choice([-1, 1])
    return str(a), rng.choice(
        [str(other), f"{other}.0", f"x = {other}", f"\\boxed{{{other}}}", f"{other} units"]
    )


def _digit(rng: random.Random) -> Pair:
    digits = [str(rng.randint(1, 9)) for _ in range(rng.randint(3, 9))]
    other = list(digits)
    place = rng.randrange(len(digits))
    other[place] = str((int(digits[place]) % 9) + 1)
    point = rng.randrange(1, len(digits))
    gold, answer = "".join(digits), "".join(other)
    if rng.random() < 0.5 and place < min(point + 2, len(digits) - 1):
        gold, answer = f"{gold[:point]}.{gold[point:]}", f"{answer[:point]}.{answer[point:]}"
    return gold, answer


def _power_of_ten(rng: random.Random) -> Pair:
    a = rng.randint(11, 999)
    return rng.choice(
        [(f"{a}", f"{a}0"), (f"{a / 10}", f"{a}"), (f"{a}\\times 10^3", f"{a}\\times 10^4")]
    )


def _fraction(rng: random.Random) -> Pair:
    a, b = _two(rng)
    gold = f"\\frac{{{a}}}{{{b}}}"
    return gold, rng.choice(
        [
            f"\\frac{{{b}}}{{{a}}}",
            f"\\frac{{{a}}}{{{b + 1}}}",
            f"\\frac{{{a + 1}}}{{{b}}}",
            f"{b}/{a}",
        ]
    )


def _mixed_number(rng: random.Random) -> Pair:
    whole, below = rng.randint(1, 20), rng.randint(3, 9)
    return f"{whole}\\frac{{1}}{{{below}}}", rng.choice(
        [
            f"{whole + 1}\\frac{{1}}{{{below}}}",
            f"{whole}\\frac{{2}}{{{below}}}",
            f"{whole}/{below}",
            f"-{whole}\\frac{{1}}{{{below}}}",
        ]
    )


def _percent(rng: random.Random) -> Pair:
    a = rng.randint(11, 99)
    return f"{a}\\%", rng.choice(
        [
            f"{a + 1}\\%",
            f"{a}0\\%",
            f"{a / 10}\\%",
            f"{a + 1} percent",
            f"0.{a + 1:03}",
            f"{100 - a}\\%" if a != 50 else "51\\%",
        ]
    )


def _root(rng: random.Random) -> Pair:
    a = rng.choice([2, 3, 5, 6, 7, 10, 11, 13])
    b = rng.randint(2, 9)
    return f"{b}\\sqrt{{{a}}}", rng.choice(
        [
            f"{b + 1}\\sqrt{{{a}}}",
            f"{b}\\sqrt{{{a + 15}}}",
            f"{b}+\\sqrt{{{a}}}",
            f"{b}\\sqrt[3]{{{a}}}",
            f"\\sqrt{{{b * a}}}",
        ]
    )


def _unit(rng: random.Random) -> Pair:
    a = _number(rng)
    units = ["cm", "m", "km", "kg", "hours", "minutes", "dollars", "cm^2", "degrees", "liters"]
    first, second = rng.sample(units, 2)
    return f"{a} \\text{{ {first}}}", f"{a} \\text{{ {second}}}"


def _approximation(rng: random.Random) -> Pair:
    a = rng.choice([2, 3, 5, 6, 7])
    root = a**0.5
    return f"\\sqrt{{{a}}}", rng.choice(
        [
            f"\\sqrt{{{a + 8}}} \\approx {(a + 8) ** 0.5:.3f}",
            f"{root:.2f}",
            f"-\\sqrt{{{a}}} \\approx {-root:.2f}",
            f"\\sqrt{{{a}}} \\approx {root + 1:.2f}",
        ]
    )


# --- structure


def _swapped_tuple(rng: random.Random) -> Pair:
    a, b = _two(rng)
    return rng.choice(
        [
            (f"({a}, {b})", f"({b}, {a})"),
            (f"({a}, {b}, 1)", f"({b}, {a}, 1)"),
            (f"\\langle {a}, {b} \\rangle", f"\\langle {b}, {a} \\rangle"),
        ]
    )


def _other_coordinate(rng: random.Random) -> Pair:
    a, b = _two(rng)
    return f"({a}, {b})", rng.choice(
        [f"({a}, {b + 1})", f"({a}, -{b})", f"(-{a}, {b})", f"({a}, {b}, 0)", f"\\{{{a}, {b}\\}}"]
    )


def _swapped_assignment(rng: random.Random) -> Pair:
    a, b = _two(rng)
    x, y = rng.choice(["xy", "uv", "ab", "mn", "pq"])
    gold = rng.choice(
        [
            f"{x} = {a}, {y} = {b}",
            f"({a}, {b})",
            f"({x}, {y}) = ({a}, {b})",
            f"{x} = {a} \\text{{ and }} {y} = {b}",
        ]
    )
    return gold, rng.choice(
        [
            f"{x} = {b}, {y} = {a}",
            f"{y} = {a}, {x} = {b}",
            f"({x}, {y}) = ({b}, {a})",
            f"({b}, {a})",
            f"\\begin{{cases}} {x} = {b} \\\\ {y} = {a} \\end{{cases}}",
        ]
    )


def _half_an_assignment(rng: random.Random) -> Pair:
    a, b = _two(rng)
    gold = rng.choice([f"x = {a}, y = {b}", f"({a}, {b})", f"(x, y) = ({a}, {b})"])
    return gold, rng.choice(
        [f"x = {a}", f"y = {b}", f"{a}", f"{b}", f"So $x = {a}$ and $y = {b + 1}$."]
    )


def _value_of_an_assignment(rng: random.Random) -> Pair:
    a, b = _two(rng)
    return str(rng.choice([a, b])), rng.choice(
        [
            f"x = {a}, y = {b}",
            f"So $x = {a}$ and $y = {b}$.",
            f"({a}, {b})",
            f"{a}, {b}",
            f"x = {a} or x = {b}",
        ]
    )


def _solutions_of_a_system(rng: random.Random) -> Pair:
    a, b, c, d = rng.sample(range(2, 60), 4)
    gold = rng.choice(
        [
            f"({a}, {b}), ({c}, {d})",
            f"\\{{({a}, {b}), ({c}, {d})\\}}",
            f"x = {a}, y = {b} or x = {c}, y = {d}",
        ]
    )
    return gold, rng.choice(
        [
            f"({a}, {b})",
            f"({a}, {d}), ({c}, {b})",
            f"({b}, {a}), ({d}, {c})",
            f"x = {a}, y = {d}; x = {c}, y = {b}",
            f"({a}, {b}), ({c}, {d}), (0, 1)",
            f"{a}, {b}, {c}, {d}",
            f"(x, y) = ({a}, {b}), ({c}, {d + 1})",
        ]
    )


def _missing_or_extra(rng: random.Random) -> Pair:
    a, b, c = rng.sample(range(-30, 60), 3)
    gold = rng.choice([f"{a}, {b}", f"\\{{{a}, {b}\\}}", f"x = {a} or x = {b}"])
    return gold, rng.choice(
        [
            f"{a}",
            f"x = {b}",
            f"{a}, {b}, {c}",
            f"\\{{{a}, {c}\\}}",
            f"x = {a}, x = {c}",
            f"x_1 = {a}, x_2 = {b}, x_3 = {c}",
        ]
    )


def _open_or_closed(rng: random.Random) -> Pair:
    a, b = _ascending(rng)
    spellings = {
        ("(", ")"): [f"({a}, {b})", f"{a} < x < {b}"],
        ("[", ")"): [f"[{a}, {b})", f"{a} \\le x < {b}"],
        ("(", "]"): [f"({a}, {b}]", f"{a} < x \\le {b}"],
        ("[", "]"): [f"[{a}, {b}]", f"{a} \\le x \\le {b}"],
    }
    first, second = rng.sample(list(spellings), 2)
    return rng.choice(spellings[first]), rng.choice(spellings[second])


def _other_end(rng: random.Random) -> Pair:
    a, b = _ascending(rng)
    gold = rng.choice([f"({a}, {b})", f"{a} < x < {b}"])
    return gold, rng.choice(
        [
            f"{a} < x < {b + 1}",
            f"({a - 1}, {b})",
            f"x > {a}",
            f"x < {b}",
            f"x < {a} \\text{{ or }} x > {b}",
            f"(-\\infty, {a}) \\cup ({b}, \\infty)",
        ]
    )


def _direction(rng: random.Random) -> Pair:
    a = rng.randint(-30, 60)
    return rng.choice(
        [
            (f"x > {a}", f"x < {a}"),
            (f"x \\ge {a}", f"x > {a}"),
            (f"({a}, \\infty)", f"(-\\infty, {a})"),
            (f"x > {a}", f"x > {a + 1}"),
            (f"x \\le {a}", f"[{a}, \\infty)"),
        ]
    )


def _ratio(rng: random.Random) -> Pair:
    a, b = _two(rng)
    return f"{a}:{b}", rng.choice(
        [f"{b}:{a}", f"{a}:{b + 1}", f"{a + 1}:{b}", f"{b}/{a}", f"{b} to {a}", f"{a}:{b}:1"]
    )


def _clock(rng: random.Random) -> Pair:
    hour, minute = rng.randint(1, 12), rng.randint(10, 58)
    half, other = rng.sample(["a.m.", "p.m."], 2)
    return f"{hour}:{minute} {half}", rng.choice(
        [
            f"{hour}:{minute} {other}",
            f"{hour}:{minute + 1} {half}",
            f"{hour % 12 + 1}:{minute} {half}",
            f"{minute}:{hour} {half}",
        ]
    )


def _clock_or_ratio(rng: random.Random) -> Pair:
    hour, minute = rng.randint(1, 11), rng.choice(range(10, 58, 2))
    return f"{hour}:{minute}", rng.choice(
        [
            f"{2 * hour}:{2 * minute}",
            f"{hour}:{minute + 1}",
            f"{hour + 1}:{minute}",
            f"{minute}:{hour}",
        ]
    )


def _matrix(rng: random.Random) -> Pair:
    a, b, c, d = rng.sample(range(1, 60), 4)

    def written(e: int, f: int, g: int, h: int) -> str:
        return f"\\begin{{pmatrix}} {e} & {f} \\\\ {g} & {h} \\end{{pmatrix}}"

    return written(a, b, c, d), rng.choice(
        [written(a, c, b, d), written(b, a, c, d), written(a, b, c, d + 1), written(d, c, b, a)]
    )


# --- formulas


def _formula(rng: random.Random) -> Pair:
    a, b = _two(rng)
    return f"{a}x + {b}", rng.choice(
        [
            f"{a}x - {b}",
            f"{b}x + {a}",
            f"{a}x^2 + {b}",
            f"{a}x + {b + 1}",
            f"{a}y + {b}",
            f"f(x) = {a}x - {b}",
            f"{a}(x + {b})",
        ]
    )


def _exponent(rng: random.Random) -> Pair:
    a, b = rng.sample(range(2, 12), 2)
    return f"x^{{{a}}} + {b}", rng.choice(
        [
            f"x^{{{b}}} + {a}",
            f"x^{{{a + 1}}} + {b}",
            f"x_{{{a}}} + {b}",
            f"{a}x + {b}",
            f"(x + {b})^{{{a}}}",
        ]
    )


def _subscript(rng: random.Random) -> Pair:
    a, b = rng.sample(range(2, 30), 2)
    return f"a_{{{a}n}}", rng.choice(
        [
            f"a_{{{a}+n}}",
            "a_{n}",
            f"a_{{{b}n}}",
            f"a_{{-{a}n}}",
            f"a_{{n-{a}}}",
            f"a_{{n^{{{a}}}}}",
            f"a_{{{a}}}n",
        ]
    )


def _equation(rng: random.Random) -> Pair:
    a, b = _two(rng)
    return f"y = {a}x + {b}", rng.choice(
        [
            f"y = {a}x - {b}",
            f"x = {a}y + {b}",
            f"y = {b}x + {a}",
            f"{a}x + y = {b}",
            f"y = -{a}x + {b}",
        ]
    )


def _function(rng: random.Random) -> Pair:
    a = _number(rng)
    first, second = rng.sample(["sin", "cos", "tan", "arcsin", "ln", "sinh", "cosh", "sec"], 2)
    return f"\\{first} {a}x", rng.choice(
        [
            f"\\{second} {a}x",
            f"\\{first} {a + 1}x",
            f"\\{first}^2 {a}x",
            f"-\\{first} {a}x",
            f"\\{first}^{{-1}} {a}x",
        ]
    )


def _complex(rng: random.Random) -> Pair:
    a, b = _two(rng)
    return f"{a} + {b}i", rng.choice(
        [f"{a} - {b}i", f"-{a} + {b}i", f"{b} + {a}i", f"{a} + {b + 1}i", f"{a + b}i", f"{a} + {b}"]
    )


def _remainder(rng: random.Random) -> Pair:
    modulus = rng.randint(5, 30)
    rest = rng.randint(1, modulus - 2)
    return rng.choice(
        [
            (f"{rest + 3 * modulus} \\bmod {modulus}", f"{rest + 1}"),
            (
                f"x \\equiv {rest} \\pmod {{{modulus}}}",
                f"x \\equiv {rest + 1} \\pmod {{{modulus}}}",
            ),
            (f"{rest} \\pmod {{{modulus}}}", f"{rest} \\pmod {{{modulus + 1}}}"),
        ]
    )


# --- letters and texts


def _letter(rng: random.Random) -> Pair:
    right, wrong = rng.sample("ABCD", 2)
    return right, rng.choice(
        [
            wrong,
            f"({wrong})",
            f"The answer is {wrong}, not {right}.",
            f"{right} is wrong, so the answer is {wrong}.",
            f"故选{wrong}",
            f"{right}错误，{wrong}正确。",
            f"{right} and {wrong}",
            f"\\boxed{{{right}{wrong}}}",
            f"Either {right} or {wrong}.",
        ]
    )


def _sentence(rng: random.Random) -> Pair:
    a, b = _two(rng)
    return str(a), rng.choice(
        [
            f"So the value of $k$ equals {b}.",
            f"The maximum of $f$ on $[0, {a}]$ is {b}.",
            f"There are {b} ways to choose {a} of them.",
            f"He had ${a} and now has ${b}.",
            f"La réponse est {b}.",
            f"Ответ: {b}",
            f"所以一共有{b}个。",
            f"उत्तर {b} है।",
            f"The answer is not {a}.",
            f"Therefore {b} is the least such number for $n = {a}$.",
            f"{b} because ${a} > 1$",
            f"{b} (rejecting {a})",
        ]
    )


KINDS: list[Callable[[random.Random], Pair]] = [
    _sign, _off_by_one, _digit, _power_of_ten, _fraction, _mixed_number, _percent, _root, _unit, _approximation,
    _swapped_tuple, _other_coordinate, _swapped_assignment, _half_an_assignment, _value_of_an_assignment,
    _solutions_of_a_system, _missing_or_extra, _open_or_closed, _other_end, _direction, _ratio, _clock,
    _clock_or_ratio, _matrix, _formula, _exponent, _subscript, _equation, _function, _complex, _remainder, _letter,
    _sentence,
]  # fmt: skip
