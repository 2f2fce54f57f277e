"""What people who bought an item also bought: counts of people, large enough to say nothing of any one of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_matrix

from recsvc.domain.arrays import MICROSECONDS_A_DAY
from recsvc.explain.relations import COHORT, TOGETHER, TOGETHER_LIFT
from training.data.interactions import Interactions

MOST = 32  # companions that are kept of an item
_CHUNK = 256  # items whose companions are counted at a time


@dataclass(frozen=True)
class CoPurchases:
    """cohorts: int32 (n,), different people who bought each item in the window. companions, companion_buyers: int32
    (n, MOST), other items, -1 for none, and how many of the cohort bought each.
    """

    cohorts: NDArray[np.int32]
    companions: NDArray[np.int32]
    companion_buyers: NDArray[np.int32]


def copurchases(interactions: Interactions, days: int) -> CoPurchases:
    """Counted over the last `days` of the events. Of a cohort of at least COHORT people, the items that at least
    TOGETHER of them bought, and TOGETHER_LIFT times as likely as others; those with the most people first.
    """
    since = interactions.timestamps.max() - days * MICROSECONDS_A_DAY
    bought = interactions.purchases & (interactions.timestamps > since)
    n, users = interactions.n_items, interactions.users[bought]
    pairs = np.unique(users.astype(np.int64) * n + interactions.rows[bought])
    shape = (len(interactions.user_ids), n)
    matrix = csr_matrix((np.ones(len(pairs), np.int32), (pairs // n, pairs % n)), shape)
    cohorts = np.bincount(pairs % n, minlength=n).astype(np.int32)
    people = len(np.unique(users))
    companions = np.full((n, MOST), -1, np.int32)
    counts = np.zeros((n, MOST), np.int32)
    by_item = csc_matrix(matrix)
    anchors = np.flatnonzero(cohorts >= COHORT)
    for start in range(0, len(anchors), _CHUNK):
        chunk = anchors[start : start + _CHUNK]
        together = csr_matrix(by_item[:, chunk].T @ matrix)
        for place, anchor in enumerate(chunk):
            row = slice(together.indptr[place], together.indptr[place + 1])
            others, both = together.indices[row], together.data[row]
            lift = both / cohorts[anchor] / (cohorts[others] / people)
            kept = (both >= TOGETHER) & (lift >= TOGETHER_LIFT) & (others != anchor)
            order = np.lexsort((others[kept], -both[kept]))[:MOST]
            companions[anchor, : len(order)] = others[kept][order]
            counts[anchor, : len(order)] = both[kept][order]
    return CoPurchases(cohorts, companions, counts)
