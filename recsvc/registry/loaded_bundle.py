"""One bundle in memory, following the shop's catalogue for as long as it is kept."""

import gc
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from recsvc.domain.records import ItemChange, ItemContent
from recsvc.domain.shop import Item
from recsvc.model.bundle import Bundle
from recsvc.pipeline.query_plan import ServingResources
from recsvc.pipeline.recommender import Recommender
from recsvc.registry.catalogue_follower import CatalogueFollower

EncodeItems = Callable[[Sequence[Item]], Awaitable[list[ItemContent]]]


class LoadedBundle:
    """recommender: may change between any two requests, so a request asks for it once.

    encode_items: words that another language model embedded are embedded again by it. encoder: its fingerprint.
    """

    def __init__(self, bundle: Bundle, shared: ServingResources, encode_items: EncodeItems, encoder: str) -> None:
        self.recommender = Recommender.of(bundle, shared)
        self._encode_items = encode_items
        self._encoder = encoder
        self._follower = CatalogueFollower(shared.store.catalogue, self.apply)

    async def start(self) -> None:
        """Warms up what is slow the first time, and learns what the shop said of its items."""
        await self.recommender.warm_up()
        await self._follower.start()
        gc.freeze()  # it stays long: no collection need look at it

    async def close(self) -> None:
        """Finishes what is being written back. Requests that have the recommender may go on."""
        await self._follower.close()
        await self.recommender.close()

    async def apply(self, changes: Sequence[ItemChange]) -> None:
        """Takes in what the shop says of its items, in any order and any number of times."""
        foreign = {
            i: change.value
            for i, change in enumerate(changes)
            if isinstance(change.value, ItemContent) and change.value.encoder != self._encoder
        }
        if foreign:  # of an earlier text encoder
            contents = await self._encode_items([content.item for content in foreign.values()])
            renewed = dict(zip(foreign, contents, strict=True))
            changes = [replace(c, value=renewed[i]) if i in renewed else c for i, c in enumerate(changes)]
        self.recommender = await self.recommender.with_changes(changes)
