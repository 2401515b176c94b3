"""An index of benchmark n-grams, and the search of pages for them (DeepSeekMath section 2.1, after DeepSeek-Coder).

Rule A: a page with a 10-gram that also occurs in a benchmark text is a leak. Rule B: a benchmark text of
3 to 9 grams is matched whole; shorter texts are not used. What the paper leaves open is settled in
`pipeline.config.corpus.Decontamination`: what a gram is, which n-grams are no evidence (runs of digits,
formulas without words, phrases that many items share). A text without any 10-gram after this is matched
whole, as in rule B.

Shapes: X benchmark texts, T grams of all of them, E entries of a table of n-grams.
"""

from dataclasses import dataclass

import numpy as np

from corpus.leaks.benchmark_texts import ANSWER, OPTIONS, QUESTION, Item
from corpus.leaks.ngrams import WORD, Grams, cut, join, rolling
from corpus.leaks.normalise import FUNCTIONS, plain
from pipeline.config.corpus import Decontamination

_U64 = np.uint64
_BIT = (1 << np.arange(8)).astype(np.uint8)

# sin and cos are as much formula as x is; ii and iv are numbers. As grams they are no words.
_ROMAN_NUMERALS = "ii iii iv vi vii viii ix xi xii xiii xiv xv xvi"
_NO_WORDS = f"{_ROMAN_NUMERALS} {' '.join(sorted(FUNCTIONS))}"

_CHUNK = 1000  # texts cut at a time


@dataclass(slots=True)
class Leak:
    """A benchmark item found on a page."""

    benchmark: str
    item: str | int
    row: int
    part: str  # question, answer or other
    rule: str  # A or B
    ngram: str  # the grams that agree, blank between
    count: int = 1  # how many n-grams of the item the page holds


class LeakIndex:
    """All n-grams of all benchmark items that count as evidence of a leak."""

    def __init__(self, items: list[Item], settings: Decontamination):
        self.settings = settings
        self.items = items
        self.texts = _Texts.of(items)

        # [X] whether only a match of the whole text counts. Texts with evidence under rule A are
        # found by it.
        self.whole = np.ones(self.texts.count, dtype=bool)
        # By n: the n-grams that are looked for on pages.
        self.tables: dict[int, _Table] = {}

        for n, key in rolling(self.texts.grams.key, settings.ngram):
            if n == settings.ngram:
                self._add(n, key, self._windows(n, key))
            elif n >= settings.shortest:
                self._add(n, key, self._short_texts(n, key))

    # ---- Searching

    def find(self, texts: list[str]) -> list[list[Leak]]:
        """For each raw text the benchmark items in it, the strongest first."""
        page_grams = cut([plain(text) for text in texts])
        found: list[dict[int, Leak]] = [{} for _ in texts]

        for n, key in rolling(page_grams.key, self.settings.ngram):
            table = self.tables.get(n)
            if table is None:
                continue

            hits = table.find(key)
            # An n-gram that begins on one page and ends on the next is none.
            on_one_page = page_grams.text[hits] == page_grams.text[hits + n - 1]
            for at in hits[on_one_page].tolist():
                leaks = found[page_grams.text[at]]
                self._note(leaks, page_grams, at, n, table.entries_of(key[at]))

        return [sorted(leaks.values(), key=lambda leak: -leak.count) for leaks in found]

    def _note(
        self, leaks: dict[int, Leak], page_grams: Grams, at: int, n: int, entries: list["_Entry"]
    ) -> None:
        """Count what agrees at one place of a page: of each item at most one n-gram."""
        ngram = page_grams.words(at, n)
        counted: set[int] = set()

        for entry in entries:
            number = int(self.texts.item[entry.text])
            if number in counted:
                continue
            # Equal hashes do not prove equal words.
            if self.texts.grams.words(entry.first, n) != ngram:
                continue
            whole = bool(self.whole[entry.text])
            if whole and not self._holds_whole_text(page_grams, at, entry):
                continue

            counted.add(number)
            if number in leaks:
                leaks[number].count += 1
                continue
            item = self.items[number]
            leaks[number] = Leak(
                benchmark=item.benchmark,
                item=item.item,
                row=item.row,
                part=self.texts.part[entry.text],
                rule="B" if whole else "A",
                ngram=ngram,
            )

    def _holds_whole_text(self, page_grams: Grams, at: int, entry: "_Entry") -> bool:
        """Whether the page holds the whole benchmark text around one of its n-grams."""
        text_begin = int(self.texts.first[entry.text])
        length = int(self.texts.length[entry.text])

        begin = at - (entry.first - text_begin)
        last = begin + length - 1
        if begin < 0 or last >= len(page_grams.key):
            return False
        if page_grams.text[begin] != page_grams.text[last]:
            return False
        return page_grams.words(begin, length) == self.texts.grams.words(text_begin, length)

    # ---- Which n-grams are evidence

    def _add(self, n: int, key: np.ndarray, first: np.ndarray) -> None:
        """Make the table of the n-grams that begin at these grams."""
        if len(first):
            text = self.texts.grams.text[first]
            self.tables[n] = _Table.build(key[first], text, first)

    def _windows(self, n: int, key: np.ndarray) -> np.ndarray:
        """Rule A: where the n-grams that are looked for begin; decides which texts are matched whole."""
        text_of = self.texts.grams.text
        first = np.flatnonzero(text_of[: len(key)] == text_of[n - 1 :])  # inside one text
        text = text_of[first]

        stock = self._is_stock(key[first], text, self.settings.stock_items)
        options = self.texts.is_options[text]
        stock[options] |= self._is_stock(
            key[first[options]], text[options], self.settings.stock_texts
        )

        enough_words = self.texts.words(first, n) >= self.settings.ngram_words
        evidence = enough_words & ~stock
        has_evidence = np.bincount(text[evidence], minlength=self.texts.count) > 0
        self.whole = ~has_evidence

        candidates = first[~has_evidence[text] & ~stock]
        return np.concatenate((first[evidence], self._anchors(n, candidates)))

    def _anchors(self, n: int, candidates: np.ndarray) -> np.ndarray:
        """For each text without evidence the n-gram by which it is found, to be compared whole then.

        Args:
            candidates: where the n-grams of such texts begin.
        """
        texts = self.texts
        text = texts.grams.text[candidates]

        # The one with most words is the rarest on pages; of these the first.
        order = np.lexsort((candidates, -texts.words(candidates, n), text))
        _, best = np.unique(text[order], return_index=True)
        anchors = candidates[order][best]

        text = texts.grams.text[anchors]
        words = texts.words(texts.first[text], texts.length[text])
        return anchors[texts.is_matched_whole[text] & (words >= self.settings.text_words)]

    def _short_texts(self, n: int, key: np.ndarray) -> np.ndarray:
        """Rule B: where the texts of exactly n grams begin."""
        texts = self.texts
        first = texts.first[(texts.length == n) & texts.is_matched_whole]
        first = first[texts.words(first, n) >= self.settings.text_words]

        text = texts.grams.text[first]
        stock = self._is_stock(key[first], text, self.settings.stock_texts)
        return first[~stock]

    def _is_stock(self, key: np.ndarray, text: np.ndarray, most: int) -> np.ndarray:
        """Whether an n-gram is in more than `most` items of one benchmark, [len(key)] bool.

        Args:
            key: hashes of n-grams.
            text: the text that each is of.
        """
        if not len(key):
            return np.zeros(0, dtype=bool)

        item = self.texts.item[text]
        order = np.lexsort((item, key))
        key_of, item_of = key[order], item[order]
        benchmark_of = self.texts.benchmark[text][order]

        # An item counts once, however often it has the n-gram.
        once = _changes(key_of, item_of)
        key_of, benchmark_of = key_of[once], benchmark_of[once]

        # Items of a benchmark are numbered in a row, so a run of one key and benchmark is all of them.
        run_starts = np.flatnonzero(_changes(key_of, benchmark_of))
        items_in_run = np.diff(np.append(run_starts, len(key_of)))
        stock_keys = key_of[run_starts[items_in_run > most]]
        return np.isin(key, stock_keys)


@dataclass(frozen=True, slots=True)
class _Texts:
    """The texts of all items, cut into grams."""

    count: int
    part: list[str]  # [X]
    item: np.ndarray  # [X] int64: number of the item
    benchmark: np.ndarray  # [X] int64: number of the item's benchmark
    grams: Grams
    first: np.ndarray  # [X] int64: where the text's grams begin
    length: np.ndarray  # [X] int64: how many it has
    words_before: np.ndarray  # [T + 1] int64: words among the grams before each
    is_options: np.ndarray  # [X] bool

    # [X] bool: only questions and answers are matched whole. Lists of options say too little by
    # themselves ("is, not, in"), and strings under unlisted keys are labels more often than texts.
    is_matched_whole: np.ndarray

    @classmethod
    def of(cls, items: list[Item]) -> "_Texts":
        part: list[str] = []
        raw: list[str] = []
        item_of: list[int] = []
        for number, item in enumerate(items):
            for text in item.texts:
                part.append(text.part)
                raw.append(text.raw)
                item_of.append(number)

        names = list(dict.fromkeys(item.benchmark for item in items))
        number_of_name = {name: number for number, name in enumerate(names)}
        benchmark_of = [number_of_name[items[number].benchmark] for number in item_of]

        chunks = [raw[at : at + _CHUNK] for at in range(0, len(raw), _CHUNK)]
        grams = join([cut([plain(text) for text in chunk]) for chunk in chunks])
        no_words = cut([_NO_WORDS]).key
        is_word = (grams.kind == WORD) & ~np.isin(grams.key, no_words)

        return cls(
            count=len(raw),
            part=part,
            item=np.array(item_of, dtype=np.int64),
            benchmark=np.array(benchmark_of, dtype=np.int64),
            grams=grams,
            first=np.searchsorted(grams.text, np.arange(len(raw))),
            length=np.bincount(grams.text, minlength=len(raw)),
            words_before=np.concatenate(([0], np.cumsum(is_word))),
            is_options=np.array([name == OPTIONS for name in part], dtype=bool),
            is_matched_whole=np.array([name in (QUESTION, ANSWER) for name in part], dtype=bool),
        )

    def words(self, first: np.ndarray, count: np.ndarray | int) -> np.ndarray:
        """How many of the `count` grams from each of `first` are words."""
        return self.words_before[first + count] - self.words_before[first]


@dataclass(frozen=True, slots=True)
class _Entry:
    """An n-gram of a benchmark text."""

    text: int  # index into the texts
    first: int  # its first gram, among those of all texts


@dataclass(frozen=True, slots=True)
class _Table:
    """The n-grams of one n that are looked for, by ascending key; equal keys of different texts side by side."""

    key: np.ndarray  # [E] uint64
    text: np.ndarray  # [E] int32: index into the texts
    first: np.ndarray  # [E] int64: first gram, among those of all texts

    # A bit for each value of the top bits of a key: most n-grams of a page are refused by it, far
    # faster than by a binary search.
    bits: np.ndarray  # uint8
    shift: np.uint64

    @classmethod
    def build(cls, key: np.ndarray, text: np.ndarray, first: np.ndarray) -> "_Table":
        order = np.lexsort((first, key))

        # 16 to 32 bits an entry, so that few of other keys are set; at most half a gigabyte.
        width = min(max(len(key).bit_length() + 4, 12), 32)
        shift = _U64(64 - width)
        bits = np.zeros(1 << (width - 3), dtype=np.uint8)
        place = key >> shift
        np.bitwise_or.at(bits, place >> _U64(3), _BIT[place & _U64(7)])

        return cls(key[order], text[order], first[order], bits, shift)

    def find(self, key: np.ndarray) -> np.ndarray:
        """Positions in `key` of keys that are in the table."""
        place = key >> self.shift
        byte, bit = self.bits[place >> _U64(3)], _BIT[place & _U64(7)]
        maybe = np.flatnonzero(byte & bit)

        nearest = np.searchsorted(self.key, key[maybe])
        nearest = np.minimum(nearest, len(self.key) - 1)
        return maybe[self.key[nearest] == key[maybe]]

    def entries_of(self, key: np.uint64) -> list[_Entry]:
        low = np.searchsorted(self.key, key, "left")
        high = np.searchsorted(self.key, key, "right")
        texts = self.text[low:high].tolist()
        firsts = self.first[low:high].tolist()
        return [_Entry(text, first) for text, first in zip(texts, firsts, strict=True)]


def _changes(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Where a new run of equal pairs begins, [n] bool; n is at least 1."""
    left_differs = left[1:] != left[:-1]
    right_differs = right[1:] != right[:-1]
    return np.concatenate(([True], left_differs | right_differs))
