"""Explains pages: finds the evidence, adds the catalogue's names, and has the reasons written."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import MICROSECONDS_A_DAY, MICROSECONDS_AN_HOUR, NO_ROWS, NO_SCORES, Floats, Rows
from recsvc.domain.query import Query, Recommendation
from recsvc.domain.reason import Evidence, EvidenceKind, Reason, ReasonGroup, Tone
from recsvc.domain.shop import History
from recsvc.explain.bundle_facts import item_facts
from recsvc.explain.evidence import page_facts
from recsvc.explain.facts import Fact, Page, Preferences, UserFacts
from recsvc.explain.item_terms import ItemTerms
from recsvc.explain.profile_phrases import ProfilePhrase, linked_phrases, profile_phrases
from recsvc.explain.profile_terms import CategoryTerms
from recsvc.explain.relations import interval_of, preferences_of
from recsvc.model.bundle import Bundle
from recsvc.model.history_bonus import gains_without, newest_items_of
from recsvc.model.repeat_purchase import repeat_scores_without
from recsvc.model.towers.user import LeftOut, ProfileText
from recsvc.ranking import NOTHING
from recsvc.reasons import ReasonWriter
from recsvc.retrieval.inventory import Inventory
from recsvc.retrieval.scorers import Scorer, VectorScorer
from recsvc.runtime.metrics import REASONS, REASONS_MISSING
from recsvc.users.user_state import UserState

# The number of pages of one user whose reasons are kept until the history changes or the hour passes.
EXPLAINED_PAGES = 4


@dataclass(frozen=True)
class _Traits:
    """What is computed once from a user's record.

    Attributes:
        preferences: What the user buys more than others do.
        phrases: Of the profile.
    """

    preferences: Preferences
    phrases: tuple[ProfilePhrase, ...]


class Explainer:
    """Explains pages of one bundle, with the names that its items have.

    Args:
        bundle: The items. With other words for any of them, it takes another explainer.
        reasons: Writes the sentences.
        inventory: Knows which items are deleted: they are not named. None if no item is.
    """

    def __init__(self, bundle: Bundle, reasons: ReasonWriter, inventory: Inventory | None = None) -> None:
        self._bundle = bundle
        self._reasons = reasons
        self._inventory = inventory or Inventory(bundle.catalogue)
        self._items = item_facts(bundle)
        self._item_repeats = bundle.item_repeats
        self._item_terms = ItemTerms(bundle)
        self._category_terms = CategoryTerms(bundle.catalogue)
        # Kept for as long as the state is, so those of an erased user are dropped with the state.
        self._kept_pages: WeakKeyDictionary[UserState, dict[Hashable, list[Reason | None]]] = WeakKeyDictionary()
        self._kept_traits: WeakKeyDictionary[UserState, _Traits] = WeakKeyDictionary()
        # A profile outlives the states of its user.
        self._kept_phrases: WeakKeyDictionary[ProfileText, tuple[ProfilePhrase, ...]] = WeakKeyDictionary()
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
        """Returns a reason for each item of a list; None for an item about which nothing true can be said.

        Args:
            query: Gives the language, the tone and the time.
            state: Of the user that the list is for.
            scorer: Ranked the list.
            left_out: Explains the user vector; None if anything but the user vector ranked the list.
            rows: The list, best first.
            competitor_rows: The list and the rows that would come next; empty if scores alone did not make the list.
        """
        # The key has everything that the reasons depend on: a state has one version, and repeat scores change by the
        # hour.
        tone, switched_off = query.tone or Tone.NEUTRAL, self._reasons.switches.off
        hour = query.now // MICROSECONDS_AN_HOUR
        ranked_by_user = left_out is not None
        page_key = (query.surface, ranked_by_user, rows.tobytes(), competitor_rows.tobytes())
        key = (hour, query.language, tone, switched_off, self._inventory.deletions, *page_key)
        kept = self._kept_pages.setdefault(state, {})
        reasons = kept.get(key)
        if reasons is None:
            traits = self._traits(state)
            page = self._page(rows, competitor_rows, traits.phrases)
            user = self._user_facts(state, scorer, left_out, traits.preferences, query.now, page)
            reasons = self._write(user, page, traits.phrases, query, tone)
            if len(kept) >= EXPLAINED_PAGES:
                kept.clear()
            kept[key] = reasons
        return reasons

    def groups(self, query: Query, listed: Sequence[Recommendation]) -> tuple[ReasonGroup, ...]:
        """Returns a line for each group of items whose reasons name the same cause; none unless the query asks for it.

        Args:
            query: Gives the tone and the time.
            listed: The list with its reasons.
        """
        if not query.grouped:
            return ()
        reasons = [(recommendation.item, recommendation.reason) for recommendation in listed]
        return tuple(self._reasons.write_groups(reasons, query.seed, query.tone or Tone.NEUTRAL))

    def _traits(self, state: UserState) -> _Traits:
        """Returns what a user's record says of their preferences. A visit does not change it."""
        state = state.base or state
        traits = self._kept_traits.get(state)
        if traits is None:
            traits = self._kept_traits[state] = _Traits(
                preferences=self._preferences(state.bought_rows, state.purchases),
                phrases=self._phrases(state),
            )
        return traits

    def _phrases(self, state: UserState) -> tuple[ProfilePhrase, ...]:
        if state.profile is None:
            return ()
        phrases = self._kept_phrases.get(state.profile)
        if phrases is None:
            phrases = self._kept_phrases[state.profile] = profile_phrases(state.about, self._category_terms)
        return phrases

    def _preferences(self, bought_rows: Rows, purchases: NDArray[np.int32]) -> Preferences:
        """Returns the brands, categories and attributes that a user buys more than others do."""
        term_purchases: defaultdict[int, int] = defaultdict(int)
        for row, count in zip(bought_rows.tolist(), purchases.tolist(), strict=True):
            for code in set(self._item_terms.codes(row)):
                term_purchases[code] += count
        return preferences_of(self._items, bought_rows, purchases, term_purchases, self._item_terms.share)

    def _user_facts(
        self,
        state: UserState,
        scorer: Scorer,
        left_out: LeftOut | None,
        preferences: Preferences,
        now: int,
        page: Page,
    ) -> UserFacts:
        times_of = _purchase_times(state.history, page.rows)
        intervals = {row: interval_of(times, now, MICROSECONDS_A_DAY) for row, times in times_of.items()}
        bought = set(state.bought_rows.tolist()) if state.visit else ()
        zeros = np.zeros(self._bundle.item_vectors.shape[1], np.float32)
        user_vector, effects, gains = zeros, LeftOut(zeros, NO_ROWS, zeros[None][:0], None), NOTHING
        newest = None
        if left_out is not None and isinstance(scorer, VectorScorer):
            user_vector, effects, gains = scorer.vector, left_out, scorer.bonus.neighbours
            newest = scorer.bonus.newest or newest_items_of(self._bundle, state.history)
        rows_without, without = NO_ROWS, NO_SCORES
        if newest is not None:
            rows_without = np.unique(np.concatenate((page.rows, page.competitor_rows)))
            without = gains_without(self._bundle, newest, effects.rows, rows_without, state.silent_rows)
        bonus = scorer.repeat_bonus
        return UserFacts(
            user_vector=user_vector,
            bought_rows=state.bought_rows,
            purchases=state.purchases,
            left_out_rows=effects.rows,
            left_out_vectors=effects.vectors,
            without_profile=effects.without_profile,
            preferences=preferences,
            repeat_rows=bonus.rows,
            repeat_scores=bonus.scores,
            neighbour_rows=gains.rows,
            neighbour_gains=gains.scores,
            rows_without=rows_without,
            gains_without=without,
            visit={row: event for row, event in state.visit.items() if row not in bought},
            elapsed={row: (now - times[-1]) // MICROSECONDS_A_DAY for row, times in times_of.items()},
            intervals={row: interval for row, interval in intervals.items() if interval is not None},
            bonus_without=partial(self._bonus_without, state.history, now, effects.rows) if len(bonus.rows) else None,
        )

    def _bonus_without(self, history: History, now: int, left_out_rows: Rows, rows: Rows) -> Floats:
        config = self._bundle.model.repeats
        return repeat_scores_without(history, now, self._item_repeats, config, left_out_rows, rows)

    def _page(self, rows: Rows, competitor_rows: Rows, phrases: Sequence[ProfilePhrase]) -> Page:
        row_list, items = rows.tolist(), self._bundle.catalogue.items
        return Page(
            rows=rows,
            competitor_rows=competitor_rows,
            terms=[self._item_terms.nameable(row) for row in row_list],
            profile_phrases=linked_phrases(phrases, [items[row] for row in row_list], row_list, self._category_terms)
            if phrases
            else (),
        )

    def _write(
        self, user: UserFacts, page: Page, phrases: Sequence[ProfilePhrase], query: Query, tone: Tone
    ) -> list[Reason | None]:
        """Returns a reason with its evidence for each item of a page; None if nothing true can be said."""
        items = [self._bundle.catalogue.items[row] for row in page.rows]
        facts_by_item = page_facts(user, self._items, page)
        if self._inventory.deletions:
            facts_by_item = [[fact for fact in facts if not self._is_of_deleted(fact)] for facts in facts_by_item]
        evidence = [tuple(self._named(fact, phrases) for fact in facts) for facts in facts_by_item]
        supported = list(zip(items, evidence, strict=True))
        # The seed keeps the choice of words stable.
        reasons = self._reasons.write_page(supported, query.language, query.seed, tone)
        counts = Counter(reason.evidence[0].kind for reason in reasons if reason is not None)
        for kind, count in counts.items():
            REASONS.labels(kind.value, query.language).inc(count)
        REASONS_MISSING.inc(len(reasons) - counts.total())
        return reasons

    def _is_of_deleted(self, fact: Fact) -> bool:
        """Returns whether a fact would name an item that the shop has deleted."""
        return fact.anchor_row >= 0 and self._inventory.is_deleted(fact.anchor_row)

    def _named(self, fact: Fact, phrases: Sequence[ProfilePhrase]) -> Evidence:
        """Returns a fact with the catalogue's names in place of rows and codes."""
        kind = fact.kind
        name, value = "", ""
        if kind is EvidenceKind.BRAND:
            value = self._bundle.catalogue.brands.name(fact.code)
        elif kind in (EvidenceKind.CATEGORY, EvidenceKind.ATTRIBUTE):
            name, value = self._item_terms.pairs[fact.code]
        elif kind is EvidenceKind.PROFILE:
            name, value = phrases[fact.code].name, phrases[fact.code].text
        return Evidence(
            kind,
            fact.strength,
            effect=fact.effect,
            share=fact.share,
            anchor=self._bundle.catalogue.items[fact.anchor_row] if fact.anchor_row >= 0 else None,
            value=value,
            count=fact.count,
            days=self._windows.get(kind, fact.days),
            lift=fact.lift,
            event=fact.event,
            name=name,
            people=fact.people,
            elapsed=fact.elapsed,
        )


def _purchase_times(history: History, rows: Rows) -> dict[int, list[int]]:
    """Returns the distinct times at which each of some rows was bought, ascending. Other rows are left out."""
    times: dict[int, set[int]] = {}
    bought = history.purchases & (history.rows[:, None] == rows).any(axis=1)
    for row, time in zip(history.rows[bought].tolist(), history.timestamps[bought].tolist(), strict=True):
        times.setdefault(row, set()).add(time)
    return {row: sorted(distinct) for row, distinct in times.items()}
