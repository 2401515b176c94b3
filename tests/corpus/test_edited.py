"""Edited copies of benchmark questions: found whatever was changed, and not seen where nothing was copied."""

import random
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.leaks.benchmark_texts import Item, Text, read_benchmark
from corpus.leaks.candidates import NumberSequences
from corpus.leaks.edited import common_weight
from corpus.leaks.index import LeakIndex, page_grams_of
from pipeline.config.corpus import Decontamination
from tests.support.shared_data import shared_data

SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe qui ro su ta ve wi xo zu".split()
NAMES = ("Anna", "Bilal", "Chen", "Dora", "Emeka", "Farid")


def vocabulary(size: int = 800) -> list[str]:
    draw = random.Random(1)
    return ["".join(draw.choices(SYLLABLES, k=draw.randint(1, 4))) for _ in range(size)]


WORDS = vocabulary()
# Words of a language are not equally common.
COMMON = np.cumsum([1 / (rank + 5) for rank in range(len(WORDS))]).tolist()


def prose(draw: random.Random, words: int) -> str:
    return " ".join(draw.choices(WORDS, cum_weights=COMMON, k=words))


def question(draw: random.Random) -> str:
    """Three sentences with a name and some numbers."""
    name = draw.choice(NAMES)
    parts = [
        f"{name} {prose(draw, draw.randint(4, 9))} {draw.randint(2, 900)} {prose(draw, 4)}."
        for _ in range(2)
    ]
    return f"{' '.join(parts)} How many {prose(draw, draw.randint(3, 7))} does {name} have?"


def every_eighth_replaced(text: str, draw: random.Random) -> str:
    offset = draw.randrange(8)
    words = text.split()
    words[offset::8] = [f"other{draw.randrange(99)}" for _ in words[offset::8]]
    return " ".join(words)


def every_tenth_left_out(text: str, draw: random.Random) -> str:
    offset = draw.randrange(10)
    return " ".join(w for at, w in enumerate(text.split()) if at % 10 != offset)


def numbers_changed(text: str, draw: random.Random) -> str:
    return re.sub(r"\d+", lambda _: str(draw.randint(1000, 9999)), text)


def names_changed(text: str, draw: random.Random) -> str:
    for number, name in enumerate(NAMES):
        text = text.replace(name, f"Zoe{number}")
    return text


def sentences_split(text: str, draw: random.Random) -> str:
    return re.sub(r"([.?]) ?", lambda end: f"{end[1]}\n\n{prose(draw, 8)}. ", text)


EDITS = (
    every_eighth_replaced,
    every_tenth_left_out,
    numbers_changed,
    names_changed,
    sentences_split,
)


@pytest.fixture(scope="module")
def guard() -> LeakIndex:
    draw = random.Random(2)
    items = [Item("exam", row, row, [Text("question", question(draw))]) for row in range(200)]
    return LeakIndex(items, Decontamination())


@pytest.mark.parametrize("edit", EDITS)
def test_edited_copies_are_found_with_the_item_that_was_copied(guard, edit):
    draw = random.Random(3)
    pages = []
    for item in guard.items:
        copy = edit(item.texts[0].raw, draw)
        pages.append(f"{prose(draw, 150)}. {copy} {prose(draw, 150)}")

    found = guard.find(pages)
    hits = [
        item.row in {leak.row for leak in leaks}
        for item, leaks in zip(guard.items, found, strict=True)
    ]
    assert np.mean(hits) >= 0.95


def test_pages_of_the_same_words_hold_no_copies(guard):
    draw = random.Random(4)
    pages = [prose(draw, 400) for _ in range(200)]
    pages += [" ".join(question(draw) for _ in range(5)) for _ in range(200)]
    assert not any(guard.find(pages))


def test_words_scattered_over_a_long_page_are_no_copy(guard):
    draw = random.Random(5)
    words = guard.items[0].texts[0].raw.split()
    scattered = " ".join(
        " ".join(words[at : at + 4]) + " " + prose(draw, 40) for at in range(0, len(words), 4)
    )
    assert not guard.find([scattered])[0]


def test_the_log_shows_the_page_s_own_words(guard):
    draw = random.Random(6)
    copy = every_eighth_replaced(guard.items[7].texts[0].raw, draw)
    (leak,) = guard.find([f"{prose(draw, 50)}. {copy}"])[0]
    assert (leak.row, leak.rule, leak.part) == (7, "C", "question")
    assert "other" in leak.ngram


def test_questions_of_few_words_are_not_looked_for():
    short = "Anna has seven red boats. How many boats?"
    guard = LeakIndex([Item("exam", 0, 0, [Text("question", short)])], Decontamination())
    assert guard.copies is None
    assert not guard.find(["Anna has seven blue boats. How many boats?"])[0]


@settings(max_examples=60, deadline=None)
@given(
    keys=st.lists(st.integers(0, 5), min_size=1, max_size=8),
    other=st.lists(st.integers(0, 5), max_size=12),
)
def test_common_weight_is_that_of_the_best_alignment(keys, other):
    """Compared with the plain recursion: match, leave out a key, or skip one of the other at its cost."""
    weight = np.array([1.0 + key / 2 for key in keys], dtype=np.float32)

    def best_from(i: int, j: int, begun: bool) -> float:
        if i == len(keys) or j == len(other):
            return 0.0
        value = max(0.0, best_from(i + 1, j, begun))
        value = max(value, best_from(i, j + 1, begun) - (0.3 if begun else 0))
        if keys[i] == other[j]:
            value = max(value, float(weight[i]) + best_from(i + 1, j + 1, True))
        return value

    found = common_weight(np.array(keys, dtype=np.uint64), weight, np.array(other, dtype=np.uint64))
    assert found == pytest.approx(best_from(0, 0, False), abs=1e-4)


def test_on_real_questions_copies_are_found_and_the_training_set_is_none():
    """Word problems of one author team: GSM8K's training questions are no copies of its test questions."""
    benchmarks = shared_data("benchmarks")
    guard = LeakIndex(read_benchmark(benchmarks / "gsm8k/test.jsonl"), Decontamination())
    draw = random.Random(7)
    some = draw.sample(guard.items, 60)
    for edit in EDITS:
        found = guard.find([edit(item.texts[0].raw, draw) for item in some])
        hits = [
            item.row in {leak.row for leak in leaks}
            for item, leaks in zip(some, found, strict=True)
        ]
        assert np.mean(hits) >= 0.95, edit.__name__

    training = read_benchmark(benchmarks / "gsm8k/train.jsonl")[:1000]
    found = guard.find([item.texts[0].raw for item in training])
    assert not [leak for leaks in found for leak in leaks if leak.rule == "C"]


def test_a_translation_is_a_candidate_and_pages_of_other_numbers_are_none():
    english = "A baker sells 48 rolls at 3 dollars and 125 loaves. He had 260. How many of the 12 are left?"
    german = "Ein Bäcker verkauft 48 Brötchen zu je 3 Dollar und 125 Laibe. Er hatte 260. Was ist mit 12?"
    items = [
        Item("exam", 0, 0, [Text("question", english)]),
        Item("exam", 1, 1, [Text("question", "Lines 24 are 25 and 26 then 27 of the listing?")]),
        Item("exam", 2, 2, [Text("question", "Is 1 or 2 or 3 or 4 the right one?")]),
    ]
    sequences = NumberSequences(items)

    def candidates(text: str) -> list[int]:
        return [candidate.item for candidate in sequences.find(page_grams_of([text]))]

    draw = random.Random(8)
    assert candidates(f"{prose(draw, 50)} {german} {prose(draw, 50)}") == [0]
    assert not LeakIndex(items, Decontamination()).find([german])[0]

    assert not candidates(german.replace("125", "126"))
    assert not candidates("48 3 125 260 12")  # a row of a table
    assert not candidates("24 exit, 25 fi, 26 done, 27 end; choose 1 or 2 or 3 or 4")
    far = f" {prose(draw, 40)} "
    assert not candidates(f"48{far}3{far}125{far}260{far}12")
