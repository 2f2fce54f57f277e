"""Counts defects that most real shops have: worth a look, no reason to stop."""

import polars as pl

from training.data.bought import PURCHASE, RETURN
from training.data.stray_dates import count_stray_dates


def count_defects(events: pl.DataFrame, items: pl.DataFrame, users: pl.DataFrame) -> list[str]:
    """One line for each kind of defect in the checked tables of a `Shop`."""
    repeated = events.height - events.unique().height
    lines = count_stray_dates(events["timestamp"])
    lines += [
        _line("events that repeat an earlier line exactly, kept", repeated, events.height),
        _unmatched_returns(events),
        _line("items without a title", items.filter(pl.col("title") == "").height, items.height),
    ]
    if users.height:
        active = events.select("user_id").unique()
        unknown, idle = active.join(users, on="user_id", how="anti"), users.join(active, on="user_id", how="anti")
        lines.append(_line("users without a profile", unknown.height, active.height))
        lines.append(_line("profiles without events", idle.height, users.height))
        attributes = users.drop("user_id")
        empty = sum(int(column.eq("").sum()) for column in attributes)
        lines.append(_line("empty attributes in profiles", empty, attributes.height * attributes.width))
    return [line for line in lines if line]


def _unmatched_returns(events: pl.DataFrame) -> str:
    """A purchase of the item by the user, at the same time or before, matches a return."""
    pair = ["user_id", "item_id"]
    returns = events.filter(pl.col("event_type") == RETURN)
    bought = events.filter(pl.col("event_type") == PURCHASE).group_by(pair).agg(first=pl.col("timestamp").min())
    matched = returns.join(bought, on=pair).filter(pl.col("first") <= pl.col("timestamp")).height
    return _line(
        "returns without an earlier purchase of the item by the user", returns.height - matched, returns.height
    )


def _line(defect: str, count: int, total: int) -> str:
    return f"{defect}: {count:,} of {total:,}" if count else ""
