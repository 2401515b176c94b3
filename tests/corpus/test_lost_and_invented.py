"""Text and formulas that extraction used to lose or invent: each kind once, in a page of prose."""

import pytest

from corpus.html.main_text import extract_text

SENTENCE = "This paragraph of ordinary prose makes the page as long as pages usually are. "
PROSE = f"<p>{SENTENCE * 5}</p>"
EQUATION = "<math><mi>a</mi><mo>=</mo><mn>1</mn></math>"
# MathJax 3 without its copy for screen readers: x² and 1/y, and x with both scripts as SVG.
POWER = (
    '<mjx-msup><mjx-mi><mjx-c class="mjx-c1D465 TEX-I"></mjx-c></mjx-mi><mjx-script>'
    '<mjx-mn size="s"><mjx-c class="mjx-c32"></mjx-c></mjx-mn></mjx-script></mjx-msup>'
)
FRACTION = (
    "<mjx-mfrac><mjx-frac><mjx-num><mjx-nstrut></mjx-nstrut><mjx-mn>"
    '<mjx-c class="mjx-c31"></mjx-c></mjx-mn></mjx-num><mjx-dbox><mjx-dtable><mjx-line></mjx-line>'
    "<mjx-row><mjx-den><mjx-dstrut></mjx-dstrut><mjx-mi>"
    '<mjx-c class="mjx-c1D466 TEX-I"></mjx-c></mjx-mi></mjx-den></mjx-row></mjx-dtable></mjx-dbox>'
    "</mjx-frac></mjx-mfrac>"
)
SCRIPTS = (
    '<svg><g data-mml-node="math"><g data-mml-node="msubsup"><g data-mml-node="mi">'
    '<use data-c="1D465"></use></g><g data-mml-node="mn"><use data-c="32"></use></g>'
    '<g data-mml-node="mi"><use data-c="1D456"></use></g></g></g></svg>'
)
BOXES = (
    '<span class="katex"><span class="katex-html"><span class="mord">E</span>'
    '<span class="mrel">=</span><span class="mord">mc2</span></span></span>'
)

# Markup -> what must stand in the text, in order, and how many formulas that is.
KINDS = {
    "figure": ("<figure><table><tr><td>aa</td></tr></table><figcaption>Caption</figcaption></figure>",
               ["aa", "Caption"], 0),
    "code in a figure": ("<figure><pre>x = 1\ny = 2</pre></figure>", ["```\nx = 1\ny = 2\n```"], 0),
    "options of a quiz": (
        '<form><label><input type="radio" name="q">seven</label><label>eight</label></form>',
        ["seven eight"],
        0,
    ),
    "paragraphs of class tex": (
        f'<div class="tex"><p>First {EQUATION} here.</p><p>Second {EQUATION} here.</p></div>',
        ["First $a=1$ here.", "Second $a=1$ here."],
        2,
    ),
    "dollars in paragraphs of class math": (
        '<div class="math"><p>Let $n$ be odd.</p><p>Then $m$ is even.</p></div>',
        ["Let $n$ be odd.", "Then $m$ is even."],
        2,
    ),
    "lines of class math": (
        r'<div class="math">We have \(x\) here<br>and there \(y\) too.</div>',
        ["$x$ here\nand there $y$"],
        2,
    ),
    "a template of distill": (
        "<p>So <d-math>x^2</d-math> and <d-math block>y_1</d-math></p>", ["So $x^2$", "$$y_1$$"], 2
    ),
    "pictures of a course platform": (
        '<p><img alt="x^2" src="/filter/tex/pix.php/1.gif"> <img class="mimetex" alt="y_1" src="2.gif"></p>',
        ["$x^2$ $y_1$"],
        2,
    ),
    "an annotation with a parameter": (
        '<math><semantics><mi>x</mi><annotation encoding="application/x-tex; mode=inline">x_8'
        "</annotation></semantics></math>",
        ["$x_8$"],
        1,
    ),
    "a choice in quotation marks": (
        r'<p>grep "\(a\|b\)" and \( -name c \) and \(\d{3}\) and \[[a-z]\] find files.</p>',
        [r'"\(a\|b\)"', r"\( -name c \)", r"\(\d{3}\)", r"\[[a-z]\]"],
        0,
    ),
    "a norm": (r"<p>the length \(\|x\| = 1\) of it</p>", [r"$\|x\| = 1$"], 1),
    "short cells": (
        "<table><tr><td>x²</td><td>2π</td><td>5°</td><td>o&ugrave;</td><td>&#960;r</td></tr></table>",
        ["x²", "2π", "5°", "où", "πr"],
        0,
    ),
    "lone signs": (
        "<p><b>⁄</b> <b>↔</b> <b>⇐</b> <b>⟺</b> <b>⌊</b>x<b>⌋</b> <b>①</b></p>",
        ["⁄ ↔ ⇐ ⟺ ⌊x⌋ ①"],
        0,
    ),
    "fractions": (
        "<p>a <sup>3</sup>&frasl;<sub>4</sub>, 1<sup>3</sup>⁄<sub>4</sub>, x<sup>2</sup>/3</p>",
        ["a 3⁄4, 1 3⁄4, x^{2}/3"],
        0,
    ),
    "control space": (r"<p>a \(x\ \) b $y\ $ c $\alpha$</p>", [r"a $x\ $ b $y\ $ c $\alpha$"], 3),
    "MathJax's elements": (
        f'<p>a <mjx-container class="MathJax"><mjx-math>{POWER}{FRACTION}</mjx-math></mjx-container></p>',
        [r"a $x^{2}\frac{1}{y}$"],
        1,
    ),
    "MathJax's SVG": (f'<p>a <mjx-container class="MathJax">{SCRIPTS}</mjx-container></p>',
                      ["a $x_{i}^{2}$"], 1),
    "data attributes": (
        '<p><span data-math="x^2">x2</span> <span data-equation="y_1">y</span> <b data-math="true">b</b></p>',
        ["$x^2$ $y_1$ b"],
        2,
    ),
    "text in MathML": (
        "<p><math><mtext>cost $5, 50%, a_b #1</mtext></math></p>",
        [r"$\text{cost \$5, 50\%, a\_b \#1}$"],
        1,
    ),
    "comments in MathML": (
        "<p><math><munderover><mo>∑<!-- sum --></mo><mi>i</mi><mi>n</mi></munderover></math></p>",
        [r"$\sum_{i}^{n}$"],
        1,
    ),
    "TeX in AsciiMath's backticks": (
        r'<script src="ASCIIMathML.js"></script><p>`x^-1`, `\alpha+1`, `\(z\)`</p>',
        [r"$x^{-1}$, $\alpha+1$, $z$"],
        3,
    ),
    "definitions": (
        r"<p>a \(\newcommand{\R}[1]{\mathbb{R}^{#1}} \def\x{y}\) b \(x \in \R{2}\)</p>",
        [r"b $x \in \R{2}$"],
        1,
    ),
    "regular expressions": (
        r"<p>sed 's/\(.*\)x/\1/' or \(foo\|bar\) or \([a-z]*\) or \(\|x\|\), \(\{0: x\}\)</p>",
        [r"sed 's/\(.*\)x/\1/' or \(foo\|bar\) or \([a-z]*\) or", r"\|x\|", r"\{0: x\}"],
        2,
    ),
    "images of documentation generators": (
        '<p><img class="formulaInl" alt="$x^2$" src="form_0.png"> <img src="img1.png" alt="\\(c\\)"></p>',
        ["$x^2$ $c$"],
        2,
    ),
    "images of course platforms": (
        '<p><img class="equation_image" data-equation-content="\\frac{1}{2}" alt="LaTeX: x" src="q"> '
        '<img class="texrender" alt="q^2" src="1.png"> <img class="Wirisformula" alt="x squared" '
        'data-mathml="«math»«msup»«mi»x«/mi»«mn»2«/mn»«/msup»«/math»"></p>',
        [r"$\frac{1}{2}$ $q^2$ $x^{2}$"],
        3,
    ),
    "noscript that is not closed": (
        "<noscript><div>switch it on</noscript><p>One.</p><noscript><img src='p.png'><p>Two.</p>",
        ["One.", "Two."],
        0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_nothing_is_lost_and_nothing_invented(name):
    markup, expected, formulas = KINDS[name]
    page = extract_text(f"<html><body>{PROSE}{markup}<p>The end.</p>{PROSE}</body></html>")

    position = 0
    for text in expected:
        found = page.text.find(text, position)
        assert found >= 0, (text, page.text)
        position = found + len(text)
    assert page.n_math == formulas, page.text
    assert "The end." in page.text and "switch it on" not in page.text


def test_drawn_boxes_without_a_source_are_counted_and_not_taken_for_a_formula():
    page = extract_text(f"<body>{PROSE}<p>Energy is {BOXES} here.</p>{PROSE}</body>")
    assert (page.n_math, page.left_out) == (0, 1)
    assert "mc2" not in page.text and "Energy is" in page.text


def test_a_page_cut_off_inside_a_rendered_formula_gives_no_false_one():
    whole = f'<body>{PROSE}<p>a <mjx-container class="MathJax"><mjx-math>{POWER}'
    page = extract_text(whole)
    assert (page.n_math, page.left_out) == (0, 1)


def test_forms_to_fill_in_go_and_their_labels_with_them():
    form = (
        '<form><label for="c">Comment</label><textarea id="c"></textarea>'
        '<label for="m">Email</label><input type="email" id="m"></form>'
    )
    switch = '<input type="checkbox" id="nav"><label for="nav">Toggle the menu</label>'
    text = extract_text(f"<body>{switch}{PROSE}{form}{PROSE}</body>").text
    assert "Email" not in text and "Toggle" not in text and "ordinary prose" in text


@pytest.mark.parametrize("wrapper", ["related", "menu", "nav"])
def test_a_page_inside_what_calls_itself_navigation_is_not_emptied(wrapper):
    article = "".join(f"<p>{SENTENCE}</p>" for _ in range(8))
    text = extract_text(
        f'<body><div class="{wrapper}">{article}</div><p>A few words.</p></body>'
    ).text
    assert text.count("ordinary prose") == 8


TAIL = {
    "share buttons": '<div class="sharedaddy sd-block">Tell everybody</div>',
    "related articles": '<section class="relatedPosts"><h3>Tell everybody</h3></section>',
    "consent": '<div id="cookie-notice">Tell everybody</div>',
    "newsletter": "<div class='newsletter-box'>Tell everybody</div>",
    "spam filter": '<p class="akismet_comment_form_privacy_notice">Tell everybody</p>',
    "tags": '<div class="entry-tags">Tell everybody</div>',
    "comments": '<ol class="comment-list"><li>Tell everybody</li></ol>',
}


@pytest.mark.parametrize("name", TAIL)
def test_what_names_its_use_goes_unless_it_holds_a_formula(name):
    page = "<body>{0}{1}<p>The end.</p></body>"
    text = extract_text(page.format(PROSE, TAIL[name])).text
    assert "Tell everybody" not in text and "The end." in text

    with_formula = TAIL[name].replace("everybody", r"everybody \(x^2\)")
    assert "$x^2$" in extract_text(page.format(PROSE, with_formula)).text


@pytest.mark.parametrize(
    "attribute", ['class="category-cookies post"', 'class="a[b] share\nb"', 'id="newsletter"']
)
def test_a_page_that_is_about_such_a_thing_stays(attribute):
    page = f"<body><div {attribute}>{PROSE}</div><p>The end.</p></body>"
    assert "ordinary prose" in extract_text(page).text
