"""Tells what counts as bought: purchases of which at least a piece was not sent back.

This is the one meaning of "bought". Reasons, taste profiles, popularity, repeats, training and evaluation all use it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# A purchase of which no more than this share is left was sent back: quantities are rounded to float32.
MAX_ROUNDING_SHARE = 1e-3


def counted_pieces(
    keys: NDArray[np.integer[Any]],
    timestamps: NDArray[np.int64],
    quantities: NDArray[np.float32],
    bought: NDArray[np.bool_],
    returned: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """Counts how many pieces of each of n events still count.

    A return takes back the newest pieces of the item that the user bought at the same time or before and still has. It
    takes back as many pieces as its quantity. A return of more pieces than the user has takes back all of them. Pieces
    that are bought later are not taken back.

    Args:
        keys: One number for each pair of a user and an item, (n,). For a single user, the rows of the items.
        timestamps: (n,).
        quantities: Pieces, above 0, (n,).
        bought: Which events are purchases, (n,).
        returned: Which events are returns, (n,).

    Returns:
        float32 (n,). For a purchase the pieces that were kept, 0 if all of them were sent back. For a return its
        quantity if the user has nothing left of the item, else 0. For other events their quantity.
    """
    if not returned.any():
        return quantities
    events = np.flatnonzero((bought | returned) & np.isin(keys, keys[returned]))
    events = events[np.lexsort((returned[events], timestamps[events], keys[events]))]
    pairs = np.unique(keys[events], return_inverse=True)[1]
    pieces = np.where(returned[events], -1.0, 1.0) * quantities[events].astype(np.float64)
    # How many pieces the user holds after each event: a running sum for each pair that never falls below 0.
    sums = np.cumsum(pieces)
    is_first = np.diff(pairs, prepend=-1) > 0
    sums -= (sums - pieces)[is_first][pairs]
    held = sums - np.minimum(_running_minima(sums, pairs), 0.0)
    # The newest pieces go first. So a purchase keeps what later events never take the holding below.
    lowest = _running_minima(held[::-1], pairs[-1] - pairs[::-1])[::-1]
    left = np.clip(lowest - (held - pieces), 0.0, quantities[events])
    left[left <= MAX_ROUNDING_SHARE * quantities[events]] = 0.0
    left[returned[events]] = 0.0
    has_nothing = np.bincount(pairs, left)[pairs] == 0
    counted = quantities.copy()
    counted[events] = np.where(returned[events], has_nothing * quantities[events], left)
    return counted


def _running_minima(values: NDArray[np.float64], groups: NDArray[np.intp]) -> NDArray[np.float64]:
    """Returns the smallest value of the group so far, (n,). Groups are numbered 0, 1, ... and ascend."""
    distinct, ranks = np.unique(values, return_inverse=True)
    # Each group gets ranks below those of the group before it, so that one pass serves all groups.
    offsets = groups * len(distinct)
    return distinct[np.minimum.accumulate(ranks - offsets) + offsets]
