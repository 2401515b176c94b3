"""Candidates for a person: pages with the numbers of a benchmark question, in its order.

A translation or a paraphrase keeps neither the words nor their order, so no n-gram finds it; what it
keeps are the numbers. A page where those of a question follow one another is no proof of a leak, and is
not removed: it goes into a list for a person to read.

Shapes: X benchmark texts.
"""

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from corpus.leaks.benchmark_texts import QUESTION, Item
from corpus.leaks.ngrams import NUMBER, Grams, cut
from corpus.leaks.normalise import plain

LEAST_NUMBERS = 4  # of a question
LEAST_DIFFERENT = 3  # of them, and so many of two digits or more: 1, 2, 3, 4 are on every page
LEAST_LONG = 2
MOST_GRAMS = 25  # of the page between two of the numbers
MOST_ITEMS = 3  # with the same numbers: more of them share a template
SHOWN = 400  # characters of a question


@dataclass(frozen=True, slots=True)
class Candidate:
    """A page that may hold a translated or reworded question."""

    page: int
    item: int
    numbers: str
    words: str  # of the page from the first number to the last


class NumberSequences:
    """The numbers of benchmark questions, and the search of pages for them."""

    def __init__(self, items: list[Item]):
        questions: list[tuple[int, str]] = []
        for number, item in enumerate(items):
            questions += [(number, text.raw) for text in item.texts if text.part == QUESTION]

        grams = cut([plain(text) for _, text in questions])
        numbers = np.flatnonzero(grams.kind == NUMBER)
        bounds = np.searchsorted(grams.text[numbers], np.arange(len(questions) + 1))

        items_of: dict[tuple[int, ...], set[int]] = defaultdict(set)
        for (item_number, _), low, high in zip(questions, bounds[:-1], bounds[1:], strict=True):
            places = numbers[low:high]
            long = np.unique(grams.key[places[grams.end[places] - grams.start[places] > 1]])
            different = len(np.unique(grams.key[places]))
            if len(places) < LEAST_NUMBERS:
                continue
            if different < LEAST_DIFFERENT or len(long) < LEAST_LONG:
                continue
            if not _is_counting([int(grams.words(int(place), 1)) for place in places]):
                items_of[tuple(grams.key[places].tolist())].add(item_number)

        # By their first numbers: the rest of the sequence, and the items that have it.
        self.sequences: dict[tuple[int, ...], list[tuple[tuple[int, ...], list[int]]]] = {}
        for sequence, owners in items_of.items():
            if len(owners) <= MOST_ITEMS:
                beginning = sequence[:LEAST_NUMBERS]
                entry = (sequence, sorted(owners))
                self.sequences.setdefault(beginning, []).append(entry)
        first = np.array([key[0] for key in self.sequences], dtype=np.uint64)
        self.first = np.unique(first)

    def find(self, page_grams: Grams) -> list[Candidate]:
        """Pages of a batch on which the numbers of a question follow one another."""
        numbers = np.flatnonzero(page_grams.kind == NUMBER)
        keys = page_grams.key[numbers]
        found: dict[tuple[int, int], Candidate] = {}

        # Few numbers of a page begin a question: the others are passed over at once.
        may_begin = np.flatnonzero(np.isin(keys, self.first))
        for at in may_begin.tolist():
            beginning = tuple(keys[at : at + LEAST_NUMBERS].tolist())

            for sequence, owners in self.sequences.get(beginning, ()):
                places = numbers[at : at + len(sequence)]
                if not self._stands_at(page_grams, places, sequence):
                    continue

                # The first place on a page is enough.
                for owner in owners:
                    candidate = _candidate(page_grams, places, owner)
                    found.setdefault((candidate.page, owner), candidate)

        return list(found.values())

    def _stands_at(self, page_grams: Grams, places: np.ndarray, sequence: tuple[int, ...]) -> bool:
        if tuple(page_grams.key[places].tolist()) != sequence:
            return False
        on_one_page = page_grams.text[places[0]] == page_grams.text[places[-1]]
        # Between numbers there must be words: a row of a table is no question.
        steps = np.diff(places)
        return bool(on_one_page and steps.max() <= MOST_GRAMS and (steps > 1).mean() >= 0.5)


def _is_counting(values: list[int]) -> bool:
    """Whether each number is the one before and the same step: numbered lines and chapters are."""
    steps = {after - before for before, after in pairwise(values)}
    return len(steps) == 1


def _candidate(page_grams: Grams, places: np.ndarray, item: int) -> Candidate:
    first, last = int(places[0]), int(places[-1])
    return Candidate(
        page=int(page_grams.text[first]),
        item=item,
        numbers=" ".join(page_grams.words(int(place), 1) for place in places),
        words=page_grams.words(first, last - first + 1),
    )
