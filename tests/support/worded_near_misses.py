"""Near misses in words and in the notations of programs, drawn like those of near_misses.py."""

import random
from collections.abc import Callable

Pair = tuple[str, str]


def _two(rng: random.Random) -> tuple[int, int]:
    first, second = rng.sample(range(2, 60), 2)
    return first, second


def _values_in_a_sentence(rng: random.Random) -> Pair:
    a, b = _two(rng)
    x, y = rng.choice(["xy", "pq", "mn", "uv"])
    gold = rng.choice([f"{x} = {a}, {y} = {b}", f"({a}, {b})"])
    return gold, rng.choice(
        [
            f"So ${x}$ is {b} and ${y}$ is {a}.",
            f"So ${x}$ is {a} and ${y}$ is {b + 1}.",
            f"The lines meet at {x} = {b}, {y} = {a}.",
            f"Hence {x} equals {a} and {y} equals {a}.",
            f"The point is ({b}, {a}).",
        ]
    )


def _value_of_a_conclusion(rng: random.Random) -> Pair:
    a, b = _two(rng)
    return str(a), rng.choice(
        [
            f"x = {a}, y = {b}, so x + y = {a + b}",
            f"The remainder is ${b}$ when divided by ${a}$.",
            f"The value is ${b}$ for $n = {a}$.",
            f"The largest value is {b}, attained when $x = {a}$.",
            f"It takes {b} minutes, which is less than {a}.",
            f"She needs {b} more eggs to bake {a} cakes.",
            f"Il reste {b} pommes après {a} jours.",
            f"x - 2 = {a} ⟹ x = {a + 2}",
        ]
    )


def _function_of_time(rng: random.Random) -> Pair:
    a, b = _two(rng)
    return f"x(t) = {a}t + {b}", rng.choice(
        [
            f"x = {b}t + {a}",
            f"y = {a}t + {b}",
            f"v(t) = {a}t + {b}",
            f"x = {a}s + {b}",
            f"xt = {a} + {b}",
        ]
    )


def _unit_in_brackets(rng: random.Random) -> Pair:
    a = rng.randint(2, 90)
    return rng.choice(
        [
            (f"{a} m", f"{a} (cm)"),
            (f"{a} cm", f"{a} (square cm)"),
            (
                f"{a}\\sqrt{{3}} \\text{{ m}}",
                f"{a}\\sqrt3\\text{{ cm}} \\approx {a * 3**0.5:.2f}\\text{{ cm}}",
            ),
            (
                f"{a}\\sqrt{{3}}",
                f"{a}\\sqrt3\\text{{ cm}} \\approx {a * 3**0.5 + a:.2f}\\text{{ cm}}",
            ),
            (f"{a}^\\circ", f"{a}\\pi \\text{{ radians}}"),
            (f"-{a}", f"x is equal to {a}"),
            (f"{a}", f"She has {a + 1} left after giving {a} away."),
            (f"{a}", f"{a} + 1 = {a + 1} so there are {a + 1} of them."),
        ]
    )


def _dictionary(rng: random.Random) -> Pair:
    a, b = _two(rng)
    gold = rng.choice([f"x = {a}, y = {b}", f"({a}, {b})"])
    return gold, rng.choice(
        [
            f"{{x: {b}, y: {a}}}",
            f"\\{{x: {a}, y: {b + 1}\\}}",
            f"x = {b} \\\\ y = {a}",
            f"{{x: {a}}}",
        ]
    )


def _points(rng: random.Random) -> Pair:
    a, b, c, d = rng.sample(range(2, 60), 4)
    gold = rng.choice([f"({a}, {b}), ({c}, {d})", f"[({a}, {b}), ({c}, {d})]"])
    return gold, rng.choice(
        [
            f"The points are ({a}, {d}) and ({c}, {b}).",
            f"The points are ({b}, {a}) and ({d}, {c}).",
            f"[({a}, {b})]",
            f"[({a}, {b}), ({c}, {d + 1})]",
            f"The points are ({a}, {b}), ({c}, {d}) and (0, 1).",
        ]
    )


def _linked_signs(rng: random.Random) -> Pair:
    a, b = _two(rng)
    return f"({a}, -{b}), (-{a}, {b})", rng.choice(
        [
            f"(\\pm {b}, \\mp {a})",
            f"({a}, {b}), (-{a}, -{b})",
            f"(\\pm {a}, {b})",
            f"(\\mp {a}, {b})",
            f"(\\pm {a}, \\mp {b + 1})",
        ]
    )


def _inequality_in_words(rng: random.Random) -> Pair:
    a = rng.randint(2, 90)
    return rng.choice(
        [
            (f"x \\ge {a}", f"x is greater than {a}."),
            (f"x \\ge {a}", f"x is at most {a}."),
            (f"x > {a}", f"x must be at least {a}."),
            (f"x < {a}", f"x is not less than {a}."),
            (f"(-\\infty, {a}]", f"All real numbers less than {a}."),
            (f"[{a}, \\infty)", f"All real numbers greater than or equal to {a + 1}."),
            (f"n \\ge {a}", f"all integers n > {a}"),
            (f"n \\ge {a}", f"n is at least {a} unless n = 0."),
        ]
    )


def _range_of_a_function(rng: random.Random) -> Pair:
    a, b = sorted(rng.sample(range(2, 60), 2))
    return rng.choice(
        [
            (f"[{a}, {b}]", f"{a} < f(x) < {b}"),
            (f"({a}, {b})", f"{a} \\le f(x) \\le {b}"),
            (f"[{a}, {b}]", f"{a} \\le f(x) \\le {b + 1}"),
            (f"{a} < f(x) < {b}", f"[{a}, {b}]"),
            (f"(-\\infty, {a})", f"xy < {a}"),
            (f"x < {a}", f"xy < {a}"),
        ]
    )


def _number_in_words(rng: random.Random) -> Pair:
    words = "two three four five six seven eight nine ten eleven twelve".split()
    value = rng.randint(2, 12)
    other = rng.choice([word for word in words if word != words[value - 2]])
    return str(value), rng.choice(
        [
            f"There are exactly {other} such triples.",
            f"The discriminant is {value}, so the number of values is {other}.",
            f"The rate is {other} percent.",
            f"It is not {words[value - 2]}.",
            f"There are at least {words[value - 2]} of them.",
        ]
    )


def _sentence_with_a_number(rng: random.Random) -> Pair:
    number = rng.choice(["two", "three", "four"])
    first, second = rng.sample(["parallel", "perpendicular", "skew", "equal", "complex"], 2)
    form = rng.choice(["There are {} {} lines", "The {} lines are {}", "It has {} {} roots"])
    return form.format(number, first), form.format(number, second)


def _digits_of_a_base(rng: random.Random) -> Pair:
    base = rng.choice([2, 3, 5, 7])
    digits = "".join(rng.choice("01") for _ in range(4))
    gold = f"1{digits}_{base}"
    return gold, rng.choice(
        [
            f"1{digits}_{base + 1}",
            str(int("1" + digits, base)),
            f"11{digits}",
            f"1{digits}.5",
            f"-1{digits}",
        ]
    )


def _minutes_of_arc(rng: random.Random) -> Pair:
    degrees, minutes = rng.randint(1, 80), rng.randint(1, 58)
    return f"{degrees}^\\circ {minutes}'", rng.choice(
        [
            f"{degrees}^\\circ {minutes + 1}'",
            f"{degrees + 1}^\\circ {minutes}'",
            f"{degrees}.{minutes:02}^\\circ",
            f"{degrees}^\\circ",
        ]
    )


def _constants(rng: random.Random) -> Pair:
    a, b = _two(rng)
    return rng.choice(
        [
            (f"C_1 e^{{{a}x}} + C_2 e^{{{b}x}}", f"c_1 e^{{{a}x}} + c_1 e^{{{b}x}}"),
            (f"C_1 e^{{{a}x}} + C_2 e^{{{b}x}}", f"c_1 e^{{{a}x}} + c_2 e^{{-{b}x}}"),
            (f"C e^{{{a}x}}", f"A e^{{{b}x}}"),
            (f"C e^{{{a}x}}", f"{b} e^{{{a}x}}"),
            (f"C V^2 + {a}", f"A V^2 + {a}"),
            (f"x^{a} + C", f"x^{a} + {b}"),
            (f"C_1 x^{a}", f"C_2 x^{a}"),
        ]
    )


def _currency_and_scale(rng: random.Random) -> Pair:
    a = rng.randint(2, 90)
    return rng.choice(
        [
            (f"{a}円", f"{a}元"),
            (f"{a} dollars", f"{a}円"),
            (f"{a}00 cups", f"{a} cups"),
            (f"{a} cups", f"{a} cubic inches"),
            (f"\\${a}{{,}}500", "500"),
            (f"{a}.125", f"Die Antwort ist {a}.125"),
            (f"{a}", f"La respuesta es {a}.500"),
        ]
    )


def _mixed_in_words(rng: random.Random) -> Pair:
    whole, below = rng.randint(2, 20), rng.randint(3, 9)
    return f"{whole}\\frac{{1}}{{{below}}}", rng.choice(
        [
            f"{whole} and 2/{below}",
            f"{whole + 1} and 1/{below}",
            f"{whole} or 1/{below}",
            f"{whole}, 1/{below}",
        ]
    )


def _goes_on(rng: random.Random) -> Pair:
    a, b = sorted(_two(rng))
    return f"{a}, {b}", rng.choice([f"{a}, {b}, ...", f"{a}, {b}, \\ldots", f"..., {a}, {b}"])


def _letter_in_words(rng: random.Random) -> Pair:
    right, wrong, third = rng.sample("ABCD", 3)
    return right, rng.choice(
        [
            f"{right}. 错误 {wrong}. 正确",
            f"只有{wrong}满足条件。",
            f"{right} gives 3, so {wrong} it is.",
            f"The best choice would be {wrong.lower()}.",
            f"正确的是{right}和{wrong}",
            f"The correct answer is ({right})? No, it is ({wrong}).",
            f"{right} and {third} are out. {wrong} it is.",
        ]
    )


WORDED_KINDS: list[Callable[[random.Random], Pair]] = [
    _function_of_time, _unit_in_brackets,
    _values_in_a_sentence, _value_of_a_conclusion, _dictionary, _points, _linked_signs, _inequality_in_words,
    _range_of_a_function, _number_in_words, _sentence_with_a_number, _digits_of_a_base, _minutes_of_arc,
    _constants, _currency_and_scale, _mixed_in_words, _goes_on, _letter_in_words,
]  # fmt: skip
