"""What a query comes to, for its user and now: what ranks the items, and which of them may be listed."""

from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.query import Degradation, Query, RepeatPolicy, Surface
from recsvc.model.repeat_purchase import MICROSECONDS_AN_HOUR, repeat_scores, resting_rows
from recsvc.pipeline.popularity_scorer import Popularity
from recsvc.pipeline.slate import Eligibility
from recsvc.ranking import NOTHING, Ranking
from recsvc.reasons import ReasonWriter
from recsvc.retrieval.item_snapshot import ItemSnapshot
from recsvc.retrieval.query_encoder import QueryEncoder
from recsvc.retrieval.scorers import OWN_TASTE, Scorer, VectorScorer, buy_again, search, similar_to
from recsvc.store import UserStore
from recsvc.users.user_state import UserState, UserStateCache, cart_as_history, with_session_events

Rows = NDArray[np.int32]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class ServingResources:
    """What the recommenders of one process share. threads: "search" and "tower". cache_size: users that are kept."""

    store: UserStore
    reasons: ReasonWriter
    popularity: Popularity
    encode: Callable[[str], Awaitable[Floats]]
    threads: Mapping[str, Executor]
    cache_size: int


@dataclass(frozen=True)
class QueryPlan:
    """degraded: what had to be done without."""

    state: UserState
    scoring: Scorer
    scope: Eligibility
    degraded: set[Degradation]


class QueryPlanner:
    """Looks a query's user up and works out what the query's surface asks for, in one bundle."""

    def __init__(self, live: ItemSnapshot, shared: ServingResources, states: UserStateCache) -> None:
        self._live = live
        self._bundle = live.bundle
        self._shared = shared
        self._states = states
        self._item_repeats = live.bundle.item_repeats
        self._texts = QueryEncoder(live, shared.encode, shared.threads["search"])

    async def __call__(self, query: Query, explain: bool) -> QueryPlan:
        """explain: what explains the user vector is wanted too."""
        state, fresh = await self._states.known(query.user_id)
        degraded = set() if fresh else {Degradation.STORE_UNAVAILABLE}
        if state.version < query.min_freshness:
            degraded.add(Degradation.STALE)
        viewed, cart = self._bundle.catalogue.rows(query.viewed), self._bundle.catalogue.rows(query.cart)
        if len(viewed) or len(cart):
            state = with_session_events(state, viewed, cart, query.now)
        scoring, fresh = await self._scoring(query, state, viewed, cart, explain)
        if not fresh:
            degraded.add(Degradation.STORE_UNAVAILABLE)
        return QueryPlan(state, scoring, self._scope(query, state, viewed, cart), degraded)

    async def _scoring(
        self, query: Query, state: UserState, viewed: Rows, cart: Rows, explain: bool
    ) -> tuple[Scorer, bool]:
        """What the query's surface ranks by, and False if it needed the store and did not get it."""
        match query.surface:
            case Surface.POPULAR | Surface.TRENDING:
                return await self._shared.popularity.order(self._live, query.surface, query.segment)
            case Surface.SIMILAR if len(viewed):
                return similar_to(self._live, int(viewed[-1])), True
            case Surface.BUY_AGAIN:
                return buy_again(self._live, state.history, query.now), True
            case Surface.CART if len(cart):
                own = await self._states.complete(query.user_id, state, left_out=False)
                basket = cart_as_history(state, cart, query.now)
                together = await self._states.complete(query.user_id, basket, left_out=False)
                return VectorScorer(self._live, together + OWN_TASTE * own), True
            case Surface.SEARCH if query.text:
                own = await self._states.complete(query.user_id, state, left_out=False)
                wanted = await self._texts.vector(query.text)
                return search(self._live, wanted, await self._texts.matches(query.text), own), True
        user_vector = await self._states.complete(query.user_id, state, left_out=explain)
        if query.text:
            wanted = await self._texts.vector(query.text)
            user_vector = user_vector + np.float32(np.linalg.norm(user_vector)) * wanted
        return VectorScorer(self._live, user_vector, self._repeats(query, state)), True

    def _scope(self, query: Query, state: UserState, viewed: Rows, cart: Rows) -> Eligibility:
        catalogue = self._live.catalogue
        if query.candidates is not None:
            return Eligibility(state.hidden_rows, catalogue.among(self._bundle.catalogue.rows(query.candidates)))
        excluded = self._excluded_rows(query, state)
        if len(viewed) or len(cart):
            excluded = np.unique(np.concatenate((excluded, viewed, cart)))
        rest = (catalogue.select(query.filter.unyielding()),) if query.backfill else ()
        return Eligibility(excluded, catalogue.select(query.filter), rest)

    def _excluded_rows(self, query: Query, state: UserState) -> Rows:
        excluded = state.hidden_rows
        if query.excluded_item_ids:
            excluded = np.union1d(excluded, self._bundle.catalogue.rows(query.excluded_item_ids))
        if query.repeats is RepeatPolicy.WHEN_DUE:
            return np.union1d(excluded, resting_rows(state.history, query.now, self._item_repeats))
        if query.surface is Surface.BUY_AGAIN:
            return excluded
        if query.repeats is RepeatPolicy.EXCLUDE:
            return np.union1d(excluded, state.held_rows)
        if self._masked(query):
            return np.union1d(excluded, state.bought_rows)
        return excluded

    def _masked(self, query: Query) -> bool:
        """Whether what the user bought is left out: nobody here buys again. But who looks for a thing may have it."""
        unspecified = query.repeats is RepeatPolicy.UNSPECIFIED and query.surface is not Surface.SEARCH
        return unspecified and self._bundle.model.repeats.exclude_bought

    def _repeats(self, query: Query, state: UserState) -> Ranking:
        if query.repeats is RepeatPolicy.EXCLUDE or self._masked(query) or not len(state.bought_rows):
            return NOTHING
        now = query.now
        hour = now // MICROSECONDS_AN_HOUR  # by which the scores move
        if state.repeats is None or state.repeats[0] != hour:
            scores = repeat_scores(state.history, now, self._item_repeats, self._bundle.model.repeats)
            state.repeats = hour, Ranking(*scores)
        return state.repeats[1]
