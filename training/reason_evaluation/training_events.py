"""Finds the events that a bundle learned from. Its counts, and the reasons made from them, are true of these events."""

from datetime import datetime

import polars as pl

from recsvc.errors import BundleError
from recsvc.model.bundle import Bundle
from training.data.bought import bought

# How many of each user's last purchases a leave-one-out bundle has not seen, by the setting `refit`.
_HELD_OUT_PURCHASES = {"none": 2, "validation": 1, "all": 0}
_MIN_PURCHASES = 3  # of a user with fewer, nothing was held out


def learned_events(events: pl.DataFrame, bundle: Bundle) -> pl.DataFrame:
    """Selects the events that the bundle learned from, by what its manifest says about its training.

    These are all events up to a time. If each user's last purchases were held out
    (`training.data.split.leave_one_out`), they are only the events before those purchases.

    Returns:
        The events, in order of time.

    Raises:
        BundleError: The bundle was made without events.
    """
    events = events.with_columns(bought(events)).sort("timestamp", maintain_order=True)
    learned = events.filter(pl.col("timestamp") <= learned_until(bundle))
    settings = bundle.provenance["training"]
    held = _HELD_OUT_PURCHASES[settings["refit"]] if settings["protocol"] == "leave-one-out" else 0
    if not held:
        return learned.drop("bought")
    is_bought = pl.col("bought")
    # Purchases of the user from this event on, this event included.
    left = is_bought.cast(pl.Int32).reverse().cum_sum().reverse().over("user_id")
    enough = is_bought.sum().over("user_id") >= _MIN_PURCHASES
    return learned.filter(~enough | (left > held) | ((left == held) & ~is_bought)).drop("bought")


def learned_until(bundle: Bundle) -> datetime:
    """When the newest event was that the bundle knows.

    Raises:
        BundleError: It knows none.
    """
    newest = bundle.provenance["data"]["learned_until"]
    if newest is None:
        raise BundleError(f"bundle {bundle.bundle_id} was made without events: no claim of it can be counted again")
    return datetime.fromisoformat(newest)
