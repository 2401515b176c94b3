"""What stands around an article goes, whatever it is called; what an article says stays."""

import pytest

from corpus.formulas.lone_characters import OUR_MARKS
from corpus.html.main_text import extract_text

PARAGRAPH = (
    "The river rose slowly during the night, and in the morning the meadow below the old mill was "
    "a lake on which two swans had already settled. Nobody in the village could remember a flood so late."
)
ARTICLE = f"<h1>A late flood</h1><p>{PARAGRAPH}</p><p>{PARAGRAPH}</p><h2>What came after</h2><p>{PARAGRAPH}</p>"
TEASER = "<h3><a href='/b'>Bridge closed for a week</a></h3><p>Engineers found a crack in a pillar on Friday.</p>"
LINKS = (
    "<ul><li><a href='/c'>Swans return early</a></li><li><a href='/d'>Mill to be sold</a></li></ul>"
)

# What stands below the article, none of it named by a class.
BELOW = {
    "other articles, by their heading": f"<div><h3>Related stories</h3>{LINKS}</div>",
    "in German": f"<div><h3>Das könnte Sie auch interessieren</h3>{LINKS}</div>",
    "in French": f"<p>Sur le même sujet</p>{LINKS}",
    "in Spanish": f"<p>Noticias relacionadas</p>{LINKS}",
    "in Russian": f"<h4>Читайте также</h4>{LINKS}",
    "in Polish": f"<h4>Zobacz też</h4>{LINKS}",
    "in Japanese": f"<h4>関連記事</h4>{LINKS}",
    "in Chinese": f"<h4>相关阅读</h4>{LINKS}",
    "teasers without a heading": TEASER + TEASER.replace("Bridge", "Tunnel"),
    "links without a heading": LINKS,
    "a form for comments": "<h3>Leave a Reply</h3><p>Your email address will not be published.</p>"
    "<p>Swans</p>",
    "a form in German": "<h3>Schreibe einen Kommentar</h3>"
    "<p>Deine E-Mail-Adresse wird nicht veröffentlicht.</p><p>Swans</p>",
    "readers": "<h3>3 Comments</h3><p>Anna</p>"
    "<p>I have seen the Swans myself, they came from the north in April.</p>",
    "share buttons": "<p>Share this article</p><p>Swans by mail</p><p><a href='/t'>Tweet</a></p>",
    "tags": "<p>Tags: <a href='/s'>Swans</a>, <a href='/m'>Mill</a></p>",
    "pages": "<p><a href='/1'>Next: Swans on the lake</a></p>",
    "rights": "<p>Copyright 2019 by Swans and Bridge Publishers</p>",
    "consent": "<p>The Swans: this website uses cookies to offer you a better experience.</p>",
}


@pytest.mark.parametrize("name", BELOW)
def test_what_stands_below_an_article_goes(name):
    text = extract_text(f"<body><div>{ARTICLE}</div><div>{BELOW[name]}</div></body>").text
    assert text.count(PARAGRAPH) == 3 and "What came after" in text
    assert "Swans" not in text and "Bridge" not in text and "Mill" not in text


def test_what_stands_above_an_article_goes_and_its_title_stays():
    menu = "<p><a href='/'>Start</a> › <a href='/n'>News</a></p>"
    text = extract_text(f"<body><div>{menu}<p>Monday edition</p>{ARTICLE}</div></body>").text
    assert text.startswith("A late flood\n")


@pytest.mark.parametrize("heading", ["Related stories", "Mehr zum Thema", "Lire aussi", "Share"])
def test_an_article_goes_on_below_a_box_in_its_middle(heading):
    box = f"<div><p>{heading}</p>{LINKS}</div>"
    text = extract_text(f"<body><div><p>{PARAGRAPH}</p>{box}{ARTICLE}</div></body>").text
    assert text.count(PARAGRAPH) == 4
    assert "Swans return" not in text


def test_comments_with_formulas_stay():
    comments = r"<h3>2 Comments</h3><p>Anna</p><p>Why is \(x^2 = 2\) not solvable?</p>"
    text = extract_text(f"<body>{ARTICLE}{comments}</body>").text
    assert "$x^2 = 2$" in text and "Anna" in text


def test_code_after_the_last_paragraph_stays():
    text = extract_text(f"<body>{ARTICLE}<h2>Example</h2><pre>x = 1\ny = 2</pre></body>").text
    assert "Example\n\n```\nx = 1\ny = 2\n```" in text


# Nothing on these is around an article: they are lists, or sections of a manual.
WHOLE = {
    "sections called so": "<h2>4. Comments</h2><p>A comment begins with a number sign and ends with the line.</p>"
    "<h2>5. Tags</h2><p>A tag begins with a letter, and may have a number.</p>",
    "headings with anchors": f'<h2><a name="s1">First</a></h2><p>{PARAGRAPH}</p>'
    '<h2><a href="#toc">Second</a></h2><p>A last word.</p>',
    "a list": "<h1>Functions of the door</h1><ul>"
    + "<li>close the door behind you now</li><li>share what you have found with us</li>" * 9
    + "</ul>",
}


@pytest.mark.parametrize("name", WHOLE)
def test_lists_and_manuals_lose_nothing(name):
    body = WHOLE[name]
    if name == "sections called so":
        body = f"<p>{PARAGRAPH}</p><p>{PARAGRAPH}</p>{body}"
    text = extract_text(f"<body><div>{body}</div></body>").text
    said = body.replace(">", ">\0").split("\0")
    words = [part.partition("<")[0] for part in said if part.partition("<")[0].strip()]
    assert all(word in text for word in words)


def test_words_that_link_to_a_tag_and_quoted_posts_stay():
    body = (
        f'<p>Two <a href="/s" rel="tag">swans</a> came. {PARAGRAPH}</p>'
        '<blockquote class="twitter-tweet"><p>We saw them! <a href="https://t.co/x">pic</a> '
        '<a href="https://t.co/y">#swans</a></p></blockquote>'
    )
    text = extract_text(f"<body>{ARTICLE}{body}<p>{PARAGRAPH}</p></body>").text
    assert "Two swans came." in text and "We saw them!" in text


@pytest.mark.parametrize(
    "script",
    [
        "<script>var s = '<a href=\"x\">no<\\/a>'; if (a < b) { f('<h2>no'); }</script>",
        "<script><!-- no --></script>",
        "<style>p > a { color: red }</style>",
        "<SCRIPT>no</SCRIPT>",
    ],
)
def test_a_script_is_no_text_and_hides_none(script):
    text = extract_text(f"<body><p>{PARAGRAPH}</p>{script}<p>{PARAGRAPH} Last.</p></body>").text
    assert text.count(PARAGRAPH) == 2 and "Last." in text and "no" not in text.split()


def test_marks_leave_nothing_behind():
    links = '<p><a href="/a">One</a><a href="/b"><b>Two</b></a> <a name="c">Three</a></p>'
    code = '<pre>x = <a href="/d">f</a>(1)\ny = 2</pre>'
    text = extract_text(f"<body>{ARTICLE}{links}{code}<p>{PARAGRAPH}</p></body>").text
    assert "OneTwo Three" in text and "x = f(1)" in text
    assert not any(mark in text for mark in OUR_MARKS)
    assert not any(line.startswith(" ") for line in text.split("\n") if "Three" in line)
