"""Orders of items by what sells, for users of whom nothing is known and for pages that are the same for everybody."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recsvc.domain.query import Surface
from recsvc.errors import StoreUnavailable
from recsvc.model.catalogue import Catalogue
from recsvc.ranking import Ranking
from recsvc.retrieval.item_snapshot import ItemSnapshot
from recsvc.retrieval.scorers import FixedOrderScorer
from recsvc.store import Counts, PopularityStore
from recsvc.store.popularity import POPULAR_HALF_LIFE, TRENDING_HALF_LIFE

# How long an order is used before the counts are read again.
REFRESH_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Known:
    read_at: float
    fresh: bool
    bundle: ItemSnapshot
    orders: Mapping[Surface, FixedOrderScorer]


class Popularity:
    """For the event loop's thread alone. Keeps a few orders for each segment: it must come from a known few."""

    def __init__(self, store: PopularityStore) -> None:
        self._store = store
        self._known: dict[tuple[str, str], _Known] = {}

    async def order(self, live: ItemSnapshot, surface: Surface, segment: str) -> tuple[FixedOrderScorer, bool]:
        """All items in the order of POPULAR or TRENDING, and whether it is as Redis has it.

        Below what sold lately stands what sold before the bundle was trained, with scores of at most 0.
        """
        key = live.bundle.bundle_id, segment
        known = self._known.get(key)
        if known is None or known.bundle is not live or time.monotonic() - known.read_at > REFRESH_SECONDS:
            try:
                counts, fresh = await self._store.read(segment), True
            except StoreUnavailable:
                counts, fresh = Counts({}, {}), False
            if fresh or known is None or known.bundle is not live:
                # For 100,000 items that takes some twenty milliseconds.
                orders = await asyncio.to_thread(_orders, live, counts)
                known = self._known[key] = _Known(time.monotonic(), fresh, live, orders)
        return known.orders[surface], known.fresh


def _orders(live: ItemSnapshot, counts: Counts) -> dict[Surface, FixedOrderScorer]:
    return {Surface.POPULAR: _by(live, counts.popular), Surface.TRENDING: _trending(live, counts)}


def _trending(live: ItemSnapshot, counts: Counts) -> FixedOrderScorer:
    """By how many standard deviations more of an item is sold a day of late than it used to be."""
    rises = {}
    for item_id, count in counts.trending.items():
        lately = count * np.log(2) / TRENDING_HALF_LIFE
        usually = counts.popular.get(item_id, 0.0) * np.log(2) / POPULAR_HALF_LIFE
        # One sale a day more, so that the first sale in months is no sensation.
        rises[item_id] = (lately - usually) / np.sqrt(usually + 1)
    return _by(live, rises)


def _by(live: ItemSnapshot, scores: Mapping[str, float]) -> FixedOrderScorer:
    catalogue: Catalogue = live.bundle.catalogue
    every = (live.bundle.item_repeats.popularity - 1.0).astype(np.float32)  # 0 to 1 in the training data
    for item_id, score in scores.items():
        if score > 0 and (row := catalogue.row(item_id)) is not None:
            every[row] = score
    order = np.argsort(-every, kind="stable").astype(np.int32)
    return FixedOrderScorer(Ranking(order, every[order]))
