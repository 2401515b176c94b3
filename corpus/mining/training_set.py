"""The classifier's training set: which pages, in which order, and the file fastText reads.

Pages are drawn in the order of a hash of their id, which neither shards nor other pages change: the sample of a
larger crawl keeps the pages it had wherever they are still allowed.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from corpus.mining.fasttext_model import NEGATIVE, POSITIVE
from pipeline.config.corpus import Classifier

_SMALL = 200_000  # examples: below it the library's two million buckets are mostly empty
_MOST_EPOCHS = 50


@dataclass(frozen=True)
class TrainingSet:
    """doc_ids (uint64) in hash order; held-out pages measure the classifier and are never trained on."""

    positives: np.ndarray
    negatives: np.ndarray
    held_positives: np.ndarray
    held_negatives: np.ndarray

    def all(self) -> np.ndarray:
        return np.concatenate(
            [self.positives, self.negatives, self.held_positives, self.held_negatives]
        )


def hash_order(doc_ids: np.ndarray, seed: int, salt: int = 0) -> np.ndarray:
    """A pseudo-random 64-bit rank for each id (SplitMix64)."""
    mixed = doc_ids.astype(np.uint64) + np.uint64(
        (seed * 2 + 1) * 0x9E3779B97F4A7C15 + salt * 0xD1B54A32D192ED03 & _MAX
    )
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def draw(positive: np.ndarray, pool: np.ndarray, settings: Classifier) -> TrainingSet:
    """Draw positives and, from the pool of pages that may be negatives, negatives; set the held-out part aside."""
    chosen = _first(positive, settings.positives, settings.seed)
    wanted = min(settings.negatives, math.ceil(len(chosen) * settings.negatives_per_positive))
    others = _first(pool, wanted, settings.seed)
    border = np.uint64(int(settings.held_out * 2**64))
    held = [hash_order(ids, settings.seed, salt=1) < border for ids in (chosen, others)]
    return TrainingSet(chosen[~held[0]], others[~held[1]], chosen[held[0]], others[held[1]])


def fasttext_parameters(settings: Classifier, examples: int) -> dict:
    """The paper's parameters, scaled for a small training set by the rule that the settings state."""
    rate, epochs = settings.learning_rate, settings.epochs
    if rate * epochs * examples < settings.least_updates:
        rate = settings.small_learning_rate
        epochs = min(
            _MOST_EPOCHS,
            max(settings.epochs, math.ceil(settings.least_updates / (rate * max(1, examples)))),
        )
    return {
        "dim": settings.dimension,
        "lr": rate,
        "epoch": epochs,
        "wordNgrams": settings.word_ngrams,
        "minCount": settings.min_count,
        "bucket": settings.buckets or (2_000_000 if examples >= _SMALL else 100_000),
        "thread": settings.training_threads,
        "seed": settings.seed,
    }


def write_lines(path: Path, chosen: TrainingSet, lines: dict[int, str], seed: int) -> int:
    """Write the training lines, both classes mixed in hash order; pages without tokens are left out."""
    ids = np.concatenate([chosen.positives, chosen.negatives])
    positive = np.arange(len(ids)) < len(chosen.positives)
    order = np.argsort(hash_order(ids, seed, salt=2), kind="stable")
    count = 0
    with open(path, "w", encoding="utf-8") as out:
        for index in order:
            line = lines.get(int(ids[index]))
            if line:
                out.write(f"{POSITIVE if positive[index] else NEGATIVE} {line}\n")
                count += 1
    return count


def _first(ids: np.ndarray, count: int, seed: int) -> np.ndarray:
    order = np.lexsort((ids, hash_order(ids, seed)))
    return ids[order[:count]]


def ids_array(ids: Iterable[int]) -> np.ndarray:
    return np.fromiter(ids, dtype=np.uint64)


_MAX = 2**64 - 1
