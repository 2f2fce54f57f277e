"""Tables that grow by Parquet parts.

A part is on disk when it is written, no row is in two parts, and an erased user is removed from all of them.
"""

import datetime as dt
import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from recsvc.domain.records import ServedList
from recsvc.domain.shop import Event

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class PartedTable:
    """A table in parts.

    Attributes:
        schema: The type of each column.
        identity: The columns in which two rows agree if they are the same row.
    """

    schema: dict[str, Any]
    identity: tuple[str, ...]

    def add(self, folder: Path, rows: Sequence[tuple[Any, ...]], name: str) -> int:
        """Writes the rows that no part of the folder holds yet as a new part. Blocks. Returns how many it wrote."""
        frame = pl.DataFrame(rows, self.schema, orient="row")
        new = frame.unique(self.identity, keep="first", maintain_order=True)
        if written := list(folder.glob("*.parquet")):
            stored = pl.scan_parquet(written).select(self.identity).collect()
            new = new.join(stored, self.identity, "anti", maintain_order="left")
        if new.height:
            folder.mkdir(parents=True, exist_ok=True)
            _write(new, folder / f"{name}-{secrets.token_hex(4)}.parquet")
        return new.height


# Two events are the same where user_id and event_id are, as the contract says.
EVENTS = PartedTable(
    {
        "user_id": pl.String,
        "item_id": pl.String,
        "timestamp": pl.Datetime("us", "UTC"),
        "event_type": pl.String,
        "quantity": pl.Float64,
        "price": pl.Float64,
        "order_id": pl.String,
        "event_id": pl.String,
        "recommendation_id": pl.String,
    },
    ("user_id", "event_id"),
)

# One row for each page of a randomised list. `recsvc.domain.records.ServedList` explains the columns.
LISTS = PartedTable(
    {
        "user_id": pl.String,
        "recommendation_id": pl.String,
        "timestamp": pl.Datetime("us", "UTC"),
        "placement": pl.String,
        "arm": pl.String,
        "propensity": pl.Float64,
        "bundle_id": pl.String,
        "surface": pl.String,
        "shown": pl.Int64,
        "item_ids": pl.List(pl.String),
        "exploration": pl.Float64,
        "candidates": pl.List(pl.String),
    },
    ("recommendation_id", "shown"),
)

# One row for each page of a search.
SEARCHES = PartedTable(
    {
        "user_id": pl.String,
        "recommendation_id": pl.String,
        "timestamp": pl.Datetime("us", "UTC"),
        "query": pl.String,
        "corrected_query": pl.String,
        "placement": pl.String,
        "bundle_id": pl.String,
        "shown": pl.Int64,
        "item_ids": pl.List(pl.String),
    },
    ("recommendation_id", "shown"),
)


def event_rows(events: Iterable[Event]) -> list[tuple[Any, ...]]:
    """The events as rows of EVENTS."""
    return [
        (
            event.user_id,
            event.item_id,
            _EPOCH + dt.timedelta(microseconds=event.timestamp),
            event.event_type.name.lower(),
            event.quantity,
            event.price,
            event.order_id or None,
            event.event_id,
            event.recommendation_id or None,
        )
        for event in events
    ]


def list_rows(lists: Iterable[ServedList]) -> list[tuple[Any, ...]]:
    """The randomised lists as rows of LISTS."""
    return [
        (
            served.user_id,
            served.recommendation_id,
            _EPOCH + dt.timedelta(microseconds=served.time),
            served.placement,
            served.arm,
            served.propensity,
            served.bundle_id,
            served.surface,
            served.shown,
            [item_id for item_id, _ in served.items],
            served.exploration,
            list(served.candidates),
        )
        for served in lists
        if served.random
    ]


def search_rows(lists: Iterable[ServedList]) -> list[tuple[Any, ...]]:
    """The lists that answer a search as rows of SEARCHES."""
    return [
        (
            served.user_id,
            served.recommendation_id,
            _EPOCH + dt.timedelta(microseconds=served.time),
            served.query,
            served.corrected_query or None,
            served.placement or None,
            served.bundle_id,
            served.shown,
            [item_id for item_id, _ in served.items],
        )
        for served in lists
        if served.query
    ]


def erase(folder: Path, user_id: str) -> int:
    """Removes a user from the parts in a folder. Returns how many rows it removed."""
    erased = 0
    for path in folder.glob("*.parquet"):
        frame = pl.read_parquet(path, glob=False)
        kept = frame.filter(pl.col("user_id") != user_id)
        if kept.height < frame.height:
            _write(kept, path)
            erased += frame.height - kept.height
    return erased


def _write(frame: pl.DataFrame, path: Path) -> None:
    """Writes all of the frame or nothing. It is on disk when this returns."""
    unfinished = path.with_suffix(".part")
    frame.write_parquet(unfinished)
    _sync(unfinished)
    unfinished.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
