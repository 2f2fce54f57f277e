"""Evidence and reasons for one page: what the arrays say, joined with the catalogue's names, put into words."""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import MICROSECONDS_A_DAY, MICROSECONDS_AN_HOUR, NO_ROWS, Floats, Rows
from recsvc.domain.query import Query
from recsvc.domain.reason import Evidence, EvidenceKind, Reason, Tone
from recsvc.domain.shop import History
from recsvc.explain.evidence import page_facts
from recsvc.explain.facts import Fact, ItemFacts, Preferences, UserFacts
from recsvc.explain.profile_terms import CategoryTerms
from recsvc.explain.relations import interval_of, preferences_of
from recsvc.model.bundle import Bundle
from recsvc.model.repeat_purchase import repeat_scores
from recsvc.model.towers.user import LeftOut
from recsvc.reasons import ReasonWriter, attribute_form
from recsvc.retrieval.scorers import Scorer, VectorScorer
from recsvc.runtime.metrics import REASONS, REASONS_MISSING
from recsvc.users.user_state import UserState

# Pages of one user whose evidence and reasons are kept until the history changes or the hour passes.
EXPLAINED_PAGES = 4


@dataclass(frozen=True)
class _Traits:
    """What is worked out from a user's record once. mentioned: terms of categories that the profile has, by code."""

    preferences: Preferences
    mentioned: frozenset[int]


class Explainer:
    """Explains pages of one bundle."""

    def __init__(self, bundle: Bundle, reasons: ReasonWriter) -> None:
        self._bundle = bundle
        self._reasons = reasons
        self._items = _item_facts(bundle)
        self._words = _Words(bundle)
        self._category_terms = CategoryTerms(bundle.catalogue)
        # Kept for as long as the state is, so an erased user's go with the user.
        self._pages: WeakKeyDictionary[UserState, dict[Hashable, list[Reason | None]]] = WeakKeyDictionary()
        self._kept_traits: WeakKeyDictionary[UserState, _Traits] = WeakKeyDictionary()
        model = bundle.model
        self._windows = {EvidenceKind.POPULARITY: model.popularity_days, EvidenceKind.CO_PURCHASE: model.cohort_days}

    def reasons(
        self,
        query: Query,
        state: UserState,
        scorer: Scorer,
        left_out: LeftOut | None,
        rows: Rows,
        competitor_rows: Rows,
    ) -> Sequence[Reason | None]:
        """Returns a reason for each item of a list; None where there is nothing true to say.

        Args:
            query: Gives the language, the tone and the time.
            state: Of the user that the list is for.
            scorer: Ranked the list.
            left_out: Explains the user vector; None if anything but the user vector ranked the list.
            rows: The list, best first.
            competitor_rows: The list and the rows that would come next; empty if scores alone did not make the list.
        """
        # All that the explanation depends on: the state is of one version, and repeat scores move by the hour.
        tone, off = query.tone or Tone.NEUTRAL, self._reasons.switches.off
        hour = query.now // MICROSECONDS_AN_HOUR
        ranked_by_user = left_out is not None
        shown = (query.surface, ranked_by_user, rows.tobytes(), competitor_rows.tobytes())
        key = (hour, query.language, tone, off, *shown)
        pages = self._pages.setdefault(state, {})
        reasons = pages.get(key)
        if reasons is None:
            facts = self._facts(state, scorer, left_out, query.now)
            mentioned = self._traits(state).mentioned
            reasons = self._explain(facts, mentioned, rows, competitor_rows, query.language, tone, query.seed)
            if len(pages) >= EXPLAINED_PAGES:
                pages.clear()
            pages[key] = reasons
        return reasons

    def _traits(self, state: UserState) -> "_Traits":
        """What a user's record says of their preferences; a visit changes nothing of it."""
        state = state.base or state
        traits = self._kept_traits.get(state)
        if traits is None:
            traits = self._kept_traits[state] = _Traits(
                preferences=self._preferences(state.bought_rows, state.purchases),
                mentioned=self._category_terms.mentioned(state.about),
            )
        return traits

    def _facts(self, state: UserState, scorer: Scorer, left_out: LeftOut | None, now: int) -> UserFacts:
        times = _purchase_times(state.history)
        intervals = {row: interval_of(each, now, MICROSECONDS_A_DAY) for row, each in times.items()}
        bought = set(state.bought_rows.tolist())
        nothing = np.zeros(self._bundle.item_vectors.shape[1], np.float32)
        vector, effects = nothing, LeftOut(NO_ROWS, nothing[None][:0], None)
        if left_out is not None and isinstance(scorer, VectorScorer):
            vector, effects = scorer.vector, left_out
        bonus = scorer.repeat_bonus
        return UserFacts(
            user_vector=vector,
            bought_rows=state.bought_rows,
            purchases=state.purchases,
            left_out_rows=effects.rows,
            left_out_vectors=effects.vectors,
            without_profile=effects.without_profile,
            preferences=self._traits(state).preferences,
            repeat_rows=bonus.rows,
            repeat_scores=bonus.scores,
            visit={row: event for row, event in state.visit.items() if row not in bought},
            elapsed={row: (now - each[-1]) // MICROSECONDS_A_DAY for row, each in times.items()},
            intervals={row: interval for row, interval in intervals.items() if interval is not None},
            bonus_without=(lambda row: self._bonus_without(state.history, row, now)) if len(bonus.rows) else None,
        )

    def _bonus_without(self, history: History, row: int, now: int) -> tuple[Rows, Floats]:
        config = self._bundle.model.repeats
        return repeat_scores(history.select(history.rows != row), now, self._bundle.item_repeats, config)

    def _preferences(self, bought_rows: NDArray[np.int32], purchases: NDArray[np.int32]) -> Preferences:
        """The brands, categories and attributes that a user buys more than others do."""
        counts: Counter[int] = Counter()
        for row, times in zip(bought_rows.tolist(), purchases.tolist(), strict=True):
            counts.update(dict.fromkeys(self._words.codes(row), times))
        return preferences_of(self._items, bought_rows, purchases, counts, self._words.share)

    def _explain(
        self,
        user: UserFacts,
        mentioned: frozenset[int],
        page_rows: NDArray[np.int32],
        competitor_rows: NDArray[np.int32],
        language: str,
        tone: Tone,
        seed: int,
    ) -> list[Reason | None]:
        """A reason with its evidence for each item of a page; None where there is nothing true to say.

        mentioned: the words of categories that the profile has. seed: keeps the choice of words stable.
        """
        words = list(map(self._words.named, page_rows.tolist()))
        shared = [self._category_terms.shared(row, mentioned) for row in page_rows.tolist()] if mentioned else []
        facts = page_facts(user, self._items, self._bundle.item_vectors, page_rows, competitor_rows, words, shared)
        items = [self._bundle.catalogue.items[row] for row in page_rows]
        evidence = [tuple(map(self._named, found)) for found in facts]
        reasons = self._reasons.write_page(list(zip(items, evidence, strict=True)), language, seed, tone)
        written = Counter(reason.evidence[0].kind for reason in reasons if reason is not None)
        for kind, count in written.items():
            REASONS.labels(kind.value, language).inc(count)
        REASONS_MISSING.inc(len(reasons) - written.total())
        return reasons

    def _named(self, fact: Fact) -> Evidence:
        kind = fact.kind
        anchor = self._bundle.catalogue.items[fact.anchor_row] if fact.anchor_row >= 0 else None
        name, value = "", ""
        if kind is EvidenceKind.BRAND:
            value = self._bundle.catalogue.brands.names[fact.code]
        elif kind in (EvidenceKind.CATEGORY, EvidenceKind.ATTRIBUTE):
            name, value = self._words.pairs[fact.code]
        elif kind is EvidenceKind.PROFILE and fact.code >= 0:
            value = self._category_terms.names[fact.code]
        return Evidence(
            kind,
            fact.strength,
            fact.effect,
            fact.share,
            anchor,
            value,
            fact.count,
            self._windows.get(kind, fact.days),
            fact.lift,
            fact.event,
            name,
            fact.people,
            fact.elapsed,
        )


# Stands where an attribute has its name.
_CATEGORY = ""


class _Words:
    """The categories, at any depth, and the attributes that a reason may name, as small ints. pairs: name and value by
    code.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._code_of: dict[tuple[str, str], int] = {}
        self._shares: dict[int, float] = {}
        self.pairs: list[tuple[str, str]] = []

    def codes(self, row: int) -> list[int]:
        """All that an item has."""
        item = self._bundle.catalogue.items[row]
        pairs = [(_CATEGORY, name) for name in item.categories]
        pairs += [pair for pair in item.attributes if attribute_form(pair[0]) is not None]
        for pair in pairs:
            if pair not in self._code_of:
                self._code_of[pair] = len(self.pairs)
                self.pairs.append(pair)
        return [self._code_of[pair] for pair in pairs]

    def named(self, row: int) -> list[tuple[EvidenceKind, int]]:
        """What a reason may name of it: of the categories the deepest."""
        depth = len(self._bundle.catalogue.items[row].categories)
        codes = self.codes(row)
        attributes = [(EvidenceKind.ATTRIBUTE, code) for code in codes[depth:]]
        return [*((EvidenceKind.CATEGORY, code) for code in codes[max(depth - 1, 0) : depth]), *attributes]

    def share(self, code: int) -> float:
        """Of all purchases, how many are of what has it."""
        if code not in self._shares:
            name, value = self.pairs[code]
            catalogue, purchases = self._bundle.catalogue, self._bundle.purchases
            if name == _CATEGORY:
                within = np.array([value in path for path in catalogue.paths.names], np.bool_)
                bought = purchases[(catalogue.paths.codes >= 0) & within[catalogue.paths.codes]]
            else:
                bought = purchases[catalogue.attributes[name, value]]
            self._shares[code] = float(bought.sum() / max(int(purchases.sum()), 1))
        return self._shares[code]


def _purchase_times(history: History) -> dict[int, list[int]]:
    """When each row was bought, ascending, each time once."""
    times: dict[int, set[int]] = {}
    bought = history.select(history.purchases)
    for row, time in zip(bought.rows.tolist(), bought.timestamps.tolist(), strict=True):
        times.setdefault(row, set()).add(time)
    return {row: sorted(each) for row, each in times.items()}


def _item_facts(bundle: Bundle) -> ItemFacts:
    brands = bundle.catalogue.brands
    return ItemFacts(
        similarity=bundle.item_vectors[:, bundle.layout.text],
        similar_from=bundle.model.similar_from,
        brands=brands.codes,
        brand_shares=_purchase_shares(brands.codes, len(brands.names), bundle.purchases),
        buyers=bundle.buyers,
        cohorts=bundle.cohorts,
        companions=bundle.companions,
        companion_buyers=bundle.companion_buyers,
    )


def _purchase_shares(codes: NDArray[np.int32], names: int, purchases: NDArray[np.int32]) -> NDArray[np.float32]:
    """float32 (names,): each brand's share of all purchases."""
    held = codes >= 0
    counts = np.bincount(codes[held], weights=purchases[held], minlength=names)
    return np.asarray(counts / max(int(purchases.sum()), 1), np.float32)
