"""An index of benchmark n-grams, and the search of pages for them (DeepSeekMath section 2.1, after DeepSeek-Coder).

Rule A: a page with a 10-gram that also stands in a benchmark text is a leak. Rule B: a benchmark text of 3 to 9 grams
is matched whole; shorter texts are not used. What the paper leaves open is settled in
`pipeline.config.corpus.Decontamination`: what a gram is, which n-grams are no evidence (runs of digits, formulas
without words, phrases that many items share). A text without any 10-gram after this is matched whole, as in rule B.
"""

from dataclasses import dataclass

import numpy as np

from corpus.leaks.benchmark_texts import ANSWER, OPTIONS, QUESTION, Item
from corpus.leaks.ngrams import WORD, Grams, cut, join, rolling
from corpus.leaks.normalise import FUNCTIONS, plain
from pipeline.config.corpus import Decontamination

_U64 = np.uint64
_BIT = (1 << np.arange(8)).astype(np.uint8)
_ROMAN_NUMERALS = "ii iii iv vi vii viii ix xi xii xiii xiv xv xvi"
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


@dataclass(slots=True)
class _Entries:
    """Keys of one n, sorted; equal keys of different texts stand side by side."""

    key: np.ndarray  # [E] uint64
    text: np.ndarray  # [E] int32: index into the index's texts
    first: np.ndarray  # [E] int64: position of the n-gram in the index's grams
    shift: np.uint64
    maybe: (
        np.ndarray
    )  # bit table over the top bits of a key: most n-grams of a page are refused here

    @classmethod
    def build(cls, key: np.ndarray, text: np.ndarray, first: np.ndarray) -> "_Entries":
        order = np.lexsort((first, key))
        bits = min(max(len(key).bit_length() + 4, 12), 32)
        shift = _U64(64 - bits)
        maybe = np.zeros(1 << (bits - 3), dtype=np.uint8)
        place = key >> shift
        np.bitwise_or.at(maybe, place >> _U64(3), _BIT[place & _U64(7)])
        return cls(key[order], text[order], first[order], shift, maybe)

    def find(self, key: np.ndarray) -> np.ndarray:
        """Positions in `key` of keys that are in the table."""
        place = key >> self.shift
        hits = np.flatnonzero(self.maybe[place >> _U64(3)] & _BIT[place & _U64(7)])
        place = np.minimum(np.searchsorted(self.key, key[hits]), len(self.key) - 1)
        return hits[self.key[place] == key[hits]]


class LeakIndex:
    """All n-grams of all benchmark items that count as evidence of a leak."""

    def __init__(self, items: list[Item], settings: Decontamination):
        self.settings = settings
        self.items = items
        self.texts = [
            (number, part, raw) for number, item in enumerate(items) for part, raw in item.texts
        ]
        count = len(self.texts)
        chunks = [self.texts[at : at + _CHUNK] for at in range(0, count, _CHUNK)]
        self.grams = join([cut([plain(raw) for _, _, raw in chunk]) for chunk in chunks])
        self.first = np.searchsorted(self.grams.text, np.arange(count))
        self.length = np.bincount(self.grams.text, minlength=count)
        # sin and cos are as much formula as x is; ii and iv are numbers.
        words = (self.grams.kind == WORD) & ~np.isin(
            self.grams.key, cut([_ROMAN_NUMERALS, " ".join(sorted(FUNCTIONS))]).key
        )
        self.words = np.concatenate(([0], np.cumsum(words)))
        self.part = np.array([part for _, part, _ in self.texts], dtype=object)
        self.complete = np.isin(
            self.part.astype(str), (QUESTION, ANSWER)
        )  # texts that a whole match can convict
        self.item_of = np.array([number for number, _, _ in self.texts], dtype=np.int64)
        names = {
            name: place
            for place, name in enumerate(dict.fromkeys(item.benchmark for item in items))
        }
        self.benchmark_of = np.array(
            [names[items[number].benchmark] for number in self.item_of], dtype=np.int64
        )
        self.entries: dict[int, _Entries] = {}
        self._build()

    def find(self, texts: list[str]) -> list[list[Leak]]:
        """For each raw text the benchmark items in it, the strongest first."""
        grams = cut([plain(text) for text in texts])
        found: list[dict[int, Leak]] = [{} for _ in texts]
        for n, key in rolling(grams.key, self.settings.ngram):
            entries = self.entries.get(n)
            if entries is not None:
                hits = entries.find(key)
                for position in hits[grams.text[hits] == grams.text[hits + n - 1]]:
                    self._note(
                        found[grams.text[position]], grams, entries, int(position), n, key[position]
                    )
        return [sorted(leaks.values(), key=lambda leak: -leak.count) for leaks in found]

    def _note(
        self,
        leaks: dict[int, Leak],
        grams: Grams,
        entries: _Entries,
        at: int,
        n: int,
        key: np.uint64,
    ) -> None:
        """Count what agrees at one place of a page, after comparing the words themselves."""
        ngram = grams.words(at, n)
        low, high = (
            np.searchsorted(entries.key, key, "left"),
            np.searchsorted(entries.key, key, "right"),
        )
        seen = set()
        for text, first in zip(
            entries.text[low:high].tolist(), entries.first[low:high].tolist(), strict=True
        ):
            number, part, _ = self.texts[text]
            if number in seen or self.grams.words(first, n) != ngram:
                continue
            whole = self.whole[text]
            if whole and not self._stands_whole(grams, at, text, first):
                continue
            seen.add(number)
            item = self.items[number]
            if number in leaks:
                leaks[number].count += 1
            else:
                rule = "B" if whole else "A"
                leaks[number] = Leak(item.benchmark, item.item, item.row, part, rule, ngram)

    def _stands_whole(self, grams: Grams, at: int, text: int, first: int) -> bool:
        """Whether the page holds the whole text around one of its n-grams."""
        begin = at - (first - int(self.first[text]))
        count = int(self.length[text])
        if (
            begin < 0
            or begin + count > len(grams.key)
            or grams.text[begin] != grams.text[begin + count - 1]
        ):
            return False
        return grams.words(begin, count) == self.grams.words(int(self.first[text]), count)

    def _build(self) -> None:
        for n, key in rolling(self.grams.key, self.settings.ngram):
            if n == self.settings.ngram:
                self._add_windows(n, key)
            elif n >= self.settings.shortest:
                self._add_short_texts(n, key)
        if self.settings.ngram not in self.entries:
            self.whole = np.ones(len(self.texts), dtype=bool)

    def _add_windows(self, n: int, key: np.ndarray) -> None:
        """Rule A, and the texts that only a whole match can convict."""
        text = self.grams.text
        place = np.flatnonzero(text[: len(key)] == text[n - 1 :])
        words = self.words[place + n] - self.words[place]
        stock = self._stock(key[place], text[place], self.settings.stock_items)
        options = self.part[text[place]] == OPTIONS
        stock[options] |= self._stock(
            key[place[options]], text[place[options]], self.settings.stock_texts
        )
        evidence = (words >= self.settings.ngram_words) & ~stock
        convicts = np.bincount(text[place[evidence]], minlength=len(self.texts)) > 0
        self.whole = ~convicts
        # A text without evidence is found by its wordiest n-gram and then compared whole.
        rest = place[~convicts[text[place]] & ~stock]
        wordiest = rest[np.lexsort((rest, -(self.words[rest + n] - self.words[rest]), text[rest]))]
        _, pick = np.unique(text[wordiest], return_index=True)
        wordiest = wordiest[pick]
        total = self.words[self.first + self.length] - self.words[self.first]
        wordiest = wordiest[
            self.complete[text[wordiest]] & (total[text[wordiest]] >= self.settings.text_words)
        ]
        place = np.concatenate((place[evidence], wordiest))
        if len(place):
            self.entries[n] = _Entries.build(key[place], text[place], place)

    def _add_short_texts(self, n: int, key: np.ndarray) -> None:
        """Rule B: questions and answers of exactly n grams. Lists of options say too little by themselves ("is, not,
        in"), and strings under unlisted keys are labels more often than texts."""
        texts = np.flatnonzero((self.length == n) & self.complete)
        place = self.first[texts]
        words = self.words[place + n] - self.words[place]
        place = place[words >= self.settings.text_words]
        if len(place):
            place = place[
                ~self._stock(key[place], self.grams.text[place], self.settings.stock_texts)
            ]
        if len(place):
            self.entries[n] = _Entries.build(key[place], self.grams.text[place], place)

    def _stock(self, key: np.ndarray, text: np.ndarray, most: int) -> np.ndarray:
        """[len(key)] whether an n-gram stands in more than `most` items of one benchmark."""
        if not len(key):
            return np.zeros(0, dtype=bool)
        item, benchmark = self.item_of[text], self.benchmark_of[text]
        order = np.lexsort((item, key))
        key_, item_, benchmark_ = key[order], item[order], benchmark[order]
        once = np.concatenate(([True], (key_[1:] != key_[:-1]) | (item_[1:] != item_[:-1])))
        key_, benchmark_ = (
            key_[once],
            benchmark_[once],
        )  # items of a benchmark are numbered in a row
        group = np.concatenate(
            ([True], (key_[1:] != key_[:-1]) | (benchmark_[1:] != benchmark_[:-1]))
        )
        start = np.flatnonzero(group)
        counts = np.diff(np.append(start, len(key_)))
        return np.isin(key, key_[start[counts > most]])
