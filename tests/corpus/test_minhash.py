"""MinHash: datasketch as reference, shingles worked by hand, and what must not change a signature."""

import numpy as np
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.duplicates.minhash import (
    band_keys,
    shingle_hashes,
    signatures,
    similarity,
    sketches,
    word_hashes,
)

WORDS = st.lists(
    st.sampled_from("the sum of two odd numbers is even 函数 单调 λ x y 12".split()), max_size=60
)


def words_in(text: str) -> int:
    return len(word_hashes([text])[0])


def test_a_word_is_a_run_of_letters_and_digits_and_each_chinese_character_is_one() -> None:
    assert words_in("Two odd-numbers, x2 = 4!") == 5
    assert words_in("函数f(x)单调") == 6
    assert words_in("  ... $ \n") == 0


def test_equal_words_have_equal_hashes_wherever_they_stand() -> None:
    left, right = word_hashes(["alpha beta"])[0], word_hashes(["beta, ALPHA beta"])[0]
    assert left[0] == right[1] and left[1] == right[0] == right[2]
    assert word_hashes(["ab ba"])[0][0] != word_hashes(["ab ba"])[0][1]


@settings(max_examples=60, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=5), st.integers(1, 6))
def test_a_text_has_as_many_shingles_as_places_for_them(texts: list[list[str]], size: int) -> None:
    joined = [" ".join(words) for words in texts]
    hashes, ends = shingle_hashes(joined, size)
    counts = [words_in(text) for text in joined]
    expected = [max(count - size + 1, min(count, 1)) for count in counts]
    assert list(np.diff(ends, prepend=0)) == expected and len(hashes) == sum(expected)


@settings(max_examples=40, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=6))
def test_a_text_has_the_same_signature_alone_and_among_others(texts: list[list[str]]) -> None:
    joined = [" ".join(words) for words in texts]
    together = signatures(joined, 3, 16, seed=5)
    for number, text in enumerate(joined):
        assert (signatures([text], 3, 16, seed=5)[0] == together[number]).all()


def test_signatures_equal_those_of_datasketch_for_the_same_shingle_hashes() -> None:
    text = " ".join(f"word{i % 37} and {i * i % 101}" for i in range(200))
    hashes, _ = shingle_hashes([text], 5)
    reference = MinHash(num_perm=128, seed=3, hashfunc=int)
    reference.update_batch(hashes.tolist())
    assert (signatures([text], 5, 128, seed=3)[0] == reference.hashvalues).all()


def test_the_estimate_is_within_three_standard_errors_of_the_true_similarity() -> None:
    first = [f"w{i}" for i in range(400)]
    second = first[:300] + [f"v{i}" for i in range(100)]
    true = 300 / 500
    signature = signatures([" ".join(first), " ".join(second)], 1, 512, seed=1)
    sketch = sketches(signature)
    error = 3 * np.sqrt(true * (1 - true) / 512)
    assert abs((signature[0] == signature[1]).mean() - true) < error
    assert abs(similarity(sketch[0], sketch[1]) - true) < error + 0.005


def test_letter_case_and_punctuation_do_not_count_and_word_order_does() -> None:
    one = signatures(["Let x be even; then x+1 is odd."], 2, 64, seed=0)
    same = signatures(["let X be even, then x 1 is odd"], 2, 64, seed=0)
    other = signatures(["odd is 1 x then even be x let"], 2, 64, seed=0)
    assert (one == same).all() and (one != other).any()


def test_capital_letters_that_grow_in_lower_case_shift_nothing() -> None:
    texts = ["İstanbul üçgen alan", "plain text of five words"]
    assert (signatures(texts, 2, 16, 0)[1] == signatures(texts[1:], 2, 16, 0)[0]).all()


def test_band_keys_differ_when_one_row_of_the_band_differs() -> None:
    signature = np.arange(32, dtype=np.uint32).reshape(1, 32).repeat(2, axis=0)
    signature[1, 5] += 1
    keys = band_keys(signature, bands=4, rows=8)
    assert (keys[0] != keys[1]).sum() == 1
