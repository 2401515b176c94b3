"""MathML and AsciiMath to LaTeX."""

import contextlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.formulas.asciimath import asciimath_to_tex
from corpus.formulas.mathml import NotMathML, mathml_to_tex
from corpus.formulas.tex_symbols import join_tex

CASES = {
    "script": ("<msup><mi>x</mi><mn>2</mn></msup>", "x^{2}"),
    "both scripts": ("<msubsup><mi>a</mi><mi>i</mi><mn>2</mn></msubsup>", "a_{i}^{2}"),
    "group keeps its braces": ("<msup><mrow><mi>a</mi><mi>b</mi></mrow><mn>2</mn></msup>", "{ab}^{2}"),
    "brackets need no braces": (
        "<msup><mrow><mo>(</mo><mi>a</mi><mo>)</mo></mrow><mn>2</mn></msup>",
        "(a)^{2}",
    ),
    "fraction and relation": (
        "<mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mn>2</mn></mfrac><mo>≥</mo><msqrt><mi>a</mi></msqrt>",
        r"\frac{a+b}{2}\geq\sqrt{a}",
    ),
    "root": ("<mroot><mi>x</mi><mn>3</mn></mroot>", r"\sqrt[3]{x}"),
    "sum with limits": (
        "<munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover><mi>i</mi>",
        r"\sum_{i=1}^{n}i",
    ),
    "limit": ("<munder><mi>lim</mi><mrow><mi>x</mi><mo>→</mo><mn>0</mn></mrow></munder>", r"\lim_{x\to0}"),
    "accents": ("<mover><mi>x</mi><mo>^</mo></mover><mover><mi>y</mi><mo>→</mo></mover>", r"\hat{x}\vec{y}"),
    "prime": ("<msup><mi>f</mi><mo>′</mo></msup>", "f'"),
    "function and Greek letter": ("<mi>sin</mi><mi>α</mi><mi>x</mi>", r"\sin\alpha x"),
    "alphabet": ("<mi>ℝ</mi><mi mathvariant='bold'>v</mi><mi>𝔤</mi>", r"\mathbb{R}\mathbf{v}\mathfrak{g}"),
    "text": ("<mtext>if </mtext><mi>x</mi>", r"\text{if }x"),
    "matrix": (
        "<mrow><mo>[</mo><mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>2</mn></mtd></mtr>"
        "<mtr><mtd><mn>3</mn></mtd><mtd><mn>4</mn></mtd></mtr></mtable><mo>]</mo></mrow>",
        r"\begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}",
    ),
    "cases": (
        "<mo>{</mo><mtable><mtr><mtd><mn>1</mn></mtd><mtd><mi>x</mi></mtd></mtr></mtable>",
        r"\begin{cases} 1 & x \end{cases}",
    ),
    "fenced": ("<mfenced><mi>a</mi><mi>b</mi></mfenced>", "(a,b)"),
    "scripts before": ("<mmultiscripts><mi>C</mi><mn>6</mn><none/><mprescripts/><none/><mn>14</mn></mmultiscripts>",
                       "{}^{14}C_{6}"),
    "annotation is not shown": (
        "<semantics><mi>x</mi><annotation encoding='Maple'>y</annotation></semantics>",
        "x",
    ),
    "entities": ("<mi>a</mi><mo>&lt;</mo><mi>b</mi><mo>&amp;</mo>", r"a<b\&"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_presentation_mathml_becomes_what_an_author_would_type(name):
    markup, tex = CASES[name]
    assert mathml_to_tex(f"<math>{markup}</math>") == tex


def test_namespace_prefixes_change_nothing():
    plain = "<math><mfrac><mn>1</mn><mi>n</mi></mfrac></math>"
    prefixed = plain.replace("</", "</mml:").replace("<m", "<mml:m").replace("<mml:ml:", "<mml:")
    assert mathml_to_tex(prefixed) == mathml_to_tex(plain) == r"\frac{1}{n}"


def test_time_is_linear_in_the_depth_of_rows():
    markup = "<mrow>" * 100 + "<mi>x</mi><mo>+</mo>" + "</mrow>" * 100
    # Two evaluations a level would never end.
    assert mathml_to_tex(f"<math>{markup}</math>") == "x+"


def test_absurd_depth_is_refused():
    with pytest.raises(NotMathML):
        mathml_to_tex("<math>" + "<mrow>" * 1000 + "<mi>x</mi>")


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="<>/mathroisupn= \"'&;x+abc", max_size=200))
def test_no_markup_makes_the_converter_fail_otherwise(markup):
    with contextlib.suppress(NotMathML):
        assert isinstance(mathml_to_tex(f"<math>{markup}</math>"), str)


@given(st.lists(st.sampled_from(["\\alpha", "\\sin", "x", "2", "{y}", "\\,"]), max_size=8))
def test_joining_never_makes_a_new_command(parts):
    commands = [part for part in parts if part.startswith("\\")]
    joined = join_tex(parts)
    assert re.findall(r"\\(?:[A-Za-z]+|.)", joined) == commands


@pytest.mark.parametrize(
    ("source", "tex"),
    [
        ("x^2/y", r"\frac{x^{2}}{y}"),
        ("sum_(i=1)^n i", r"\sum_{i = 1}^{n} i"),
        ("sqrt(a+b)", r"\sqrt{a + b}"),
        ("abs(x) <= 3", r"|x| \leq 3"),
        ("frac(1)(2)", r"\frac{1}{2}"),
        ('x in RR "if" y', r"x \in \mathbb{R} \text{if} y"),
        ("color(orange)(x)", r"{\color{orange}x}"),
        ("x otherwise", r"x \text{otherwise }"),
    ],
)
def test_asciimath_becomes_latex(source, tex):
    assert asciimath_to_tex(source) == tex


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_accepted_as_asciimath(source):
    assert isinstance(asciimath_to_tex(source), str)
