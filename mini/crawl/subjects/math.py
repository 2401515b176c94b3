"""Words around mathematics on the built-in web: research abstracts, and what people write in forums and answers.

Formulas are TeX in `$...$` without braces (braces are slots here).
"""

from mini.crawl.subjects.en import COMMON
from mini.crawl.subjects.zh import COMMON_ZH
from mini.text.grammar import Vertical, lexicon, lines

RESEARCH = Vertical(
    titles=lines(
        """
        {property} of {object}
        On {object} with {property}
        {object} and a conjecture on {object}
        A note on {property} for {object}
        """
    ),
    headings=lines(
        """
        Abstract
        Comments
        Main statement
        """
    ),
    sentences=lines(
        """
        We prove that {object} {verb} whenever ${condition}$.
        Let ${var}$ be one of the {object}; we show that its {property} is at most ${bound}$.
        The proof uses {tool} and a {adj} induction on ${var}$.
        As a corollary, ${var} \\le {bound}$ for all ${condition}$.
        This settles a conjecture of {last} for ${var}={n}$ and leaves it open for ${var}>{m}$.
        A theorem of {last} from {year} states the bound ${bound}$; we improve it to ${bound}$.
        Conversely, every such object with ${condition}$ arises from {tool}.
        We give a short proof of the identity ${identity}$.
        Counterexamples exist for ${condition}$, hence the hypothesis ${condition}$ cannot be dropped.
        The main lemma bounds the {property} by ${bound}$ uniformly in ${var}$.
        In particular, the {property} of {object} is computed up to order ${var}={m}$.
        We also discuss {object} over $\\mathbb {field}$ and the case ${condition}$.
        Our method extends {tool} to {object} with ${condition}$.
        The constant ${n}/{m}$ is sharp for infinitely many ${var}$.
        Finally we state {n} open problems on {property}.
        Numerical evidence for ${var} \\le {k}$ supports the formula ${identity}$.
        """
    ),
    words=COMMON
    | lexicon(
        """
        object: planar graphs | finite groups | elliptic curves | convex polytopes | Banach spaces
        | random matrices | integer partitions | modular forms | Markov chains | simplicial complexes
        | polynomial rings
        property: chromatic number | spectral gap | torsion | Euler characteristic | mixing time
        | rational rank | asymptotic density | Hausdorff dimension | isoperimetric constant | zeta function
        tool: Fourier analysis | a counting argument | the probabilistic method | sieve estimates
        | spectral sequences | a compactness argument | generating functions | the pigeonhole principle
        verb: are bounded | are residually finite | converge almost surely | admit a perfect matching
        | are uniquely determined | vanish identically | decompose into irreducible factors
        var: n | k | G | d | p | r
        field: R | C | Q | Z | F
        condition: n \\ge {n} | k \\ne 0 | p \\equiv 1 \\bmod {n} | d > {n} | r \\in \\mathbb Z
        | G \\subset H | n^2 < {m}k
        bound: O(n \\log n) | {n}n^2+{m} | \\sqrt n | n^{n} | {n}k-1 | \\pi n/{n} | d(d+1)/2
        identity: \\sum_k k^2 = n(n+1)(2n+1)/6 | e^x \\ge 1+x | a_n = {n}a_k+{m} | \\zeta(2)=\\pi^2/6
        | x^2-{n}x+{m}=0 | \\prod_p p \\le 4^n
        """
    ),
)

CHAT_EN = Vertical(
    titles=lines(
        """
        stuck on this {task} question
        {task}: where is my mistake?
        {task} homework, please check
        is there a quicker way? ({task})
        """
    ),
    headings=(),
    sentences=lines(
        """
        hi, i don't get this {task} problem at all.
        my teacher {last} says it is easy but i keep getting {m}.
        could somebody check my steps please?
        thanks {name}, now i see it.
        careful, you have to multiply before you add.
        i think you forgot the brackets.
        try to write an equation for the unknown first.
        here is how i would do it.
        that is the right answer, same as in the book on page {m}.
        no, the remainder is missing, look again.
        we had the same {task} exercise last {month}.
        draw a picture, it helps with {task}.
        """
    ),
    words=COMMON
    | lexicon(
        "task: fraction | ratio | percentage | algebra | word problem | geometry | speed | sequence"
    ),
)

CHAT_ZH = Vertical(
    titles=lines(
        """
        求助：一道{task}题
        {task}题不会做，请教各位
        这道{task}题哪里错了
        """
    ),
    headings=(),
    sentences=lines(
        """
        各位好，这道{task}题我想了{n}天还是不会。
        老师说答案不是{m}，请帮我看看步骤。
        谢谢{name}，终于明白了。
        应该先乘除后加减，你把顺序弄反了。
        设未知数列方程就很简单。
        我是这样算的，供参考。
        答案对了，和书上第{m}页一样。
        注意单位要统一。
        画个图就清楚了。
        """
    ),
    words=COMMON_ZH | lexicon("task: 分数 | 比例 | 百分数 | 方程 | 应用 | 几何 | 行程 | 数列"),
)

QUESTION_LEADS = {
    "en": (
        "I would like to understand this step by step.",
        "How does one solve this?",
        "Is the following right?",
    ),
    "zh": ("请问这道题怎样解？", "请写出详细步骤。", "下面的解法对吗？"),
}
ANSWER_LEADS = {
    "en": (
        "We go through it step by step.",
        "The idea is to compute one quantity after another.",
        "Here is a full solution.",
    ),
    "zh": ("下面一步一步来解。", "思路是逐个求出各个量。", "完整解答如下。"),
}
LECTURES = {
    "en": (
        "Lecture {n}: {title}",
        "{title} (notes, part {n})",
        "Chapter {n}. {title}",
        "{title}: worked examples",
    ),
    "zh": ("第{n}讲 {title}", "{title}（第{n}课）", "{title}例题讲解", "第{n}章 {title}"),
}
QUESTIONS = {
    "en": (
        "{title}: how to solve this?",
        "Help with {title}",
        "{title} exercise {n}",
        "Question {k} on {title}",
    ),
    "zh": ("{title}问题{n}", "{title}怎么做", "关于{title}的第{n}问"),
}
