"""Writes a batch of events: drops unknown segments, stores the events, and counts the new ones for the metrics."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from recsvc.domain.shop import Event
from recsvc.pipeline.list_id import origin_of
from recsvc.pipeline.placements import Placements
from recsvc.pipeline.recommender import Recommender
from recsvc.runtime.metrics import ATTRIBUTED, EVENTS
from recsvc.store import UserStore


class LoadedBundles(Protocol):
    """The bundles in memory."""

    @property
    def current(self) -> Recommender:
        """The recommender of the active bundle."""

    @property
    def bundle_ids(self) -> frozenset[str]:
        """Ids of all of them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenEvents:
    """The result of one batch.

    Attributes:
        acknowledged: How many events are stored.
        unknown_items: How many of them name an item that the active bundle does not know.
        versions: The new version of each user's record, by user id.
    """

    acknowledged: int
    unknown_items: int
    versions: Mapping[str, int]


class EventIntake:
    """Writes events of users.

    Args:
        store: Stores them.
        placements: The known segments, and the arms that a list can come from.
        bundles: The items and bundles that are known.
    """

    def __init__(self, store: UserStore, placements: Placements, bundles: LoadedBundles) -> None:
        self._store = store
        self._placements = placements
        self._bundles = bundles

    async def write(self, events: Sequence[Event]) -> WrittenEvents:
        """Stores a batch. An event of a segment that is not configured is stored without one.

        Raises:
            StoreUnavailable: Redis did not answer. The batch can be sent again: an event counts once.
        """
        versions = await self._store.write_events(self._placements.segmented(events), self._count)
        knows_item = self._bundles.current.knows_item
        unknown_items = sum(not knows_item(event.item_id) for event in events)
        return WrittenEvents(acknowledged=len(events), unknown_items=unknown_items, versions=versions)

    def _count(self, events: Sequence[Event]) -> None:
        """Counts new events by type, and those that name a list of a known placement, arm and bundle."""
        for event_type, count in Counter(event.event_type for event in events).items():
            EVENTS.labels(event_type.name.lower()).inc(count)
        arms, bundle_ids = self._placements.names, self._bundles.bundle_ids
        for event in events:
            origin = origin_of(event.recommendation_id)
            if origin is not None and origin[:2] in arms and origin.bundle_id in bundle_ids:
                ATTRIBUTED.labels(*origin, event.event_type.name.lower()).inc()
