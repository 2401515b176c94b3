"""The classifier's training set: which pages, in which order, and the file fastText reads.

Pages are drawn in the order of a hash of their id, which neither shards nor other pages change: the
sample of a larger crawl keeps the pages it had wherever they are still allowed.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from corpus.mining.fasttext_model import NEGATIVE, POSITIVE
from pipeline.config.corpus import Classifier

# From so many examples on fastText gets its own default of buckets for n-grams; below, two million of
# them are mostly empty and cost 2 GB at the paper's dimension.
_MANY_EXAMPLES = 200_000
_BUCKETS, _FEW_BUCKETS = 2_000_000, 100_000
_MOST_EPOCHS = 50

# One seed gives several orders that have nothing to do with each other.
_DRAW, _HOLD_OUT, _SHUFFLE = 0, 1, 2
JUDGE = 3  # which pages of a prefix the automatic annotator reads


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """doc_ids (uint64) in hash order; held-out pages measure the classifier and never train it."""

    positives: np.ndarray
    negatives: np.ndarray
    held_positives: np.ndarray
    held_negatives: np.ndarray

    def all(self) -> np.ndarray:
        return np.concatenate(
            [self.positives, self.negatives, self.held_positives, self.held_negatives]
        )


def draw(positive: np.ndarray, pool: np.ndarray, settings: Classifier) -> TrainingSet:
    """Draw the examples of both classes and set the held-out part of each aside.

    Args:
        positive: doc_ids of pages that may be positives.
        pool: doc_ids of pages that may be negatives.

    The paper draws 500,000 of each (section 2.1).
    """
    positives = first_by_hash(positive, settings.positives, settings.seed, _DRAW)

    wanted = math.ceil(len(positives) * settings.negatives_per_positive)
    negatives = first_by_hash(pool, min(settings.negatives, wanted), settings.seed, _DRAW)

    held_positive = _is_held_out(positives, settings)
    held_negative = _is_held_out(negatives, settings)
    return TrainingSet(
        positives=positives[~held_positive],
        negatives=negatives[~held_negative],
        held_positives=positives[held_positive],
        held_negatives=negatives[held_negative],
    )


def fasttext_parameters(settings: Classifier, examples: int) -> dict:
    """fastText's arguments: the paper's, or for a small training set a higher rate and more epochs.

    What counts is learning rate x epochs x examples, the size of all updates together: the paper's is
    300,000. With its numbers a few thousand examples would teach little more than the share of each
    class.
    """
    rate, epochs = settings.learning_rate, settings.epochs

    if rate * epochs * examples < settings.least_updates:
        rate = settings.small_learning_rate
        needed = math.ceil(settings.least_updates / (rate * max(1, examples)))
        epochs = min(_MOST_EPOCHS, max(settings.epochs, needed))

    default_buckets = _BUCKETS if examples >= _MANY_EXAMPLES else _FEW_BUCKETS
    return {
        "dim": settings.dimension,
        "lr": rate,
        "epoch": epochs,
        "wordNgrams": settings.word_ngrams,
        "minCount": settings.min_count,
        "bucket": settings.buckets or default_buckets,
        "thread": settings.training_threads,
        "seed": settings.seed,
    }


def write_lines(path: Path, chosen: TrainingSet, lines: dict[int, str], seed: int) -> int:
    """Write the training lines, both classes mixed in hash order; return how many there are.

    Args:
        lines: doc_id -> the page's tokens; pages without tokens are left out.
    """
    doc_ids = np.concatenate([chosen.positives, chosen.negatives])
    labels = [POSITIVE] * len(chosen.positives) + [NEGATIVE] * len(chosen.negatives)
    order = np.argsort(hash_order(doc_ids, seed, _SHUFFLE), kind="stable")

    count = 0
    with open(path, "w", encoding="utf-8") as out:
        for place in order:
            line = lines.get(int(doc_ids[place]))
            if line:
                out.write(f"{labels[place]} {line}\n")
                count += 1
    return count


def hash_order(doc_ids: np.ndarray, seed: int, salt: int) -> np.ndarray:
    """A pseudo-random 64-bit rank for each id (SplitMix64); each salt gives another order."""
    offset = (seed * 2 + 1) * 0x9E3779B97F4A7C15 + salt * 0xD1B54A32D192ED03
    mixed = doc_ids.astype(np.uint64) + np.uint64(offset % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def first_by_hash(doc_ids: np.ndarray, count: int, seed: int, salt: int) -> np.ndarray:
    """The first `count` ids in hash order, whatever order they come in."""
    order = np.lexsort((doc_ids, hash_order(doc_ids, seed, salt)))
    return doc_ids[order[:count]]


def ids_array(doc_ids: Iterable[int]) -> np.ndarray:
    return np.fromiter(doc_ids, dtype=np.uint64)


def _is_held_out(doc_ids: np.ndarray, settings: Classifier) -> np.ndarray:
    """[ids] whether the hash is in the lowest part of its range: decided for each page by itself."""
    border = np.uint64(int(settings.held_out * 2**64))
    return hash_order(doc_ids, settings.seed, _HOLD_OUT) < border
