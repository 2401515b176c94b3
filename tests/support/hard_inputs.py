"""Inputs made to break a grader: towers of powers, huge numbers, deep nesting, long texts. All harmless to read."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

_SYMBOLS = "+".join(f"x_{{{i}}}" for i in range(2000))
_COLLATZ = ",".join(str(i * 7919 % 10007) for i in range(2000))

HARD_INPUTS = [
    "The answer is " + "\\(" * 50_000,
    "The answer is 5" + "\\\\(Note " * 12_000 + "}",
    r"\int_0^1 \sin(\cos(\tan x)) dx",
    r"\int_0^1" * 30 + "x" + " dx" * 30,
    r"\lim_{x\to0}" * 30 + "x",
    r"\lim_{n\to\infty}(1+1/n)^{n^2}",
    r"\lim_{x\to 0}\frac{\sin(\tan x)-\tan(\sin x)}{x^7}",
    r"\sum_{n=1}^\infty \sum_{m=1}^\infty \frac{1}{2^{n+m}}",
    r"\frac{x^{4}+3x+1}{x^{3}-x-1}>\frac{x^4-1}{x^4+77x+1}",
    "".join(f"(x-{k})" for k in range(1, 13)) + "<0",
    "x^8-99999999999999999999999999999x^7+3x-1<0",
    # towers and large values
    "9^{9^{9^9}}", "2^{10^9}", "10^{10^{10}}", "((2^{64})^{64})^{64}", "2^{2^{2^{2^{2}}}}", "x^{x^{x^{x^{x}}}}",
    "e^{e^{e^{e^{e}}}}", "(1+10^{-9})^{10^9}", "9**9**9**9", "10^{-10^{10}}", "(-1)^{10^{12}}", "0^{0^{0}}",
    "1000000!", "100000!!", "((10!)!)!", "3!!!!!!!!", "\\binom{10^9}{5\\cdot10^8}", "\\binom{5000}{2500}" * 200,
    "\\gcd(10^{400},10^{399})", "\\sqrt[1000000]{2}", "\\sqrt[10^9]{10^{10^9}}", "\\log(10^{10^{10}})",
    "\\tan(10^{1000})", "\\sin(10^{10^{6}})", "\\sinh(10^6)", "\\exp(10^{12})", "1e999999999", "-1e-999999999",
    "0.000001e-400000", "1" * 100_000, "0." + "3" * 100_000, "9" * 400 + "/" + "7" * 400, "1/0", "0/0",
    "10^{400}\\%", "99999999999999999999万亿亿亿",
    # sums, products, integrals
    "\\sum_{k=1}^{10^9} k", "\\sum_{i=1}^{200}\\sum_{j=1}^{200}\\sum_{k=1}^{200} ijk", "\\prod_{k=1}^{200} k^{200}",
    "\\sum_{k=1}^{n}" * 30 + "k", "\\int_0^1 \\frac{\\ln(1+x)}{1+x^2} dx", "\\lim_{n\\to\\infty}(1+1/n)^n",
    "+".join(["\\sin(x)"] * 180) + "+10^{-1700}", "((((((x+1)^{50})^{50})^{50})^{50})^{50})^{50}",
    "(a+b+c+d+e+f+g+h)^{200}", "\\prod_{k=1}^{200}(x+k)",
    # long
    _SYMBOLS, "+".join(["\\frac{1}{x+1}"] * 900), "x*" * 2900 + "x", "1 +" * 3000 + "1", "1/" * 5000 + "1",
    "-" * 10_000 + "1", "x=" * 3000 + "1", "1<" * 500 + "x", "a b " * 5000, "5 " + "a" * 390, "$ " * 50_000,
    "$$" * 50_000, "\\boxed{" * 20_000, "\\boxed{1} " * 10_000, "answer is " * 20_000, "答案是" * 30_000, 
    "A\n" * 50_000,
    "Q: \n" * 20_000, "#### " * 20_000, "```python\n" * 10_000, "<think>" * 10_000, "\\text{and} " * 5000,
    "\\pm " * 30 + "1", "1" + "\\pm 1" * 25, ",".join(["\\pm 1"] * 200), "0.1\\overline{6}" * 2000, "1,000," * 10_000,
    "1:" * 3000 + "1", "1 2/3 " * 3000, "。" * 50_000, " " * 100_000 + "5", "\n" * 100_000 + "5", "三万" * 5000,
    # lists of options, unknowns, asides
    "The answer is not A" + ", A" * 9_000, "A错误" * 9_000, "(B) is wrong. " * 9_000, "x = 1, y = 2; " * 900,
    ",".join(f"x_{i} = {i}" for i in range(900)), "(1, 2), " * 900, "5 (since " * 40, "5, because x" * 30,
    "is x^2 + " * 9_000, "__1" * 30_000, "উত্তর " * 9_000, "3\\pi, or about " * 900, "x = y = " * 900 + "1",
    "\\frac{d}{dx}" * 60 + "x", "\\int x dx" * 60,
    # sets
    "\\{" + _COLLATZ + "\\}", ",".join(f"\\sqrt{{{i}}}" for i in range(1500)), "\\cup".join(["(0,1)"] * 500),
    "\\{x \\mid " * 200, "(1," * 500, "[" * 3000, "\\begin{pmatrix}" + "1&" * 3000 + "1\\end{pmatrix}",
    "\\begin{pmatrix}" + "\\\\".join(["&".join(["x+1"] * 20)] * 20) + "\\end{pmatrix}", "x\\in" * 400,
    # nesting
    "(" * 500 + "1" + ")" * 500, "{" * 5000, "}" * 5000, "{" * 5000 + "1" + "}" * 5000, "|" * 1001,
    "\\sqrt{" * 300 + "2" + "}" * 300, "\\sin(" * 40 + "x" + ")" * 40, "\\frac{1}{1+" * 100 + "1" + "}" * 100,
    "\\frac" * 3000, "\\frac12" * 1500, "\\left(" * 2000, "\\text{" * 2000, "x_{" * 1000, "x^{" * 1000, "_" * 5000,
    "^" * 5000, "\\\\" * 5000, "\\" * 9999,
    # not text
    "\x00" * 1000, "\ud800", "\u202e" * 1000, "\U0001d7ce" * 3000, "̀" * 5000, "½" * 5000, "⁹" * 5000,
]  # fmt: skip


@contextmanager
def no_hang(seconds: float = 10.0) -> Iterator[None]:
    """Turns a hang into a failure: so many seconds of this process's own time are far more than any input takes
    (speed itself is measured by benchmarks/grading.py)."""

    def stop(*_: object) -> None:
        raise AssertionError(f"still busy after {seconds} s of processor time")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
