"""The collaborative block: implicit ALS on confidence-weighted purchases."""

from collections.abc import Callable

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from recsvc.model.towers.confidence import ConfidenceConfig
from training.config import TrainConfig
from training.data.interactions import Interactions


def confidence_config(config: TrainConfig) -> ConfidenceConfig:
    return ConfidenceConfig(config.alpha, config.half_life_days, config.event_weights)


def als_confidence(user_items: csr_matrix) -> csr_matrix:
    """What implicit calls confidence: ours, on top of the 1 of an unseen item."""
    confidence = user_items.copy()
    confidence.data = confidence.data + 1
    return confidence


def fit_als(
    interactions: Interactions, config: TrainConfig, progress: Callable[[int], None] = lambda done: None
) -> NDArray[np.float32]:
    """Item factors, float32 (n_items, factors), scaled to a mean norm of 1 over the items that were bought; an item
    without a purchase has the zero vector. Scaling commutes with the fold-in if `scaled_regularization` is used there.
    """
    user_items = als_confidence(interactions.user_items(confidence_config(config)))
    with threadpool_limits(1, "blas"):  # implicit has threads of its own; a threaded BLAS beneath them crawls
        model = AlternatingLeastSquares(
            factors=config.factors,
            regularization=config.regularization,
            alpha=1.0,
            iterations=config.als_iterations,
            random_state=config.seed,
        )
        model.fit(user_items, show_progress=False, callback=lambda *_: progress(1))
    factors = np.array(model.item_factors, np.float32)
    factors[np.bincount(user_items.indices, minlength=interactions.n_items) == 0] = 0
    return factors


def mean_norm(factors: NDArray[np.float32]) -> float:
    """Of the items that have a factor."""
    norms = np.linalg.norm(factors, axis=1)
    return float(norms[norms > 0].mean())
