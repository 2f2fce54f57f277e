"""Reads the randomised lists that `training.export_events` wrote, with their rewards."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.data.bought import PURCHASE, bought
from training.data.shop import LISTS_FOLDER
from training.data.tables import read_exported_events, read_table
from training.errors import DataError, Problem


@dataclass(frozen=True, kw_only=True)
class LoggedLists:
    """The first pages of n lists of a placement, oldest first.

    Attributes:
        user_ids: The user of each list.
        times: When each list was served, microseconds since 1970 UTC, (n,).
        arms: The name of the arm that each user got, (n,).
        propensities: The probability that the user got this arm, (n,).
        item_ids: The items of each list, in order.
        exploration: The share of explored places, (n,).
        candidates: For each list the items that exploration chose from, best first. Empty if it did not explore.
        rewards: For each list 1 for each item that led to an event of the kind that counts, else 0.
        further: How many items of the later pages led to such an event, (n,).
    """

    user_ids: list[str]
    times: NDArray[np.int64]
    arms: NDArray[np.object_]
    propensities: NDArray[np.float64]
    item_ids: list[list[str]]
    exploration: NDArray[np.float64]
    candidates: list[list[str]]
    rewards: list[NDArray[np.float64]]
    further: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.user_ids)

    def select(self, chosen: NDArray[np.intp]) -> "LoggedLists":
        """The lists at these indices."""
        return LoggedLists(
            user_ids=[self.user_ids[i] for i in chosen],
            times=self.times[chosen],
            arms=self.arms[chosen],
            propensities=self.propensities[chosen],
            item_ids=[self.item_ids[i] for i in chosen],
            exploration=self.exploration[chosen],
            candidates=[self.candidates[i] for i in chosen],
            rewards=[self.rewards[i] for i in chosen],
            further=self.further[chosen],
        )

    def user_codes(self) -> NDArray[np.intp]:
        """A number for each list, (n,), which is the same for all lists of one user."""
        return np.unique(np.array(self.user_ids, object), return_inverse=True)[1]


def read_logged_lists(folder: Path, placement: str, reward: str, hours: float) -> LoggedLists:
    """Reads the lists of a placement.

    Args:
        folder: The shop's folder, with exported events and lists.
        placement: The name of the placement.
        reward: The type of event that counts: "view", "add_to_cart" or "purchase". The event must name the list. A
            purchase that was sent back does not count.
        hours: How long after the list the event may come.

    Raises:
        DataError: There are no such lists, or no exported events.
    """
    lists = _read(folder, LISTS_FOLDER).filter(pl.col("placement") == placement)
    if lists.is_empty():
        placements = ", ".join(_read(folder, LISTS_FOLDER)["placement"].unique().sort().to_list())
        raise DataError(
            [Problem(LISTS_FOLDER, None, "placement", f"has no lists of {placement!r}, but of: {placements}")]
        )
    first = lists.filter(pl.col("shown") == 0).sort("timestamp", "recommendation_id")
    served = first.select("recommendation_id", "user_id", pl.col("timestamp").alias("served"))
    events = read_exported_events(folder)
    counted = bought(events) if reward == PURCHASE else events["event_type"] == reward
    earned = (
        events.filter(counted & events["recommendation_id"].is_not_null())
        .join(served, on=["recommendation_id", "user_id"])
        .filter((pl.col("timestamp") - pl.col("served")).is_between(pl.duration(), pl.duration(minutes=60 * hours)))
        .select("recommendation_id", "item_id")
        .unique()
    )
    later = lists.filter(pl.col("shown") > 0).select("recommendation_id", pl.col("item_ids").alias("item_id"))
    further = later.explode("item_id").join(earned, on=["recommendation_id", "item_id"]).group_by("recommendation_id")
    by_list = earned.group_by("recommendation_id").agg(pl.col("item_id").alias("earned"))
    for more in (by_list, further.len("further")):
        first = first.join(more, on="recommendation_id", how="left", maintain_order="left")
    item_ids = first["item_ids"].to_list()
    rewards = [
        np.array([item_id in (ids or ()) for item_id in shown], np.float64)
        for shown, ids in zip(item_ids, first["earned"].to_list(), strict=True)
    ]
    return LoggedLists(
        user_ids=first["user_id"].to_list(),
        times=first["timestamp"].to_physical().to_numpy().astype(np.int64),
        arms=first["arm"].to_numpy().astype(object),
        propensities=first["propensity"].to_numpy(),
        item_ids=item_ids,
        exploration=first["exploration"].to_numpy(),
        candidates=first["candidates"].to_list(),
        rewards=rewards,
        further=first["further"].fill_null(0).to_numpy().astype(np.float64),
    )


def _read(folder: Path, name: str) -> pl.DataFrame:
    table = read_table(folder, name)
    return table.frame if table is not None else pl.DataFrame()
