"""Near duplicates from band keys: candidate pairs, the pairs that hold, clusters.

Pages that share a bucket of a band are compared, by their sketches, with the best page of that bucket
(a star instead of all pairs: linear in the bucket's size). Those that are not similar to it are
compared with the best among themselves, and so on. Clusters are the connected components of the edges
that hold.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from corpus.duplicates.minhash import similarity

_BLOCK = 1 << 20  # pairs compared at a time

# Rounds of comparisons in one bucket, each with a new leader. Pages made from one template fill a
# bucket without being similar: without a bound the work would be quadratic in its size.
PASSES = 32


@dataclass(frozen=True, slots=True)
class Buckets:
    """The buckets of one band, sorted by key and then by candidate."""

    key: np.ndarray  # [n] uint64: pages with equal keys are in one bucket
    candidate: np.ndarray  # [n] int64: a row of the sketches


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Which pages are duplicates, and the page that stays in their place. Both arrays number the pages
    of whoever made them."""

    page: np.ndarray  # [n] int64
    keeper: np.ndarray  # [n] int64


def clusters(bands: Iterable[Buckets], sketches: np.ndarray, threshold: float) -> Duplicates:
    """Every candidate that is similar, directly or through others, to a better one.

    Args:
        bands: the buckets of each band. Candidates are numbered so that better pages come first.
        sketches: [candidates, permutations] uint8.
        threshold: least estimated similarity of an edge.

    Returns candidates and the best candidate of their cluster.
    """
    # scipy takes longer to load than the rest of the program, and only this function needs it.
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    count = len(sketches)
    edges = [star_edges(buckets, sketches, threshold) for buckets in bands]
    pairs = np.concatenate(edges) if edges else np.zeros((0, 2), dtype=np.int64)

    leader, follower = pairs.T
    present = np.ones(len(pairs), dtype=bool)
    graph = coo_matrix((present, (leader, follower)), shape=(count, count))
    component_count, component = connected_components(graph, directed=False)

    # Candidates are ranked, so the best of a component is its smallest number.
    best = np.full(component_count, count, dtype=np.int64)
    np.minimum.at(best, component, np.arange(count))
    keeper = best[component]

    removed = np.flatnonzero(keeper != np.arange(count))
    return Duplicates(removed, keeper[removed])


def star_edges(buckets: Buckets, sketches: np.ndarray, threshold: float) -> np.ndarray:
    """Edges (leader, candidate), [edges, 2], that hold in the buckets of one band."""
    key, candidate = buckets.key, buckets.candidate
    edges = [np.zeros((0, 2), dtype=np.int64)]

    for _ in range(PASSES):
        if len(key) < 2:
            break

        # The first of each bucket leads; buckets are runs of equal keys.
        leads = np.ones(len(key), dtype=bool)
        leads[1:] = key[1:] != key[:-1]
        bucket_number = np.cumsum(leads) - 1
        leader = candidate[leads][bucket_number]

        followers = np.flatnonzero(~leads)
        pairs = np.stack([leader[followers], candidate[followers]], axis=1)
        alike = _similar(pairs, sketches, threshold)
        edges.append(pairs[alike])

        # Leaders are done with; whoever is unlike its leader takes part in the next pass.
        unlike = followers[~alike]
        key, candidate = key[unlike], candidate[unlike]

    return np.concatenate(edges)


def _similar(pairs: np.ndarray, sketches: np.ndarray, threshold: float) -> np.ndarray:
    """[pairs] whether the estimated similarity reaches the threshold; a block of pairs in memory."""
    alike = np.zeros(len(pairs), dtype=bool)
    for start in range(0, len(pairs), _BLOCK):
        leader, follower = pairs[start : start + _BLOCK].T
        estimate = similarity(sketches[leader], sketches[follower])
        alike[start : start + _BLOCK] = estimate >= threshold
    return alike
