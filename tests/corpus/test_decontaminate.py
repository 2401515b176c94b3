"""Decontamination: rule A, rule B, what is no evidence, normalisation, and the command line."""

import io
import json
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import decontaminate
from corpus.leaks.benchmark_texts import Item, Text, benchmark_name, read_benchmark
from corpus.leaks.index import LeakIndex
from corpus.leaks.ngrams import cut, rolling
from corpus.leaks.normalise import plain
from pipeline.config.corpus import Decontamination
from pipeline.errors import UserError
from tests.support.shared_data import shared_data

QUESTION = (
    "Nora stacks seventeen crates of green lemons on a wooden cart, and each crate holds 24 lemons. "
    "How many lemons does she push to the harbour?"
)
FILLER = "Yesterday the harbour was quiet and nobody came to buy anything at all from us. "


def index(*questions: str, answer: str = "", **options: int) -> LeakIndex:
    items = [
        Item("exam", row, row, [Text("question", question), Text("answer", answer)])
        for row, question in enumerate(questions)
    ]
    return LeakIndex(items, Decontamination(**options))


def leaks(index_: LeakIndex, text: str) -> list:
    return index_.find([text])[0]


def grams(text: str) -> list[str]:
    found = cut([plain(text)])
    return [found.words(place, 1) for place in range(len(found.key))]


def test_ten_grams_in_common_are_a_leak_and_nine_are_not():
    words = QUESTION.split()
    ten, nine = " ".join(words[3:13]), " ".join(words[3:12])
    assert leaks(index(QUESTION), FILLER + ten + " " + FILLER)[0].rule == "A"
    assert not leaks(index(QUESTION), FILLER + nine + " " + FILLER)


def test_the_log_names_the_item_and_words_that_stand_on_the_page():
    found = leaks(
        index("Unrelated words about a river that has no bridge over it at all.", QUESTION),
        QUESTION.upper(),
    )
    assert [(leak.benchmark, leak.item) for leak in found] == [("exam", 1)]
    assert found[0].ngram == "nora stacks seventeen crates of green lemons on a wooden"


def test_full_solutions_count_and_short_answers_never():
    solution = (
        "First multiply seventeen by twenty four, then carry the tens over to the left column, "
        "and add up both columns from the right."
    )
    assert leaks(index(QUESTION, answer=solution), FILLER + solution)[0].part == "answer"

    short = (
        "the United States",
        "return len(string)",
        "the president of the United States of America",
        "for i in range(len(numbers)): total += numbers[i] and return total",
        "First multiply seventeen by twenty four, then carry the tens over to the left.",
    )
    for answer in short:
        assert not leaks(index(QUESTION, answer=answer), f"{FILLER} {answer} {FILLER}")


@pytest.mark.parametrize(
    ("text", "page", "leak"),
    [
        (
            "Who invented the abacus?",
            "An old riddle: WHO invented the  abacus? Nobody knows.",
            True,
        ),
        ("Who invented the abacus?", "Who really invented the abacus?", False),
        ("the abacus", "Who invented the abacus?", False),  # under three grams: not used
        ("Find 3 + 4 now please", "Find 3+4 now, please!", True),
        ("2 + 2 = 4 or 5", "so 2 + 2 = 4 or 5", False),  # figures without words
    ],
)
def test_a_short_text_is_matched_whole(text: str, page: str, leak: bool):
    assert bool(leaks(index(text), page)) is leak


def test_a_run_of_digits_or_a_bare_formula_convicts_nobody():
    numbers = "What comes next: 1 2 3 4 5 6 7 8 9 10 11 12?"
    polynomial = (
        "Expand $x^2+x^2y+xy^2+y^2+x+y+1$ as far as it goes for me please, and then factor it."
    )
    found = index(numbers, polynomial).find(
        ["1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12", "x^2+x^2y+xy^2+y^2+x+y+1"]
    )
    assert found == [[], []]


def test_a_text_of_figures_only_is_matched_as_a_whole():
    question = "Evaluate now: 3 7 9 1 4 4 8 2 6 5 and then stop."
    assert leaks(index(question, ngram_words=6), FILLER + question)[0].rule == "B"
    assert not leaks(index(question, ngram_words=6), question.replace("then", "never"))


def test_a_phrase_of_many_items_is_stock():
    phrase = "express your answer as a decimal to the nearest whole tenth"
    many = [
        f"Number {row * 7919} is large, what about its root of order {row}? {phrase}"
        for row in range(12)
    ]
    assert not leaks(index(*many), FILLER + phrase)
    assert leaks(index(*many[:10]), FILLER + phrase)


def test_options_are_compared_together_never_alone(tmp_path):
    path = tmp_path / "quiz.jsonl"
    record = {"question": "Which token is it?", "choices": ["is", "not", "in", "or"], "answer": "A"}
    path.write_text(json.dumps(record) + "\n", encoding="utf-8")
    assert not leaks(LeakIndex(read_benchmark(path), Decontamination()), "what is not in or out")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"Let $\frac{2}{x^2+x-6}$ be", "Let 2/(x²+x−6) be"),
        (r"angle \(\alpha\) and \(\sin \beta\)", "angle α and sin β"),
        (r"pay \$12{,}000 or 1\,500", "pay $12,000 or 1500"),
        ("<p>Jan&nbsp;has <b>se</b>ven</p>", "Jan has seven"),
        ("Ｔｗｏ ＣＡＦÉ ﬁsh", "two cafe\u0301 fish"),
        ("du\u00adcks\u200b fly", "ducks fly"),
        (r"\textbf{Two} \dfrac12 \text{ cm}", "two 1/2 cm"),
        ("12,000 and 1,2,3", "12000 and 1 2 3"),
        ("see [the page](https://example.org/a_b) now", "see the page now"),
        ("She has <<3+4=7>>7 eggs", "She has 7 eggs"),
    ],
)
def test_one_wording_has_one_form(one: str, other: str):
    assert grams(one) == grams(other)


def test_chinese_is_cut_into_characters_and_other_scripts_into_runs():
    assert grams("鸭子每天下16颗蛋") == ["鸭", "子", "每", "天", "下", "16", "颗", "蛋"]
    assert grams("ジャネットのアヒル") == ["ジャネット", "の", "アヒル"]
    assert grams("a<b and c>d") == ["a", "b", "and", "c", "d"]


@given(st.lists(st.text(alphabet="ab1, ½é鸭\u00ad\u0301", max_size=30), max_size=5))
@settings(max_examples=60, deadline=None)
def test_a_batch_is_cut_as_its_texts_are_one_by_one(texts: list[str]):
    batch = cut(texts)
    alone = [cut([text]) for text in texts]
    assert batch.key.tolist() == [key for one in alone for key in one.key.tolist()]
    assert batch.text.tolist() == [place for place, one in enumerate(alone) for _ in one.key]
    assert batch.kind.tolist() == [kind for one in alone for kind in one.kind.tolist()]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_rolling_hashes_agree_exactly_where_the_grams_agree(numbers: list[int], longest: int):
    key = cut([" ".join(str(number) for number in numbers)]).key
    for n, hashes in rolling(key, longest):
        windows = [tuple(numbers[at : at + n]) for at in range(len(numbers) - n + 1)]
        assert len(np.unique(hashes)) == len(set(windows))
        assert len(hashes) == len(windows)


@given(st.integers(0, 12), st.sampled_from(["{}", "<i>{}</i>", "**{}**", "{}\n"]))
@settings(max_examples=40, deadline=None)
def test_adding_an_item_to_any_page_removes_that_page_only(place: int, form: str):
    pages = [f"{FILLER}Page {number}. {FILLER}" for number in range(13)]
    pages[place] += form.format(QUESTION)
    assert [bool(found) for found in index(QUESTION).find(pages)] == [
        number == place for number in range(13)
    ]


def test_texts_of_neighbouring_pages_do_not_run_together():
    words = QUESTION.split()
    assert index(QUESTION).find([" ".join(words[:6]), " ".join(words[6:14])]) == [[], []]


@pytest.mark.parametrize(
    "record",
    [
        {"question": QUESTION},
        {"Question": QUESTION, "Answer": 3},
        {"problem": QUESTION, "solution": "x"},
        {"messages": [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": ""}]},
        {"input": QUESTION, "target": "7"},
        {"something nobody foresaw": {"deeper": [QUESTION]}},
    ],
)
def test_a_benchmark_of_any_shape_is_guarded(tmp_path, record: dict):
    path = tmp_path / "odd.jsonl"
    path.write_text(json.dumps(record) + "\n", encoding="utf-8")
    assert leaks(LeakIndex(read_benchmark(path), Decontamination()), FILLER + QUESTION)


def test_bookkeeping_is_no_text(tmp_path):
    path = tmp_path / "odd.jsonl"
    path.write_text(
        json.dumps({"question": QUESTION, "source": "Exam of the year"}) + "\n", encoding="utf-8"
    )
    assert not leaks(
        LeakIndex(read_benchmark(path), Decontamination()), "From the exam of the year two thousand"
    )


def test_a_benchmark_without_texts_is_refused(tmp_path):
    path = tmp_path / "empty.jsonl"
    path.write_text('{"id": 1}\n', encoding="utf-8")
    with pytest.raises(UserError, match="no record holds a question or an answer"):
        read_benchmark(path)


def test_a_generic_file_name_takes_its_folder_along():
    assert benchmark_name("bench/gsm8k/test.jsonl") == "gsm8k/test"
    assert benchmark_name("bench/mgsm/test_zh.jsonl") == "mgsm/test_zh"
    assert benchmark_name("bench/exam.jsonl") == "exam"


def run(monkeypatch, capsys, arguments: list[str], stdin: str = "") -> list[dict]:
    monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
    decontaminate.main(arguments)
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_command_keeps_the_rest_in_order_and_logs_each_removal(tmp_path, monkeypatch, capsys):
    exam, pages, log = tmp_path / "exam.jsonl", tmp_path / "pages.jsonl", tmp_path / "removed.jsonl"
    exam.write_text(json.dumps({"id": "q1", "question": QUESTION}) + "\n", encoding="utf-8")
    rows = [
        {"url": f"http://a/{n}", "text": FILLER + (QUESTION if n == 1 else ""), "more": n}
        for n in range(3)
    ]
    pages.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    # The pages come last, behind an option that takes several values.
    kept = run(monkeypatch, capsys, ["--removed", str(log), "--benchmarks", str(exam), str(pages)])
    assert kept == [rows[0], rows[2]]
    (removed,) = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert {key: removed[key] for key in ("url", "benchmark", "item")} == {
        "url": "http://a/1",
        "benchmark": "exam",
        "item": "q1",
    }
    assert removed["ngram"].startswith("nora stacks")
    again = run(
        monkeypatch,
        capsys,
        ["--benchmarks", f"mine={exam}", "-"],
        pages.read_text(encoding="utf-8"),
    )
    assert again == kept


def test_a_page_without_text_is_named_by_its_record(tmp_path, monkeypatch, capsys):
    exam = tmp_path / "exam.jsonl"
    exam.write_text(json.dumps({"question": QUESTION}) + "\n", encoding="utf-8")
    with pytest.raises(UserError, match="stdin, record 1: no text"):
        run(monkeypatch, capsys, ["--benchmarks", str(exam), "-"], '{"url": "http://a"}\n')
    with pytest.raises(UserError, match="no pages given"):
        run(monkeypatch, capsys, ["--benchmarks", str(exam)])


def test_real_pages_with_planted_and_natural_leaks_are_told_apart(tmp_path):
    crawl, benchmarks = shared_data("crawl"), shared_data("benchmarks")
    names = [
        "gsm8k/test",
        "math/test",
        "mgsm/test_zh",
        "aqua/test",
        "gaokao_mathcloze/test",
        "mmlu/test",
    ]
    items = [item for name in names for item in read_benchmark(benchmarks / f"{name}.jsonl")]
    guard = LeakIndex(items, Decontamination())
    expected: dict[str, set[str]] = {}
    planted: dict[str, set] = {}
    for line in (crawl / "contamination.jsonl").read_text(encoding="utf-8").splitlines():
        probe = json.loads(line)
        expected.setdefault(probe["url"], set()).add(probe["expected"])
        planted.setdefault(probe["url"], set()).add((probe["benchmark"], probe["row"]))
    natural = [
        json.loads(line)["url"]
        for line in (crawl / "natural_overlap.jsonl").read_text("utf-8").splitlines()
    ]
    texts = _crawl_texts(crawl, set(expected) | set(natural))
    assert set(expected) <= set(texts)
    found = dict(zip(texts, guard.find(list(texts.values())), strict=True))
    for url, wanted in expected.items():
        assert wanted == {"either"} or bool(found[url]) is ("drop" in wanted), url
        if "drop" in wanted:
            assert planted[url] <= {
                (leak.benchmark.split("/")[0], leak.row) for leak in found[url]
            }, url
    removed = [url for url in natural if found.get(url)]
    assert any("anarchistfaq.org/afaq/append1311" in url for url in removed)  # a whole MMLU passage
    assert any("cn-2022-new-gaokao-i-15" in url for url in removed)  # an exam problem
    assert not any("gap-system.org" in url for url in removed)  # chapter lists 1 2 3 4 5 6 7 8 9 10
    assert len(removed) <= 0.1 * len(natural)


def _crawl_texts(crawl, urls: set[str]) -> dict[str, str]:
    from fastwarc.warc import ArchiveIterator, WarcRecordType
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.encoding import bytes_to_str, detect_encoding

    texts = {}
    for path in sorted(crawl.glob("DSM*.warc.gz")):
        with open(path, "rb") as stream:
            for record in ArchiveIterator(
                stream, record_types=WarcRecordType.response, parse_http=True
            ):
                url = record.headers.get("WARC-Target-URI")
                if url in urls:
                    body = record.reader.read()
                    if record.http_headers.get("Content-Encoding") == "gzip":
                        import gzip

                        body = gzip.decompress(body)
                    html = bytes_to_str(body, detect_encoding(body))
                    texts[url] = extract_plain_text(html, main_content=False, alt_texts=True)
    return texts
