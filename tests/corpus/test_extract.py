"""Pages from HTML: each formula once, prices and code untouched, boilerplate gone; the command and its counts."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from resiliparse.parse.html import HTMLTree

from corpus import extract as extract_module
from corpus.archives.charset import decode_page
from corpus.archives.http_payload import parse_http
from corpus.archives.warc import read_records
from corpus.extract import main
from corpus.html.main_text import extract_text
from corpus.tables.pages import PAGES, REJECTS, read_table
from pipeline.config.corpus import Extraction
from pipeline.errors import UserError, run_main
from tests.support.shared_data import shared_data
from tests.support.warc_records import response, write

ROOT = Path(__file__).resolve().parents[2]
SENTENCE = "This paragraph of ordinary prose makes the page as long as pages usually are. "
PROSE = f"<p>{SENTENCE * 5}</p>"
KATEX = (
    '<span class="katex"><span class="katex-mathml"><math><semantics><mrow><mi>E</mi></mrow>'
    '<annotation encoding="application/x-tex">E=mc^2</annotation></semantics></math></span>'
    '<span class="katex-html" aria-hidden="true">E=mc2</span></span>'
)
WIKIPEDIA = (
    '<span class="mwe-math-element"><span style="display: none;"><math alttext="{\\displaystyle a^{2}}"><semantics>'
    '<annotation encoding="application/x-tex">{\\displaystyle a^{2}}</annotation></semantics></math></span>'
    '<img class="mwe-math-fallback-image-inline" src="https://w/render/svg/1" alt="{\\displaystyle a^{2}}"></span>'
)
MATHJAX3 = (
    '<mjx-container class="MathJax" jax="CHTML"><mjx-math><mjx-c></mjx-c></mjx-math><mjx-assistive-mml>'
    "<math><msup><mi>x</mi><mn>2</mn></msup></math></mjx-assistive-mml></mjx-container>"
)
ENGINE = '<script src="https://cdn.example/mathjax@3/tex-mml-chtml.js"></script>'

# Markup -> the formulas, in order, that must stand in the text, each once.
CARRIERS = {
    "TeX delimiters": (r"\(a+b\) and \[\frac{1}{2}\]", ["$a+b$", r"$$\frac{1}{2}$$"]),
    "double dollars": (r"so $$\int_0^1 x\,dx$$ ends", [r"$$\int_0^1 x\,dx$$"]),
    "dollars with an engine": (ENGINE + "let $n$ be and $x_1 &lt; x_2$", ["$n$", "$x_1 < x_2$"]),
    "dollars with a command": (r"let $\alpha + 1$ be", [r"$\alpha + 1$"]),
    "MathJax script": ('<script type="math/tex">x^2</script>', ["$x^2$"]),
    "MathJax display script": ('<script type="math/tex; mode=display">\\sum_i x_i</script>', [r"$$\sum_i x_i$$"]),
    "MathJax preview and output": (
        '<span class="MathJax_Preview">x2</span><span class="MathJax"><nobr>x2</nobr></span>'
        '<script type="math/tex">x^2</script>',
        ["$x^2$"],
    ),
    "MathJax 2 without its script": (
        '<span class="MathJax" data-mathml="&lt;math&gt;&lt;mi&gt;y&lt;/mi&gt;&lt;/math&gt;"><nobr>y</nobr></span>',
        ["$y$"],
    ),
    "MathJax 3": (MATHJAX3, ["$x^{2}$"]),
    "AsciiMath script": ('<script type="math/asciimath">x/y</script>', [r"$\frac{x}{y}$"]),
    "MathML script": ('<script type="math/mml"><math><mi>z</mi></math></script>', ["$z$"]),
    "AsciiMath backticks": ('<script src="ASCIIMathML.js"></script>and `x^2` is', ["$x^{2}$"]),
    "KaTeX": (KATEX, ["$E=mc^2$"]),
    "KaTeX display": (f'<span class="katex-display">{KATEX}</span>', ["$$E=mc^2$$"]),
    "annotation": (
        "<math><semantics><mfrac><mn>1</mn><mi>n</mi></mfrac>"
        '<annotation encoding="application/x-tex">\\frac1n</annotation></semantics></math>',
        [r"$\frac1n$"],
    ),
    "alttext": (r'<math alttext="E[X]=\mu"><mi>E</mi></math>', [r"$E[X]=\mu$"]),
    "spoken alttext": ('<math alttext="x plus y equals two"><mi>x</mi><mo>+</mo><mi>y</mi></math>', ["$x+y$"]),
    "presentation": ('<math display="block"><mi>a</mi><mo>≥</mo><mi>b</mi></math>', [r"$$a\geq b$$"]),
    "namespace prefix": ('<mml:math><mml:msqrt><mml:mi>x</mml:mi></mml:msqrt></mml:math>', [r"$\sqrt{x}$"]),
    "Wikipedia": (WIKIPEDIA, ["$a^{2}$"]),
    "image descriptions": (
        '<img class="tex" alt="\\sqrt{x}" src="a.png"> <img class="math" alt="y_1" src="_images/math/1.png"> '
        '<img src="http://s0.wp.com/latex.php?latex=z%5E2&amp;bg=fff" alt="z^2" class="latex"> '
        '<img src="cat.jpg" alt="a cat">',
        [r"$\sqrt{x}$", "$y_1$", "$z^2$"],
    ),
    "image addresses": (
        '<img src="https://latex.codecogs.com/gif.latex?%5Cfrac%7B1%7D%7B3%7D"> '
        '<img src="https://latex.codecogs.com/svg.latex?x&amp;space;+&amp;space;y"> '
        '<img src="https://s0.wp.com/latex.php?latex=a+%2B+b">',
        [r"$\frac{1}{3}$", "$x + y$", "$a + b$"],
    ),
    "environment": (
        r"\begin{align} a &amp;= b \\ c &amp;= d \end{align}",
        [r"$$\begin{align} a &= b \\ c &= d \end{align}$$"],
    ),
    "data attributes": (
        r'<span data-expr="\gamma^2">x</span> <span data-latex="\delta">d</span>',
        [r"$\gamma^2$", r"$\delta$"],
    ),
    "math class with delimiters": (r'<span class="math notranslate">\(\pi\)</span>', [r"$\pi$"]),
    "math class without": ('<span class="math inline">x^2</span><div class="math">y_1</div>', ["$x^2$", "$$y_1$$"]),
    "image in a math block": ('<div class="math"><p><img src="m.png" class="x" alt="n"/></p></div>', []),
    "forum container": ('<span class="math-container">$x$</span>', ["$x$"]),
    "forum tags": ("[tex]x+1[/tex] and $latex \\pi$", ["$x+1$", r"$\pi$"]),
    "dollars inside text": (r"\[x \text{ if $y$}\]", [r"$$x \text{ if $y$}$$"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CARRIERS)
def test_each_formula_stands_once_in_canonical_form(name):
    markup, formulas = CARRIERS[name]
    page = extract_text(f"<html><body>{PROSE}<p>Before {markup} after.</p>{PROSE}</body></html>")

    position = 0
    for formula in formulas:
        found = page.text.find(formula, position)
        assert found >= 0, (formula, page.text)
        position = found + len(formula)

    assert page.n_math == len(formulas)
    assert page.text.count("$") == sum(formula.count("$") for formula in formulas)
    assert "Before" in page.text and "after." in page.text


def test_display_formulas_have_lines_of_their_own():
    text = extract_text(rf"<body>{PROSE}<p>We see \[x\] and \(y\) here</p></body>").text
    assert "We see\n$$x$$\nand $y$ here" in text


def test_tex_is_not_touched():
    tex = "a  _{b}\\\\\n  \\text{if *x* _y_}  \\% &amp; c"
    text = extract_text(f'<body>{PROSE}<p><script type="math/tex">{tex}</script></p></body>').text
    assert f"${tex}$" in text


def test_prices_and_variables_are_no_formulas():
    page = extract_text(f"<body>{PROSE}<p>From $5 to $6, or $foo and $bar, US$7-$8.</p></body>")
    assert page.n_math == 0 and "From $5 to $6, or $foo and $bar, US$7-$8." in page.text


def test_prices_beside_formulas_are_escaped_and_counted():
    page = extract_text(
        f"<body>{ENGINE}{PROSE}<p>It costs $5 and $6, with $n$ of them at $7.</p></body>"
    )
    assert r"costs \$5 and \$6, with $n$ of them at \$7." in page.text
    assert (page.n_math, page.escaped) == (1, 3)


def test_code_stands_as_it_was_between_fences():
    code = 'def f(x):\n    cost = "$5"  # \\(x\\)\n\n\n    return  x'
    markup = f'<pre><code class="language-python">{code}</code></pre>'
    page = extract_text(
        f"<body>{PROSE}<p>Use <code>a $x$  b</code>, \\(y\\).</p>{markup}{PROSE}</body>"
    )
    assert f"```python\n{code}\n```" in page.text
    assert "`a $x$  b`" in page.text
    assert page.n_math == 1


def test_columns_of_line_numbers_are_no_code():
    numbers, code = "<pre>1\n2\n3</pre>", "<pre>a = 1\nb = 2\nc = 3</pre>"
    table = f"<table><tr><td>{numbers}</td><td>{code}</td></tr></table>"
    text = extract_text(f"<body>{PROSE}{table}{PROSE}</body>").text
    assert "```\na = 1\nb = 2\nc = 3\n```" in text and text.count("```") == 2


def test_short_sub_and_superscripts_are_kept_and_notes_are_not_made_powers():
    markup = (
        "x<sup>2</sup> + y<sub>i</sub>, the 19<sup>th</sup>, see<sup><a href='#1'>[1]</a></sup>"
    )
    text = extract_text(f"<body>{PROSE}<p>{markup}</p></body>").text
    assert "x^{2} + y_{i}, the 19th, see[1]" in text


def test_cells_of_a_table_stay_apart():
    row = "".join(f"<td>{cell}</td>" for cell in (KATEX, '<img class="tex" alt="b^2">', r"\(c\)"))
    text = extract_text(f"<body>{PROSE}<table><tr>{row}</tr></table></body>").text
    assert re.search(r"\$E=mc\^2\$\s+\$b\^2\$\s+\$c\$", text)


def test_navigation_goes_and_formulas_stay():
    links = "".join(f'<li><a href="/{n}">Chapter {n} of the book</a></li>' for n in range(30))
    items = "".join(rf"<li>\(x_{{{n}}}\)</li>" for n in range(20))
    article = f"<article><h1>Title</h1>{PROSE}<ul>{items}</ul></article>"
    footer = "<footer>All rights reserved</footer>"
    page = extract_text(f"<body><nav><ul>{links}</ul></nav>{article}{footer}</body>")

    assert page.n_math == 20
    assert "Chapter" not in page.text and "rights reserved" not in page.text


def test_private_use_characters_of_the_page_are_not_taken_for_ours():
    page = extract_text(f"<body>{PROSE}<p>\uf5f10\uf5f3 icon \\(x\\)</p></body>")
    assert page.n_math == 1 and "$x$" in page.text


PIECES = [
    "<p>", "</p>", "<math>", "</math>", "<mi>x", "$", "$$", "\\(", "\\)", "\\[", "\\]", "<pre>", "</pre>", "<code>",
    "</code>", "<sup>", "</sup>", "<script type='math/tex'>", "</script>", "<span class='math'>", "</span>", "word ",
    "5", "<div class='katex'>", "</div>", "\\begin{align}", "\\end{align}", "`", "\uf5f1", "\uf5f3", "<table><td>",
    "<img class='tex' alt='x'>",
]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_any_mixture_of_markup_gives_text_whose_formulas_add_up(parts):
    page = extract_text("".join(parts))
    assert "\uf5f1" not in page.text and "\uf5f3" not in page.text
    assert page.n_math == sum(page.kinds.values()) >= 0


def test_stdin_gives_one_json_object():
    html = f"<title>T</title>{PROSE}<p>\\(x^2\\)</p>".encode()
    command = [sys.executable, "-m", "corpus.extract", "-"]
    done = subprocess.run(command, cwd=ROOT, input=html, capture_output=True, timeout=60)

    page = json.loads(done.stdout)
    assert done.returncode == 0
    assert page["title"] == "T" and page["language"] == "en" and "$x^2$" in page["text"]
    assert page["n_math"] == 1 and page["math_kinds"] == {"tex_text": 1}


def test_bad_usage_is_one_line_and_status_2(tmp_path, capfd):
    missing_file, nothing, folder = ["no-such.warc.gz"], [], [str(tmp_path)]
    unknown_option, half_a_shard = ["--nonsense", "x"], ["--pages", "x", "y.warc"]
    for args in (missing_file, nothing, folder, unknown_option, half_a_shard):
        with pytest.raises(SystemExit) as stop:
            run_main(main, args)
        out, err = capfd.readouterr()
        assert (stop.value.code, out, len(err.splitlines())) == (2, "", 1), err


def test_hostile_pages_cost_seconds_and_are_rejected_by_name(tmp_path, capsys):
    (tmp_path / "deep.html").write_text("<html><body>" + "<div>" * 50_000 + "x" + "</div>" * 50_000)
    (tmp_path / "large.html").write_text("<html><body>" + "<p>word </p>" * 2_000_000)
    (tmp_path / "good.html").write_text(f"<html><body>{PROSE}</body></html>")
    deep, large, good = (str(tmp_path / name) for name in ("deep.html", "large.html", "good.html"))

    begun = time.monotonic()
    main([deep, large, good, "--rejects", str(tmp_path / "rejects.jsonl")])
    assert time.monotonic() - begun < 10

    pages = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [page["url"] for page in pages] == [good]
    rejects = [json.loads(line) for line in (tmp_path / "rejects.jsonl").read_text().splitlines()]
    reasons = {reject["url"]: reject["reason"] for reject in rejects}
    assert len(rejects) == 2 and reasons == {deep: "too_deep", large: "too_large"}


def shard(tmp_path: Path, files: list[Path], name: str = "s", **settings) -> dict:
    """Extract files as one shard, into `<name>.pages`, `.rejects` and `.stats`; returns its counts."""
    config = tmp_path / f"{name}.config.json"
    config.write_text(Extraction(**settings).model_dump_json())

    args = [*map(str, files), "--config", str(config), "--shard", name]
    for part in ("pages", "rejects", "stats"):
        args += [f"--{part}", str(tmp_path / f"{name}.{part}")]
    main(args)
    return json.loads((tmp_path / f"{name}.stats").read_text())


def test_a_shard_accounts_for_every_record_and_is_the_same_every_time(tmp_path):
    redirect = response(7).replace(b"200 OK", b"301 OK")
    image = response(8).replace(b"text/html", b"image/gif")
    request = response(9).replace(b"WARC-Type: response", b"WARC-Type: request ")
    no_url = response(6).replace(b"WARC-Target-URI", b"WARC-Nothing-URI")
    records = [response(1), redirect, image, request, no_url, response(2), response(3)]
    archive = tmp_path / "a.warc.gz"
    parts = write(archive, records)
    archive.write_bytes(b"".join(parts)[:-40])

    stats = shard(tmp_path, [archive])
    assert stats["records"] == 7 == stats["kept"] + sum(stats["reasons"].values())
    assert stats["reasons"] == {
        "http_status": 1,
        "mime": 1,
        "record_type": 1,
        "truncated_record": 1,
        "warc_header": 1,
    }
    assert stats["truncated"] == ["a.warc.gz"]

    pages, rejects = read_table(tmp_path / "s.pages"), read_table(tmp_path / "s.rejects")
    assert pages.schema.equals(PAGES) and pages.num_rows == 2
    assert rejects.schema.equals(REJECTS) and rejects.num_rows == 5
    assert pages["url"].to_pylist() == ["http://site.example/1", "http://site.example/2"]

    shard(tmp_path, [archive], "again")
    assert (tmp_path / "s.pages").read_bytes() == (tmp_path / "again.pages").read_bytes()


def test_strict_settings_refuse_a_truncated_file(tmp_path):
    parts = write(tmp_path / "a.warc.gz", [response(1), response(2)])
    (tmp_path / "a.warc.gz").write_bytes(b"".join(parts)[:-40])
    with pytest.raises(UserError, match="truncated_record"):
        shard(tmp_path, [tmp_path / "a.warc.gz"], strict=True)
    assert not (tmp_path / "s.pages").exists()


def test_an_empty_shard_is_a_valid_empty_table(tmp_path):
    (tmp_path / "a.warc.gz").write_bytes(b"")
    assert shard(tmp_path, [tmp_path / "a.warc.gz"])["records"] == 0
    assert read_table(tmp_path / "s.pages").schema.equals(PAGES)


def test_odd_and_broken_archives_of_others_account_for_every_record(tmp_path):
    folder = shared_data("crawl")
    files = sorted([*(folder / "odd").glob("*.warc*"), *(folder / "real_samples").iterdir()])
    stats = shard(tmp_path, files)
    assert stats["records"] == stats["kept"] + sum(stats["reasons"].values())
    assert set(stats["reasons"]) <= set(re.findall(r"\w+", extract_module.__doc__))
    assert stats["truncated"] == ["truncated_gzip.warc.gz"]
    damaged = {"corrupt_member.warc.gz", "not_gzip.warc.gz", "not_a_warc.warc.gz"}
    assert damaged <= set(stats["damaged"])

    per_file = stats["files"]
    for counts in per_file.values():
        # "records" itself is one of the values; files without any have no counts.
        assert not counts or sum(counts.values()) == 2 * counts["records"]
    assert per_file["dolma__sample-0000.warc.gz"]["records"] == 48
    # The same eight records, plain and as one gzip member.
    assert per_file["plain.warc"] == per_file["whole_file_gzip.warc.gz"]
    assert per_file["plain.warc"]["kept"] == 8
    # Every re-encoded page is read.
    assert per_file["encodings.warc.gz"]["kept"] == per_file["encodings.warc.gz"]["records"]


def test_formulas_of_real_mathematical_manuals_are_kept():
    expected = found = 0
    for record in read_records(shared_data("crawl") / "DSM-A-00001.warc.gz"):
        if b'"math' not in record.block:
            continue
        source, _ = decode_page(parse_http(record.block).body)
        document = HTMLTree.parse(source).document

        formulas = []
        for node in document.query_selector_all(".math").values():
            formulas += re.findall(r"\\\((.*?)\\\)", node.text)
        for node in document.query_selector_all("img.math").values():
            formulas.append(node.get_attribute("alt") or "")
        if not formulas:
            continue

        # White space is compared nowhere: pages break lines inside formulas.
        text = "".join(extract_text(source).text.split())
        expected += len(formulas)
        found += sum("".join(tex.split()) in text for tex in formulas)
    assert expected > 500 and found >= 0.99 * expected
