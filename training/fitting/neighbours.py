"""The neighbours of each item: the items that people buy soon after it, and the items that share its words.

Both parts are fitted once; validation chooses how much the words count, the decay over the history, and the weight of
the block in the score (`recsvc.model.neighbours`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array

from recsvc.domain.arrays import Floats
from recsvc.model.bundle import Bundle
from recsvc.model.neighbours import NO_ROW, NeighbourConfig
from training.config import TrainConfig
from training.fitting.covisitation import CovisitationConfig
from training.fitting.event_sequences import SEQUENCE_HYPERPARAMETERS, EventSequences
from training.fitting.stage import Arrays, Stage
from training.fitting.text_features import fit_lexical, tfidf

CHUNK_EVENTS = 100_000  # whose pairs are in memory at a time: about 100 MB
CHUNK_ITEMS = 1_024  # whose words are compared with those of all items at a time


@dataclass(frozen=True)
class NeighbourParts:
    """The neighbours of each item by what people buy, and by words: float32 (n, n) each, with few entries a row.

    Attributes:
        bought: Items that people bought soon after or before; the largest weight of a row is 1 on average.
        words: Cosines of the words.
    """

    bought: csr_matrix
    words: csr_matrix


def bought_together(sequences: EventSequences, n_items: int, config: CovisitationConfig) -> csr_matrix:
    """Counts the people who bought one item soon after another, as `training.fitting.covisitation` weighs them.

    A person counts once for a pair, by the shortest distance: one customer who orders the same two items each week says
    no more than another.

    Returns:
        float32 (n_items, n_items), row i, column j is the weight of j after i. The diagonal is zero.
    """
    shape = (n_items, n_items)
    total = csr_matrix(shape, dtype=np.float64)
    for chunk in _chunks(sequences):
        rows = np.concatenate(chunk).astype(np.int64)
        people = np.repeat(np.arange(len(chunk)), [len(sequence) for sequence in chunk])
        keys, weights = [], []
        for distance in range(1, min(config.window, len(rows) - 1) + 1):
            same = people[distance:] == people[:-distance]
            pairs = rows[:-distance][same] * n_items + rows[distance:][same]
            keys.append(people[distance:][same] * n_items**2 + pairs)
            weights.append(np.full(len(pairs), distance**-config.distance_exponent))
        if keys:
            distinct, first = np.unique(np.concatenate(keys), return_index=True)  # the first has the shortest distance
            before, after = np.divmod(distinct % n_items**2, n_items)
            total = total + csr_matrix((np.concatenate(weights)[first], (before, after)), shape=shape)
    total = csr_matrix(total + config.backward_weight * total.T)
    total.setdiag(0)
    total.eliminate_zeros()
    from_totals, to_totals = np.asarray(total.sum(axis=1)).ravel(), np.asarray(total.sum(axis=0)).ravel()
    left = diags_array(np.maximum(from_totals, 1e-12) ** -config.from_exponent)
    right = diags_array(np.maximum(to_totals, 1e-12) ** -config.to_exponent)
    return csr_matrix((left @ total @ right).astype(np.float32))


def same_words(texts: Sequence[str], count: int, seed: int) -> csr_matrix:
    """Returns the `count` items with the nearest TF-IDF to each item, float32 (n, n), with the cosines."""
    words = tfidf(fit_lexical(texts, 1, seed), texts)
    parts = []
    for start in range(0, len(texts), CHUNK_ITEMS):
        likeness = csr_matrix(words[start : start + CHUNK_ITEMS] @ words.T)
        itself = csr_matrix(
            (np.ones(likeness.shape[0], np.float32), (np.arange(likeness.shape[0]), start + np.arange(likeness.shape[0]))),
            shape=likeness.shape,
        )
        parts.append(_largest(csr_matrix(likeness - likeness.multiply(itself)), count))
    rows, columns, values = (
        np.concatenate([np.asarray(array) for array in arrays])
        for arrays in zip(
            *((start + p.tocoo().row, p.tocoo().col, p.tocoo().data) for start, p in zip(_starts(texts), parts, strict=True)),
            strict=True,
        )
    )
    return csr_matrix((values, (rows, columns)), shape=(len(texts), len(texts)))
