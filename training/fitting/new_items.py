"""Raises the weight of items that nobody has bought ("unseen") as far as that costs almost no NDCG@10."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from recsvc.model.towers.blocks import BlockWeights
from training.fitting.stage import Advance, no_progress

# The weight is raised through these shares of the sum of the other weights.
UNSEEN_SHARES: tuple[float, ...] = tuple(np.geomspace(0.01, 1.0, 25).tolist())
# It stops before NDCG@10 falls by more than this share. Validation hardly shows who buys new items, yet everything that
# sells was new once.
MAX_NDCG_LOSS: float = 0.005
MIN_COLD_ITEMS: int = 10  # with fewer new items, their cost cannot be measured
DEFAULT_UNSEEN_SHARE: float = 0.1  # of the other weights, where the cost cannot be measured: about what other shops get


def knows_new_items(blocks: BlockWeights) -> bool:
    """Whether a block says whom a new item is for."""
    return bool(blocks.text or blocks.lexical)


def raise_unseen(
    blocks: BlockWeights,
    ndcg: NDArray[np.float64],
    ndcg_with: Callable[[float], NDArray[np.float64]],
    progress: Advance = no_progress,
    *,
    max_loss: float = MAX_NDCG_LOSS,
) -> tuple[float, NDArray[np.float64]]:
    """Raises the weight "unseen" until the next step would cost too much.

    Args:
        blocks: The weights to start from.
        ndcg: Their NDCG@10 by user.
        ndcg_with: Returns the same with another weight "unseen".
        progress: Is called after each share that was tried.
        max_loss: The share of NDCG@10 that all steps together may cost.

    Returns:
        The weight, and its NDCG@10 by user.
    """
    total = sum(blocks) - blocks.unseen
    best, best_ndcg = blocks.unseen, ndcg
    for weight in (share * total for share in UNSEEN_SHARES):
        progress(1)
        if weight > blocks.unseen:
            if (raised := ndcg_with(weight)).mean() < (1 - max_loss) * ndcg.mean():
                break
            best, best_ndcg = weight, raised
    return best, best_ndcg
