"""Remarks in the language of mathematics that stand between worked examples: laws, definitions, reasons.

Formulas are TeX in `$...$` without braces (braces are slots here); {u}, {v} and {w} are names of quantities.
"""

import random

from mini.text.grammar import Vertical, fill, lexicon, lines

_NAMES = lexicon(
    """
    u: x | p | m
    v: y | t | n
    w: z | s | k
    set: \\mathbb Z | \\mathbb N | \\mathbb Q | \\mathbb R
    """
)

_EN = Vertical(
    titles=(),
    headings=(),
    sentences=lines(
        """
        By the distributive law ${u}({v}+{w})={u}{v}+{u}{w}$ for all ${u},{v},{w}\\in{set}$.
        The equation ${u}+{v}={w}$ is equivalent to ${u}={w}-{v}$, so the unknown ${u}$ is found by subtraction.
        If ${u}\\ne 0$, the equation ${u}{v}={w}$ has the unique solution ${v}=\\frac {w}{u}$.
        Proof by induction on ${v}$: the case ${v}=0$ is clear, the step uses ${u}({v}+1)={u}{v}+{u}$.
        Multiplication in ${set}$ is commutative, ${u}\\cdot {v}={v}\\cdot {u}$, so factors may change places.
        The fraction $\\frac {u}{v}$ has numerator ${u}$ and denominator ${v}\\ne 0$.
        A linear function $f({u})={v}{u}+{w}$ has the slope ${v}$ and the intercept ${w}$.
        An integer ${u}$ is divisible by ${v}$ if ${u}={v}{w}$ for an integer ${w}$; then ${v}$ is a divisor of ${u}$.
        Division with remainder: ${u}={v}q+r$ with $0\\le r<{v}$, where $q$ is the quotient.
        The inequality ${u}\\le {v}$ implies ${u}+{w}\\le {v}+{w}$ for every ${w}\\in{set}$.
        The arithmetic mean of ${u}$, ${v}$ and ${w}$ is $\\frac 13({u}+{v}+{w})$.
        Let ${u}$ denote the unknown; the word problem then becomes a linear equation in ${u}$.
        Associativity, $({u}+{v})+{w}={u}+({v}+{w})$, lets us add the terms of the sum in any order.
        The ratio ${u}:{v}$ equals the fraction $\\frac {u}{v}$, and a proportion is an equation of two ratios.
        The lemma follows from the definition, since ${u}^2-{v}^2=({u}-{v})({u}+{v})$ for real numbers.
        A rectangle with sides ${u}$ and ${v}$ has area ${u}{v}$ and perimeter $2({u}+{v})$.
        The converse of the theorem is an exercise: prove that ${u}\\mid {v}$ implies ${u}\\le {v}$.
        Percentages are fractions of $100$, so ${n}\\%$ of ${u}$ is ${n}\\cdot \\frac {u}{w}$ with ${w}=100$.
        The set of solutions is a subset of ${set}$; it is empty if ${u}={v}$ and ${v}\\ne {w}$.
        The sequence ${u}_1, {u}_2, \\ldots$ is monotone when ${u}_i\\le {u}_j$ for all indices $i<j$.
        Substituting ${v}={n}$ into the polynomial $p({v})={v}^2+{m}$ we get an integer.
        """
    ),
    words=_NAMES,
)

_ZH = Vertical(
    titles=(),
    headings=(),
    sentences=lines(
        """
        由乘法分配律，${u}({v}+{w})={u}{v}+{u}{w}$对所有${u},{v},{w}\\in{set}$成立。
        方程${u}+{v}={w}$的解是${u}={w}-{v}$，移项时要变号。
        若${u}\\ne 0$，则方程${u}{v}={w}$有唯一解${v}=\\frac {w}{u}$。
        用数学归纳法证明：${v}=0$时显然成立，再由${u}({v}+1)={u}{v}+{u}$得到下一步。
        乘法交换律：${u}\\cdot {v}={v}\\cdot {u}$，因此因数的顺序不影响乘积。
        分数$\\frac {u}{v}$的分子是${u}$，分母是${v}\\ne 0$。
        一次函数$f({u})={v}{u}+{w}$的图像是直线，斜率为${v}$。
        若整数${u}={v}{w}$，则${v}$是${u}$的约数，${u}$能被${v}$整除。
        带余除法：${u}={v}q+r$，其中$0\\le r<{v}$，$q$叫做商，$r$叫做余数。
        不等式${u}\\le {v}$两边同加${w}$，得${u}+{w}\\le {v}+{w}$。
        三个数${u},{v},{w}$的平均数是$\\frac 13({u}+{v}+{w})$。
        设未知数为${u}$，应用题就化为关于${u}$的一元一次方程。
        加法结合律$({u}+{v})+{w}={u}+({v}+{w})$可以简化运算。
        比例${u}:{v}$等于分数$\\frac {u}{v}$，比例的两内项之积等于两外项之积。
        由平方差公式${u}^2-{v}^2=({u}-{v})({u}+{v})$可以分解因式。
        长方形的边长是${u}$和${v}$，面积是${u}{v}$，周长是$2({u}+{v})$。
        定理的逆命题留作练习：证明若${u}\\mid {v}$，则${u}\\le {v}$。
        解集是${set}$的子集；当${u}={v}$且${v}\\ne {w}$时是空集。
        数列${u}_1, {u}_2, \\ldots$单调递增，是指$i<j$时${u}_i\\le {u}_j$。
        把${v}={n}$代入多项式$p({v})={v}^2+{m}$，结果是整数。
        """
    ),
    words=_NAMES,
)

_REMARKS = {"en": (_EN, " "), "zh": (_ZH, "")}


def remark(rng: random.Random, language: str, sentences: int) -> str:
    """`sentences` different remarks as one paragraph; a paragraph keeps to one name for each quantity."""
    vertical, joiner = _REMARKS[language]
    words = {slot: (rng.choice(choices),) for slot, choices in vertical.words.items()}
    chosen = rng.sample(vertical.sentences, sentences)
    return joiner.join(fill(rng, sentence, words) for sentence in chosen)
