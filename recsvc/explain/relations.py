"""What relates an item of the page to what a user has bought, or is looking at, whether or not it moved a score."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats, Rows
from recsvc.domain.reason import EvidenceKind, Strength
from recsvc.explain.facts import Fact, ItemFacts, Preferences, UserFacts

# Below these a preference for a brand, category or attribute may be chance.
PREFERENCE_LIFT = 1.5
PREFERENCE_PURCHASES = 3
# Fewer people than this would be a statement about individuals.
COHORT = 30
# So many people who bought one item bought another too, and so much likelier than others, before it is worth a word.
TOGETHER = 10
TOGETHER_LIFT = 1.5
# How many anchors are worth carrying to the planner: the best, and another for a page that just named it.
ANCHORS = 2
# A rhythm is no rhythm when one gap is so many times the average, and no reason before so much of it has passed.
UNEVEN = 2.0
DUE = 0.7
_LEAST_TIMES, _LEAST_DAYS = 3, 2


def preferences_of(
    items: ItemFacts,
    bought_rows: Rows,
    purchases: NDArray[np.int32],
    words: Mapping[int, int] = MappingProxyType({}),
    share: Callable[[int], float] = lambda code: 1.0,
) -> Preferences:
    """Depends on the history alone: worked out once a version of it. Rows and purchases as in `UserFacts`; words: how
    many of the purchases have each, and share: how many of everybody's.
    """
    total = max(int(purchases.sum()), 1)
    often = {code: count for code, count in words.items() if count >= PREFERENCE_PURCHASES}
    lifts = {code: count / total / max(share(code), 1e-12) for code, count in often.items()}
    return Preferences(
        _preferred(items.brands[bought_rows], items.brand_shares, purchases),
        {code: (often[code], lift) for code, lift in lifts.items() if lift >= PREFERENCE_LIFT},
    )


def interval_of(times: Sequence[int], now: int, day: int) -> tuple[int, int, int] | None:
    """How often something was bought, days from one time to the next, and days since the last; None unless it is bought
    again and again, about as far apart, and is due by now. times: ascending and distinct.
    """
    if len(times) < _LEAST_TIMES:
        return None
    gaps = np.diff(np.asarray(times, np.int64))
    every, elapsed = round(float(gaps.mean()) / day), (now - times[-1]) // day
    even = gaps.max() <= UNEVEN * gaps.mean() and gaps.mean() <= UNEVEN * gaps.min()
    if every < _LEAST_DAYS or not even or not DUE * every <= elapsed <= UNEVEN * every:
        return None
    return len(times), every, int(elapsed)


def preferred_facts(preferences: Preferences, brand: int, words: Sequence[tuple[EvidenceKind, int]]) -> list[Fact]:
    """Of an item's brand and words, what the user buys more than others do. words: the kind and code of each."""
    found = [(EvidenceKind.BRAND, brand, preferences.brands.get(brand))]
    found += [(kind, code, preferences.words.get(code)) for kind, code in words]
    return [
        Fact(kind, Strength.RELATIONAL, code=code, count=preferred[0], lift=preferred[1])
        for kind, code, preferred in found
        if preferred is not None
    ]


def copurchase_facts(user: UserFacts, items: ItemFacts, page_rows: Rows, anchors: Rows) -> list[list[Fact]]:
    """For each item of the page the anchors whose buyers bought it too, those with the most such people first."""
    # (page, anchors, companions)
    page, place, column = np.nonzero(items.companions[anchors] == page_rows[:, None, None])
    rows = anchors[place]
    counts, people = items.companion_buyers[rows, column], items.cohorts[rows]
    order = np.lexsort((rows, -counts / np.maximum(people, 1), page))
    found: list[list[Fact]] = [[] for _ in page_rows]
    for at in order.tolist():
        facts = found[page[at]]
        if len(facts) < ANCHORS:
            anchor, count, cohort = int(rows[at]), int(counts[at]), int(people[at])
            together = Fact(
                EvidenceKind.CO_PURCHASE, Strength.RELATIONAL, anchor_row=anchor, count=count, people=cohort
            )
            facts.append(replace(together, event=user.event(anchor)))
    return found


def similar_facts(user: UserFacts, items: ItemFacts, page_rows: Rows, anchors: Rows) -> list[list[Fact]]:
    """For each item of the page the anchors alike in text, the most alike first."""
    likeness = items.similarity[page_rows] @ items.similarity[anchors].T
    likeness[page_rows[:, None] == anchors] = -1.0
    alike = np.argsort(-likeness, axis=1, kind="stable")[:, :ANCHORS]
    enough = likeness[np.arange(len(alike))[:, None], alike] >= items.similar_from
    similar: list[list[Fact]] = [[] for _ in page_rows]
    for i, j in zip(*(places.tolist() for places in np.nonzero(enough)), strict=True):
        anchor = int(anchors[alike[i, j]])
        fact = Fact(EvidenceKind.SIMILAR_ITEM, Strength.RELATIONAL, anchor_row=anchor, event=user.event(anchor))
        similar[i].append(fact)
    return similar


def _preferred(held: Rows, base_shares: Floats, purchases: NDArray[np.int32]) -> dict[int, tuple[int, float]]:
    coded = held >= 0
    if not coded.any():
        return {}
    counts = np.bincount(held[coded], weights=purchases[coded])
    lifts = counts / purchases.sum() / np.maximum(base_shares[: len(counts)], 1e-12)
    chosen = np.flatnonzero((counts >= PREFERENCE_PURCHASES) & (lifts >= PREFERENCE_LIFT))
    return {int(code): (int(counts[code]), float(lifts[code])) for code in chosen}
