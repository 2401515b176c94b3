"""An index of benchmark n-grams, and the search of pages for them (DeepSeekMath section 2.1, after DeepSeek-Coder).

Rule A: a page with a 10-gram that also occurs in a benchmark text is a leak. Rule B: a question of
3 to 9 grams is matched whole; shorter texts are not used. What the paper leaves open is settled in
`pipeline.config.corpus.Decontamination`: what a gram is, which n-grams are no evidence (runs of digits,
formulas without words, phrases that many items share, answers that are no full solutions). A question
without any 10-gram after this is matched whole, as in rule B. Rule C goes beyond the paper: edited copies
of questions (`corpus.leaks.edited`).

Shapes: X benchmark texts, T grams of all of them, E entries of a table of n-grams.
"""

from dataclasses import dataclass

import numpy as np

from corpus.leaks.benchmark_texts import ANSWER, OPTIONS, QUESTION, Item
from corpus.leaks.edited import ANCHOR, Copy, EditedCopies
from corpus.leaks.ngram_table import Entry, NgramTable
from corpus.leaks.ngrams import WORD, Grams, cut, join, rolling
from corpus.leaks.normalise import FUNCTIONS, plain
from pipeline.config.corpus import Decontamination

# sin and cos are as much formula as x is; ii and iv are numbers. As grams they are no words.
_ROMAN_NUMERALS = "ii iii iv vi vii viii ix xi xii xiii xiv xv xvi"
_NO_WORDS = f"{_ROMAN_NUMERALS} {' '.join(sorted(FUNCTIONS))}"

_CHUNK = 1000  # texts cut at a time
SHOWN_GRAMS = 60  # of an edited copy


@dataclass(slots=True)
class Leak:
    """A benchmark item found on a page."""

    benchmark: str
    item: str | int
    row: int
    part: str  # question, answer or other
    rule: str  # A (an n-gram), B (a short text as a whole) or C (an edited copy)
    ngram: str  # the grams that agree, of an edited copy those of the page; blanks between
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
        self.tables: dict[int, NgramTable] = {}
        self.copies: EditedCopies | None = None

        for n, key in rolling(self.texts.grams.key, settings.ngram):
            if n == settings.ngram:
                self._add(n, key, self._windows(n, key))
            elif n >= settings.shortest:
                self._add(n, key, self._short_texts(n, key))
            if n == ANCHOR:
                self.copies = self._edited_copies(key)

    # ---- Searching

    def find(self, texts: list[str]) -> list[list[Leak]]:
        """For each raw text the benchmark items in it, the strongest first."""
        return self.find_in(page_grams_of(texts))

    def find_in(self, page_grams: Grams) -> list[list[Leak]]:
        """The same for texts that are cut into grams already."""
        found: list[dict[int, Leak]] = [{} for _ in range(page_grams.texts)]
        copies: list[Copy] = []

        for n, key in rolling(page_grams.key, self.settings.ngram):
            if n == ANCHOR and self.copies:
                copies = self.copies.find(page_grams, key)
            table = self.tables.get(n)
            if table is None:
                continue

            hits = table.find(key)
            # An n-gram that begins on one page and ends on the next is none.
            on_one_page = page_grams.text[hits] == page_grams.text[hits + n - 1]
            for at in hits[on_one_page].tolist():
                leaks = found[page_grams.text[at]]
                self._note(leaks, page_grams, at, n, table.entries_of(key[at]))

        self._note_copies(found, page_grams, copies)
        return [sorted(leaks.values(), key=lambda leak: -leak.count) for leaks in found]

    def _note(
        self, leaks: dict[int, Leak], page_grams: Grams, at: int, n: int, entries: list[Entry]
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

    def _note_copies(
        self, found: list[dict[int, Leak]], page_grams: Grams, copies: list[Copy]
    ) -> None:
        """Rule C: an item that is not found by the others, whose evidence is stronger."""
        for copy in copies:
            number = int(self.texts.item[copy.text])
            item = self.items[number]
            found[copy.page].setdefault(
                number,
                Leak(
                    benchmark=item.benchmark,
                    item=item.item,
                    row=item.row,
                    part=self.texts.part[copy.text],
                    rule="C",
                    ngram=page_grams.words(copy.begin, min(copy.count, SHOWN_GRAMS)),
                    count=copy.anchors,
                ),
            )

    def _holds_whole_text(self, page_grams: Grams, at: int, entry: Entry) -> bool:
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
            self.tables[n] = NgramTable.build(key[first], text, first)

    def _windows(self, n: int, key: np.ndarray) -> np.ndarray:
        """Rule A: where the n-grams that are looked for begin; decides which texts are matched whole."""
        text_of = self.texts.grams.text
        first = np.flatnonzero(text_of[: len(key)] == text_of[n - 1 :])  # inside one text
        # An answer is no evidence: "the United States" and `return len(string)` are everywhere. A
        # full solution is.
        is_short = self.texts.length < self.settings.solution_grams
        is_evidence = ~(self.texts.is_answer & is_short)
        first = first[is_evidence[text_of[first]]]
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

    def _edited_copies(self, key: np.ndarray) -> EditedCopies | None:
        """Rule C: the anchors of questions of enough words; those that many items share are none."""
        texts, n = self.texts, ANCHOR
        first = np.flatnonzero(texts.grams.text[: len(key)] == texts.grams.text[n - 1 :])
        is_guarded = texts.is_question & (texts.written_words() >= self.settings.edited_words)
        first = first[is_guarded[texts.grams.text[first]]]

        text = texts.grams.text[first]
        stock = self._is_stock(key[first], text, self.settings.stock_items)
        evidence = ~stock & (texts.words(first, n) >= 2)
        first, text = first[evidence], text[evidence]
        if not len(first):
            return None
        table = NgramTable.build(key[first], text, first)
        return EditedCopies(texts.grams, texts.length, texts.item, table, self.settings)

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


def page_grams_of(texts: list[str]) -> Grams:
    """Raw texts of pages, cut into grams."""
    return cut([plain(text) for text in texts])


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
    is_question: np.ndarray  # [X] bool
    is_answer: np.ndarray  # [X] bool

    # [X] bool: only questions are matched whole. Answers and lists of options say too little by
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
            is_question=np.array([name == QUESTION for name in part], dtype=bool),
            is_answer=np.array([name == ANSWER for name in part], dtype=bool),
            is_matched_whole=np.array([name == QUESTION for name in part], dtype=bool),
        )

    def written_words(self) -> np.ndarray:
        """[X] the words of each text; two Chinese characters are about one."""
        words = self.words(self.first, self.length)
        grams = self.grams
        is_ideograph = (grams.kind == WORD) & (grams.end - grams.start == 1)
        ideographs = np.bincount(grams.text[is_ideograph], minlength=self.count)
        return words - ideographs / 2

    def words(self, first: np.ndarray, count: np.ndarray | int) -> np.ndarray:
        """How many of the `count` grams from each of `first` are words."""
        return self.words_before[first + count] - self.words_before[first]


def _changes(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Where a new run of equal pairs begins, [n] bool; n is at least 1."""
    left_differs = left[1:] != left[:-1]
    right_differs = right[1:] != right[:-1]
    return np.concatenate(([True], left_differs | right_differs))
