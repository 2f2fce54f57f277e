"""Evidence and reasons for one page: what the arrays say, joined with the catalogue's names, put into words."""

import zlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recsvc.bundle import Bundle
from recsvc.compose import Composed
from recsvc.domain import Evidence, EvidenceKind, Reason
from recsvc.evidence import Fact, ItemFacts, Preferences, UserFacts, page_facts, preferences_of
from recsvc.metrics import REASONS, REASONS_MISSING
from recsvc.query import Query
from recsvc.ranking import NO_ROWS
from recsvc.reasons import ReasonWriter
from recsvc.repeats import MICROSECONDS_AN_HOUR
from recsvc.surfaces import ByVector, Scoring
from recsvc.towers.confidence import MICROSECONDS_A_DAY
from recsvc.towers.user import LeftOut
from recsvc.user_states import UserState

# Pages of one user whose evidence and reasons are kept until the history changes or the hour passes.
EXPLAINED_PAGES = 4


class Explainer:
    """Explains pages of one bundle."""

    def __init__(self, bundle: Bundle, reasons: ReasonWriter) -> None:
        self._bundle = bundle
        self._reasons = reasons
        self._items = _item_facts(bundle)
        catalogue = bundle.catalogue
        self._names = {EvidenceKind.BRAND: catalogue.brands.names, EvidenceKind.CATEGORY: catalogue.categories[1]}

    def reasons(self, query: Query, state: UserState, scoring: Scoring, found: Composed) -> Sequence[Reason | None]:
        """Why each item is in the list; kept for when the user comes back to the page."""
        now, rows = query.now, found.ranking.rows
        # All that the explanation depends on: the state is of one version, and repeat scores move by the hour.
        key = (now // MICROSECONDS_AN_HOUR, query.language, query.surface, rows.tobytes(), found.competitors.tobytes())
        reasons = state.explained.get(key)
        if reasons is None:
            # The same words for the same user all day: a page that rewords itself at every reload looks made up.
            seed = zlib.crc32(f"{query.user_id}:{now // MICROSECONDS_A_DAY}".encode())
            facts = self._facts(state, scoring)
            reasons = self._explain(facts, rows, found.competitors, query.language, seed)
            if len(state.explained) >= EXPLAINED_PAGES:
                state.explained.clear()
            state.explained[key] = reasons
        return reasons

    def _facts(self, state: UserState, scoring: Scoring) -> UserFacts:
        if state.preferences is None:
            state.preferences = self._preferences(state.bought_rows, state.purchases)
        nothing = np.zeros(self._bundle.item_vectors.shape[1], np.float32)
        vector, left_out = nothing, LeftOut(NO_ROWS, nothing[None][:0], None)
        # What was left out of the history says something of a list that the user's own vector ranked, and of no other.
        if isinstance(scoring, ByVector) and scoring.vector is state.user_vector and state.left_out is not None:
            vector, left_out = scoring.vector, state.left_out
        return UserFacts(
            vector,
            state.bought_rows,
            state.purchases,
            left_out.rows,
            left_out.vectors,
            left_out.without_profile,
            *scoring.gains,
            state.preferences,
        )

    def _preferences(self, bought_rows: NDArray[np.int32], purchases: NDArray[np.int32]) -> Preferences:
        """The brands and categories that a user buys more than others do."""
        return preferences_of(self._items, bought_rows, purchases)

    def _explain(
        self,
        user: UserFacts,
        page_rows: NDArray[np.int32],
        pool_rows: NDArray[np.int32],
        language: str,
        seed: int,
    ) -> list[Reason | None]:
        """A reason with its evidence for each item of a page; None where there is nothing true to say.

        pool_rows: what competed for the page. seed: keeps the choice of words stable.
        """
        facts = page_facts(user, self._items, self._bundle.item_vectors, page_rows, pool_rows)
        items = [self._bundle.catalogue.items[row] for row in page_rows]
        evidence = [tuple(map(self._named, found)) for found in facts]
        reasons = self._reasons.write_page(list(zip(items, evidence, strict=True)), language, seed)
        written = Counter(reason.evidence[0].kind for reason in reasons if reason is not None)
        for kind, count in written.items():
            REASONS.labels(kind.value, language).inc(count)
        REASONS_MISSING.inc(len(reasons) - written.total())
        return reasons

    def _named(self, fact: Fact) -> Evidence:
        kind, names = fact.kind, self._names.get(fact.kind)
        anchor = self._bundle.catalogue.items[fact.anchor_row] if fact.anchor_row >= 0 else None
        value = names[fact.code] if names is not None else ""
        days = self._bundle.model.popularity_days if kind is EvidenceKind.POPULARITY else 0
        return Evidence(kind, fact.strength, fact.effect, fact.share, anchor, value, fact.count, days, fact.lift)


def _item_facts(bundle: Bundle) -> ItemFacts:
    brands = bundle.catalogue.brands
    categories, category_names = bundle.catalogue.categories
    return ItemFacts(
        similarity=bundle.item_vectors[:, bundle.layout.text],
        similar_from=bundle.model.similar_from,
        brands=brands.codes,
        categories=categories,
        brand_shares=_purchase_shares(brands.codes, len(brands.names), bundle.purchases),
        category_shares=_purchase_shares(categories, len(category_names), bundle.purchases),
        buyers=bundle.buyers,
    )


def _purchase_shares(codes: NDArray[np.int32], names: int, purchases: NDArray[np.int32]) -> NDArray[np.float32]:
    """float32 (names,): each brand's or category's share of all purchases."""
    held = codes >= 0
    counts = np.bincount(codes[held], weights=purchases[held], minlength=names)
    return np.asarray(counts / max(int(purchases.sum()), 1), np.float32)
