"""The use case, top to bottom: a query to a list of items, each with evidence and a reason."""

import asyncio
import time
import uuid
import zlib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from recsvc.bundle import Bundle
from recsvc.domain import (
    Degradation,
    ItemChange,
    ItemContent,
    ItemField,
    ItemFilter,
    Query,
    Reason,
    Recommendation,
    RecommendationList,
    RepeatPolicy,
)
from recsvc.errors import ItemNotFound
from recsvc.evidence import UserFacts
from recsvc.explain import Explainer
from recsvc.final_gate import let_pass
from recsvc.live_bundle import LiveBundle
from recsvc.live_catalogue import Selection
from recsvc.metrics import DEGRADED
from recsvc.ranking import NO_ROWS, NO_SCORES, Ranking, rank
from recsvc.reasons import ReasonWriter
from recsvc.repeats import MICROSECONDS_AN_HOUR, repeat_scores
from recsvc.store import UserStore
from recsvc.towers.confidence import MICROSECONDS_A_DAY
from recsvc.towers.user import LeftOut
from recsvc.user_states import UserState, UserStates, in_visit

# How many items below a page compete for it: what an item must lose against before an anchor is called causal.
COMPETITORS = 32
# Pages of one user whose evidence and reasons are kept until the history changes or the hour passes.
EXPLAINED_PAGES = 4
# With less time left than this a request goes without reasons: the list comes first.
REASON_SECONDS = 0.02

Rows = NDArray[np.int32]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SimilarItemList:
    """The neighbours of an item, nearest first."""

    recommendation_id: str
    bundle_id: str
    neighbours: tuple[Recommendation, ...]


@dataclass(frozen=True)
class Shared:
    """What the recommenders of one process share. threads: "search" and "tower". cache_size: users that are kept."""

    store: UserStore
    reasons: ReasonWriter
    threads: Mapping[str, Executor]
    cache_size: int


class Recommender:
    """Answers queries from one bundle. All state is in the store; what is kept here is a cache.

    before: one of the same bundle with fewer items; it may still be answering.
    """

    def __init__(self, live: LiveBundle, shared: Shared, before: "Recommender | None" = None) -> None:
        bundle = live.bundle
        self.bundle_id = bundle.bundle_id
        self._live = live
        self._bundle = bundle
        self._shared = shared
        self._states: UserStates = UserStates(
            bundle, shared.store, shared.threads["tower"], shared.cache_size, before._states if before else None
        )
        self._explainer = Explainer(bundle, shared.reasons)
        self._item_repeats = bundle.item_repeats

    @classmethod
    def of(cls, bundle: Bundle, shared: Shared) -> "Recommender":
        """For a bundle as it was trained."""
        return cls(LiveBundle(bundle, shared.threads["search"]), shared)

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

    def forget(self, user_id: str) -> None:
        """Drops what this process keeps of an erased user."""
        self._states.forget(user_id)

    async def recommend(self, query: Query) -> RecommendationList:
        """The best items for a user. Does not fail when the store does: the answer is then marked degraded."""
        state, fresh = await self._states.known(query.user_id)
        degraded = [] if fresh else [Degradation.STORE_UNAVAILABLE]
        if state.version < query.min_freshness:
            degraded.append(Degradation.STALE)
        catalogue = self._bundle.catalogue
        viewed, cart = catalogue.rows(query.viewed), catalogue.rows(query.cart)
        if len(viewed) or len(cart):
            state = in_visit(state, viewed, cart, _now(query))
        explain = query.reasons and _has_time_for_reasons(query)
        if query.reasons and not explain:
            degraded.append(Degradation.REASONS_DROPPED)
        user_vector = await self._states.complete(query.user_id, state, left_out=explain)

        excluded, selection = self._excluded_rows(query, state), self._live.catalogue.select(query.filter)
        if query.candidates is not None:
            excluded, selection = state.hidden_rows, self._live.catalogue.among(catalogue.rows(query.candidates))
        elif len(viewed) or len(cart):
            excluded = np.unique(np.concatenate((excluded, viewed, cart)))
        repeats = self._repeats(query, state)
        ranking = await self._ranked(user_vector, query.k, excluded, repeats, selection)
        matching = len(ranking.rows)
        if query.backfill and matching < query.k:
            shown = np.union1d(excluded, ranking.rows)
            rest = self._live.catalogue.select(query.filter.unyielding())
            others = await self._ranked(user_vector, query.k - matching, shown, repeats, rest)
            ranking = Ranking(np.append(ranking.rows, others.rows), np.append(ranking.scores, others.scores))
        if explain:
            recommendations = self._explained(query, state, user_vector, ranking, repeats)
        else:
            recommendations = self._listed(_first(ranking, query.k))
        if query.backfill:
            recommendations = tuple(replace(r, backfilled=r.rank > matching) for r in recommendations)
        for degradation in degraded:
            DEGRADED.labels(degradation.value).inc()
        return RecommendationList(
            uuid.uuid4().hex, self.bundle_id, recommendations, state.personalised, tuple(degraded)
        )

    async def recommend_page(self, queries: Sequence[Query]) -> list[RecommendationList]:
        """A list for each query, in their order; no item is in two of them."""
        answers: list[RecommendationList] = []
        shown: frozenset[str] = frozenset()
        for query in queries:
            answer = await self.recommend(replace(query, excluded_item_ids=query.excluded_item_ids | shown))
            shown |= {recommendation.item.item_id for recommendation in answer.recommendations}
            answers.append(answer)
        return answers

    async def _ranked(
        self, user_vector: Floats, k: int, excluded: Rows, repeats: tuple[Rows, Floats], selection: Selection | None
    ) -> Ranking:
        """The k best of the selection, and COMPETITORS after them."""
        candidates = await self._live.search(user_vector, k + len(excluded), selection)
        if selection is not None:
            wanted = selection.allowed[repeats[0]]
            repeats = repeats[0][wanted], repeats[1][wanted]
        ranking = rank(user_vector, self._bundle.item_vectors, candidates, k + COMPETITORS, excluded, *repeats)
        return let_pass(ranking, self._live.catalogue, excluded)

    async def similar_items(
        self, item_id: str, k: int, excluded_item_ids: frozenset[str], item_filter: ItemFilter
    ) -> SimilarItemList:
        """The k items nearest to one. Raises ItemNotFound."""
        row = self._bundle.catalogue.row(item_id)
        if row is None:
            raise ItemNotFound(item_id)
        excluded = np.unique(np.append(self._bundle.catalogue.rows(excluded_item_ids), np.int32(row)))
        vector = self._live.neighbour_vectors[row]
        candidates = await self._live.search_neighbours(
            vector, k + len(excluded), self._live.catalogue.select(item_filter)
        )
        ranking = rank(vector, self._live.neighbour_vectors, candidates, k + COMPETITORS, excluded)
        ranking = let_pass(ranking, self._live.catalogue, excluded)
        return SimilarItemList(uuid.uuid4().hex, self.bundle_id, self._listed(_first(ranking, k)))

    def _excluded_rows(self, query: Query, state: UserState) -> Rows:
        excluded = state.hidden_rows
        if query.excluded_item_ids:
            excluded = np.union1d(excluded, self._bundle.catalogue.rows(query.excluded_item_ids))
        if query.repeats is RepeatPolicy.EXCLUDE:
            return np.union1d(excluded, state.held_rows)
        if self._masked(query):
            return np.union1d(excluded, state.bought_rows)
        return excluded

    def _masked(self, query: Query) -> bool:
        return query.repeats is RepeatPolicy.UNSPECIFIED and self._bundle.model.repeats.masked

    def _repeats(self, query: Query, state: UserState) -> tuple[Rows, Floats]:
        if query.repeats is RepeatPolicy.EXCLUDE or self._masked(query) or not len(state.bought_rows):
            return NO_ROWS, NO_SCORES
        now = _now(query)
        hour = now // MICROSECONDS_AN_HOUR  # by which the scores move
        if state.repeats is None or state.repeats[0] != hour:
            scores = repeat_scores(state.history, now, self._item_repeats, self._bundle.model.repeats)
            state.repeats = hour, scores
        return state.repeats[1]

    def _listed(self, ranking: Ranking, reasons: Iterable[Reason | None] = repeat(None)) -> tuple[Recommendation, ...]:
        items = self._bundle.catalogue.items
        listed = zip(ranking.rows.tolist(), ranking.scores.tolist(), reasons)  # noqa: B905  reasons may be endless
        return tuple(Recommendation(items[row], score, i, reason) for i, (row, score, reason) in enumerate(listed, 1))

    def _explained(
        self,
        query: Query,
        state: UserState,
        user_vector: Floats,
        ranking: Ranking,
        repeats: tuple[Rows, Floats],
    ) -> tuple[Recommendation, ...]:
        """The first k of the ranking, explained; what is ranked below them is what competed for the page."""
        now = _now(query)
        # All that the explanation depends on: the state is of one version, and repeat scores move by the hour.
        key = (now // MICROSECONDS_AN_HOUR, query.language, query.k, ranking.rows.tobytes())
        reasons = state.explained.get(key)
        if reasons is None:
            if state.preferences is None:
                state.preferences = self._explainer.preferences(state.bought_rows, state.purchases)
            left_out = state.left_out or LeftOut(NO_ROWS, np.empty((0, len(user_vector)), np.float32), None)
            facts = UserFacts(
                user_vector,
                state.bought_rows,
                state.purchases,
                left_out.rows,
                left_out.vectors,
                left_out.without_profile,
                *repeats,
                state.preferences,
            )
            # The same words for the same user all day: a page that rewords itself at every reload looks made up.
            seed = zlib.crc32(f"{query.user_id}:{now // MICROSECONDS_A_DAY}".encode())
            page = ranking.rows[: query.k]
            reasons = self._explainer.explain(facts, page, ranking.rows, query.language, seed)
            if len(state.explained) >= EXPLAINED_PAGES:
                state.explained.clear()
            state.explained[key] = reasons
        return self._listed(_first(ranking, query.k), reasons)


def _first(ranking: Ranking, k: int) -> Ranking:
    return Ranking(ranking.rows[:k], ranking.scores[:k])


def _now(query: Query) -> int:
    """Microseconds since 1970 UTC: the time at which the list is shown."""
    return query.time if query.time is not None else time.time_ns() // 1000


def _has_time_for_reasons(query: Query) -> bool:
    return query.deadline is None or query.deadline - asyncio.get_running_loop().time() > REASON_SECONDS
