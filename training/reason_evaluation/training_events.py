"""The events that a bundle was learned from: what its counts, and the reasons made from them, are true of."""

from datetime import datetime

import polars as pl

from recsvc.model.bundle import Bundle

# Of each user's purchases, how many at the end a leave-one-out bundle has not seen, by what it was refitted on.
_HELD_OUT = {"none": 2, "validation": 1, "all": 0}
_LEAST_PURCHASES = 3  # with fewer, all of a user's were learned from


def learned_events(events: pl.DataFrame, bundle: Bundle) -> pl.DataFrame:
    """What of a shop's events the bundle knows, by its own account of its training: up to a time, or, where each user's
    last purchases were held out (`training.data.split.leave_one_out`), of each user what
    came before them. In order of time.
    """
    known = events.filter(pl.col("timestamp") <= learned_until(bundle)).sort("timestamp", maintain_order=True)
    settings = bundle.provenance["training"]
    held = _HELD_OUT[settings["refit"]] if settings["protocol"] == "leave-one-out" else 0
    if not held:
        return known
    bought = pl.col("event_type") == "purchase"
    left = bought.cast(pl.Int32).reverse().cum_sum().reverse().over("user_id")  # purchases from here on, this one too
    enough = bought.sum().over("user_id") >= _LEAST_PURCHASES
    return known.filter(~enough | (left > held) | ((left == held) & ~bought))


def learned_until(bundle: Bundle) -> datetime:
    """When the last event was that it knows."""
    return datetime.fromisoformat(bundle.provenance["data"]["learned_until"])
