"""A character that stands alone between tags is text: it stays where the page has it."""

import pytest

from corpus.formulas.lone_characters import MARK
from corpus.html.main_text import extract_text

SENTENCE = "This paragraph of ordinary prose makes the page as long as pages usually are. "
PROSE = f"<p>{SENTENCE * 8}</p>"


def text_of(body: str) -> str:
    """Text of a page with `body` in its main content."""
    content = f"<div class='content'>{PROSE}{body}{PROSE}</div>"
    return extract_text(f"<html><title>t</title><body>{content}</body></html>").text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            "<p>设<b>群</b>为阿贝尔群<span>，</span>则<em>环</em>与<a href='x'>域</a>。</p>",
            "设群为阿贝尔群，则环与域。",
        ),
        ("<p>for <i>x</i> ∈ <i>A</i> and <i>y</i> &notin; <i>B</i></p>", "for x ∈ A and y ∉ B"),
        ("<p>a “<b>set</b>” here <b>&#32676;</b></p>", "a “set” here 群"),
        ("<p>the field <b>ℝ</b><sup>n</sup></p>", "the field ℝ^{n}"),
        ("<p><code>→</code> is an arrow</p>", "`→` is an arrow"),
    ],
)
def test_a_character_alone_between_tags_is_kept(body, text):
    assert text in text_of(body)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<p>so <math><mi>x</mi><mo>∈</mo><mi>ℝ</mi></math> holds</p>", r"$x\in\mathbb{R}$"),
        ('<p>so <script type="math/tex">ℝ</script> holds</p>', "$ℝ$"),
        ("<p>so <code class='math'>ℝ</code> holds</p>", "$ℝ$"),
    ],
)
def test_formulas_are_read_as_without_the_mark(body, text):
    assert text in text_of(body)


def test_no_mark_is_left_in_text_or_title():
    body = f"<p>{MARK}设<b>群</b></p><pre>\n<b>群</b>\n</pre>{PROSE}"
    page = extract_text(f"<title>群</title><body>{body}</body>")
    assert MARK not in page.text + page.title
    assert page.title == "群" and "群" in page.text


def test_ornaments_still_go():
    assert "•" not in text_of("<p>one <span>•</span> two</p>")
