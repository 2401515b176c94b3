"""Edited copies of benchmark questions: words replaced or left out, names and numbers changed.

An exact n-gram breaks at every change, so a copy with one word in eight changed holds hardly any 10-gram
of its original. Here short n-grams are the anchors, without those that many items share, after the decon
tool of the Allen Institute for AI. Where a page holds enough anchors of one question close together, the
two are aligned, and the share of the question that stands there in the same order decides, each gram
weighted by its rarity among all benchmark texts.

Not found: paraphrases and translations, which keep neither the words nor their order; questions of few
words, whose copies cannot be told from other texts.

Shapes: X benchmark texts, T grams of all of them, H anchors found on a batch of pages.
"""

from dataclasses import dataclass

import numpy as np

from corpus.leaks.ngram_table import NgramTable
from corpus.leaks.ngrams import WORD, Grams
from pipeline.config.corpus import Decontamination

ANCHOR = 4
"""Grams of an anchor. Half of them survive when every eighth gram is replaced."""

_LEAST_ANCHORS = 4  # of one question on a page
_SLACK = 24  # grams that a copy may be longer than its original, beside the original's own length
_NUMBER_WEIGHT = 0.5  # of numbers and single letters: they are what is changed first
_MOST_COMMON = 0.3
_SKIPPED = 0.3  # what a gram of the page costs that stands between those of the original
_RAREST = 6.0  # a name of one item weighs no more than a word of a few hundred


@dataclass(frozen=True, slots=True)
class Copy:
    """An edited copy of a benchmark text on a page."""

    page: int
    text: int  # index into the benchmark texts
    begin: int  # first gram of the page's stretch, among those of the batch
    count: int  # grams of the stretch
    anchors: int  # different anchors of the text on the page


@dataclass(frozen=True, slots=True)
class _Hits:
    """Anchors found on a batch of pages; those of one text on one page side by side, as a run."""

    page: np.ndarray  # [H]
    place: np.ndarray  # [H] gram of the page
    text: np.ndarray  # [H]
    begin: np.ndarray  # [runs] first hit of each run
    end: np.ndarray  # [runs] one past its last
    different: np.ndarray  # [runs] different anchors of the text

    @classmethod
    def sorted(
        cls, page: np.ndarray, place: np.ndarray, text: np.ndarray, gram: np.ndarray
    ) -> "_Hits":
        """Args: [H] of each hit the page and its gram there, the text and the gram in it."""
        order = np.lexsort((gram, text, page))
        page, place, text, gram = page[order], place[order], text[order], gram[order]

        is_new_run = np.ones(len(page), dtype=bool)
        is_new_run[1:] = (page[1:] != page[:-1]) | (text[1:] != text[:-1])
        is_new_gram = is_new_run.copy()
        is_new_gram[1:] |= gram[1:] != gram[:-1]

        begin = np.flatnonzero(is_new_run)
        different = np.add.reduceat(is_new_gram.astype(np.int64), begin)
        return cls(page, place, text, begin, np.append(begin[1:], len(page)), different)


class EditedCopies:
    """The anchors of benchmark questions, and the search of pages for copies."""

    def __init__(
        self,
        grams: Grams,
        length: np.ndarray,
        item: np.ndarray,
        anchors: NgramTable,
        settings: Decontamination,
    ):
        """Args:
        grams: of all benchmark texts.
        length: [X] grams of each text.
        item: [X] the item of each text.
        anchors: the ANCHOR-grams that are looked for.
        settings: which share of a text makes a copy.
        """
        self.grams = grams
        self.length = length
        self.first = np.cumsum(length) - length
        self.weight = rarity(grams, item)
        self.anchors = anchors
        self.anchors_of_text = np.bincount(anchors.text, minlength=len(length))
        self.settings = settings

    def find(self, page_grams: Grams, key: np.ndarray) -> list[Copy]:
        """Copies on a batch of pages.

        Args:
            key: hashes of the pages' ANCHOR-grams.
        """
        places = self.anchors.find(key)
        # An anchor that begins on one page and ends on the next is none.
        on_one_page = page_grams.text[places] == page_grams.text[places + ANCHOR - 1]
        places = places[on_one_page]
        if not len(places):
            return []

        low = np.searchsorted(self.anchors.key, key[places], "left")
        high = np.searchsorted(self.anchors.key, key[places], "right")
        entries = _ranges(low, high)
        places = np.repeat(places, high - low)
        hits = _Hits.sorted(
            page_grams.text[places], places, self.anchors.text[entries], self.anchors.first[entries]
        )

        least = self.settings.edited_anchors * self.anchors_of_text[hits.text[hits.begin]]
        enough = hits.different >= np.maximum(_LEAST_ANCHORS, least)

        copies = []
        for run in np.flatnonzero(enough).tolist():
            begin, end = int(hits.begin[run]), int(hits.end[run])
            page, text = int(hits.page[begin]), int(hits.text[begin])
            stretch = self._stretch(page_grams, page, text, np.sort(hits.place[begin:end]))
            if self._share(page_grams, text, stretch) >= self.settings.edited_share:
                first, last = stretch
                copies.append(Copy(page, text, first, last - first, int(hits.different[run])))
        return copies

    def _stretch(
        self, page_grams: Grams, page: int, text: int, places: np.ndarray
    ) -> tuple[int, int]:
        """Where on the page a copy would lie: around the places with most anchors close together."""
        length = int(self.length[text])
        last = np.searchsorted(places, places + 2 * length + _SLACK, side="right")
        best = int(np.argmax(last - np.arange(len(places))))

        page_begin = np.searchsorted(page_grams.text, page, "left")
        page_end = np.searchsorted(page_grams.text, page, "right")
        begin = max(int(page_begin), int(places[best]) - length)
        end = min(int(page_end), int(places[last[best] - 1]) + length + ANCHOR)
        return begin, end

    def _share(self, page_grams: Grams, text: int, stretch: tuple[int, int]) -> float:
        """The share of the text's weight that stands in the stretch in the same order."""
        start = int(self.first[text])
        end = start + int(self.length[text])
        weight = self.weight[start:end]
        common = common_weight(
            self.grams.key[start:end], weight, page_grams.key[stretch[0] : stretch[1]]
        )
        return common / float(weight.sum())


def rarity(grams: Grams, item: np.ndarray) -> np.ndarray:
    """[T] the weight of each gram: the logarithm of how few items have it.

    Args:
        grams: of all benchmark texts.
        item: [X] the item of each text.
    """
    _, gram = np.unique(grams.key, return_inverse=True)
    of_item = item[grams.text].astype(np.int64)
    items = int(of_item.max(initial=0)) + 1
    pairs = np.unique(gram.astype(np.int64) * items + of_item)
    items_with = np.bincount(pairs // items)

    weight = np.log((items + 1) / items_with[gram])
    weight = np.clip(weight, _MOST_COMMON, _RAREST)
    weight[grams.kind != WORD] = _NUMBER_WEIGHT
    return weight.astype(np.float32)


def common_weight(original: np.ndarray, weight: np.ndarray, other: np.ndarray) -> float:
    """The largest weight that two sequences of keys have in common in the same order, less a little for
    each key of the second that lies between: words scattered over a long text are no copy.

    Args:
        original: [n] keys.
        weight: [n] weight of each.
        other: [m] keys of the second sequence.
    """
    # best[j]: an alignment of the keys of `original` so far that ends at key j of `other` or before,
    # with what every key of `other` up to j would cost added, so that a maximum needs no subtraction.
    cost = _SKIPPED * np.arange(len(other) + 1, dtype=np.float32)
    best = cost.copy()
    for key, value in zip(original, weight, strict=True):
        matched = np.where(other == key, best[:-1] + (value + _SKIPPED), 0)
        np.maximum(best[1:], matched, out=best[1:])
        np.maximum.accumulate(best, out=best)
        np.maximum(best, cost, out=best)
    return float((best - cost).max())


def _ranges(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The numbers low[0] … high[0] - 1, low[1] … high[1] - 1, … one after the other."""
    count = high - low
    ends = np.cumsum(count)
    return np.arange(ends[-1]) + np.repeat(low - (ends - count), count)
