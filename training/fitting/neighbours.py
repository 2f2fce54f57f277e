"""The neighbours of each item: the items that people buy soon after it, and the items that share its words.

Both parts are fitted once and cut to the strongest neighbours of each item. How much the words count, and how much the
neighbours count in the score, is chosen on validation (`training.fitting.neighbour_weights`).
"""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.sparse import csr_matrix

from recsvc.domain.arrays import NO_ROW, Floats, Rows
from recsvc.model.neighbours import Neighbours
from training.config import TrainConfig
from training.fitting.covisitation import CovisitationConfig, normalised
from training.fitting.event_sequences import SEQUENCE_HYPERPARAMETERS, EventSequences
from training.fitting.stage import Arrays, Stage
from training.fitting.text_features import fit_lexical, tfidf

EVENTS_AT_ONCE = 100_000  # whose pairs are in memory at a time: about 100 MB
ITEMS_AT_ONCE = 1_024  # whose words are compared with those of all items at a time
MIXED_AT_ONCE = 16_384  # items whose two parts are added up at a time


def compute_neighbours(config: TrainConfig, sequences: EventSequences, texts: Sequence[str]) -> Arrays:
    """Finds both kinds of neighbours of each item.

    Args:
        config: The settings of `NEIGHBOURS`.
        sequences: Of each user, see `event_sequences`.
        texts: Of the n items.

    Returns:
        bought_rows, words_rows: int32 (n, m), rows of other items, the strongest first; NO_ROW for none.
        bought_weights: float32 (n, m). The largest weight of an item is 1 on average.
        words_weights: float32 (n, m), cosines of TF-IDF.
    """
    count = min(config.neighbours, max(len(texts) - 1, 1))
    bought = bought_together(sequences, len(texts), CovisitationConfig())
    bought_rows, bought_weights = _strongest(bought, count)
    largest = bought_weights[:, 0]
    bought_weights /= largest[largest > 0].mean() if largest.any() else 1.0
    words_rows, words_weights = same_words(texts, count, config.seed)
    return {
        "bought_rows": bought_rows,
        "bought_weights": bought_weights,
        "words_rows": words_rows,
        "words_weights": words_weights,
    }


NEIGHBOURS = Stage("neighbours", (*SEQUENCE_HYPERPARAMETERS, "neighbours", "seed"), compute_neighbours)


def bought_together(sequences: EventSequences, n_items: int, config: CovisitationConfig) -> csr_matrix:
    """Counts the people who bought one item soon after another, weighed as `training.fitting.covisitation` does.

    A person counts once for a pair, by the shortest distance: one customer who orders the same two items each week says
    no more than another.

    Returns:
        float32 (n_items, n_items), row i, column j is the weight of j after i. The diagonal is zero.
    """
    shape = (n_items, n_items)
    total = csr_matrix(shape, dtype=np.float64)
    for some in _parts(sequences):
        rows = np.concatenate(some).astype(np.int64)
        people = np.repeat(np.arange(len(some)), [len(sequence) for sequence in some])
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
    return normalised(csr_matrix(total + config.backward_weight * total.T), config)


def same_words(texts: Sequence[str], count: int, seed: int) -> tuple[Rows, Floats]:
    """Returns the `count` items with the nearest TF-IDF to each item: rows, int32 (n, count), and cosines."""
    words = tfidf(fit_lexical(texts, 1, seed), texts)
    columns = csr_matrix(words.T)
    rows, weights = [], []
    for start in range(0, len(texts), ITEMS_AT_ONCE):
        likeness = csr_matrix(words[start : start + ITEMS_AT_ONCE] @ columns)
        of_itself = likeness.indices == start + np.repeat(np.arange(likeness.shape[0]), np.diff(likeness.indptr))
        likeness.data[of_itself] = 0
        nearest, cosines = _strongest(likeness, count)
        rows.append(nearest)
        weights.append(cosines)
    return np.concatenate(rows), np.concatenate(weights)


def mix(parts: Arrays, words_weight: float) -> Neighbours:
    """Adds up both kinds of neighbours, the words times `words_weight`, and keeps the strongest of each item.

    Args:
        parts: From `compute_neighbours`.
        words_weight: 0 or more.
    """
    n, count = parts["bought_rows"].shape
    rows = np.full((n, count), NO_ROW, np.int32)
    weights = np.zeros((n, count), np.float16)
    for start in range(0, n, MIXED_AT_ONCE):
        some = slice(start, start + MIXED_AT_ONCE)
        both = np.concatenate((parts["bought_rows"][some], parts["words_rows"][some]), axis=1)
        summed = np.concatenate((parts["bought_weights"][some], words_weight * parts["words_weights"][some]), axis=1)
        order = np.argsort(both, axis=1, kind="stable")
        both, summed = np.take_along_axis(both, order, axis=1), np.take_along_axis(summed, order, axis=1)
        # An item is at most once in each part, so at most two neighbouring places hold the same row.
        twice = both[:, 1:] == both[:, :-1]
        summed[:, :-1][twice] += summed[:, 1:][twice]
        summed[:, 1:][twice] = 0
        summed[both == NO_ROW] = 0
        strongest = np.argsort(-summed, axis=1, kind="stable")[:, :count]
        weights[some] = np.take_along_axis(summed, strongest, axis=1)
        rows[some] = np.where(weights[some] > 0, np.take_along_axis(both, strongest, axis=1), NO_ROW)
    return Neighbours(rows, weights)


def _parts(sequences: EventSequences) -> Iterator[EventSequences]:
    """Yields whole sequences, together about EVENTS_AT_ONCE events at a time."""
    ends = np.cumsum([len(sequence) for sequence in sequences])
    if len(ends) and ends[-1]:
        places = np.searchsorted(ends, np.arange(EVENTS_AT_ONCE, ends[-1], EVENTS_AT_ONCE)) + 1
        for start, end in zip([0, *places], [*places, len(sequences)], strict=True):
            if ends[end - 1] > (ends[start - 1] if start else 0):
                yield sequences[start:end]


def _strongest(matrix: csr_matrix, count: int) -> tuple[Rows, Floats]:
    """Returns the columns of the `count` largest values above 0 of each row, the largest first, and these values."""
    columns = np.full((matrix.shape[0], count), NO_ROW, np.int32)
    values = np.zeros((matrix.shape[0], count), np.float32)
    for row, (start, end) in enumerate(zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True)):
        data, indices = matrix.data[start:end], matrix.indices[start:end]
        if end - start > count:
            largest = np.argpartition(-data, count)[:count]
            data, indices = data[largest], indices[largest]
        order = np.lexsort((indices, -data))
        order = order[data[order] > 0]
        columns[row, : len(order)], values[row, : len(order)] = indices[order], data[order]
    return columns, values
