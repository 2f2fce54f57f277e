"""Counts which items were bought by the same people, in groups large enough to say nothing about any one person."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_matrix, csr_matrix

from recsvc.domain.arrays import MICROSECONDS_A_DAY, Rows
from recsvc.explain.relations import MIN_CO_BUYERS, MIN_CO_PURCHASE_LIFT, MIN_COHORT
from training.data.interactions import Interactions

MAX_COMPANIONS = 32  # of an item, the ones with the most people
CHUNK_ITEMS = 256  # items whose companions are counted at a time


@dataclass(frozen=True, kw_only=True)
class CoPurchases:
    """The companions of each item.

    Attributes:
        cohorts: int32 (n,), how many different people bought each item in the window.
        companions: int32 (n, MAX_COMPANIONS), rows of other items, -1 for none.
        companion_buyers: int32 (n, MAX_COMPANIONS), how many people of the cohort bought each companion.
    """

    cohorts: Rows
    companions: Rows
    companion_buyers: Rows


def copurchases(interactions: Interactions, days: int) -> CoPurchases:
    """Counts companions over the last `days` of the events.

    A companion of an item with a cohort of at least MIN_COHORT people was bought by at least MIN_CO_BUYERS of them, and
    MIN_CO_PURCHASE_LIFT times as often as by others. The companions with the most people come first.
    """
    since = interactions.end - days * MICROSECONDS_A_DAY
    bought = interactions.purchases & (interactions.timestamps > since)
    n, users = interactions.n_items, interactions.users[bought]
    pairs = np.unique(users.astype(np.int64) * n + interactions.rows[bought])
    shape = (len(interactions.user_ids), n)
    matrix = csr_matrix((np.ones(len(pairs), np.int32), (pairs // n, pairs % n)), shape)
    cohorts = np.bincount(pairs % n, minlength=n).astype(np.int32)
    people = len(np.unique(users))
    companions = np.full((n, MAX_COMPANIONS), -1, np.int32)
    counts = np.zeros((n, MAX_COMPANIONS), np.int32)
    by_item = csc_matrix(matrix)
    anchors = np.flatnonzero(cohorts >= MIN_COHORT)
    for start in range(0, len(anchors), CHUNK_ITEMS):
        chunk = anchors[start : start + CHUNK_ITEMS]
        together = csr_matrix(by_item[:, chunk].T @ matrix)
        for place, anchor in enumerate(chunk):
            row = slice(together.indptr[place], together.indptr[place + 1])
            others, both = together.indices[row], together.data[row]
            lift = both / cohorts[anchor] / (cohorts[others] / people)
            kept = (both >= MIN_CO_BUYERS) & (lift >= MIN_CO_PURCHASE_LIFT) & (others != anchor)
            order = np.lexsort((others[kept], -both[kept]))[:MAX_COMPANIONS]
            companions[anchor, : len(order)] = others[kept][order]
            counts[anchor, : len(order)] = both[kept][order]
    return CoPurchases(cohorts=cohorts, companions=companions, companion_buyers=counts)
