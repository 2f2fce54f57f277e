"""The collaborative block: implicit ALS on confidence-weighted purchases (Hu, Koren and Volinsky, 2008)."""

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from recsvc.domain.arrays import Floats
from training.config import TrainConfig
from training.data.interactions import Interactions
from training.fitting.event_sequences import confidence_config
from training.fitting.stage import Advance, Arrays, OpenProgress, Stage, no_progress


def compute_als(config: TrainConfig, interactions: Interactions, open_progress: OpenProgress) -> Arrays:
    """Fits the factors and scales them, so that the block is of one size in every shop.

    Returns:
        factors: float32 (n_items, factors), scaled to a mean norm of 1 over the items that were bought.
        regularization: float64 (), the one that gives the same fold-in with the scaled factors.
    """
    with open_progress("ALS iterations", config.als_iterations) as progress:
        factors = fit_als(interactions, config, progress)
    norm = mean_norm(factors)
    return {"factors": factors / norm, "regularization": np.array(config.regularization / norm**2)}


ALS = Stage(
    "als",
    ("factors", "regularization", "als_iterations", "seed", "alpha", "half_life_days", "event_weights"),
    compute_als,
)


def implicit_confidence(user_items: csr_matrix) -> csr_matrix:
    """The confidence as implicit counts it: ours, plus the 1 of an unseen item."""
    confidence = user_items.copy()
    confidence.data = confidence.data + 1
    return confidence


def fit_als(interactions: Interactions, config: TrainConfig, progress: Advance = no_progress) -> Floats:
    """Item factors as ALS leaves them, float32 (n_items, factors); zero for an item without a purchase."""
    user_items = implicit_confidence(interactions.user_items(confidence_config(config)))
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


def mean_norm(factors: Floats) -> float:
    """The mean length of the vectors that are not zero."""
    norms = np.linalg.norm(factors, axis=1)
    return float(norms[norms > 0].mean())
