"""Checks every ranking that a slate is made of, on every path: hard rules hold even if the search has a fault."""

import numpy as np

from recsvc.domain.arrays import Rows
from recsvc.ranking import Ranking
from recsvc.retrieval.inventory import Inventory
from recsvc.runtime.metrics import GATE_VIOLATIONS


def enforce(ranking: Ranking, inventory: Inventory, excluded_rows: Rows) -> Ranking:
    """Returns the ranking without items that are deleted or out of stock now, or excluded for this user.

    The removed items are counted. In a quiet shop there are none; while stock changes, they are those that changed
    between the search and this check.
    """
    passes = inventory.listable(ranking.rows)
    if len(excluded_rows):
        passes &= ~np.isin(ranking.rows, excluded_rows)
    if passes.all():
        return ranking
    GATE_VIOLATIONS.inc(int(np.count_nonzero(~passes)))
    return Ranking(ranking.rows[passes], ranking.scores[passes])
