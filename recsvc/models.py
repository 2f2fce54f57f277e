"""Which recommender answers: the bundle's, and, once the shop has added items, one that knows those too."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import torch

from recsvc import bundle as bundles
from recsvc.batching import Batcher
from recsvc.bundle import Bundle
from recsvc.catalogue_follower import CatalogueFollower
from recsvc.domain import Item, ItemChange, ItemContent, Profile
from recsvc.errors import TextEncoderError
from recsvc.placements import Placements
from recsvc.popularity import Popularity
from recsvc.query import Query, RecommendationList
from recsvc.reasons import ReasonWriter
from recsvc.recommend import Floats, Recommender, Shared
from recsvc.store import UserStore
from recsvc.text import TextEncoder, item_text, profile_text


class Models:
    """`current` may change between any two requests, so a request asks for it once."""

    def __init__(
        self,
        bundle: Bundle,
        store: UserStore,
        encoder: TextEncoder,
        reasons: ReasonWriter,
        cache_size: int,
        placements: Placements,
    ) -> None:
        self.placements = placements
        # A thread for each kind of work: a batch of searches does not wait for a slow text.
        self._threads = {name: ThreadPoolExecutor(1, name) for name in ("search", "tower", "encode")}
        self._encode: Batcher[str, Floats] = Batcher(lambda texts: list(encoder.encode(texts)), self._threads["encode"])
        self._encoder = encoder
        shared = Shared(store, reasons, Popularity(store.popularity), self._threads, cache_size)
        self.current = Recommender.of(bundle, shared)
        self._follower = CatalogueFollower(store.catalogue, self._apply)

    @classmethod
    def open(
        cls,
        bundle_dir: Path,
        store: UserStore,
        text_encoder: str,
        search_threads: int,
        cache_size: int,
        reason_generator: str = "realiser",
        placements: Path | None = None,
    ) -> "Models":
        """Loads the bundle, the text encoder and the placements. Raises BundleError, TextEncoderError and
        SettingsError.
        """
        torch.set_num_threads(search_threads)
        placed = Placements.load(placements)
        bundle = bundles.load(bundle_dir)
        encoder = TextEncoder.load(text_encoder)
        if encoder.fingerprint != bundle.model.text_encoder_fingerprint:
            raise TextEncoderError(
                f"the bundle was trained with the text encoder {bundle.model.text_encoder!r}, whose weights are not "
                f"those of {text_encoder!r}: set text_encoder to the bundle's"
            )
        return cls(bundle, store, encoder, ReasonWriter(reason_generator), cache_size, placed)

    @property
    def bundle_id(self) -> str:
        return self.current.bundle_id

    @property
    def bundle_ids(self) -> frozenset[str]:
        """Those that may have made a list that somebody still looks at."""
        return frozenset({self.current.bundle_id})

    async def recommend(self, query: Query) -> RecommendationList:
        """The list of a query, as its placement has it. Raises InvalidRequest for a placement that nobody knows."""
        return await self.current.recommend(self.placements.applied(query))

    async def recommend_page(self, queries: Sequence[Query]) -> list[RecommendationList]:
        """A list for each query, in their order; no item is in two of them. Raises as `recommend`."""
        return await self.current.recommend_page([self.placements.applied(query) for query in queries])

    async def start(self) -> None:
        """Warms up what is slow the first time, and learns what the shop said of its items."""
        await self.current.warm_up()
        await self._follower.start()

    async def close(self) -> None:
        """Finishes what is being written back and stops the threads."""
        await self._follower.close()
        await self.current.close()
        for thread in self._threads.values():
            thread.shutdown(wait=False, cancel_futures=True)

    async def encode_profile(self, profile: Profile) -> Floats:
        """The language model's embedding of a profile, float32 (dim,)."""
        return await self._encode(profile_text(profile))

    async def encode_items(self, items: Sequence[Item]) -> list[ItemContent]:
        """The items with the language model's embeddings of their words."""
        embeddings = await asyncio.gather(*(self._encode(item_text(item)) for item in items))
        return [
            ItemContent(item, embedding, self._encoder.fingerprint)
            for item, embedding in zip(items, embeddings, strict=True)
        ]

    async def _apply(self, changes: Sequence[ItemChange]) -> None:
        foreign = {
            i: change.value
            for i, change in enumerate(changes)
            if isinstance(change.value, ItemContent) and change.value.encoder != self._encoder.fingerprint
        }
        if foreign:  # of an earlier text encoder
            contents = await self.encode_items([content.item for content in foreign.values()])
            renewed = dict(zip(foreign, contents, strict=True))
            changes = [replace(c, value=renewed[i]) if i in renewed else c for i, c in enumerate(changes)]
        self.current = await self.current.with_changes(changes)
