"""What a round collects, which domains it flags, which URL prefixes hold: worked cases of DeepSeekMath section 2.1."""

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.mining import annotations, selection, training_set, url_prefixes
from corpus.mining.annotations import Annotation, ancestors, decide, read_annotations
from corpus.mining.math_evidence import concepts, evidence
from corpus.mining.url_prefixes import Prefix
from pipeline.config.corpus import Classifier, Selection
from pipeline.errors import UserError


def database(rows: list[dict]) -> duckdb.DuckDBPyConnection:
    """Tables `kept`, `scores` and `positives` of pages given as dicts; what a test does not care about is filled in."""
    base = {"domain": "a.example", "path": "/", "language": "en", "n_tokens": 10, "score": 0.5}
    rows = [base | {"doc_id": number} | row for number, row in enumerate(rows)]
    connection = duckdb.connect()
    ids = pa.array([row["doc_id"] for row in rows], pa.uint64())
    columns = {
        name: [row[name] for row in rows] for name in ("domain", "path", "language", "n_tokens")
    }
    kept = pa.table(
        {"doc_id": ids, "url": [f"http://{row['domain']}{row['path']}" for row in rows]} | columns
    )
    scores = pa.table(
        {"doc_id": ids, "score": pa.array([row["score"] for row in rows], pa.float32())}
    )
    for name, table in (
        ("kept", kept),
        ("scores", scores),
        ("positives", kept.select(["doc_id"]).slice(0, 0)),
    ):
        connection.register(f"given_{name}", table)
        connection.execute(f"CREATE TABLE {name} AS FROM given_{name}")
    return connection


def collected(connection) -> list[int]:
    return [row[0] for row in connection.execute("SELECT doc_id FROM collected").fetchall()]


def test_the_budget_is_counted_in_tokens_and_ties_fall_to_the_smaller_id():
    pages = database([{"score": s, "n_tokens": 10} for s in (0.5, 0.9, 0.5, 0.5, 0.1)])
    selection.collect(pages, 30, None)
    assert collected(pages) == [1, 0, 2]


def test_the_page_that_would_pass_the_budget_ends_the_corpus():
    pages = database(
        [
            {"score": 0.9, "n_tokens": 10},
            {"score": 0.8, "n_tokens": 25},
            {"score": 0.7, "n_tokens": 1},
        ]
    )
    selection.collect(pages, 30, None)
    assert collected(pages) == [0]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(1, 50)), min_size=1, max_size=30),
    st.integers(1, 600),
)
def test_no_budget_is_passed_and_no_page_left_out_scores_above_one_collected(pages, budget):
    connection = database([{"score": s / 20, "n_tokens": t} for s, t in pages])
    selection.collect(connection, budget, None)
    chosen = set(collected(connection))
    assert sum(tokens for number, (_, tokens) in enumerate(pages) if number in chosen) <= budget
    inside = [pages[number][0] for number in chosen]
    outside = [score for number, (score, _) in enumerate(pages) if number not in chosen]
    assert not inside or not outside or min(inside) >= max(outside)
    assert 0 not in inside, "a page that scores nothing is collected by nobody"


def test_budgets_of_rounds_and_the_last_one_holds():
    budgets = Selection(budget_tokens=(40, 80))
    assert [selection.budget_of_round(budgets, n) for n in (1, 2, 3, 9)] == [40, 80, 80, 80]
    assert Selection().budget_tokens[0] == 40_000_000_000, (
        "DeepSeekMath: the top 40B tokens in round 1"
    )
    assert selection.budget_of_round(Selection(budget_tokens="auto"), 1) is None


def test_the_automatic_cut_maximises_recall_squared_by_share_above():
    held = np.array([0.9, 0.8, 0.7, 0.2])
    others = np.concatenate([held, np.full(100, 0.3), np.full(5, 0.75)])
    # at 0.7: recall 3/4, 8 pages above; at 0.2 all four, but 109 pages; at 0.8: 1/2 and 2; at 0.9: 1/4 and 1.
    assert selection.automatic_cut(held, others, 0.0) == pytest.approx(
        0.8
    )  # 1/4 / 2 beats 9/16 / 8
    assert selection.automatic_cut(held, others, 0.7) == pytest.approx(0.7)
    assert selection.automatic_cut(held, others, 1.0) == pytest.approx(0.2)
    assert selection.automatic_cut(np.zeros(3), others, 0.5) == 1.0


def test_of_every_language_the_same_share_is_looked_at():
    rows = [{"language": "en", "score": 1 - n / 100} for n in range(80)]
    rows += [{"language": "zh", "score": 0.1 - n / 1000} for n in range(20)]
    pages = database(rows)
    selection.collect(pages, None, 0.9)  # 11 of 100, all English
    assert len(collected(pages)) == 11
    selection.explore(pages, 2.0, 0.001)
    looked_at = {row[0] for row in pages.execute("SELECT doc_id FROM explored").fetchall()}
    assert looked_at == set(range(17)) | {80, 81, 82, 83}  # 22 % of 80 and of 20


def test_a_domain_is_mathematical_when_more_than_a_tenth_of_it_was_found():
    rows = [{"domain": "ten.example", "score": 0.9 if n < 1 else 0.1} for n in range(10)]
    rows += [{"domain": "more.example", "score": 0.9 if n < 2 else 0.1} for n in range(19)]
    rows += [{"domain": "small.example", "score": 0.9} for _ in range(9)]
    pages = database(rows)
    selection.collect(pages, None, 0.5)
    selection.explore(pages, 0.0, 0.0)
    selection.find_domains(pages, Selection())
    found = {
        row[0]: row[1:]
        for row in pages.execute("SELECT domain, found, flagged FROM domains").fetchall()
    }
    assert found == {
        "ten.example": (1, False),
        "more.example": (2, True),
        "small.example": (9, False),
    }


def test_prefixes_that_hold_the_same_pages_as_the_one_above_are_not_listed():
    rows = [
        {"path": f"/doc/v1/{'algebra' if n % 2 else 'news'}/{n}.html", "score": 0.9}
        for n in range(20)
    ]
    pages = database(rows)
    selection.collect(pages, None, 0.5)
    selection.explore(pages, 0.0, 0.0)
    selection.find_domains(pages, Selection())
    prefixes = url_prefixes.list_prefixes(pages, Selection(prefix_pages=10), seed=0)
    assert list(prefixes) == ["a.example/", "a.example/doc/v1/algebra/", "a.example/doc/v1/news/"]
    assert (prefixes["a.example/"].pages, prefixes["a.example/"].collected) == (20, 20)


def judged(name: str, mathematical: int, pages: int = 20) -> Prefix:
    return Prefix(
        name, pages=pages, judged=pages, known=mathematical, learned=mathematical,
        agreed=mathematical // 2,
    )  # fmt: skip


def test_the_annotator_follows_the_evidence_and_in_doubt_the_prefix_above():
    prefixes = {p.prefix: p for p in (
        judged("m.example/", 10), judged("m.example/blog/", 1), judged("m.example/faq/", 4),
        judged("m.example/blog/proofs/", 12), judged("s.example/", 3), judged("s.example/sets/", 8),
    )}  # fmt: skip
    decisions = {
        name: a.decision for name, a in url_prefixes.annotate(prefixes, Selection()).items()
    }
    assert decisions == {
        "m.example/": "accept", "m.example/blog/": "reject", "m.example/faq/": "accept",
        "m.example/blog/proofs/": "accept", "s.example/": "undecided", "s.example/sets/": "accept",
    }  # fmt: skip


def decision(known: int, learned: int, before: str | None = None, agreed: int = 0) -> str:
    """About one domain of 20 pages, after an earlier decision about it."""
    prefix = Prefix("a.example/", pages=20, judged=20, known=known, learned=learned, agreed=agreed)
    earlier = {}
    if before:
        earlier["a.example/"] = Annotation(prefix="a.example/", decision=before)
    return url_prefixes.annotate({"a.example/": prefix}, Selection(), earlier)[
        "a.example/"
    ].decision


def test_views_that_disagree_leave_a_prefix_undecided():
    assert decision(known=8, learned=8) == "accept"
    assert decision(known=8, learned=0) == "undecided"  # words alone
    assert decision(known=1, learned=20) == "reject"  # likeness alone
    assert decision(known=0, learned=0) == "reject"


def test_a_site_whose_pages_are_told_apart_is_taken_page_by_page():
    assert decision(known=8, learned=8, agreed=4) == "accept"  # eight pages are in dispute
    assert decision(known=8, learned=8, agreed=8) == "undecided"  # eight are, twelve are not
    assert decision(known=12, learned=12, agreed=12) == "accept"


def test_a_decision_is_changed_on_more_evidence_than_it_was_made_on():
    # 0.3 of the pages in both views: enough to accept, unless it was rejected before.
    assert [decision(6, 6, before) for before in (None, "undecided", "accept")] == ["accept"] * 3
    assert decision(6, 6, "reject") == "undecided"
    # 0.15 is not enough to accept, but enough to stay accepted.
    assert (decision(3, 3), decision(3, 3, "accept")) == ("undecided", "accept")


def test_a_person_s_decision_stands_and_settles_what_lies_below():
    def made(**decisions):
        return {
            name: Annotation(prefix=name, decision=d, by="automatic")
            for name, d in decisions.items()
        }

    automatic = made(**{"a.example/": "accept", "a.example/x/": "accept", "b.example/": "reject"})
    person = {"a.example/": Annotation(prefix="a.example/", decision="reject", by="person")}
    merged = url_prefixes.merge(automatic, made(**{"c.example/": "accept"}), person)
    assert {name: a.decision for name, a in merged.items()} == {
        "a.example/": "reject", "b.example/": "reject", "c.example/": "accept"
    }  # fmt: skip


def test_the_longest_prefix_decides_about_a_page():
    decisions = {name: Annotation(prefix=name, decision=d) for name, d in
                 (("a.example/", "reject"), ("a.example/q/", "accept"), ("a.example/q/off-", "reject"))}  # fmt: skip
    found = {page: decide(page, decisions).decision for page in
             ("a.example/about", "a.example/q/1", "a.example/q/off-topic")}  # fmt: skip
    assert list(found.values()) == ["reject", "accept", "reject"]
    assert decide("b.example/q/1", decisions) is None
    assert ancestors("a.example", "/q/x/1.html") == ["a.example/", "a.example/q/", "a.example/q/x/"]
    assert annotations.normal_prefix("https://WWW.A.Example") == "a.example/"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 1\nprefixes: [{prefix: a/, decision: maybe}]", r"prefixes\.0\.decision.*maybe"),
        ("version: 1\nprefixes: [", "not YAML"),
        ("version: 2", "version"),
        ("hello", "the file"),
    ],
)
def test_a_mistake_in_the_annotations_is_named_with_its_place(tmp_path, text, message):
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(UserError, match=message):
        read_annotations(tmp_path / "a.yaml")


@settings(deadline=None)
@given(
    st.sets(st.integers(0, 2**64 - 1), min_size=2, max_size=60),
    st.integers(1, 30),
    st.integers(0, 5),
)
def test_a_sample_keeps_its_pages_when_others_join_the_crawl(ids, count, seed):
    ids = np.array(sorted(ids), dtype=np.uint64)
    sizes = Classifier(positives=count, negatives=count, seed=seed)
    small = training_set.draw(ids[::2], ids[1::2], sizes)
    again = training_set.draw(ids[::2][::-1], ids[1::2][::-1], sizes)
    assert np.array_equal(small.all(), again.all())
    wider = training_set.draw(ids[::2], ids, sizes)
    chosen = np.concatenate([wider.negatives, wider.held_negatives])
    before = np.concatenate([small.negatives, small.held_negatives])
    assert set(np.intersect1d(chosen, ids[1::2]).tolist()) <= set(before.tolist())


def test_small_training_sets_get_more_updates_and_the_paper_s_get_its_own():
    paper = training_set.fasttext_parameters(Classifier(), 1_000_000)
    assert {name: paper[name] for name in ("dim", "lr", "wordNgrams", "minCount", "epoch")} == {
        "dim": 256, "lr": 0.1, "wordNgrams": 3, "minCount": 3, "epoch": 3
    }  # fmt: skip
    assert paper["bucket"] == 2_000_000
    small = training_set.fasttext_parameters(Classifier(least_updates=3000), 600)
    assert (small["lr"], small["epoch"], small["bucket"]) == (0.5, 10, 100_000)
    assert training_set.fasttext_parameters(Classifier(), 10)["epoch"] == 50


def test_signs_without_words_of_the_subject_are_no_evidence():
    signatures = "def map ⇒ ∀ list → option . " * 40
    mathematics = "the integral ∫ of the function ∀ on a vector space ∈ " * 20

    assert evidence(signatures, 0, limit=1000) == 0
    assert evidence(mathematics, 0, limit=1000) > 0.03


def test_signs_count_no_more_than_the_words():
    text = "theorem " + "chair " * 98
    one_sign = evidence(f"{text} ∫", 0, limit=1000)
    many_signs = evidence(text + " ∫" * 50, 0, limit=1000)

    # One word of evidence, doubled at most, over 100 tokens and 20 that every text is lengthened by.
    assert one_sign == pytest.approx(2 / 120)
    assert many_signs == pytest.approx(2 / 169)


def test_concepts_are_counted_once_however_often_and_in_whatever_form():
    named = concepts("Theorems and a theorem about polynomials, 多项式 and matrices.", limit=100)
    assert named == {"theorem", "polynomial", "matrix"}
    assert concepts("free shipping on all shirts", limit=100) == frozenset()
