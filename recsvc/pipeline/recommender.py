"""The use case, top to bottom: a query to a list of items, each with evidence and a reason."""

import asyncio
from collections.abc import Iterable, Sequence, Set
from dataclasses import replace
from itertools import repeat

import numpy as np

from recsvc.domain.arrays import NO_ROWS, Rows
from recsvc.domain.query import (
    NO_RULES,
    ContentRequest,
    Degradation,
    ItemFilter,
    Page,
    Query,
    Recommendation,
    RecommendationList,
    SimilarItemList,
    Surface,
)
from recsvc.domain.reason import Reason
from recsvc.domain.records import ItemChange, ItemContent, ItemField, UserRecord
from recsvc.errors import ItemNotFound
from recsvc.explain.explainer import Explainer
from recsvc.model.bundle import Bundle
from recsvc.pipeline.item_copy import ContentJob, look_up
from recsvc.pipeline.list_id import recommendation_id
from recsvc.pipeline.query_plan import QueryPlan, QueryPlanner, ServingResources
from recsvc.pipeline.slate import Eligibility, Slate, build_slate, next_page, with_exploration
from recsvc.pipeline.why_not import BlockScores, ItemDiagnosis, block_scores, diagnose
from recsvc.ranking import Ranking
from recsvc.reasons import ContentWriter
from recsvc.retrieval.item_snapshot import ItemSnapshot
from recsvc.retrieval.scorers import similar_to
from recsvc.runtime.metrics import DEGRADED
from recsvc.users.audience import Audience, find_audience
from recsvc.users.taste import TasteProfile, taste_profile
from recsvc.users.user_state import state_of
from recsvc.users.user_state_cache import UserStateCache

# How much of a ranking is kept for the pages that follow.
PAGED_ITEMS = 500
# A page that explores does so among so many times its items.
EXPLORED_PAGES = 4
# Surfaces whose lists are the same for everybody, but for what a user may not be shown.
FOR_EVERYBODY = frozenset({Surface.SIMILAR, Surface.POPULAR, Surface.TRENDING})
# With less time left than this a request goes without reasons: the list comes first.
REASON_SECONDS = 0.02


class Recommender:
    """Answers queries from one bundle. All state is in the store; what is kept here is a cache.

    before: one of the same bundle with fewer items; it may still be answering.
    """

    def __init__(self, live: ItemSnapshot, shared: ServingResources, before: "Recommender | None" = None) -> None:
        bundle = live.bundle
        self.bundle_id = bundle.bundle_id
        self._live = live
        self._bundle = bundle
        self._shared = shared
        self._states: UserStateCache = UserStateCache(
            bundle, shared.store, shared.threads["tower"], shared.config.cache_size, before._states if before else None
        )
        self._explainer = Explainer(bundle, shared.reasons)
        self._rng = np.random.default_rng()
        self._planner = QueryPlanner(live, shared, self._states)

    @classmethod
    def of(cls, bundle: Bundle, shared: ServingResources) -> "Recommender":
        """For a bundle as it was trained."""
        return cls(ItemSnapshot(bundle, shared.threads["search"]), shared)

    async def warm_up(self) -> None:
        """Does what is slow the first time."""
        await self._live.warm_up()

    async def close(self) -> None:
        """Finishes what is being written back."""
        await self._states.close()

    async def with_changes(self, changes: Sequence[ItemChange]) -> "Recommender":
        """The recommender that knows of these changes: this one, or, where words are new, another beside it.

        One call at a time: meanwhile nothing else may change what is live.
        """
        catalogue = self._live.catalogue
        contents = [c.value for c in changes if isinstance(c.value, ItemContent) and catalogue.is_news(c)]
        # Stock does not wait for the words; and words that fail are still news when they come again.
        catalogue.apply(change for change in changes if change.field is not ItemField.CONTENT)
        if not contents:
            return self
        live = await asyncio.to_thread(self._live.with_items, contents)
        live.catalogue.apply(changes)
        return Recommender(live, self._shared, self)

    def knows_item(self, item_id: str) -> bool:
        return item_id in self._bundle.catalogue

    def content_job(self, request: ContentRequest, writer: ContentWriter) -> ContentJob:
        """What is to be written of an item. Raises InvalidRequest and ItemNotFound."""
        return look_up(self._live, writer, request)

    def forget(self, hashes: Set[int]) -> None:
        """Drops what this process keeps of erased users, who are told by `recsvc.store.hash_of`."""
        self._states.forget(hashes)

    async def taste_profile(self, user_id: str) -> TasteProfile:
        """What is believed of a user. Raises StoreUnavailable."""
        record = await self._shared.store.read(user_id, self.bundle_id) or UserRecord(user_id)
        state = state_of(record, self._bundle)
        return taste_profile(self._bundle, record.profile, record.taste, state.bought_rows, state.purchases)

    async def recommend(self, query: Query) -> RecommendationList:
        """The best items for a user. Does not fail when the store does: the answer is then marked degraded."""
        explain = query.reasons and _has_time_for_reasons(query)
        plan = await self._planner.plan(query, explain=explain)
        if query.reasons and not explain:
            plan.degraded.add(Degradation.REASONS_DROPPED)
        candidates: tuple[str, ...] = ()
        if query.page is not None:
            found, page = next_page(self._live, plan.scorer, query.k, plan.eligibility, query.page)
        else:
            found, page, candidates = await self._first_page(query, plan)
        reasons: Iterable[Reason | None] = repeat(None)
        if explain:
            reasons = self._explainer.reasons(
                query, plan.state, plan.scorer, plan.left_out, found.ranking.rows, found.competitors
            )
        before = query.page.shown if query.page is not None else 0
        recommendations = self._listed(found.ranking, reasons, found.backfilled, before)
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
        )

    async def diagnose(self, query: Query, item_id: str) -> ItemDiagnosis:
        """Where an item stands in the list of a query."""
        plan = await self._planner.plan(query, explain=False)
        found = await build_slate(self._live, plan.scorer, query.k, plan.eligibility, query.rules)
        return await diagnose(self._live, query, plan.state, plan.scorer, plan.eligibility, found, item_id)

    async def block_scores(self, user_id: str, item_ids: Sequence[str]) -> tuple[list[BlockScores], int]:
        """What the scores of items for a user are made of now, nothing for unknown items; and the version of the user's
        record.
        """
        plan = await self._planner.plan(Query(user_id, 1, reasons=False), explain=False)
        rows = [self._bundle.catalogue.row(item_id) for item_id in item_ids]
        return [block_scores(plan.scorer, row) if row is not None else () for row in rows], plan.state.version

    async def _first_page(self, query: Query, plan: QueryPlan) -> tuple[Slate, Page, tuple[str, ...]]:
        """What of the list is shown first, the whole of it where it will be continued, and what it explored among."""
        listed = PAGED_ITEMS if query.paged else query.k * EXPLORED_PAGES if query.exploration else query.k
        found = await build_slate(self._live, plan.scorer, listed, plan.eligibility, query.rules)
        candidates = NO_ROWS
        if query.exploration:
            found, candidates = with_exploration(self._live, found, query.k, query.rules, query.exploration, self._rng)
        rows, scores = found.ranking
        list_id = recommendation_id(query.placement, query.arm, self.bundle_id)
        page = Page(list_id, self.bundle_id, self._ids(rows) if query.paged else (), query.k)
        first = replace(found, ranking=Ranking(rows[: query.k], scores[: query.k]))
        return first, page, self._ids(candidates)

    async def audience(
        self, item_id: str, k: int, new_buyers_only: bool, deadline: float | None
    ) -> tuple[list[tuple[str, float]], int, bool]:
        """The k users whom an item suits best, and how much; how many users were looked at, and whether those are all.

        deadline: event-loop time by which the answer must be out. Raises ItemNotFound and StoreUnavailable.
        """
        row = self._bundle.catalogue.row(item_id)
        if row is None:
            raise ItemNotFound(item_id)
        audience = Audience(self._bundle, row, k, new_buyers_only)
        complete = await find_audience(audience, self._shared.store, self._states, deadline)
        return audience.best(), audience.users, complete

    async def similar_items(
        self, item_id: str, k: int, excluded_item_ids: frozenset[str], item_filter: ItemFilter
    ) -> SimilarItemList:
        """The k items nearest to one. Raises ItemNotFound."""
        row = self._bundle.catalogue.row(item_id)
        if row is None:
            raise ItemNotFound(item_id)
        excluded = np.unique(np.append(self._bundle.catalogue.rows(excluded_item_ids), np.int32(row)))
        scope = Eligibility(excluded, self._live.catalogue.select(item_filter))
        found = await build_slate(self._live, similar_to(self._live, row), k, scope, NO_RULES)
        return SimilarItemList(recommendation_id("", "", self.bundle_id), self.bundle_id, self._listed(found.ranking))

    def _ids(self, rows: Rows) -> tuple[str, ...]:
        items = self._bundle.catalogue.items
        return tuple(items[row].item_id for row in rows.tolist())

    def _listed(
        self,
        ranking: Ranking,
        reasons: Iterable[Reason | None] = repeat(None),
        backfilled: Rows = NO_ROWS,
        before: int = 0,
    ) -> tuple[Recommendation, ...]:
        items, fills_up = self._bundle.catalogue.items, set(backfilled.tolist())
        listed = zip(ranking.rows.tolist(), ranking.scores.tolist(), reasons)  # noqa: B905  reasons may be endless
        return tuple(
            Recommendation(items[row], score, i, reason, row in fills_up)
            for i, (row, score, reason) in enumerate(listed, before + 1)
        )


def _has_time_for_reasons(query: Query) -> bool:
    return query.deadline is None or query.deadline - asyncio.get_running_loop().time() > REASON_SECONDS
