"""Directed co-visitation: which items people buy soon after which.

The items of the sequence block start from its factors. Together with the similarity of texts it makes a ranker that
needs no training at all.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix, diags_array
from sklearn.utils.extmath import randomized_svd

from recsvc.domain.arrays import Floats
from recsvc.model.vectors import unit
from training.config import TrainConfig
from training.fitting.event_sequences import SEQUENCE_HYPERPARAMETERS, EventSequences
from training.fitting.stage import Arrays, Stage


@dataclass(frozen=True)
class CovisitationConfig:
    """How pairs of items are counted and normalised.

    At exponents of 0.5 and 0.5, which make the cosine, it ranks far worse: docs/experiments.md.

    Attributes:
        window: At most this many places apart may two items of a history be.
        backward_weight: Of a pair from the later item to the earlier one, against 1 forward.
        distance_exponent: A pair d places apart weighs d^-distance_exponent.
        from_exponent: A row is divided by its total to this power.
        to_exponent: A column is divided by its total to this power. A popular item goes with everything, but people
            do buy it: so popularity is divided out only in part.
    """

    window: int = 20
    backward_weight: float = 0.5
    distance_exponent: float = 0.35
    from_exponent: float = 0.3
    to_exponent: float = 0.2


def covisitation(sequences: EventSequences, n_items: int, config: CovisitationConfig) -> csr_matrix:
    """float32 (n_items, n_items): row i, column j is the weight of j after i. The diagonal is zero."""
    rows = np.concatenate(sequences) if sequences else np.empty(0, np.int32)
    users = np.repeat(np.arange(len(sequences)), [len(sequence) for sequence in sequences])
    shape = (n_items, n_items)
    total = csr_matrix(shape, dtype=np.float64)
    for distance in range(1, min(config.window, len(rows) - 1) + 1):
        same_user = users[distance:] == users[:-distance]
        before, after = rows[:-distance][same_user], rows[distance:][same_user]
        weight = np.full(len(before), distance**-config.distance_exponent)
        forward = coo_matrix((weight, (before, after)), shape=shape).tocsr()
        total = total + forward + config.backward_weight * forward.T
    return normalised(total, config)


def normalised(total: csr_matrix, config: CovisitationConfig) -> csr_matrix:
    """Divides rows and columns by powers of their totals, float32 of the same shape. Clears the diagonal in place."""
    total.setdiag(0)
    total.eliminate_zeros()
    from_totals, to_totals = total.sum(axis=1), total.sum(axis=0)
    left = diags_array(np.maximum(np.asarray(from_totals).ravel(), 1e-12) ** -config.from_exponent)
    right = diags_array(np.maximum(np.asarray(to_totals).ravel(), 1e-12) ** -config.to_exponent)
    return csr_matrix((left @ total @ right).astype(np.float32))


def covisitation_factors(matrix: csr_matrix, dim: int, seed: int) -> Floats:
    """Unit vectors, float32 (n_items, dim), from a truncated SVD.

    The vector of an item stands for the items that come after it and for those that it comes after. Items that go with
    nothing, and dimensions past the matrix' rank, are zero.
    """
    factors = np.zeros((matrix.shape[0], dim), np.float32)
    rank = min(dim, matrix.shape[0] - 1)
    if rank >= 1 and matrix.nnz:
        left, singular, right = randomized_svd(matrix, rank, random_state=seed)
        factors[:, :rank] = (left + right.T) * np.sqrt(singular)
    return unit(factors)


def compute_start_vectors(config: TrainConfig, sequences: EventSequences, n_items: int) -> Arrays:
    """Where the items of the sequence block start.

    Returns:
        start: float32 (n_items, sequence_dim), unit vectors, zero for an item without company.
    """
    matrix = covisitation(sequences, n_items, CovisitationConfig())
    return {"start": covisitation_factors(matrix, config.sequence_dim, config.seed)}


COVISITATION = Stage("co-visitation", (*SEQUENCE_HYPERPARAMETERS, "sequence_dim", "seed"), compute_start_vectors)
