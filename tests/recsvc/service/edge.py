"""A real gRPC server on a real loopback port over the smallest recommender and store, for tests of the edge alone."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Set
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import grpc
import numpy as np

from recsvc.domain.query import ContentRequest, ItemFilter, Query, Recommendation, RecommendationList, SimilarItemList
from recsvc.domain.reason import ContentDraft, ContentPart, Evidence, EvidenceKind, Provenance, Reason, Strength
from recsvc.domain.records import Erasure, ItemChange, ItemContent, ServedList, Switch, UserExport
from recsvc.domain.shop import NO_TASTE, Event, Item, Profile, Taste
from recsvc.errors import BundleNotFound, ItemNotFound
from recsvc.model.bundle_folder import BundleInfo
from recsvc.pipeline.placements import Placements
from recsvc.pipeline.why_not import BlockScores, ItemDiagnosis, Obstacle
from recsvc.reasons import Recipe, recipes
from recsvc.server import listening
from recsvc.settings import Settings
from recsvc.store import ServerProcess, WantedBundles
from recsvc.users.taste import TasteProfile, TasteShare

KNOWN_ITEM = "kettle"
EVIDENCE = Evidence(EvidenceKind.HISTORY_ITEM, Strength.CAUSAL, effect=0.25, share=0.5, anchor=Item("mug", "Mug"))
REASON = Reason("Goes with Mug.", "en", (EVIDENCE,), Provenance("realiser", policy_version="p1", verified=True))
RECOMMENDED = Recommendation(Item(KNOWN_ITEM, "Kettle"), 0.75, 1, REASON)


class KnownAnswers:
    """Stands for the models, the recommender and the store: gives fixed answers, keeps what it was asked, raises
    `error` if set.
    """

    bundle_id = "bundle-1"

    def __init__(self) -> None:
        self.catalogue = self.current = self.reasons = self.content = self
        self.placements, self.bundle_ids = Placements({}), {self.bundle_id}
        self.asked: list[object] = []
        self.error: BaseException | None = None
        self.hold = asyncio.Event()  # calls to `recommend` wait for it
        self.hold.set()

    def _ask(self, question: object) -> None:
        self.asked.append(question)
        if self.error is not None:
            raise self.error

    async def recommend(self, query: Query) -> RecommendationList:
        self._ask(query)
        await self.hold.wait()
        return RecommendationList("list-1", self.bundle_id, (RECOMMENDED,), personalised=True)

    async def updates(self, query: Query, answer: RecommendationList) -> AsyncIterator[tuple[str, Reason]]:
        yield KNOWN_ITEM, REASON

    async def turned_off(self) -> Set[Switch]:
        self._ask("switches")
        return {Switch(language="zh")}

    async def turn_off(self, switch: Switch) -> None:
        self._ask(switch)

    async def turn_on(self, switch: Switch) -> None:
        self._ask(switch)

    async def recommend_page(self, queries: list[Query]) -> list[RecommendationList]:
        return [await self.recommend(query) for query in queries]

    async def audience(
        self, item_id: str, k: int, new_buyers_only: bool, deadline: float | None
    ) -> tuple[list[tuple[str, float]], int, bool]:
        self._ask((item_id, k, new_buyers_only))
        return [("u", 1.5)], 1, True

    async def similar_items(
        self, item_id: str, k: int, excluded_item_ids: frozenset[str], item_filter: ItemFilter
    ) -> SimilarItemList:
        self._ask((item_id, k, excluded_item_ids, item_filter))
        if not self.knows_item(item_id):
            raise ItemNotFound(item_id)
        return SimilarItemList("list-2", self.bundle_id, (RECOMMENDED,))

    async def diagnose(self, query: Query, item_id: str) -> ItemDiagnosis:
        self._ask((query, item_id))
        return ItemDiagnosis(self.bundle_id, "", 0, 12, 0.5, (("text", 0.5),), (Obstacle.SCORE,))

    async def given(self, user_id: str, recommendation_id: str) -> tuple[ServedList, list[BlockScores], bool]:
        self._ask((user_id, recommendation_id))
        given = ServedList(recommendation_id, user_id, 1, 2, "home", "a", 0.5, self.bundle_id, "cart", 0, (("i", 1.0),))
        return given, [()], True

    async def write_content(self, request: ContentRequest) -> tuple[list[ContentDraft], str]:
        self._ask(request)
        provenance = Provenance("realiser", recipe=request.recipe, policy_version="p1", verified=True)
        named = Evidence(EvidenceKind.NAME, Strength.NEUTRAL, value="Kettle")
        return [ContentDraft("Kettle", "en", (ContentPart("Kettle", (named,)),), provenance)], self.bundle_id

    @property
    def recipes(self) -> Mapping[str, Recipe]:
        self._ask("recipes")
        return recipes()

    async def known(self) -> tuple[list[BundleInfo], list[ServerProcess], WantedBundles]:
        self._ask("bundles")
        info = BundleInfo(self.bundle_id, Path(), datetime(2026, 1, 2, tzinfo=UTC), {"ndcg@10": 0.5})
        process = ServerProcess("host:1", self.bundle_id, (self.bundle_id,), "")
        return [info], [process], WantedBundles(self.bundle_id, "bundle-0")

    async def load(self, bundle_id: str) -> None:
        self._ask(bundle_id)
        if bundle_id != self.bundle_id:
            raise BundleNotFound(bundle_id)

    async def activate(self, bundle_id: str) -> str:
        await self.load(bundle_id)
        return "bundle-0"

    async def roll_back(self) -> str:
        self._ask("roll back")
        return "bundle-0"

    def knows_item(self, item_id: str) -> bool:
        return item_id == KNOWN_ITEM

    async def forget(self, hashes: set[int]) -> None:
        self.forgotten = hashes

    async def encode_profile(self, profile: Profile) -> np.ndarray:
        return np.full(3, len(profile.text), np.float32)

    async def encode_items(self, items: list[Item]) -> list[ItemContent]:
        return [ItemContent(item, np.ones(3, np.float32), "encoder") for item in items]

    async def write_events(self, events: list[Event]) -> dict[str, int]:
        self._ask(list(events))
        return {event.user_id: 0x1F for event in events}

    async def set(self, changes: list[ItemChange]) -> None:
        self._ask(changes)

    async def set_profile(self, user_id: str, profile: Profile | None, embedding: np.ndarray | None) -> None:
        self._ask((user_id, profile, None if embedding is None else embedding.tolist()))

    async def export_user(self, user_id: str) -> UserExport:
        self._ask(user_id)
        return UserExport(None, (), {})

    async def delete_user(self, user_id: str) -> Erasure:
        self._ask(user_id)
        return Erasure(True, 7, 5, True, 1, 2, 1_750_000_000_000_000)

    async def first_bundle_without(self, erased_at: int) -> tuple[str, bool]:
        self._ask(erased_at)
        return self.bundle_id, True

    async def taste_profile(self, user_id: str) -> TasteProfile:
        self._ask(user_id)
        return TasteProfile(None, NO_TASTE, (TasteShare("Tea", 2, 1.0),), (), (), 2, self.bundle_id)

    async def update_taste(self, user_id: str, add: Taste, remove: Taste, most: int) -> Taste:
        self._ask((user_id, add, remove))
        return add


@asynccontextmanager
async def edge(**settings: object) -> AsyncIterator[tuple[KnownAnswers, grpc.aio.Channel, asyncio.Event]]:
    """The stand-in, a channel to its server, and the event that stops it at once."""
    answers, at_once = KnownAnswers(), asyncio.Event()
    checked = Settings(bundle="unused", port=0, **{"grace_seconds": 0, **settings})
    async with (
        listening(checked, answers, answers, at_once) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        yield answers, channel, at_once
