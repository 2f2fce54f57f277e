"""The last look at a list before it leaves, on every path that makes one: no hard rule is left to the search alone."""

import numpy as np
from numpy.typing import NDArray

from recsvc.ranking import Ranking
from recsvc.retrieval.inventory import Inventory
from recsvc.runtime.metrics import GATE_VIOLATIONS


def enforce(ranking: Ranking, catalogue: Inventory, excluded_rows: NDArray[np.int32]) -> Ranking:
    """The ranking without what is deleted or out of stock by now, or excluded for this user.

    What it takes out is counted: in a quiet shop that is nothing, and while stock changes it is what changed between
    the search and this line.
    """
    passes = catalogue.listable(ranking.rows)
    if len(excluded_rows):
        passes &= ~np.isin(ranking.rows, excluded_rows)
    if passes.all():
        return ranking
    GATE_VIOLATIONS.inc(int(np.count_nonzero(~passes)))
    return Ranking(ranking.rows[passes], ranking.scores[passes])
