"""Evidence and reasons for one page: what the arrays say, joined with the catalogue's names, put into words."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.query import Query
from recsvc.domain.shop import Evidence, EvidenceKind, History, Reason, Tone
from recsvc.explain.evidence import page_facts
from recsvc.explain.facts import Fact, Floats, ItemFacts, Preferences, Rows, UserFacts
from recsvc.explain.profile_terms import CategoryTerms
from recsvc.explain.relations import interval_of, preferences_of
from recsvc.model.bundle import Bundle
from recsvc.model.repeat_purchase import MICROSECONDS_AN_HOUR, repeat_scores
from recsvc.model.towers.confidence import MICROSECONDS_A_DAY
from recsvc.model.towers.user import LeftOut
from recsvc.pipeline.slate import Slate
from recsvc.ranking import NO_ROWS
from recsvc.reasons import ReasonWriter, attribute_form
from recsvc.retrieval.scorers import Scorer, VectorScorer
from recsvc.runtime.metrics import REASONS, REASONS_MISSING
from recsvc.users.user_state import UserState

# Pages of one user whose evidence and reasons are kept until the history changes or the hour passes.
EXPLAINED_PAGES = 4


class Explainer:
    """Explains pages of one bundle."""

    def __init__(self, bundle: Bundle, reasons: ReasonWriter) -> None:
        self._bundle = bundle
        self._reasons = reasons
        self._items = _item_facts(bundle)
        self._words = _Words(bundle)
        self._category_words = CategoryTerms(bundle.catalogue)
        model = bundle.model
        self._windows = {EvidenceKind.POPULARITY: model.popularity_days, EvidenceKind.CO_PURCHASE: model.cohort_days}

    def reasons(self, query: Query, state: UserState, scoring: Scorer, found: Slate) -> Sequence[Reason | None]:
        """Why each item is in the list; kept for when the user comes back to the page."""
        now, rows = query.now, found.ranking.rows
        # All that the explanation depends on: the state is of one version, and repeat scores move by the hour.
        worded, off = (query.language, query.tone or Tone.NEUTRAL), self._reasons.switches.off
        competing = found.competitors.tobytes()
        key = (now // MICROSECONDS_AN_HOUR, *worded, query.surface, rows.tobytes(), competing, off)
        reasons = state.explained.get(key)
        if reasons is None:
            facts = self._facts(state, scoring, now)
            reasons = self._explain(facts, self._mentioned(state), rows, found.competitors, *worded, query.seed)
            if len(state.explained) >= EXPLAINED_PAGES:
                state.explained.clear()
            state.explained[key] = reasons
        return reasons

    def _facts(self, state: UserState, scoring: Scorer, now: int) -> UserFacts:
        if state.preferences is None:
            state.preferences = self._preferences(state.bought_rows, state.purchases)
        times = _purchase_times(state.history)
        intervals = {row: interval_of(each, now, MICROSECONDS_A_DAY) for row, each in times.items()}
        bought = set(state.bought_rows.tolist())
        nothing = np.zeros(self._bundle.item_vectors.shape[1], np.float32)
        vector, left_out = nothing, LeftOut(NO_ROWS, nothing[None][:0], None)
        # What was left out of the history says something of a list that the user's own vector ranked, and of no other.
        if isinstance(scoring, VectorScorer) and scoring.vector is state.user_vector and state.left_out is not None:
            vector, left_out = scoring.vector, state.left_out
        return UserFacts(
            vector,
            state.bought_rows,
            state.purchases,
            left_out.rows,
            left_out.vectors,
            left_out.without_profile,
            state.preferences,
            *scoring.gains,
            {row: event for row, event in state.visit.items() if row not in bought},
            {row: (now - each[-1]) // MICROSECONDS_A_DAY for row, each in times.items()},
            {row: interval for row, interval in intervals.items() if interval is not None},
            (lambda row: self._gains_without(state.history, row, now)) if len(scoring.gains.rows) else None,
        )

    def _gains_without(self, history: History, row: int, now: int) -> tuple[Rows, Floats]:
        config = self._bundle.model.repeats
        return repeat_scores(history.select(history.rows != row), now, self._bundle.item_repeats, config)

    def _preferences(self, bought_rows: NDArray[np.int32], purchases: NDArray[np.int32]) -> Preferences:
        """The brands, categories and attributes that a user buys more than others do."""
        counts: Counter[int] = Counter()
        for row, times in zip(bought_rows.tolist(), purchases.tolist(), strict=True):
            counts.update(dict.fromkeys(self._words.codes(row), times))
        return preferences_of(self._items, bought_rows, purchases, counts, self._words.share)

    def _mentioned(self, state: UserState) -> frozenset[int]:
        if state.mentioned is None:
            state.mentioned = self._category_words.mentioned(state.about)
        return state.mentioned

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

        mentioned: the words of categories that the profile has. competitor_rows: what competed for the page. seed: keeps the
        choice of words stable.
        """
        words = list(map(self._words.named, page_rows.tolist()))
        shared = [self._category_words.shared(row, mentioned) for row in page_rows.tolist()] if mentioned else []
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
            value = self._category_words.names[fact.code]
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
