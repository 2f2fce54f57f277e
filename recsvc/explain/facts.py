"""Types for facts about the items of a page, and for the arrays that facts are found in.

Items, brands and terms are rows and codes here; the explainer adds their names.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import NO_ROWS, NO_SCORES, Floats, Rows
from recsvc.domain.reason import EvidenceKind, Strength
from recsvc.domain.shop import EventType
from recsvc.ranking import values_of


# Not frozen: some 40 are made for a page, and freezing takes more time than all the rest of making one.
@dataclass(slots=True)
class Fact:
    """One fact about an item of the page. Fields that a kind does not use keep their defaults.

    The other fields are as in `recsvc.domain.reason.Evidence`.

    Attributes:
        anchor_row: The other item that the fact names; -1 for none.
        event: What the user did with that item.
        code: The brand, category, attribute, or phrase of the profile; -1 for none.
    """

    kind: EvidenceKind
    strength: Strength
    _: KW_ONLY
    effect: float = 0.0
    share: float = 0.0
    anchor_row: int = -1
    event: EventType = EventType.PURCHASE
    code: int = -1
    count: int = 0
    people: int = 0
    days: int = 0
    elapsed: int = 0
    lift: float = 0.0


class CodesByRow(Protocol):
    """A code of each item: an array, or what looks it up."""

    def __getitem__(self, rows: Rows, /) -> Rows:
        """Returns the codes of m rows, int32 (m,)."""
        ...


@dataclass(frozen=True, kw_only=True)
class ItemFacts:
    """What is known of each item, the same for every user. All arrays have n rows; a code of -1 means none.

    Attributes:
        vectors: The vectors that rank, float32 (n, d).
        likeness: Returns the cosines of the texts of p rows and of m others as the frozen encoder reads them, float32
            (p, m); 0 where they are not known.
        similar_from: The texts of two items are alike from this cosine upwards; more than 0.
        serve_one_need: Returns for each of some pairs of rows, (pairs,) each, whether the two items serve the same
            need as far as their names say, bool (pairs,).
        leaves: Code of each item's path of categories; -1 also for a path that says little about an item.
        parents: The same for the path without its last category; -1 also for a department.
        brands: Code of each item's brand.
        brand_shares: By brand code, the share of all purchases, float32 (brands,).
        buyers: int32, different people who bought the item in the window.
        cohorts: See `recsvc.model.bundle.Bundle`.
        companions: See `recsvc.model.bundle.Bundle`.
        companion_buyers: See `recsvc.model.bundle.Bundle`.
    """

    vectors: Floats
    likeness: Callable[[Rows, Rows], Floats]
    similar_from: float
    serve_one_need: Callable[[Rows, Rows], NDArray[np.bool_]]
    leaves: CodesByRow
    parents: CodesByRow
    brands: Rows
    brand_shares: Floats
    buyers: NDArray[np.int32]
    cohorts: NDArray[np.int32]
    companions: Rows
    companion_buyers: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a user buys more than others do: by code, how many purchases have it, and the lift over all users.

    Attributes:
        brands: By brand code.
        terms: By the code of a category or attribute.
    """

    brands: Mapping[int, tuple[int, float]]
    terms: Mapping[int, tuple[int, float]] = field(default_factory=dict)


class RepeatInterval(NamedTuple):
    """The rhythm in which a user buys an item.

    Attributes:
        purchases: How often the item was bought.
        days: Mean days from one purchase to the next.
        elapsed: Days since the last purchase.
    """

    purchases: int
    days: int
    elapsed: int


@dataclass(frozen=True, kw_only=True)
class UserFacts:
    """What is known of one user. Rows are distinct items.

    Attributes:
        user_vector: float32 (d,).
        bought_rows: Ascending rows that were bought.
        purchases: How often each of `bought_rows` was bought, int32 (m,).
        left_out_rows: Items of the history that were left out one by one, (l,).
        left_out_vectors: The user vector without each of them, float32 (l, d).
        without_profile: The user vector without the profile, float32 (d,); None without a profile.
        preferences: As `recsvc.explain.relations.preferences_of` finds them.
        repeat_rows: Ascending rows that gained in score because they were bought.
        repeat_scores: How much each of `repeat_rows` gained.
        neighbour_rows: Ascending rows that gained in score as neighbours of the user's newest items.
        neighbour_gains: How much each of `neighbour_rows` gained.
        rows_without: Ascending rows of the page and its competitors; empty if no item can gain as a neighbour.
        gains_without: How much each of `rows_without` would gain as a neighbour without each of `left_out_rows`,
            float32 (l, rows).
        visit: What the user does in this visit, by row; without rows that were bought.
        elapsed: Days since each row of the page was bought last; without rows that were not bought.
        intervals: By row, for items of the page that are bought again and again.
        bonus_without: Returns how much each of p rows would gain from having been bought without each of
            `left_out_rows`, float32 (l, p); None if no row gains anything.
    """

    user_vector: Floats
    bought_rows: Rows
    purchases: NDArray[np.int32]
    left_out_rows: Rows
    left_out_vectors: Floats
    without_profile: Floats | None
    preferences: Preferences
    repeat_rows: Rows = field(default_factory=lambda: NO_ROWS)
    repeat_scores: Floats = field(default_factory=lambda: NO_SCORES)
    neighbour_rows: Rows = field(default_factory=lambda: NO_ROWS)
    neighbour_gains: Floats = field(default_factory=lambda: NO_SCORES)
    rows_without: Rows = field(default_factory=lambda: NO_ROWS)
    gains_without: Floats = field(default_factory=lambda: NO_SCORES)
    visit: Mapping[int, EventType] = field(default_factory=dict)
    elapsed: Mapping[int, int] = field(default_factory=dict)
    intervals: Mapping[int, RepeatInterval] = field(default_factory=dict)
    bonus_without: Callable[[Rows], Floats] | None = None

    def scores(self, rows: Rows, vectors: Floats) -> Floats:
        """Returns the scores of p items without the repeat bonus, float32 (p,). vectors: of these items."""
        gains = values_of(rows, self.neighbour_rows, self.neighbour_gains)
        return np.asarray(vectors @ self.user_vector + gains, np.float32)

    def scores_without(self, rows: Rows, vectors: Floats) -> Floats:
        """Returns the same without each of `left_out_rows`, float32 (p, l)."""
        products = vectors @ self.left_out_vectors.T
        if not len(self.rows_without):
            return products
        return products + values_of(rows, self.rows_without, self.gains_without).T

    def event(self, row: int) -> EventType:
        """Returns what the user did with an item that a fact may name."""
        return self.visit.get(row, EventType.PURCHASE)


@dataclass(frozen=True, kw_only=True)
class Page:
    """The items that are explained together.

    Attributes:
        rows: The items shown, best first.
        competitor_rows: The items that competed for the page, the page included.
        terms: For each item, the categories and attributes that a reason may name, by kind and code; empty for none.
        profile_phrases: For each item, the place of the phrase of the profile that has a visible link with it, -1 for
            none; empty for none.
    """

    rows: Rows
    competitor_rows: Rows
    terms: Sequence[Sequence[tuple[EvidenceKind, int]]] = ()
    profile_phrases: Sequence[int] = ()
