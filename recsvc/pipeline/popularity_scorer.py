"""Orders items by their sales, for pages that are the same for everybody."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from recsvc.domain.query import Surface
from recsvc.errors import StoreUnavailable
from recsvc.ranking import Ranking
from recsvc.retrieval.item_snapshot import ItemSnapshot
from recsvc.retrieval.scorers import FixedOrderScorer
from recsvc.store import Counts, PopularityStore
from recsvc.store.popularity import POPULAR_HALF_LIFE, TRENDING_HALF_LIFE

# How long an order is used before the counts are read again.
REFRESH_SECONDS = 5.0
# Items that count less follow in the order of the training data. One person without a purchase adds at most 0.4.
MIN_COUNT = 0.5


@dataclass(frozen=True, slots=True)
class _KeptScorers:
    read_at: float  # of the monotonic clock, in seconds
    fresh: bool
    scorers: Mapping[Surface, FixedOrderScorer]


class Popularity:
    """Makes the scorers of POPULAR and TRENDING, and keeps them for each segment. For the event loop's thread only.

    Segments must come from a small known set, because scorers are kept for each of them.
    """

    def __init__(self, store: PopularityStore) -> None:
        self._store = store
        # By segment, for as long as the items are in use: a bundle that was dropped must not stay in memory.
        self._kept: WeakKeyDictionary[ItemSnapshot, dict[str, _KeptScorers]] = WeakKeyDictionary()

    async def scorer(self, snapshot: ItemSnapshot, surface: Surface, segment: str) -> tuple[FixedOrderScorer, bool]:
        """Returns all items in the order of a surface, and whether the counts are from Redis now.

        Items that sold recently come first. The others follow by their sales in the training data, with scores of at
        most 0.
        """
        by_segment = self._kept.setdefault(snapshot, {})
        kept = by_segment.get(segment)
        if kept is None or time.monotonic() - kept.read_at > REFRESH_SECONDS:
            try:
                counts, fresh = await self._store.read(segment), True
            except StoreUnavailable:
                counts, fresh = Counts({}, {}), False
            if fresh or kept is None:
                # For 100,000 items this takes some twenty milliseconds.
                scorers = await asyncio.to_thread(_scorers, snapshot, counts)
                kept = by_segment[segment] = _KeptScorers(time.monotonic(), fresh, scorers)
        return kept.scorers[surface], kept.fresh


def _scorers(snapshot: ItemSnapshot, counts: Counts) -> dict[Surface, FixedOrderScorer]:
    return {
        Surface.POPULAR: _by_score(snapshot, _many(counts.popular)),
        Surface.TRENDING: _by_score(snapshot, _trends(counts)),
    }


def _many(counts: Mapping[str, float]) -> dict[str, float]:
    return {item_id: count for item_id, count in counts.items() if count >= MIN_COUNT}


def _trends(counts: Counts) -> dict[str, float]:
    """Returns by how many standard deviations an item's recent sales a day exceed its usual ones."""
    trends = {}
    for item_id, count in _many(counts.trending).items():
        recent = count * np.log(2) / TRENDING_HALF_LIFE
        usual = counts.popular.get(item_id, 0.0) * np.log(2) / POPULAR_HALF_LIFE
        # One sale a day is added, so that the first sale in months does not count as a trend.
        trends[item_id] = (recent - usual) / np.sqrt(usual + 1)
    return trends


def _by_score(snapshot: ItemSnapshot, scores_by_id: Mapping[str, float]) -> FixedOrderScorer:
    catalogue = snapshot.bundle.catalogue
    scores = (snapshot.bundle.item_repeats.popularity - 1.0).astype(np.float32)  # popularity is 0 to 1
    for item_id, score in scores_by_id.items():
        if score > 0 and (row := catalogue.row(item_id)) is not None:
            scores[row] = score
    order = np.argsort(-scores, kind="stable").astype(np.int32)
    return FixedOrderScorer(Ranking(order, scores[order]))
