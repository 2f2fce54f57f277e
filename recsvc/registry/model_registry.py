"""The bundles in memory: which of them answers, and how another takes its place."""

import asyncio
from collections.abc import Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog
import torch

from recsvc.domain.arrays import Floats
from recsvc.domain.query import ContentRequest, Query, RecommendationList, Surface
from recsvc.domain.reason import ContentDraft
from recsvc.domain.records import ItemContent, ServedList
from recsvc.domain.shop import Item, Profile
from recsvc.errors import (
    BundleError,
    BundleNotFound,
    BundleUnusable,
    ListNotFound,
    NoPreviousBundle,
    TextEncoderError,
)
from recsvc.model import bundle_files as bundles
from recsvc.model.bundle import Bundle
from recsvc.model.bundle_folder import BundleInfo, bundles_in
from recsvc.model.text_encoder import TextEncoder, item_text, profile_text
from recsvc.pipeline.placements import Placements
from recsvc.pipeline.popularity_scorer import Popularity
from recsvc.pipeline.query_plan import ServingResources
from recsvc.pipeline.recommender import Recommender
from recsvc.pipeline.why_not import BlockScores, ItemDiagnosis
from recsvc.reasons import PatternPool
from recsvc.registry.bundle_follower import BundleFollower
from recsvc.registry.erasure_follower import ErasureFollower
from recsvc.registry.loaded_bundle import LoadedBundle
from recsvc.registry.text_policy import TextPolicy
from recsvc.runtime.batching import Batcher
from recsvc.runtime.metrics import BUNDLE_INFO
from recsvc.store import ServerProcess, UserStore, WantedBundles

_log = structlog.get_logger(__name__)


class ModelRegistry:
    """bundle: answers until another is made active. bundles_dir: where others are."""

    def __init__(
        self,
        bundle: Bundle,
        store: UserStore,
        encoder: TextEncoder,
        reasons: TextPolicy,
        cache_size: int,
        placements: Placements,
        bundles_dir: Path,
    ) -> None:
        # A thread for each kind of work: a batch of searches does not wait for a slow text.
        self._threads = {name: ThreadPoolExecutor(1, name) for name in ("search", "tower", "encode")}
        self._encode: Batcher[str, Floats] = Batcher(lambda texts: list(encoder.encode(texts)), self._threads["encode"])
        self._encoder = encoder
        self._shared = ServingResources(
            store, reasons.writer, Popularity(store.popularity), self._encode, self._threads, cache_size
        )
        self._store, self._lists = store.models, store.lists
        self._bundles_dir = bundles_dir
        self._served = {bundle.bundle_id: self._serve(bundle)}
        self._loading = asyncio.Lock()
        self._follower = BundleFollower(self._store, self._apply, lambda: (self.bundle_id, tuple(self._served)))
        self._erasures = ErasureFollower(store.erasures, self.forget)
        self.reasons = reasons
        self.bundle_id = bundle.bundle_id
        self.placements = placements

    @classmethod
    def open(
        cls,
        bundle_dir: Path,
        store: UserStore,
        text_encoder: str,
        search_threads: int,
        cache_size: int,
        placements: Path | None = None,
        patterns: PatternPool | None = None,
        unknown_is_private: bool = False,
    ) -> "ModelRegistry":
        """Loads the bundle, the text encoder and the placements. patterns: to be kept as a reason worker fills it.
        unknown_is_private: see `recsvc.reasons.ReasonWriter`.

        Raises BundleError, TextEncoderError and SettingsError.
        """
        torch.set_num_threads(search_threads)
        placed = Placements.load(placements)
        bundle = bundles.load(bundle_dir)
        encoder = TextEncoder.load(text_encoder)
        if not _suits(encoder, bundle):
            raise TextEncoderError(
                f"the bundle was trained with the text encoder {bundle.model.text_encoder!r}, whose weights are not "
                f"those of {text_encoder!r}: set text_encoder to the bundle's"
            )
        reasons = TextPolicy(store, patterns, unknown_is_private)
        return cls(bundle, store, encoder, reasons, cache_size, placed, bundle_dir.resolve().parent)

    async def start(self) -> None:
        """Takes the bundles that are wanted into memory, warm and up to date. Placements may want some too."""
        await self._served[self.bundle_id].start()
        for bundle_id in sorted(self.placements.bundle_ids):
            await self._load(bundle_id)
        await self._follower.start()
        await self._erasures.start()
        await self.reasons.start()
        BUNDLE_INFO.labels(self.bundle_id).set(1)

    async def close(self) -> None:
        """Finishes what is being written back and stops the threads."""
        await self._follower.close()
        await self._erasures.close()
        await self.reasons.close()
        for served in self._served.values():
            await served.close()
        for thread in self._threads.values():
            thread.shutdown(wait=False, cancel_futures=True)

    @property
    def current(self) -> Recommender:
        """What answers now: it may be another at the next request, so a request asks for it once."""
        return self._served[self.bundle_id].recommender

    @property
    def bundle_ids(self) -> frozenset[str]:
        """Those that may have made a list that somebody still looks at."""
        return frozenset(self._served)

    async def recommend(self, query: Query) -> RecommendationList:
        """The list of a query, as its placement has it. Raises InvalidRequest for a placement that nobody knows."""
        return await self._recommend(self.placements.applied(query))

    async def recommend_page(self, queries: Sequence[Query]) -> list[RecommendationList]:
        """A list for each query, in their order; no item is in two of them. Raises as `recommend`."""
        answers: list[RecommendationList] = []
        shown: frozenset[str] = frozenset()
        for query in [self.placements.applied(query) for query in queries]:
            answer = await self._recommend(query.without(shown))
            shown |= {recommendation.item.item_id for recommendation in answer.recommendations}
            answers.append(answer)
        return answers

    async def _recommend(self, query: Query) -> RecommendationList:
        answer = await self._recommender(query.bundle_id).recommend(query)
        if query.placement:
            shown = answer.recommendations[0].rank - 1 if answer.recommendations else 0
            items = tuple((r.item.item_id, r.score) for r in answer.recommendations)
            self._lists.keep(
                ServedList(
                    answer.recommendation_id,
                    query.user_id,
                    query.now,
                    answer.version,
                    query.placement,
                    query.arm,
                    query.propensity,
                    answer.bundle_id,
                    query.surface.value,
                    shown,
                    items,
                    query.exploration,
                    answer.candidates,
                )
            )
        return answer

    async def diagnose(self, query: Query, item_id: str) -> ItemDiagnosis:
        """Where an item stands in the list of a query. Raises as `recommend`."""
        query = self.placements.applied(query)
        return await self._recommender(query.bundle_id).diagnose(query, item_id)

    async def explain_list(self, user_id: str, recommendation_id: str) -> tuple[ServedList, list[BlockScores], bool]:
        """A list that is kept, what the scores of its items are made of now, and whether that is what it was then.

        Raises ListNotFound and StoreUnavailable.
        """
        kept = await self._lists.of_user(user_id)
        given = next((each for each in kept if each.recommendation_id == recommendation_id), None)
        if given is None:
            raise ListNotFound
        served = self._served.get(given.bundle_id)
        if served is None or given.surface != Surface.FOR_YOU.value:
            return given, [()] * len(given.items), False
        blocks, version = await served.recommender.block_scores(user_id, [item_id for item_id, _ in given.items])
        return given, blocks, version == given.version

    async def write_content(self, request: ContentRequest) -> tuple[list[ContentDraft], str]:
        """Drafts about an item, and the bundle whose catalogue was read.

        Raises InvalidRequest, ItemNotFound, NothingToSay and TextTurnedOff.
        """
        current, writer = self.current, self.reasons.content
        job = current.content_job(request, writer)
        return await asyncio.to_thread(job.write, writer), current.bundle_id

    def _recommender(self, bundle_id: str) -> Recommender:
        """That of a bundle; of one that is not in memory, the one that answers."""
        served = self._served.get(bundle_id)
        return served.recommender if served is not None else self.current

    async def forget(self, hashes: Set[int]) -> None:
        """Drops what this process keeps, and is writing, of erased users, who are told by `recsvc.store.hash_of`.

        Raises StoreUnavailable.
        """
        for served in self._served.values():
            served.recommender.forget(hashes)
        self.reasons.forget(hashes)
        await self._lists.forget(hashes)

    async def first_bundle_without(self, erased_at: int) -> tuple[str, bool]:
        """The oldest bundle that was trained without the users erased until then, '' for none; and whether it, or one
        after it, answers. erased_at: microseconds since 1970 UTC.
        """
        found = await asyncio.to_thread(bundles_in, self._bundles_dir)
        without = [info.bundle_id for info in found if info.erasures_until >= erased_at]
        return (without[-1] if without else ""), self.bundle_id in without

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

    async def list_bundles(self) -> tuple[list[BundleInfo], list[ServerProcess], WantedBundles]:
        """The bundles in the folder, the processes that serve, and what they are to do."""
        found = await asyncio.to_thread(bundles_in, self._bundles_dir)
        return found, await self._store.processes(), await self._store.wanted()

    async def load(self, bundle_id: str) -> None:
        """Has every process keep a bundle warm; this one has it on return. Raises BundleNotFound, BundleUnusable."""
        await self._load(bundle_id)
        await self._store.keep_loaded(bundle_id)

    async def activate(self, bundle_id: str) -> str:
        """Makes a bundle the one that answers, and returns the one before it. Raises as `load`."""
        await self._load(bundle_id)
        previous = await self._store.activate(bundle_id, self.bundle_id)
        await self._follower.catch_up()
        return previous

    async def roll_back(self) -> str:
        """Makes the bundle before the active one answer again, and returns it. Raises NoPreviousBundle."""
        bundle_id = await self._store.roll_back()
        if not bundle_id:
            raise NoPreviousBundle
        await self._follower.catch_up()
        return bundle_id

    async def _apply(self, wanted: WantedBundles) -> None:
        if wanted.active:
            await self._load(wanted.active)
            BUNDLE_INFO.labels(self.bundle_id).set(0)
            self.bundle_id = wanted.active
            BUNDLE_INFO.labels(self.bundle_id).set(1)
        for bundle_id in filter(None, (wanted.previous, wanted.loaded)):
            await self._load(bundle_id)
        kept = {self.bundle_id, wanted.previous, wanted.loaded, *self.placements.bundle_ids}
        for bundle_id in self._served.keys() - kept:
            await self._served.pop(bundle_id).close()

    async def _load(self, bundle_id: str) -> None:
        async with self._loading:
            if bundle_id in self._served:
                return
            found = await asyncio.to_thread(bundles_in, self._bundles_dir)
            folder = next((info.folder for info in found if info.bundle_id == bundle_id), None)
            if folder is None:
                raise BundleNotFound(bundle_id)
            try:
                bundle = await asyncio.to_thread(bundles.load, folder)
            except BundleError as error:
                _log.error("bundle_unusable", bundle_id=bundle_id, problem=str(error))
                raise BundleUnusable(bundle_id, "it cannot be read; the server's log says why") from None
            if not _suits(self._encoder, bundle):
                raise BundleUnusable(bundle_id, "it was trained with another text encoder than the service has")
            served = await asyncio.to_thread(self._serve, bundle)
            await served.start()
            self._served[bundle_id] = served

    def _serve(self, bundle: Bundle) -> LoadedBundle:
        return LoadedBundle(bundle, self._shared, self.encode_items, self._encoder.fingerprint)


def _suits(encoder: TextEncoder, bundle: Bundle) -> bool:
    return encoder.fingerprint == bundle.model.text_encoder_fingerprint
