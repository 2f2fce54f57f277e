"""One bundle in memory, with the items kept up to date for as long as it is loaded."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from recsvc.domain.records import ItemChange, ItemContent
from recsvc.model.batched_encoder import BatchedTextEncoder
from recsvc.model.bundle import Bundle
from recsvc.pipeline.recommender import Recommender
from recsvc.pipeline.serving_resources import ServingResources
from recsvc.registry.catalogue_follower import CatalogueFollower
from recsvc.retrieval.inventory import Inventory
from recsvc.runtime.freed_memory import return_freed_memory


class LoadedBundle:
    """Keeps the recommender of one bundle up to date.

    Nothing that it holds refers back to it, or to the bundle in a circle: what is dropped is freed at once. Python's
    collection of circles looks for it late, and never at what `gc.freeze` has set aside.

    Args:
        bundle: As it was trained.
        resources: What all recommenders of the process share.
        encoder: Embeds again what another text encoder embedded.
        on_loaded: Called once the bundle is warm and up to date.
    """

    def __init__(
        self,
        bundle: Bundle,
        resources: ServingResources,
        encoder: BatchedTextEncoder,
        on_loaded: Callable[[], object],
    ) -> None:
        self._items = _Items(Recommender.of(bundle, resources), encoder)
        self._on_loaded = on_loaded
        self._follower = CatalogueFollower(
            resources.store.catalogue,
            apply=self._items.apply,
            inventory=self._items.inventory,
            condition=resources.store.condition,
        )

    @property
    def recommender(self) -> Recommender:
        """The newest recommender. It is replaced when items are added, so a request reads it once and keeps it."""
        return self._items.recommender

    async def start(self) -> None:
        """Runs the first search, which is slow, and applies all item changes that Redis holds."""
        await self.recommender.warm_up()
        await self._follower.start()
        await asyncio.to_thread(return_freed_memory)
        self._on_loaded()

    async def close(self) -> None:
        """Finishes the writes that are under way. Requests that hold the recommender can go on."""
        await self._follower.close()
        await self.recommender.close()

    async def apply(self, changes: Sequence[ItemChange]) -> None:
        """Applies item changes, in any order; each may come more than once."""
        await self._items.apply(changes)


class _Items:
    """The recommender of one bundle with the newest items."""

    def __init__(self, recommender: Recommender, encoder: BatchedTextEncoder) -> None:
        self.recommender = recommender
        self._encoder = encoder
        self._turn = asyncio.Lock()  # a snapshot is made from the one before it

    def inventory(self) -> Inventory:
        """The price, stock and deletion of the items now."""
        return self.recommender.snapshot.inventory

    async def apply(self, changes: Sequence[ItemChange]) -> None:
        """See `LoadedBundle.apply`."""
        changes = await self._with_own_embeddings(changes)
        async with self._turn:
            snapshot = await self.recommender.snapshot.with_changes(changes)
            self.recommender = self.recommender.with_snapshot(snapshot)

    async def _with_own_embeddings(self, changes: Sequence[ItemChange]) -> Sequence[ItemChange]:
        """Embeds again the items that another text encoder embedded: one of an earlier bundle."""
        foreign = {
            place: change.value
            for place, change in enumerate(changes)
            if isinstance(change.value, ItemContent) and change.value.encoder != self._encoder.fingerprint
        }
        if not foreign:
            return changes
        contents = await self._encoder.encode_items([content.item for content in foreign.values()])
        own = dict(zip(foreign, contents, strict=True))
        return [replace(change, value=own[place]) if place in own else change for place, change in enumerate(changes)]
