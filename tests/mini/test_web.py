"""The built-in web: what the WARC files hold, what the truth says about it, and that both are reproducible."""

import json
import random
import re
from collections import Counter
from html import unescape
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator
from hypothesis import given, settings
from hypothesis import strategies as st

from mini import web
from mini.crawl.damage import DAMAGES, payload
from mini.crawl.leaks import LEAKS, plant
from mini.crawl.math_markup import WRITERS, to_html
from mini.crawl.math_pages import article as math_article
from mini.crawl.sites import apportion, build_sites
from mini.crawl.tex_to_mathml import parse_tex
from mini.crawl.warc_writer import chunked
from pipeline.artifacts.records import Problem, read_jsonl
from pipeline.artifacts.write import write_json, write_jsonl

PAGES = 700
_PROBLEMS = [
    Problem(
        "t-en-1",
        "Mrs Quell packs 14 crates of 23 lemons & keeps 8 < 9 apart. How many does she pack?",
        "322",
    ),
    Problem(
        "t-en-2",
        "A ferry carries 31 cars on each of 12 trips. How many cars does it carry in one day?",
        "372",
    ),
    Problem(
        "t-zh-1",
        "果园里有27行桃树，每行36棵，其中58棵已经枯死。果园里还有多少棵桃树活着？",
        "914",
        "zh",
    ),
]


def _problems(folder: Path) -> Path:
    for split in ("test", "validation"):
        rows = [p.to_json() | {"id": f"{split}-{p.id}"} for p in _PROBLEMS]
        write_jsonl(folder / "problems" / f"{split}.jsonl", rows)
    return folder / "problems"


def _make(folder: Path, seed: int = 0, pages: int = PAGES, files: int = 3) -> Path:
    write_json(
        folder / "mini.json", {"seed": seed, "pages": pages, "warc_files": files, "seed_pages": 30}
    )
    arguments = [
        "--config",
        folder / "mini.json",
        "--problems",
        _problems(folder),
        "--out",
        folder / "world",
    ]
    web.main([str(a) for a in arguments])
    return folder / "world"


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    return _make(tmp_path_factory.mktemp("web"))


@pytest.fixture(scope="module")
def truth(world) -> list[dict]:
    return list(read_jsonl(world / "truth" / "pages.jsonl"))


@pytest.fixture(scope="module")
def records(world) -> dict[str, list[tuple[str, str, bytes]]]:
    """WARC file name -> (record type, URL, payload) of all its records."""
    return {path.name: list(_read(path)) for path in sorted((world / "warc").iterdir())}


def _read(path: Path):
    with open(path, "rb") as stream:
        for record in ArchiveIterator(stream, parse_http=True):
            yield (
                record.headers["WARC-Type"],
                record.headers.get("WARC-Target-URI", ""),
                record.reader.read(),
            )


def _responses(records) -> list[tuple[str, bytes]]:
    return [
        (url, body) for rows in records.values() for kind, url, body in rows if kind == "response"
    ]


def _visible(body: bytes) -> str:
    text = re.sub(
        r"<(script|style)\b.*?</\1>|<[^>]*>", "", body.decode("utf-8", "replace"), flags=re.DOTALL
    )
    return " ".join(unescape(text).replace("\xa0", " ").split())


def test_truth_has_one_line_for_each_response_record_in_file_order(records, truth):
    assert [url for url, _ in _responses(records)] == [row["url"] for row in truth]
    assert len(truth) == PAGES == len({row["url"] for row in truth})


def test_each_file_begins_with_warcinfo_and_holds_requests_and_metadata(records):
    for rows in records.values():
        assert rows[0][0] == "warcinfo"
        assert {"request", "metadata", "response"} <= {kind for kind, _, _ in rows}


def test_every_record_is_a_gzip_member_of_its_own_without_a_time(world, records):
    for name, rows in records.items():
        data = (world / "warc" / name).read_bytes()
        members = data.split(b"\x1f\x8b\x08\x00\x00\x00\x00\x00")[1:]  # flags 0, time 0
        assert len(members) == len(rows)


def test_only_the_last_file_ends_in_a_cut_record_without_mathematics(records, truth):
    assert [row["note"] for row in truth].count("cut member") == 1
    assert truth[-1]["note"] == "cut member" and not truth[-1]["math"]
    assert not list(records.values())[-1][-1][2].rstrip().endswith(b"</html>")


@pytest.mark.parametrize(
    "carrier, mark",
    [
        ("parentheses", rb"\\\(.+?\\\)"),
        ("dollars", rb"\$[^$<]+\$"),
        ("mathml", rb"<math xmlns=[^>]*><mrow>"),
        ("mathml_annotated", rb'<annotation encoding="application/x-tex">'),
        ("katex", rb'<span class="katex-html" aria-hidden="true">'),
        ("mathjax2", rb'<script type="math/tex">'),
        ("mathjax3", rb"<mjx-container"),
        ("image", rb'<img class="tex'),
        ("hidden_mathml", rb"mwe-math-fallback-image-inline"),
    ],
)
def test_each_carrier_appears_on_the_pages_that_the_truth_names(carrier, mark, records, truth):
    bodies = dict(_responses(records))
    plain = [
        row
        for row in truth
        if row["carrier"] == carrier and row["formulas"] > 5 and not row["note"]
    ]
    assert plain and all(re.search(mark, bodies[row["url"]]) for row in plain)


def test_display_scripts_carry_the_mode(records):
    assert any(b'<script type="math/tex; mode=display">' in body for _, body in _responses(records))


def test_copies_name_an_original_of_the_same_kind_that_is_no_copy_itself(truth):
    rows = {row["url"]: row for row in truth}
    copies = [row for row in truth if row["duplicate_of"]]
    assert len(copies) == round(0.085 * PAGES)
    for row in copies:
        original = rows[row["duplicate_of"]]
        assert original["duplicate_of"] is None and original["url"] != row["url"]
        assert (original["math"], original["kind"], original["leaks"]) == (
            row["math"],
            row["kind"],
            row["leaks"],
        )


def test_a_mirror_serves_the_bytes_of_its_original_and_a_near_copy_almost(records, truth):
    bodies = dict(_responses(records))
    for row in (row for row in truth if row["duplicate_of"]):
        own, original = bodies[row["url"]], bodies[row["duplicate_of"]]
        if row["note"].startswith("copy near"):
            a, b = _shingles(own), _shingles(original)
            assert own != original and len(a & b) > 0.75 * len(a | b)
        else:
            assert own == original


def _shingles(body: bytes) -> set[tuple[str, ...]]:
    words = re.findall(r"[\u4e00-\u9fff]|\w+", body.decode("gb18030", "replace"))
    return {tuple(words[i : i + 5]) for i in range(len(words) - 4)}


def test_originals_are_not_near_copies_of_each_other_by_accident(truth, records):
    bodies, kinds = dict(_responses(records)), {}
    for row in truth:
        if row["duplicate_of"] is None and row["kind"] not in ("error", "file") and not row["note"]:
            kinds.setdefault((row["kind"], row["language"]), []).append(
                _shingles(bodies[row["url"]])
            )
    for sets in kinds.values():
        for i, first in enumerate(sets[:25]):
            assert all(len(first & other) < 0.6 * len(first | other) for other in sets[:i])


def test_leaks_show_the_question_word_for_word_after_tags_are_stripped(records, truth):
    bodies = dict(_responses(records))
    questions = {
        f"{split}-{p.id}": p.question for split in ("test", "validation") for p in _PROBLEMS
    }
    leaks = [row for row in truth if row["leaks"]]
    notes = Counter(row["note"] for row in leaks if not row["duplicate_of"])
    assert {f"leak {kind}" for kind in LEAKS} <= set(notes)
    for row in leaks:
        body = bodies[row["url"]]
        shown = _visible(body) if row["language"] == "en" else _visible(_as_utf8(body))
        assert "".join(questions[row["leaks"]].split()).lower() in "".join(shown.split()).lower(), (
            row["url"]
        )


def _as_utf8(body: bytes) -> bytes:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("gb18030").encode("utf-8")
    return body


@given(st.sampled_from(_PROBLEMS), st.sampled_from(LEAKS), st.integers(0, 999))
@settings(max_examples=30, deadline=None)
def test_a_planted_leak_is_readable_in_every_form(problem, kind, seed):
    rng = random.Random(seed)
    page = plant(math_article(rng, "qa", problem.language), problem, kind, rng).html("parentheses")
    shown = "".join(_visible(page.encode()).split())
    wanted = problem.question.upper() if kind == "upper_case" else problem.question
    assert "".join(wanted.split()) in shown


def test_seeds_are_clean_english_mathematics_on_at_most_three_domains(world, truth):
    rows = {row["url"]: row for row in truth}
    seeds = [row["url"] for row in read_jsonl(world / "seeds.jsonl")]
    assert len(seeds) == len(set(seeds)) == 30
    assert all(
        rows[url]["math"] and rows[url]["language"] == "en" and not rows[url]["note"]
        for url in seeds
    )
    assert len({url.split("/")[2] for url in seeds}) <= 3


def test_a_fifth_of_the_pages_are_mathematics_in_two_languages(truth):
    share = sum(row["math"] for row in truth) / len(truth)
    assert 0.18 <= share <= 0.25
    assert {row["language"] for row in truth if row["math"]} == {"en", "zh"}


def test_errors_redirects_and_other_files_are_there(truth, records):
    kinds = Counter(row["kind"] for row in truth)
    assert kinds["error"] and kinds["file"]
    assert {url.rsplit(".", 1)[-1] for url, _ in _responses(records) if "/files/" in url} == {
        "pdf",
        "png",
        "css",
        "js",
    }


def test_every_damage_occurs(truth):
    notes = " ".join(row["note"] for row in truth)
    assert all(damage in notes for damage in DAMAGES)


def test_the_full_size_has_over_a_hundred_domains():
    sites = build_sites(random.Random(0), 3500)
    assert len({site.host for site in sites}) == len(sites) > 100
    assert sum(site.pages for site in sites) == 3500 and min(site.pages for site in sites) > 0


def test_same_seed_gives_the_same_bytes_and_another_seed_other_pages(tmp_path):
    files = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        world = _make(tmp_path / name, seed=seed, pages=220)
        files.append(
            {p.relative_to(world): p.read_bytes() for p in sorted(world.rglob("*")) if p.is_file()}
        )
    assert files[0] == files[1]
    urls = [
        {json.loads(line)["url"] for line in f[Path("truth/pages.jsonl")].splitlines()}
        for f in files
    ]
    assert len(urls[0] & urls[2]) < 0.02 * 220


@given(st.lists(st.floats(0.01, 9), min_size=1, max_size=30), st.integers(0, 500))
def test_apportion_adds_up_and_stays_within_one_of_the_share(shares, total):
    counts = apportion(shares, total)
    assert sum(counts) == total
    assert all(
        abs(c - s * total / sum(shares)) < 1 + 1e-6 for c, s in zip(counts, shares, strict=True)
    )


@given(st.text(alphabet=r"\{}^_&$ab1+=.,()[]<>|", max_size=40), st.sampled_from(sorted(WRITERS)))
@settings(max_examples=200, deadline=None)
def test_any_formula_can_be_written_by_any_carrier(text, carrier):
    assert isinstance(to_html(f"before ${text}$ after", carrier), str)


def test_tex_becomes_the_expected_presentation_tree():
    html = to_html(r"$x_1^2=\frac{3+4}{\sqrt{2}}$", "mathml")
    assert "<msubsup><mi>x</mi><mn>1</mn><mn>2</mn></msubsup><mo>=</mo>" in html
    assert (
        "<mfrac><mrow><mn>3</mn><mo>+</mo><mn>4</mn></mrow><msqrt><mn>2</mn></msqrt></mfrac>"
        in html
    )
    assert parse_tex(r"\text{total} \times 2").children[0].tag == "mtext"


def test_a_wrong_charset_is_said_in_the_header_and_not_used_in_the_body():
    served = payload("<p>中文数学</p>", "gbk", "zh", "charset", random.Random(0))
    said = dict(served.headers)["Content-Type"].split("charset=")[1]
    assert said != "gbk" and served.body.decode("gb18030") == "<p>中文数学</p>"


def test_chunked_bodies_decode_to_the_original():
    body, rest, out = b"x" * 9000, chunked(b"x" * 9000), b""
    while (size := int(rest.partition(b"\r\n")[0], 16)) > 0:
        rest = rest.partition(b"\r\n")[2]
        out, rest = out + rest[:size], rest[size + 2 :]
    assert out == body
