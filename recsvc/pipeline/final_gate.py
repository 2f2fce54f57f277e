"""Checks every ranking that a slate is made of, on every path: hard rules hold even if the search has a fault."""

import numpy as np

from recsvc.domain.arrays import Rows
from recsvc.ranking import Ranking, is_among
from recsvc.retrieval.inventory import Inventory
from recsvc.runtime.metrics import GATE_LATE_CHANGES, GATE_VIOLATIONS


def enforce(ranking: Ranking, inventory: Inventory, planned_version: int, excluded_rows: Rows) -> Ranking:
    """Returns the ranking without items that are deleted or out of stock now, or excluded for this user.

    The removed items are counted: as late changes if the inventory changed since the search was planned, and as
    violations if it did not. A violation is a fault of the search.

    Args:
        ranking: What the search returned.
        inventory: What may be listed now.
        planned_version: The version of the inventory when the search was planned.
        excluded_rows: Rows that may not be listed for this user.
    """
    passes = inventory.listable(ranking.rows)
    if len(excluded_rows):
        passes &= ~is_among(ranking.rows, excluded_rows)
    if passes.all():
        return ranking
    counter = GATE_VIOLATIONS if inventory.version == planned_version else GATE_LATE_CHANGES
    counter.inc(int(np.count_nonzero(~passes)))
    return Ranking(ranking.rows[passes], ranking.scores[passes])
