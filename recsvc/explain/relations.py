"""Finds facts that are true whether or not they moved a score.

Most relate an item of the page to items that the user bought or is looking at. Popularity is true for every user.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats, Rows
from recsvc.domain.reason import EvidenceKind, Strength
from recsvc.explain.facts import Fact, ItemFacts, Page, Preferences, RepeatInterval, UserFacts
from recsvc.explain.visible_links import VisibleLinks

# Below these, a preference for a brand, category or attribute may be chance.
MIN_PREFERENCE_LIFT = 1.5
MIN_PREFERENCE_PURCHASES = 3  # `recsvc.reasons.claim` refuses fewer than 2 in any case
# A statement about fewer people than this would be one about individuals.
MIN_COHORT = 30
# A co-purchase is worth naming if at least this many people bought both items, and are likelier than others by at least
# the second number to buy the second item.
MIN_CO_BUYERS = 10
MIN_CO_PURCHASE_LIFT = 1.5
# The most items that one kind of evidence names: the best, and another for a page that has just named the best.
MAX_ANCHORS = 2
# An item is bought regularly only if no gap between two purchases is more than this times the mean, or less than the
# mean over this. After this many mean gaps it is no longer due.
MAX_GAP_RATIO = 2.0
# An item is due from this share of its mean gap on.
DUE_AFTER_SHARE = 0.7
# A regular purchase has at least this many purchases, this many days apart.
MIN_INTERVAL_PURCHASES, MIN_INTERVAL_DAYS = 3, 2


def preferences_of(
    items: ItemFacts,
    bought_rows: Rows,
    purchases: NDArray[np.int32],
    term_purchases: Mapping[int, int] | None = None,
    term_share: Callable[[int], float] | None = None,
) -> Preferences:
    """Returns what a user buys more than others do. It depends on the history alone.

    Args:
        items: Gives the brand of each item.
        bought_rows: See `UserFacts`.
        purchases: See `UserFacts`.
        term_purchases: By the code of a category or attribute, how many of the user's purchases have it.
        term_share: Returns the share of all users' purchases that have a term, 0 to 1. Needed with `term_purchases`.
    """
    brands = _preferred_brands(items.brands[bought_rows], items.brand_shares, purchases)
    if term_share is None:
        return Preferences(brands)
    total = max(int(purchases.sum()), 1)
    counts = {code: n for code, n in (term_purchases or {}).items() if n >= MIN_PREFERENCE_PURCHASES}
    lifts = {code: count / total / max(term_share(code), 1e-12) for code, count in counts.items()}
    return Preferences(
        brands, {code: (counts[code], lift) for code, lift in lifts.items() if lift >= MIN_PREFERENCE_LIFT}
    )


def interval_of(times: Sequence[int], now: int, day: int) -> RepeatInterval | None:
    """Returns the rhythm in which an item is bought; None unless it is bought regularly and is due now.

    Args:
        times: When the item was bought, distinct and ascending.
        now: When the list is shown.
        day: The length of a day. `times`, `now` and `day` have one unit.
    """
    if len(times) < MIN_INTERVAL_PURCHASES:
        return None
    gaps = np.diff(np.asarray(times, np.int64))
    days, elapsed = round(float(gaps.mean()) / day), int((now - times[-1]) // day)
    regular = gaps.max() <= MAX_GAP_RATIO * gaps.mean() and gaps.mean() <= MAX_GAP_RATIO * gaps.min()
    due = DUE_AFTER_SHARE * days <= elapsed <= MAX_GAP_RATIO * days
    if days < MIN_INTERVAL_DAYS or not regular or not due:
        return None
    return RepeatInterval(purchases=len(times), days=days, elapsed=elapsed)


def anchor_rows(user: UserFacts) -> Rows:
    """Returns the items that a relation may name, ascending: bought, or in this visit."""
    return np.union1d(user.bought_rows, np.array([*user.visit], np.int32)).astype(np.int32)


def repeat_interval_facts(user: UserFacts, page: Page) -> list[list[Fact]]:
    """For each item of the page: the rhythm in which the user buys it."""
    return [
        [
            Fact(
                EvidenceKind.REPEAT_INTERVAL,
                Strength.RELATIONAL,
                anchor_row=row,
                count=interval.purchases,
                days=interval.days,
                elapsed=interval.elapsed,
            )
        ]
        if (interval := user.intervals.get(row)) is not None
        else []
        for row in page.rows.tolist()
    ]


def preference_facts(user: UserFacts, items: ItemFacts, page: Page) -> list[list[Fact]]:
    """For each item of the page: of its brand, categories and attributes, those that the user prefers."""
    preferred_brands, preferred_terms = user.preferences.brands, user.preferences.terms
    facts: list[list[Fact]] = []
    for i, brand in enumerate(items.brands[page.rows].tolist()):
        candidates = [(EvidenceKind.BRAND, brand, preferred_brands.get(brand))]
        if page.terms:
            candidates += [(kind, code, preferred_terms.get(code)) for kind, code in page.terms[i]]
        facts.append(
            [
                Fact(kind, Strength.RELATIONAL, code=code, count=preference[0], lift=preference[1])
                for kind, code, preference in candidates
                if preference is not None
            ]
        )
    return facts


def copurchase_facts(user: UserFacts, items: ItemFacts, page: Page, links: VisibleLinks) -> list[list[Fact]]:
    """For each item of the page: anchors whose buyers bought it too, the largest share of buyers first."""
    page_places, anchor_places, columns = links.companion_places
    rows = links.anchors[anchor_places]
    counts, people = items.companion_buyers[rows, columns], items.cohorts[rows]
    order = np.lexsort((rows, -counts / np.maximum(people, 1), page_places))
    facts: list[list[Fact]] = [[] for _ in page.rows]
    for match in order.tolist():
        facts_of_item = facts[page_places[match]]
        if len(facts_of_item) < MAX_ANCHORS:
            anchor = int(rows[match])
            fact = Fact(
                EvidenceKind.CO_PURCHASE,
                Strength.RELATIONAL,
                anchor_row=anchor,
                event=user.event(anchor),
                count=int(counts[match]),
                people=int(people[match]),
            )
            facts_of_item.append(fact)
    return facts


def similar_facts(user: UserFacts, links: VisibleLinks) -> list[list[Fact]]:
    """For each item of the page: anchors with a similar text, the most similar first."""
    nearest = largest_places(np.where(links.similar, links.likeness, np.float32(-1)), MAX_ANCHORS)
    similar = np.take_along_axis(links.similar, nearest, axis=1)
    nearest_rows = links.anchors[nearest].tolist()
    facts: list[list[Fact]] = [[] for _ in nearest_rows]
    for i, j in np.argwhere(similar).tolist():
        anchor = nearest_rows[i][j]
        fact = Fact(EvidenceKind.SIMILAR_ITEM, Strength.RELATIONAL, anchor_row=anchor, event=user.event(anchor))
        facts[i].append(fact)
    return facts


def popularity_facts(items: ItemFacts, page: Page) -> list[list[Fact]]:
    """For each item of the page: how many people bought it, if they are enough to be anonymous."""
    return [
        [Fact(EvidenceKind.POPULARITY, Strength.NEUTRAL, count=buyers)] if buyers >= MIN_COHORT else []
        for buyers in items.buyers[page.rows].tolist()
    ]


def largest_places(values: Floats, k: int) -> NDArray[np.intp]:
    """Returns the columns of the k largest values of each row, best first, (n, k); fewer if there are fewer columns.

    Equal values are in the order of their columns. For small k, this is several times as fast as sorting.
    """
    remaining = values.copy()
    rows = np.arange(len(values))
    places = np.empty((len(values), min(k, values.shape[1])), np.intp)
    for column in range(places.shape[1]):
        places[:, column] = remaining.argmax(axis=1)
        remaining[rows, places[:, column]] = -np.inf
    return places


def _preferred_brands(
    bought_brands: Rows, brand_shares: Floats, purchases: NDArray[np.int32]
) -> dict[int, tuple[int, float]]:
    branded = bought_brands >= 0
    if not branded.any():
        return {}
    counts = np.bincount(bought_brands[branded], weights=purchases[branded])
    lifts = counts / purchases.sum() / np.maximum(brand_shares[: len(counts)], 1e-12)
    preferred = np.flatnonzero((counts >= MIN_PREFERENCE_PURCHASES) & (lifts >= MIN_PREFERENCE_LIFT))
    return {int(code): (int(counts[code]), float(lifts[code])) for code in preferred}
