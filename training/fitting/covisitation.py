"""Directed co-visitation: which items people buy soon after which. The sequence block's items start from its factors,
and with the likeness of texts it makes a ranker that needs no training at all.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix, diags_array
from sklearn.utils.extmath import randomized_svd

from recsvc.domain.arrays import Rows
from recsvc.model.vectors import unit


@dataclass(frozen=True)
class CovisitationConfig:
    """window: how many places apart two items of a history may be. A pair d places apart weighs d^-distance_exponent,
    and backward_weight of that from the later item to the earlier one. A row is divided by its total to the
    from_exponent, a column to the to_exponent: what is popular goes with everything, and yet is bought. (At .5 and .5,
    the cosine, it ranks far worse: docs/experiments.md.)
    """

    window: int = 20
    backward_weight: float = 0.5
    distance_exponent: float = 0.35
    from_exponent: float = 0.3
    to_exponent: float = 0.2


def covisitation(sequences: list[Rows], n_items: int, config: CovisitationConfig) -> csr_matrix:
    """float32 (n_items, n_items): row i, column j is the weight of j after i. Nothing goes with itself."""
    rows = np.concatenate(sequences) if sequences else np.empty(0, np.int32)
    whose = np.repeat(np.arange(len(sequences)), [len(sequence) for sequence in sequences])
    shape = (n_items, n_items)
    total = csr_matrix(shape, dtype=np.float64)
    for distance in range(1, min(config.window, len(rows) - 1) + 1):
        pairs = whose[distance:] == whose[:-distance]
        before, after = rows[:-distance][pairs], rows[distance:][pairs]
        weight = np.full(len(before), distance**-config.distance_exponent)
        forward = coo_matrix((weight, (before, after)), shape=shape).tocsr()
        total = total + forward + config.backward_weight * forward.T
    total.setdiag(0)
    total.eliminate_zeros()
    gone, came = total.sum(axis=1), total.sum(axis=0)
    left = diags_array(np.maximum(np.asarray(gone).ravel(), 1e-12) ** -config.from_exponent)
    right = diags_array(np.maximum(np.asarray(came).ravel(), 1e-12) ** -config.to_exponent)
    return csr_matrix((left @ total @ right).astype(np.float32))


def covisitation_factors(matrix: csr_matrix, dim: int, seed: int) -> NDArray[np.float32]:
    """Unit vectors, float32 (n_items, dim): each item as what comes after it and what it comes after, from a truncated
    SVD. Items that go with nothing, and dimensions past the matrix' rank, are zero.
    """
    factors = np.zeros((matrix.shape[0], dim), np.float32)
    rank = min(dim, matrix.shape[0] - 1)
    if rank >= 1 and matrix.nnz:
        left, singular, right = randomized_svd(matrix, rank, random_state=seed)
        factors[:, :rank] = (left + right.T) * np.sqrt(singular)
    return unit(factors)
