"""A real gRPC server on a real loopback port over a stand-in backend, for tests of the edge alone."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence, Set
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import grpc
import numpy as np

from recsvc.domain.arrays import Floats
from recsvc.domain.audience_query import AudienceQuery
from recsvc.domain.content_request import ContentRequest
from recsvc.domain.query import ItemFilter, Query, Recommendation, RecommendationList, SimilarItemList
from recsvc.domain.reason import ContentDraft, ContentPart, Evidence, EvidenceKind, Provenance, Reason, Strength
from recsvc.domain.records import Erasure, ItemChange, ItemContent, ServedList, Switch, UserExport
from recsvc.domain.shop import NO_TASTE, Event, Item, Profile, Taste
from recsvc.errors import BundleNotFound, ItemNotFound
from recsvc.model.bundle_folder import BundleInfo
from recsvc.pipeline.event_intake import EventIntake
from recsvc.pipeline.placements import Placements
from recsvc.pipeline.why_not import BlockScores, ItemDiagnosis, Obstacle
from recsvc.reasons import Recipe, recipes
from recsvc.registry.backend import Backend
from recsvc.runtime.condition import ServiceCondition
from recsvc.server import listening
from recsvc.settings import Settings, load_settings
from recsvc.store import ServerProcess, UserStore, WantedBundles
from recsvc.users.taste import TasteProfile, TasteShare

KNOWN_ITEM = "kettle"
EVIDENCE = Evidence(EvidenceKind.HISTORY_ITEM, Strength.CAUSAL, effect=0.25, share=0.5, anchor=Item("mug", "Mug"))
REASON = Reason("Goes with Mug.", "en", (EVIDENCE,), Provenance("realiser", policy_version="p1", verified=True))
RECOMMENDED = Recommendation(Item(KNOWN_ITEM, "Kettle"), 0.75, 1, REASON)


class FixedAnswers:
    """Stands for every part of the backend: gives fixed answers, records the calls, raises `error` if it is set."""

    bundle_id = "bundle-1"

    def __init__(self) -> None:
        self.store = self.registry = self.router = self.encoder = self.text_policy = self.reason_stream = self
        self.catalogue = self.current = self.content = self
        self.condition = ServiceCondition()
        self.bundle_ids = frozenset({self.bundle_id})
        self.event_intake = EventIntake(cast("UserStore", self), Placements({}), cast("Backend", self).registry)
        self.calls: list[object] = []
        self.error: BaseException | None = None
        self.as_named = True  # no item was renamed
        self.hold = asyncio.Event()  # calls to `recommend` wait for it
        self.hold.set()

    def _record(self, call: object) -> None:
        self.calls.append(call)
        if self.error is not None:
            raise self.error

    async def recommend(self, query: Query) -> RecommendationList:
        self._record(query)
        await self.hold.wait()
        return RecommendationList(
            recommendation_id="list-1", bundle_id=self.bundle_id, recommendations=(RECOMMENDED,), personalised=True
        )

    async def updates(self, query: Query, served: RecommendationList) -> AsyncIterator[tuple[str, Reason]]:
        yield KNOWN_ITEM, REASON

    def has_as_named(self, items: Iterable[Item]) -> bool:
        return self.as_named and RECOMMENDED.item in items

    async def turned_off(self) -> Set[Switch]:
        self._record("switches")
        return {Switch(language="zh")}

    async def turn_off(self, switch: Switch) -> None:
        self._record(switch)

    async def turn_on(self, switch: Switch) -> None:
        self._record(switch)

    async def recommend_page(self, queries: Sequence[Query]) -> list[RecommendationList]:
        return [await self.recommend(query) for query in queries]

    async def audience(self, query: AudienceQuery, deadline: float | None) -> tuple[list[tuple[str, float]], int, bool]:
        self._record(query)
        return [("u", 1.5)], 1, True

    async def similar_items(
        self, item_id: str, k: int, excluded_item_ids: frozenset[str], item_filter: ItemFilter
    ) -> SimilarItemList:
        self._record((item_id, k, excluded_item_ids, item_filter))
        if not self.knows_item(item_id):
            raise ItemNotFound(item_id)
        return SimilarItemList("list-2", self.bundle_id, (RECOMMENDED,))

    async def diagnose(self, query: Query, item_id: str) -> ItemDiagnosis:
        self._record((query, item_id))
        return ItemDiagnosis(
            bundle_id=self.bundle_id, arm="", rank=12, score=0.5, blocks=(("text", 0.5),), obstacles=(Obstacle.SCORE,)
        )

    async def explain_list(self, user_id: str, recommendation_id: str) -> tuple[ServedList, list[BlockScores], bool]:
        self._record((user_id, recommendation_id))
        served = ServedList(
            recommendation_id=recommendation_id,
            user_id=user_id,
            time=1,
            version=2,
            placement="home",
            arm="a",
            propensity=0.5,
            bundle_id=self.bundle_id,
            surface="cart",
            shown=0,
            items=(("i", 1.0),),
        )
        return served, [()], True

    async def write_content(self, request: ContentRequest) -> tuple[list[ContentDraft], str]:
        self._record(request)
        provenance = Provenance("realiser", recipe=request.recipe, policy_version="p1", verified=True)
        name = Evidence(EvidenceKind.NAME, Strength.NEUTRAL, value="Kettle")
        return [ContentDraft("Kettle", "en", (ContentPart("Kettle", (name,)),), provenance)], self.bundle_id

    @property
    def recipes(self) -> Mapping[str, Recipe]:
        self._record("recipes")
        return recipes()

    async def list_bundles(self) -> tuple[list[BundleInfo], list[ServerProcess], WantedBundles]:
        self._record("bundles")
        info = BundleInfo(self.bundle_id, Path(), datetime(2026, 1, 2, tzinfo=UTC), {"ndcg@10": 0.5})
        process = ServerProcess("host:1", self.bundle_id, (self.bundle_id,), "")
        return [info], [process], WantedBundles(self.bundle_id, "bundle-0")

    async def load(self, bundle_id: str) -> None:
        self._record(bundle_id)
        if bundle_id != self.bundle_id:
            raise BundleNotFound(bundle_id)

    async def activate(self, bundle_id: str) -> str:
        await self.load(bundle_id)
        return "bundle-0"

    async def roll_back(self) -> str:
        self._record("roll back")
        return "bundle-0"

    def knows_item(self, item_id: str) -> bool:
        return item_id == KNOWN_ITEM

    async def forget(self, hashes: Set[int]) -> None:
        self.forgotten = hashes

    async def encode_profile(self, profile: Profile) -> Floats:
        return np.full(3, len(profile.text), np.float32)

    async def encode_items(self, items: Sequence[Item]) -> list[ItemContent]:
        return [ItemContent(item, np.ones(3, np.float32), "encoder") for item in items]

    async def write_events(
        self, events: Sequence[Event], on_new: Callable[[Sequence[Event]], None] | None = None
    ) -> dict[str, int]:
        self._record(list(events))
        if on_new is not None:
            on_new(events)
        return {event.user_id: 0x1F for event in events}

    async def set(self, changes: Sequence[ItemChange]) -> None:
        self._record(changes)

    async def set_profile(self, user_id: str, profile: Profile | None, embedding: Floats | None) -> None:
        self._record((user_id, profile, None if embedding is None else embedding.tolist()))

    async def export_user(self, user_id: str) -> UserExport:
        self._record(user_id)
        return UserExport(None, (), {})

    async def delete_user(self, user_id: str) -> Erasure:
        self._record(user_id)
        return Erasure(
            existed=True,
            log_entries=7,
            history_events=5,
            profile=True,
            user_vectors=1,
            lists=2,
            erased_at=1_750_000_000_000_000,
        )

    async def first_bundle_without(self, erased_at: int) -> tuple[str, bool]:
        self._record(erased_at)
        return self.bundle_id, True

    async def taste_profile(self, user_id: str) -> TasteProfile:
        self._record(user_id)
        return TasteProfile(None, NO_TASTE, (TasteShare("Tea", 2, 1.0),), (), (), 2, self.bundle_id)

    async def update_taste(self, user_id: str, add: Taste, remove: Taste, most: int) -> Taste:
        self._record((user_id, add, remove))
        return add


def edge_settings(**settings: object) -> Settings:
    """Settings of a server on any free port that waits for nothing when it stops."""
    return load_settings({"bundle": "unused", "port": 0, "grace_seconds": 0} | settings, Settings)


def backend_of(answers: FixedAnswers) -> Backend:
    """The stand-in as the type that the server takes."""
    return cast("Backend", answers)


@asynccontextmanager
async def edge(**settings: object) -> AsyncIterator[tuple[FixedAnswers, grpc.aio.Channel, asyncio.Event]]:
    """Yields the stand-in, a channel to its server, and the event that stops the server at once."""
    answers, at_once = FixedAnswers(), asyncio.Event()
    async with (
        listening(edge_settings(**settings), backend_of(answers), at_once) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        yield answers, channel, at_once
