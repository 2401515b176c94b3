"""Near duplicates from band keys: candidates, checked star edges, clusters.

Pages that share a bucket of a band are compared, by their sketches, with the best page of that bucket (a star
instead of all pairs: linear in the bucket's size). Those that are not similar to it are compared with the best among
themselves, and so on. Clusters are the connected components of the edges that hold.
"""

from collections.abc import Iterable

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from corpus.duplicates.minhash import similarity

_BLOCK = 1 << 20  # pairs compared at a time
PASSES = (
    32  # leaders tried in one bucket: bounds the work in buckets of pages made from one template
)


def clusters(
    buckets: Iterable[tuple[np.ndarray, np.ndarray]], sketches: np.ndarray, threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """Cluster candidates.

    Args:
        buckets: for each band, (key, candidate) sorted by key and then by candidate; a candidate is a row of
            `sketches`, and rows are ordered best page first.
        sketches: (candidates, permutations) uint8.
        threshold: least estimated similarity of an edge.

    Returns (candidate, keeper) of every candidate that falls to a better page of its cluster.
    """
    edges = [star_edges(key, candidate, sketches, threshold) for key, candidate in buckets]
    pairs = np.concatenate(edges) if edges else np.zeros((0, 2), dtype=np.int64)
    count = len(sketches)
    graph = coo_matrix(
        (np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=(count, count)
    )
    _, component = connected_components(graph, directed=False)
    best = np.full(component.max() + 1 if count else 0, count, dtype=np.int64)
    np.minimum.at(best, component, np.arange(count))
    keeper = best[component]
    fallen = np.flatnonzero(keeper != np.arange(count))
    return fallen, keeper[fallen]


def star_edges(
    key: np.ndarray, candidate: np.ndarray, sketches: np.ndarray, threshold: float
) -> np.ndarray:
    """Edges (leader, candidate), shape (edges, 2), of one band's buckets."""
    edges = []
    for _ in range(PASSES):
        if len(key) < 2:
            break
        first = np.ones(len(key), dtype=bool)
        first[1:] = key[1:] != key[:-1]
        leader = candidate[first][np.cumsum(first) - 1]
        followers = np.flatnonzero(~first)
        alike = np.zeros(len(followers), dtype=bool)
        for start in range(0, len(followers), _BLOCK):
            some = followers[start : start + _BLOCK]
            alike[start : start + _BLOCK] = (
                similarity(sketches[leader[some]], sketches[candidate[some]]) >= threshold
            )
        edges.append(np.stack([leader[followers[alike]], candidate[followers[alike]]], axis=1))
        rest = followers[~alike]
        key, candidate = key[rest], candidate[rest]
    return np.concatenate(edges) if edges else np.zeros((0, 2), dtype=np.int64)
