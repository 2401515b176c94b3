"""The corpus report: its numbers against the tables, and a page that is whole, safe and offline."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import UndefinedError

from benchmarks.chromium import Chromium, chromium_path
from corpus import final, report
from pipeline.artifacts.write import write_jsonl
from pipeline.errors import UserError
from pipeline.report import charts
from pipeline.report.math_html import formula, with_formulas
from pipeline.report.page import render
from tests.support.corpus_tables import QUESTION, page, write_benchmark, write_pages, write_rounds
from tests.support.page_checks import flaws

VOID = {"meta", "br", "hr", "img", "link", "input"}


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    """A run's folder: 41 pages in 2 shards, 3 rounds, one leaking page, one duplicate, times and a truth."""
    results = tmp_path_factory.mktemp("run") / "tiny"
    corpus = results / "corpus"
    corpus.mkdir(parents=True)
    pages = [page(number) for number in range(40)]
    pages[4] = page(4, pages[4]["text"] + QUESTION)
    pages.append(page(0) | {"url": "https://copy.example/", "doc_id": 1, "url_key": 1})
    write_pages(corpus, pages)
    rounds = write_rounds(corpus, pages)
    exam = write_benchmark(results / "exam.jsonl")
    inputs = ["--pages", str(corpus / "pages"), "--dedup", str(corpus / "dedup")]
    inputs += ["--rounds", *rounds, "--benchmarks", f"exam={exam}"]
    removed = str(corpus / "decontaminated.parquet")
    final.main([*inputs, "--removed", removed, "--out", str(corpus / "final")])

    (results / "config").mkdir()
    (results / "config" / "corpus.decontamination.json").write_text(
        '{"ngram": 10, "stock_items": 7}', "utf-8"
    )
    (results / "benchmarks").mkdir()
    times = {"extract.00000": "2.0", "extract.00001": "3.0", "mine_round.1": "-"}
    for name, seconds in times.items():
        text = f"s\th:m:s\tmax_rss\tcpu_time\n4.0\t0:00:04\t100.5\t{seconds}\n"
        (results / "benchmarks" / f"{name}.tsv").write_text(text, "utf-8")
    truth = [
        {"url": row["url"], "math": row["n_math"] > 0, "duplicate_of": None, "leaks": None}
        for row in pages
    ]
    truth[4]["leaks"] = "t-1"
    truth[-1]["duplicate_of"] = pages[0]["url"]
    write_jsonl(results / "truth.jsonl", truth)
    return results


@pytest.fixture(scope="module")
def data(results) -> dict:
    return report.numbers(results, results / "truth.jsonl")


@pytest.fixture(scope="module")
def html(results) -> str:
    out = results / "reports" / "corpus.html"
    arguments = ["--results", str(results), "--truth", str(results / "truth.jsonl")]
    arguments += ["--out", str(out), "--json", str(out.with_suffix(".json"))]
    report.main(arguments)
    return out.read_text(encoding="utf-8")


def test_every_record_is_in_one_place_of_the_funnel(data):
    funnel = data["funnel"]
    assert funnel["records"] == 41 + 6
    rejected = [(row["reason"], row["records"]) for row in funnel["rejected"]]
    assert rejected == [("short", 4), ("mime", 2)]
    assert funnel["pages"] - sum(funnel["duplicates"].values()) == funnel["kept"] == 40
    assert funnel["collected"] == funnel["removed"] + funnel["final"]["pages"] == 20
    assert funnel["final"]["formulas"] == 19


def test_rounds_say_what_was_new(data):
    pages = [(entry["pages"], entry["pages_before"]) for entry in data["rounds"]]
    assert pages == [(6, 0), (13, 6), (20, 13)]
    histogram = data["rounds"][-1]["histogram"]
    assert sum(histogram["all"]) == 40 and sum(histogram["collected"]) == 20
    assert histogram["all"][2] == 20 and histogram["collected"][45] == 20


def test_domains_grow_and_languages_add_up(data):
    assert sum(row["growth"][-1] for row in data["domains"]) == 20
    assert sum(row["crawl"] for row in data["languages"]) == 40
    assert sum(row["corpus"] for row in data["languages"]) == 19
    assert data["markup"] == [
        {"kind": "tex_dollar", "formulas": 19, "pages": 19, "crawl_formulas": 21, "crawl_pages": 21}
    ]
    assert sum(data["lengths"]["corpus"]["counts"]) == 19


def test_contamination_and_truth_are_told(data):
    assert data["contamination"]["benchmarks"] == [
        {
            "benchmark": "exam",
            "items": 1,
            "found": 1,
            "rules": {"A": 1, "B": 0, "C": 0},
            "pages": 1,
        }
    ]
    truth = data["truth"]
    assert (truth["leaks"], truth["leaks_left"]) == (1, 0)
    assert (truth["duplicates"], truth["duplicates_left"]) == (1, 0)
    assert [entry["languages"]["all"]["recall"] for entry in truth["rounds"]] == [0.3, 0.65, 1.0]


def test_cost_adds_jobs_and_scales_to_a_crawl(data):
    extraction, a_round = data["cost"]
    assert extraction["jobs"] == 2
    assert extraction["cpu_seconds"] == 5.0
    assert extraction["memory_mb"] == 100.5
    assert extraction["crawl_core_hours"] == pytest.approx(5 / 47 * 2.64e9 / 3600)
    assert a_round["cpu_seconds"] == 4.0  # where the processor's time is unknown, the wall clock's


def test_choices_carry_the_settings_own_words(data):
    found = {row["key"]: row for row in data["choices"]}
    assert found["corpus.decontamination.stock_items"]["value"] == 7
    assert found["corpus.decontamination.stock_items"]["changed"]
    assert found["corpus.decontamination.stock_items"]["why"].startswith(
        "NS: a 10-gram in more items"
    )
    assert found["corpus.classifier.dimension"]["why"].endswith("Paper: 256.")


def test_samples_show_no_leak_and_repeat(results, data):
    shown = [one for entry in data["samples"]["rounds"] for one in entry["pages"]]
    assert len(shown) == 19 and not any(QUESTION in one["text"] for one in shown)
    assert report.numbers(results)["samples"] == data["samples"]


class _Checker(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.addresses: list[str] = []

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attributes):
        self.tags.add(tag)


def test_the_page_is_well_formed_offline_and_escaped(html):
    checker = _Checker()
    checker.feed(html)
    assert not checker.open
    assert "script" not in checker.tags and "link" not in checker.tags
    assert all(address.startswith("#") for address in checker.addresses)
    assert "url(" not in html and "@import" not in html
    assert "Page 2 &lt;script&gt;" in html
    assert {"math", "svg", "details"} <= checker.tags


def test_every_section_is_there_and_the_json_holds_the_numbers(results, html, data):
    assert re.findall(r"<h2>([^<]+)</h2>", html) == [
        "At a glance",
        "From records to the corpus",
        "Rounds",
        "Compared with the ground truth",
        "Domains",
        "URL prefixes",
        "Contents",
        "Duplicates",
        "Benchmark problems removed",
        "Sample pages",
        "Compared with other corpora",
        "Cost",
        "Settings",
    ]
    written = json.loads((results / "reports" / "corpus.json").read_text("utf-8"))
    assert written == json.loads(json.dumps(data))

    compared = ("120.2B", "13.6B", "51.9B", "8.9B")
    for words in (*compared, "forum.example/math/", "prefers-color-scheme", "@media print"):
        assert words in html


@pytest.mark.skipif(chromium_path() is None, reason="needs Chromium (apt: chromium)")
def test_nothing_is_cut_off_or_covered_on_a_phone_or_a_screen(results, html):
    with Chromium() as browser:
        for width in (390, 768, 1280):
            assert flaws(browser, results / "reports" / "corpus.html", width) == []


def test_a_run_without_a_corpus_is_refused(tmp_path):
    with pytest.raises(UserError, match="no finished corpus"):
        report.numbers(tmp_path)


@pytest.mark.parametrize(
    ("tex", "piece"),
    [
        (r"\frac{1}{2}", "<mfrac>"),
        (r"x_1^2", "<msubsup>"),
        (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", "<mtable>"),
        (r"\alpha \le \mathbb{R}", "<mi>ℝ</mi>"),
        (r"\notacommand{x}", '<code class="tex">'),
        (r"\frac{1}{", '<code class="tex">'),
        ("x" * 2000, '<code class="tex">'),
    ],
)
def test_formulas_become_mathml_and_broken_ones_stay_tex(tex, piece):
    assert piece in formula(tex)


@pytest.mark.parametrize(
    "tex", [r"\href{javascript:alert(1)}{x}", r"\style{background:url(x)}{x}", r"\class{a}{x}"]
)
def test_a_formula_brings_no_address_and_no_style(tex):
    shown = re.sub(r' title="[^"]*"', "", formula(tex))
    assert "href=" not in shown and "style=" not in shown
    assert "class=" not in shown.replace('class="tex"', "")


@given(st.text(alphabet="$\\{}^_&<>\"'ax1 \n", max_size=60))
@settings(max_examples=150, deadline=None)
def test_any_text_is_well_formed_and_loses_no_plain_words(text: str):
    shown = with_formulas(text)
    root = ElementTree.fromstring(f"<p>{shown}</p>")
    assert {element.tag for element in root.iter()} & {"script", "a", "img"} == set()
    if "$" not in text:
        assert "".join(root.itertext()) == text


def test_prices_are_no_formulas():
    assert with_formulas("It costs $5 and $6.") == "It costs $5 and $6."
    assert "<math" in with_formulas("so $x<y$ holds")


def test_bars_are_as_long_as_their_numbers():
    drawn = charts.funnel([charts.Stage("a", 100), charts.Stage("b", 25, "lost 75")])
    widths = [float(width) for width in re.findall(r'<rect [^>]*width="([\d.]+)"', drawn)]
    assert widths[1] == pytest.approx(widths[0] / 4)

    drawn = charts.growth([charts.Growth("r", before=3, new=1)], "tokens")
    known, new = [float(width) for width in re.findall(r'width="([\d.]+)"', drawn)]
    assert known == pytest.approx(3 * new, rel=0.01)


def test_labels_of_charts_are_escaped():
    drawn = charts.bar_chart([("<b>&amp;", 1)])
    assert "&lt;b&gt;&amp;amp;" in drawn and "<b>" not in drawn


def test_a_name_that_a_template_misspells_is_an_error(tmp_path):
    (tmp_path / "bad.html.jinja").write_text("{{ data.rows }} {{ dta.rows }}")
    with pytest.raises(UndefinedError, match="dta"):
        render("bad.html.jinja", {"rows": 1}, tmp_path)


def test_text_in_a_template_is_escaped_and_style_sheets_are_taken_as_they_are(tmp_path):
    (tmp_path / "own.html.jinja").write_text("<p>{{ data }}</p>{{ inline('own.css') }}")
    (tmp_path / "own.css").write_text("a > b {{ color: red }}")
    shown = render("own.html.jinja", "<script>", tmp_path)
    assert shown == "<p>&lt;script&gt;</p>a > b {{ color: red }}"
