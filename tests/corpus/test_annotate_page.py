"""The page on which a person judges URL prefixes: every prefix with its samples, nothing of the crawl executed."""

import json
import re

import pytest
from resiliparse.parse.html import HTMLTree

from corpus import annotate_page
from pipeline.errors import UserError

HOSTILE = 'evil.example/"><script>alert(1)</script>/'
ROWS = [
    {"prefix": "forum.example/q/", "decision": "accept", "by": "automatic", "pages": 40, "collected": 31,
     "mean_score": 0.81, "mathematical_share": 0.75, "samples": ["https://forum.example/q/1", "javascript:alert(2)"]},
    {"prefix": HOSTILE, "decision": "reject", "by": "person"},
]  # fmt: skip


@pytest.fixture
def page(tmp_path) -> str:
    (tmp_path / "prefixes.yaml").write_text(json.dumps({"version": 1, "prefixes": ROWS}))
    annotate_page.main([str(tmp_path / "prefixes.yaml"), "--out", str(tmp_path / "page.html")])
    return (tmp_path / "page.html").read_text("utf-8")


def test_every_prefix_has_its_decision_checked_and_its_samples_linked(page):
    document = HTMLTree.parse(page).document
    fields = document.query_selector_all("fieldset[data-prefix]")
    assert [field.get_attribute("data-prefix") for field in fields.values()] == [
        row["prefix"] for row in ROWS
    ]
    checked = [
        node.get_attribute("value")
        for node in document.query_selector_all("input[checked]").values()
    ]
    assert checked == ["accept", "reject"]
    links = [node.get_attribute("href") for node in document.query_selector_all("td a").values()]
    assert links == ["https://forum.example/q/1"]  # an address that is none of the web stays text


def test_nothing_of_the_crawl_is_markup_and_nothing_is_loaded(page):
    document = HTMLTree.parse(page).document
    assert len(document.query_selector_all("script")) == 1
    assert not re.search(r"""(?:src|@import|url\()\s*=?\s*["']?https?:""", page)
    assert "alert(1)" in page and "<script>alert(1)" not in page


def test_a_file_that_is_no_table_of_prefixes_is_refused(tmp_path):
    (tmp_path / "a.yaml").write_text("version: 1\nprefixes: [{prefix: a/}]")
    with pytest.raises(UserError, match=r"prefixes\.0\.decision"):
        annotate_page.main([str(tmp_path / "a.yaml"), "--out", str(tmp_path / "page.html")])


def test_what_may_change_most_pages_is_asked_first_and_what_a_person_said_last():
    def row(prefix, by="automatic", **numbers):
        return {"prefix": prefix, "decision": "undecided", "by": by, **numbers}

    rows = [
        row("sure.example/", doubt=0.01, pages=1000),
        row("old.example/"),  # of an earlier round: no numbers
        row("small.example/", doubt=1.0, pages=20),
        row("mine.example/", by="person", doubt=1.0, pages=5000),
        row("large.example/", doubt=0.5, pages=300),
    ]
    order = [r["prefix"].partition(".")[0] for r in annotate_page.most_worth_asking(rows)]
    assert order == ["large", "small", "sure", "old", "mine"]
