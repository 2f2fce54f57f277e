"""Answers a query with a list of items, each with evidence and a reason. Read `Recommender.recommend` top to bottom."""

import asyncio
from collections.abc import Iterable, Sequence, Set
from dataclasses import replace
from itertools import repeat

import numpy as np

from recsvc.domain.arrays import NO_ROWS, Rows
from recsvc.domain.audience_query import AudienceQuery
from recsvc.domain.content_request import ContentRequest
from recsvc.domain.degradation import Degradation
from recsvc.domain.query import ItemFilter, Page, Query, Recommendation, RecommendationList, SimilarItemList, Surface
from recsvc.domain.reason import Reason
from recsvc.domain.records import UserRecord
from recsvc.domain.shop import Item
from recsvc.errors import FieldViolation, InvalidRequest, ItemNotFound
from recsvc.explain.explainer import Explainer
from recsvc.model.bundle import Bundle
from recsvc.model.catalogue import Catalogue
from recsvc.pipeline.item_copy import ContentJob, look_up
from recsvc.pipeline.list_id import recommendation_id
from recsvc.pipeline.query_plan import QueryPlanner
from recsvc.pipeline.serving_resources import ServingResources
from recsvc.pipeline.slate import Eligibility, Slate, SlateBuilder
from recsvc.pipeline.why_not import BlockScores, ItemDiagnosis, block_scores, diagnose
from recsvc.ranking import Ranking
from recsvc.reasons import ContentWriter
from recsvc.retrieval.item_snapshot import ItemSnapshot
from recsvc.runtime.metrics import DEGRADED, LISTS
from recsvc.runtime.tracing import span
from recsvc.users.audience import Audience, find_audience
from recsvc.users.taste import TasteProfile, taste_profile
from recsvc.users.user_state import state_of
from recsvc.users.user_state_cache import UserStateCache

# The number of ranked items that are kept for the next pages of a list.
PAGED_ITEMS = 500
# A slate that explores has this many times the items that are shown.
EXPLORED_PAGES = 4
# Surfaces whose lists are the same for everybody, except for items that a user may not be shown.
FOR_EVERYBODY = frozenset({Surface.SIMILAR, Surface.POPULAR, Surface.TRENDING})
# With less time left than this, a request is answered without reasons: the list comes first.
REASON_SECONDS = 0.02


class Recommender:
    """Answers queries from one bundle. All state is in the store; it keeps caches only.

    Args:
        snapshot: The bundle with its items as they are now.
        shared: What the recommenders of the process share.
        states: The users; None for an empty cache.
    """

    def __init__(self, snapshot: ItemSnapshot, shared: ServingResources, states: UserStateCache | None = None) -> None:
        bundle = snapshot.bundle
        self.bundle_id = bundle.bundle_id
        self._snapshot = snapshot
        self._catalogue = bundle.catalogue
        self._shared = shared
        self._states = states or UserStateCache(bundle, shared.store, shared.threads.tower, shared.config.cache_size)
        self._planner = QueryPlanner(snapshot, shared, self._states)
        self._explainer = Explainer(bundle, shared.reasons, snapshot.inventory)
        self._rng = np.random.default_rng()

    @classmethod
    def of(cls, bundle: Bundle, shared: ServingResources) -> "Recommender":
        """Makes the recommender of a bundle as it was trained."""
        return cls(ItemSnapshot.of(bundle, shared.threads.search), shared)

    @property
    def snapshot(self) -> ItemSnapshot:
        """The bundle with its items as they are now."""
        return self._snapshot

    @property
    def bundle(self) -> Bundle:
        """The model that ranks."""
        return self._snapshot.bundle

    @property
    def catalogue(self) -> Catalogue:
        """The items that can be listed."""
        return self._catalogue

    @property
    def cached_users(self) -> int:
        """How many users this process keeps for this bundle."""
        return self._states.kept_users

    def with_snapshot(self, snapshot: ItemSnapshot) -> "Recommender":
        """Returns the recommender of a later snapshot of the same bundle: this one if it is the same snapshot.

        They share the users that they keep. This one may still be answering.
        """
        if snapshot is self._snapshot:
            return self
        return Recommender(snapshot, self._shared, self._states.with_bundle(snapshot.bundle))

    async def warm_up(self) -> None:
        """Runs the first search, which is slow."""
        await self._snapshot.warm_up()

    async def close(self) -> None:
        """Waits for user vectors that are being written back."""
        await self._states.close()

    async def recommend(self, query: Query) -> RecommendationList:
        """Returns the best items for a user. Does not fail if the store does: the answer is then marked degraded."""
        explain = query.reasons and _has_time_for_reasons(query)
        plan = await self._planner.plan(query, explain=explain)
        if query.reasons and not explain:
            plan.degraded.add(Degradation.REASONS_DROPPED)
        builder = SlateBuilder(self._snapshot, plan.scorer, plan.eligibility, query.rules)
        candidates: tuple[str, ...] = ()
        if query.page is not None:
            slate, page = builder.next_page(query.k, query.page)
        else:
            slate, page, candidates = await self._first_page(query, builder)
        reasons: Iterable[Reason | None] = repeat(None)
        if explain:
            with span("reasons"):
                reasons = self._explainer.reasons(
                    query, plan.state, plan.scorer, plan.left_out, slate.ranking.rows, slate.competitors
                )
        shown_before = query.page.shown if query.page is not None else 0
        recommendations = self._recommendations(slate.ranking, reasons, slate.backfilled, shown_before)
        LISTS.labels(query.surface.value).inc()
        for degradation in plan.degraded:
            DEGRADED.labels(degradation.value).inc()
        return RecommendationList(
            recommendation_id=page.recommendation_id,
            bundle_id=page.bundle_id,
            recommendations=recommendations,
            personalised=plan.state.personalised and query.surface not in FOR_EVERYBODY,
            degraded=tuple(plan.degraded),
            arm=query.arm,
            next_page=page if page.shown < len(page.item_ids) else None,
            version=plan.state.version,
            candidates=candidates,
            reason_groups=self._explainer.groups(query, recommendations),
            corrected_query=plan.corrected_query,
        )

    async def _first_page(self, query: Query, builder: SlateBuilder) -> tuple[Slate, Page, tuple[str, ...]]:
        """Returns what is shown first, the page that continues it, and the candidates of the exploration."""
        length = PAGED_ITEMS if query.paged else query.k * EXPLORED_PAGES if query.exploration else query.k
        slate = await builder.build(length)
        candidates = NO_ROWS
        if query.exploration:
            slate, candidates = builder.with_exploration(slate, query.k, query.exploration, self._rng)
        rows, scores = slate.ranking
        list_id = recommendation_id(query.placement, query.arm, self.bundle_id)
        page = Page(list_id, self.bundle_id, self._item_ids(rows) if query.paged else (), query.k)
        first = replace(slate, ranking=Ranking(rows[: query.k], scores[: query.k]))
        return first, page, self._item_ids(candidates)

    async def diagnose(self, query: Query, item_id: str) -> ItemDiagnosis:
        """Explains why an item is or is not in the list of a query."""
        plan = await self._planner.plan(query, explain=False)
        slate = await SlateBuilder(self._snapshot, plan.scorer, plan.eligibility, query.rules).build(query.k)
        return await diagnose(self._snapshot, query, plan, slate, item_id)

    async def block_scores(self, user_id: str, item_ids: Sequence[str]) -> tuple[list[BlockScores], int]:
        """Returns the parts of the scores that items have for a user now, and the version of the user's record.

        Unknown items have no parts.
        """
        plan = await self._planner.plan(Query(user_id, 1, reasons=False), explain=False)
        rows = [self._catalogue.row(item_id) for item_id in item_ids]
        return [block_scores(plan.scorer, row) if row is not None else () for row in rows], plan.state.version

    async def similar_items(
        self, item_id: str, k: int, excluded_item_ids: frozenset[str], item_filter: ItemFilter
    ) -> SimilarItemList:
        """Returns the k items most similar to one.

        Raises:
            ItemNotFound: The catalogue does not have the item.
        """
        row = self._catalogue.row(item_id)
        if row is None:
            raise ItemNotFound(item_id)
        excluded = np.unique(np.append(self._catalogue.rows(excluded_item_ids), np.int32(row)))
        inventory = self._snapshot.inventory
        eligibility = Eligibility(excluded, inventory.select(item_filter), (), inventory.version)
        slate = await SlateBuilder(self._snapshot, self._planner.similar_to(row), eligibility).build(k)
        list_id = recommendation_id("", "", self.bundle_id)
        return SimilarItemList(list_id, self.bundle_id, self._recommendations(slate.ranking))

    async def audience(self, query: AudienceQuery, deadline: float | None) -> tuple[list[tuple[str, float]], int, bool]:
        """Finds the users whom one item suits best.

        Args:
            query: What is asked for.
            deadline: Event-loop time by which the answer must be sent; None for no limit.

        Returns:
            The users with their affinities, best first; how many users were considered; and whether those are all.

        Raises:
            ItemNotFound: The catalogue does not have the item.
            InvalidRequest: The page follows one of another bundle. Affinities of two bundles cannot be compared.
            StoreUnavailable: Redis did not answer.
        """
        row = self._catalogue.row(query.item_id)
        if row is None:
            raise ItemNotFound(query.item_id)
        if query.after is not None and query.after.bundle_id != self.bundle_id:
            raise InvalidRequest([FieldViolation("page_token", "is of another bundle: begin again without it")])
        audience = Audience(self.bundle, row, query)
        complete = await find_audience(audience, self._shared.store, self._states, deadline)
        return audience.best(), audience.users, complete

    async def taste_profile(self, user_id: str) -> TasteProfile:
        """Returns what a user stated of their taste, and what they buy.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        record = await self._shared.store.read(user_id, self.bundle_id) or UserRecord(user_id)
        state = state_of(record, self.bundle)
        return taste_profile(self.bundle, record.profile, record.taste, state.bought_rows, state.purchases)

    def content_job(self, request: ContentRequest, writer: ContentWriter) -> ContentJob:
        """Looks up what a content request needs; see `recsvc.pipeline.item_copy.look_up`."""
        return look_up(self._snapshot, writer, request, self._shared.synonyms)

    def knows_item(self, item_id: str) -> bool:
        """Returns whether the catalogue has an item."""
        return item_id in self._catalogue

    def has_as_named(self, items: Iterable[Item]) -> bool:
        """Returns whether items have the words that they had, and none of them was deleted."""
        for item in items:
            row = self._catalogue.row(item.item_id)
            if row is None or self._catalogue.items[row] != item or self._snapshot.inventory.is_deleted(row):
                return False
        return True

    def forget(self, hashes: Set[int]) -> None:
        """Drops what this process keeps of erased users. hashes: of their ids, by `recsvc.store.hash_of`."""
        self._states.forget(hashes)

    def _item_ids(self, rows: Rows) -> tuple[str, ...]:
        items = self._catalogue.items
        return tuple(items[row].item_id for row in rows.tolist())

    def _recommendations(
        self,
        ranking: Ranking,
        reasons: Iterable[Reason | None] = repeat(None),
        backfilled: Rows = NO_ROWS,
        shown_before: int = 0,
    ) -> tuple[Recommendation, ...]:
        """Returns the items of a ranking with their reasons. Ranks go on after those that were shown before."""
        items, backfilled_rows = self._catalogue.items, set(backfilled.tolist())
        listed = zip(ranking.rows.tolist(), ranking.scores.tolist(), reasons)  # noqa: B905  reasons may be endless
        return tuple(
            Recommendation(items[row], score, rank, reason, row in backfilled_rows)
            for rank, (row, score, reason) in enumerate(listed, shown_before + 1)
        )


def _has_time_for_reasons(query: Query) -> bool:
    return query.deadline is None or query.deadline - asyncio.get_running_loop().time() > REASON_SECONDS
