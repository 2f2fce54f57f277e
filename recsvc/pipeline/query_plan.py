"""Plans one query: loads the user, picks the surface's scorer, and works out which items are eligible."""

from collections import OrderedDict
from collections.abc import Set
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from recsvc.domain.arrays import Rows
from recsvc.domain.degradation import Degradation
from recsvc.domain.query import Query, RepeatPolicy, Surface
from recsvc.model.history_bonus import HistoryBonus, sum_of
from recsvc.model.repeat_purchase import resting_rows
from recsvc.model.towers.user import LeftOut
from recsvc.pipeline.serving_resources import ServingResources
from recsvc.pipeline.slate import Eligibility
from recsvc.ranking import Ranking
from recsvc.retrieval.item_snapshot import ItemSnapshot
from recsvc.retrieval.kept_rankings import KeptRankings
from recsvc.retrieval.query_encoder import QueryEncoder
from recsvc.retrieval.scorers import OWN_TASTE_WEIGHT, Scorer, SimilarityScorer, VectorScorer, buy_again, similar_to
from recsvc.retrieval.search_scorer import ASIDE_TASTE_WEIGHT, TASTE_WEIGHT, SearchScorer
from recsvc.users.bonus_cache import BonusCache
from recsvc.users.user_state import UserState, cart_as_history
from recsvc.users.user_state_cache import UserStateCache

# Items whose similar items are kept, those asked for last. Few products have most of the visitors.
SIMILAR_ITEMS_KEPT = 4_096


@dataclass(frozen=True, kw_only=True)
class QueryPlan:
    """How one query is answered.

    Attributes:
        state: Of the user, with the events of this visit.
        scorer: Ranks the items.
        eligibility: Which items may be listed.
        left_out: Explains the user vector; None unless the plan is to be explained and the user vector alone ranks.
        degraded: What the answer lacks. A later stage that drops something adds it.
    """

    state: UserState
    scorer: Scorer
    eligibility: Eligibility
    left_out: LeftOut | None
    degraded: set[Degradation]

    @property
    def corrected_query(self) -> str:
        """The text of the search with corrected words; '' if none was corrected."""
        return self.scorer.terms.corrected if isinstance(self.scorer, SearchScorer) else ""


class QueryPlanner:
    """Plans queries for one item snapshot.

    Args:
        snapshot: The items.
        shared: What the recommenders of the process share.
        states: Loads the users.
    """

    def __init__(self, snapshot: ItemSnapshot, shared: ServingResources, states: UserStateCache) -> None:
        self._snapshot = snapshot
        self._catalogue = snapshot.bundle.catalogue
        self._shared = shared
        self._states = states
        self._bonuses = BonusCache(snapshot.bundle)
        # Dropped with the state, and with the snapshot: both say what a search finds.
        self._rankings: WeakKeyDictionary[UserState, KeptRankings] = WeakKeyDictionary()
        self._similar: OrderedDict[int, SimilarityScorer] = OrderedDict()
        self._item_repeats = snapshot.bundle.item_repeats
        self._exclude_bought = snapshot.bundle.model.repeats.exclude_bought
        self._query_encoder = QueryEncoder(
            snapshot,
            shared.encode,
            shared.threads.search,
            has_word=shared.has_word,
            synonyms=shared.synonyms_in(snapshot.word_index.words),
        )

    async def plan(self, query: Query, *, explain: bool) -> QueryPlan:
        """Plans a query. explain: whether the answer needs reasons, which take more vectors of the user."""
        state, fresh = await self._states.get(query.user_id)
        degraded = set() if fresh else {Degradation.STORE_UNAVAILABLE}
        if state.version < query.min_freshness:
            degraded.add(Degradation.STALE)
        viewed, cart = self._catalogue.rows(query.viewed), self._catalogue.rows(query.cart)
        if len(viewed) or len(cart):
            state = self._states.in_visit(query.user_id, state, viewed, cart, query.now)
        left_out = None
        scorer, fresh = await self._surface_scorer(query, state, viewed, cart)
        if scorer is None and query.text:
            scorer = await self._search_scorer(query, state, ASIDE_TASTE_WEIGHT)
        if isinstance(scorer, SearchScorer) and scorer.terms.meaning is None:
            degraded.add(Degradation.SEARCH_BY_WORDS)
            if query.surface is not Surface.SEARCH:
                scorer = None  # the words alone seldom fill a list for the user
        if scorer is None:
            scorer, left_out = await self._personal_scorer(query, state, explain=explain)
        if not fresh:
            degraded.add(Degradation.STORE_UNAVAILABLE)
        degraded |= self._degradations(query, degraded)
        eligibility = self._eligibility(query, state, viewed, cart)
        return QueryPlan(state=state, scorer=scorer, eligibility=eligibility, left_out=left_out, degraded=degraded)

    def similar_to(self, row: int) -> SimilarityScorer:
        """Returns the scorer by the similarity to the item of a row."""
        scorer = self._similar.get(row)
        if scorer is None:
            scorer = self._similar[row] = similar_to(self._snapshot, row)
            while len(self._similar) > SIMILAR_ITEMS_KEPT:
                self._similar.popitem(last=False)
        self._similar.move_to_end(row)
        return scorer

    def _degradations(self, query: Query, degraded: Set[Degradation]) -> Set[Degradation]:
        """Returns what the list lacks by the condition of the process."""
        condition = self._shared.store.condition.degradations
        if condition and Degradation.STORE_UNAVAILABLE in degraded:  # which says as much
            condition -= {Degradation.ITEMS_BEHIND, Degradation.STORE_SLOW, Degradation.WRITES_REFUSED}
        return condition if query.reasons else condition - {Degradation.REASONS_PLAIN}

    async def _surface_scorer(
        self, query: Query, state: UserState, viewed: Rows, cart: Rows
    ) -> tuple[Scorer | None, bool]:
        """Returns the surface's own scorer, or None if it has none; and False if Redis did not answer."""
        match query.surface:
            case Surface.POPULAR | Surface.TRENDING:
                return await self._shared.popularity.scorer(self._snapshot, query.surface, query.segment)
            case Surface.SIMILAR if len(viewed):
                return self.similar_to(int(viewed[-1])), True
            case Surface.BUY_AGAIN:
                return buy_again(self._snapshot, state.history, query.now), True
            case Surface.CART if len(cart):
                user_vector = await self._states.ensure_vector(query.user_id, state)
                cart_state = cart_as_history(state, cart, query.now)
                cart_vector = await self._states.ensure_vector(query.user_id, cart_state)
                own = self._bonuses.neighbours(state).neighbours
                own = Ranking(own.rows, np.float32(OWN_TASTE_WEIGHT) * own.scores)
                bonus = HistoryBonus.of(sum_of(self._bonuses.neighbours(cart_state).neighbours, own))
                return VectorScorer(self._snapshot, cart_vector + OWN_TASTE_WEIGHT * user_vector, bonus), True
            case Surface.SEARCH if query.text:
                return await self._search_scorer(query, state, TASTE_WEIGHT), True
        return None, True

    async def _search_scorer(self, query: Query, state: UserState, taste_weight: float) -> SearchScorer:
        user_vector = await self._states.ensure_vector(query.user_id, state)
        terms = await self._query_encoder.search_terms(query.text)
        return SearchScorer(self._snapshot, terms, user_vector, taste_weight)

    async def _personal_scorer(
        self, query: Query, state: UserState, *, explain: bool
    ) -> tuple[VectorScorer, LeftOut | None]:
        """Returns the scorer of the user vector, and the vectors that explain it."""
        left_out = None
        if explain:
            user_vector, left_out = await self._states.ensure_left_out(query.user_id, state)
        else:
            user_vector = await self._states.ensure_vector(query.user_id, state)
        kept = self._rankings.setdefault(state, KeptRankings())
        return VectorScorer(self._snapshot, user_vector, self._bonus(query, state), kept), left_out

    def _eligibility(self, query: Query, state: UserState, viewed: Rows, cart: Rows) -> Eligibility:
        inventory = self._snapshot.inventory
        if query.candidates is not None:
            candidates = inventory.among(self._catalogue.rows(query.candidates))
            return Eligibility(state.hidden_rows, candidates, (), inventory.version)
        excluded = self._excluded_rows(query, state)
        if len(viewed) or len(cart):
            excluded = np.unique(np.concatenate((excluded, viewed, cart)))
        backfill = (inventory.select(query.filter.exclusions()),) if query.backfill else ()
        return Eligibility(excluded, inventory.select(query.filter), backfill, inventory.version)

    def _excluded_rows(self, query: Query, state: UserState) -> Rows:
        """Returns the rows that the user, the caller or the repeat policy excludes."""
        excluded = state.hidden_rows
        if query.excluded_item_ids:
            excluded = np.union1d(excluded, self._catalogue.rows(query.excluded_item_ids))
        if query.repeats is RepeatPolicy.WHEN_DUE:
            return _union(excluded, resting_rows(state.history, query.now, self._item_repeats))
        if query.surface is Surface.BUY_AGAIN:
            return excluded
        if query.repeats is RepeatPolicy.EXCLUDE:
            return _union(excluded, state.held_rows)
        if self._excludes_bought(query):
            return _union(excluded, state.ever_bought_rows)
        return excluded

    def _excludes_bought(self, query: Query) -> bool:
        """Returns whether what was bought, or bought and sent back, is left out: nobody buys again in this shop."""
        unspecified = query.repeats is RepeatPolicy.UNSPECIFIED and query.surface is not Surface.SEARCH
        return unspecified and self._exclude_bought

    def _bonus(self, query: Query, state: UserState) -> HistoryBonus:
        """Returns what the history adds to the scores; without the repeat bonus if bought items are left out."""
        if query.repeats is RepeatPolicy.EXCLUDE or self._excludes_bought(query):
            return self._bonuses.neighbours(state)
        return self._bonuses.of(state, query.now)


def _union(excluded: Rows, rows: Rows) -> Rows:
    """Returns all rows of both, distinct. `rows` are distinct already."""
    return np.union1d(excluded, rows) if len(excluded) else rows
