r"""Topics of generated mathematical text. Each sentence maker draws its own numbers; formulas are TeX in `$...$`."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

Maker = Callable[[Random], str]


@dataclass(frozen=True)
class Topic:
    """Titles and makers of paragraphs, definitions and display formulas, by language."""

    titles: dict[str, tuple[str, ...]]
    paragraph: dict[str, tuple[Maker, ...]]
    definition: dict[str, tuple[Maker, ...]]
    formula: tuple[Maker, ...]

    def texts(self, kind: str, language: str) -> tuple[Maker, ...]:
        return self.formula if kind == "formula" else getattr(self, kind)[language]


def _line(rng: Random) -> tuple[int, int, int, int]:
    """Numbers of a linear equation a*x + b = c with solution x."""
    a, x, b = rng.randint(2, 9), rng.randint(2, 12), rng.randint(1, 30)
    return a, b, a * x + b, x


def _solve_line(rng: Random) -> str:
    a, b, c, x = _line(rng)
    return (
        f"To solve ${a}x+{b}={c}$ we subtract ${b}$ on both sides, {c}-{b}={c - b}, and divide by ${a}$, "
        f"{c - b}/{a}={x}. Hence $x={x}$."
    )


def _solve_line_zh(rng: Random) -> str:
    a, b, c, x = _line(rng)
    return f"解方程${a}x+{b}={c}$：两边减去{b}，{c}-{b}={c - b}，再除以{a}，{c - b}/{a}={x}，所以$x={x}$。"


def _sequence(rng: Random) -> str:
    a, d, n = rng.randint(1, 20), rng.randint(2, 9), rng.randint(4, 9)
    return (
        f"The arithmetic sequence with $a_1={a}$ and difference $d={d}$ has the term $a_{n}=a_1+(n-1)d$ for $n={n}$. "
        f"Since {n}-1={n - 1} and {n - 1}*{d}={(n - 1) * d}, we find {a}+{(n - 1) * d}={a + (n - 1) * d}."
    )


def _sequence_zh(rng: Random) -> str:
    a, d, n = rng.randint(1, 20), rng.randint(2, 9), rng.randint(4, 9)
    return (
        f"等差数列的首项$a_1={a}$，公差$d={d}$，第{n}项是$a_1+(n-1)d$。"
        f"因为{n}-1={n - 1}，{n - 1}*{d}={(n - 1) * d}，所以{a}+{(n - 1) * d}={a + (n - 1) * d}。"
    )


def _triangle(rng: Random) -> str:
    a, b, c = rng.choice(((3, 4, 5), (5, 12, 13), (6, 8, 10), (8, 15, 17)))
    return (
        f"In a right triangle with legs ${a}$ and ${b}$ the theorem gives $c^2={a}^2+{b}^2$. "
        f"We have {a}*{a}={a * a}, {b}*{b}={b * b} and {a * a}+{b * b}={c * c}, so $c=\\sqrt{{{c * c}}}={c}$."
    )


def _triangle_zh(rng: Random) -> str:
    a, b, c = rng.choice(((3, 4, 5), (5, 12, 13), (6, 8, 10), (8, 15, 17)))
    return (
        f"直角三角形的两条直角边是{a}和{b}，由勾股定理$c^2={a}^2+{b}^2$。"
        f"{a}*{a}={a * a}，{b}*{b}={b * b}，{a * a}+{b * b}={c * c}，所以$c={c}$。"
    )


def _square_area(rng: Random) -> str:
    w, h = rng.randint(2, 9), rng.randint(3, 30)
    return (
        f"A rectangle of length ${h}$ and width ${w}$ has area $A=lw$, that is {h}*{w}={h * w}, "
        f"and perimeter $P=2(l+w)$, that is {h}+{w}={h + w} and 2*{h + w}={2 * (h + w)}."
    )


def _square_area_zh(rng: Random) -> str:
    w, h = rng.randint(2, 9), rng.randint(3, 30)
    return f"长方形长{h}，宽{w}，面积$A=lw$，{h}*{w}={h * w}，周长$P=2(l+w)$，{h}+{w}={h + w}，2*{h + w}={2 * (h + w)}。"


def _division(rng: Random) -> str:
    b, q = rng.randint(2, 9), rng.randint(2, 20)
    r = rng.randrange(b)
    a = b * q + r
    return (
        f"Dividing ${a}$ by ${b}$ gives quotient ${q}$ and remainder ${r}$, because {b}*{q}={b * q} and "
        f"{b * q}+{r}={a}. We write {a}%{b}={r}, or ${a}\\equiv {r}\\pmod{{{b}}}$."
    )


def _division_zh(rng: Random) -> str:
    b, q = rng.randint(2, 9), rng.randint(2, 20)
    r = rng.randrange(b)
    a = b * q + r
    return (
        f"{a}除以{b}，商是{q}，余数是{r}，因为{b}*{q}={b * q}，{b * q}+{r}={a}。"
        f"记作{a}%{b}={r}，即${a}\\equiv {r}\\pmod{{{b}}}$。"
    )


def _derivative(rng: Random) -> str:
    a, n, x = rng.randint(2, 9), rng.randint(2, 4), rng.randint(1, 3)
    value = a * n * x ** (n - 1)
    return (
        f"The function $f(x)={a}x^{n}$ has the derivative $f'(x)={a * n}x^{{{n - 1}}}$, since {a}*{n}={a * n}. "
        f"At $x={x}$ its value is $f'({x})={value}$."
    )


def _derivative_zh(rng: Random) -> str:
    a, n = rng.randint(2, 9), rng.randint(2, 4)
    return f"函数$f(x)={a}x^{n}$的导数是$f'(x)={a * n}x^{{{n - 1}}}$，因为{a}*{n}={a * n}。"


def _probability(rng: Random) -> str:
    r, b = rng.randint(2, 20), rng.randint(2, 20)
    return (
        f"A bag has {r} red and {b} blue balls. There are {r}+{b}={r + b} balls, so the probability of a red one is "
        f"$P(R)=\\frac{{{r}}}{{{r + b}}}$ and of a blue one $P(B)=\\frac{{{b}}}{{{r + b}}}$."
    )


def _probability_zh(rng: Random) -> str:
    r, b = rng.randint(2, 20), rng.randint(2, 20)
    return f"袋子里有{r}个红球和{b}个蓝球，一共{r}+{b}={r + b}个，取到红球的概率是$P=\\frac{{{r}}}{{{r + b}}}$。"


def _fraction(rng: Random) -> str:
    a, b, k = rng.randint(1, 8), rng.randint(2, 9), rng.randint(2, 9)
    return (
        f"We expand $\\frac{{{a}}}{{{b}}}$ by ${k}$: {a}*{k}={a * k} and {b}*{k}={b * k}, so "
        f"$\\frac{{{a}}}{{{b}}}=\\frac{{{a * k}}}{{{b * k}}}$."
    )


def _fraction_zh(rng: Random) -> str:
    a, b, k = rng.randint(1, 8), rng.randint(2, 9), rng.randint(2, 9)
    return (
        f"分数$\\frac{{{a}}}{{{b}}}$的分子分母同乘{k}："
        f"{a}*{k}={a * k}，{b}*{k}={b * k}，得$\\frac{{{a * k}}}{{{b * k}}}$。"
    )


def _fixed(*texts: str) -> tuple[Maker, ...]:
    """Makers of texts without numbers."""
    return tuple(lambda rng, text=text: text for text in texts)


TOPICS: tuple[Topic, ...] = (
    Topic(
        titles={
            "en": ("Linear equations", "Solving for x", "Notes on equations in one variable"),
            "zh": ("一元一次方程", "解方程"),
        },
        paragraph={
            "en": (
                _solve_line,
                *_fixed("An equation stays true when the same number is added on both sides."),
            ),
            "zh": (_solve_line_zh, *_fixed("等式两边同时加上或减去同一个数，等式仍然成立。")),
        },
        definition={
            "en": _fixed(
                "Definition. A linear equation in $x$ is an equation of the form $ax+b=c$ with $a\\neq 0$.",
                "Definition. A number $x_0$ with $ax_0+b=c$ is called a solution of the equation.",
            ),
            "zh": _fixed("定义：形如$ax+b=c$（$a\\neq 0$）的方程叫做一元一次方程。"),
        },
        formula=_fixed("$$ax+b=c\\iff x=\\frac{c-b}{a}$$"),
    ),
    Topic(
        titles={
            "en": ("Arithmetic sequences", "Sequences and sums"),
            "zh": ("等差数列", "数列求和"),
        },
        paragraph={
            "en": (
                _sequence,
                *_fixed("The sum of the first and the last term is the same for every such pair."),
            ),
            "zh": (_sequence_zh,),
        },
        definition={
            "en": _fixed(
                "Definition. A sequence $(a_n)$ is arithmetic if $a_{n+1}-a_n=d$ is the same for all $n$."
            ),
            "zh": _fixed("定义：如果$a_{n+1}-a_n=d$对所有$n$都相同，$(a_n)$叫做等差数列。"),
        },
        formula=_fixed(
            "$$\\sum_{k=1}^{n}k=\\frac{n(n+1)}{2}$$", "$$a_1+a_2+\\dots+a_n=\\frac{n(a_1+a_n)}{2}$$"
        ),
    ),
    Topic(
        titles={
            "en": ("Right triangles", "The theorem of Pythagoras"),
            "zh": ("勾股定理", "直角三角形"),
        },
        paragraph={
            "en": (
                _triangle,
                *_fixed("The longest side lies opposite the right angle $\\gamma=90^\\circ$."),
            ),
            "zh": (_triangle_zh,),
        },
        definition={
            "en": _fixed(
                "Theorem. In a right triangle with legs $a,b$ and hypotenuse $c$ we have $a^2+b^2=c^2$."
            ),
            "zh": _fixed("定理：直角三角形的直角边为$a,b$，斜边为$c$，则$a^2+b^2=c^2$。"),
        },
        formula=_fixed("$$a^2+b^2=c^2$$", "$$c=\\sqrt{a^2+b^2}$$"),
    ),
    Topic(
        titles={
            "en": ("Area and perimeter", "Measuring rectangles"),
            "zh": ("面积和周长", "长方形"),
        },
        paragraph={
            "en": (
                _square_area,
                *_fixed("Areas add up when a figure is cut into parts, perimeters do not."),
            ),
            "zh": (_square_area_zh,),
        },
        definition={
            "en": _fixed(
                "Definition. The area of a rectangle with sides $l$ and $w$ is $A=l\\cdot w$."
            ),
            "zh": _fixed("定义：边长为$l$和$w$的长方形的面积是$A=l\\cdot w$。"),
        },
        formula=_fixed("$$A=l\\cdot w$$", "$$P=2(l+w)$$"),
    ),
    Topic(
        titles={
            "en": ("Division with remainder", "Remainders", "Congruences"),
            "zh": ("带余除法", "同余"),
        },
        paragraph={
            "en": (
                _division,
                *_fixed("Two numbers are congruent when they leave the same remainder."),
            ),
            "zh": (_division_zh,),
        },
        definition={
            "en": _fixed(
                "Theorem. For integers $a$ and $b>0$ there are unique $q,r$ with $a=qb+r$ and $0\\le r<b$.",
                "Definition. We write $a\\equiv b\\pmod m$ if $m$ divides $a-b$.",
            ),
            "zh": _fixed("定理：对整数$a$和$b>0$，存在唯一的$q,r$使$a=qb+r$，$0\\le r<b$。"),
        },
        formula=_fixed("$$a=qb+r,\\qquad 0\\le r<b$$"),
    ),
    Topic(
        titles={
            "en": ("The derivative of a power", "Lecture notes: differentiation"),
            "zh": ("幂函数的导数", "微分"),
        },
        paragraph={
            "en": (
                _derivative,
                *_fixed("The derivative $f'$ measures how fast $f$ grows near a point $x$."),
            ),
            "zh": (_derivative_zh,),
        },
        definition={
            "en": _fixed(
                "Definition. The derivative is the limit $f'(x)=\\lim_{h\\to 0}\\frac{f(x+h)-f(x)}{h}$."
            ),
            "zh": _fixed("定义：导数是极限$f'(x)=\\lim_{h\\to 0}\\frac{f(x+h)-f(x)}{h}$。"),
        },
        formula=_fixed("$$\\frac{d}{dx}x^n=nx^{n-1}$$", "$$\\int_0^1 x^n\\,dx=\\frac{1}{n+1}$$"),
    ),
    Topic(
        titles={
            "en": ("Probability of simple events", "Counting outcomes"),
            "zh": ("概率初步", "古典概型"),
        },
        paragraph={
            "en": (
                _probability,
                *_fixed("When all outcomes are equally likely, counting them is enough."),
            ),
            "zh": (_probability_zh,),
        },
        definition={
            "en": _fixed("Definition. For equally likely outcomes, $P(A)=\\frac{|A|}{|\\Omega|}$."),
            "zh": _fixed("定义：若各结果等可能，则$P(A)=\\frac{|A|}{|\\Omega|}$。"),
        },
        formula=_fixed(
            "$$P(A\\cup B)=P(A)+P(B)-P(A\\cap B)$$", "$$\\binom{n}{k}=\\frac{n!}{k!(n-k)!}$$"
        ),
    ),
    Topic(
        titles={"en": ("Fractions", "Equal fractions"), "zh": ("分数", "分数的基本性质")},
        paragraph={
            "en": (
                _fraction,
                *_fixed(
                    "A fraction does not change when both its parts are multiplied by one number."
                ),
            ),
            "zh": (_fraction_zh,),
        },
        definition={
            "en": _fixed(
                "Definition. Two fractions $\\frac{a}{b}$ and $\\frac{c}{d}$ are equal if $ad=bc$."
            ),
            "zh": _fixed("定义：若$ad=bc$，则分数$\\frac{a}{b}$与$\\frac{c}{d}$相等。"),
        },
        formula=_fixed("$$\\frac{a}{b}+\\frac{c}{d}=\\frac{ad+bc}{bd}$$"),
    ),
)
