"""Facts about the items of a page, and what they are found from. Arrays and small ints: names are the caller's."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import NO_ROWS, NO_SCORES, Floats, Rows
from recsvc.domain.reason import EvidenceKind, Strength
from recsvc.domain.shop import EventType


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact about an item of the page. Fields that a kind does not use keep their defaults.

    anchor_row: the other item meant; event: what the user did with it. code: the brand, category or attribute, or the
    word of the profile. Others as in `recsvc.domain.shop.Evidence`.
    """

    kind: EvidenceKind
    strength: Strength
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


@dataclass(frozen=True)
class ItemFacts:
    """What is known of every item, whoever asks. All arrays have n rows; codes are -1 where there is none.

    similarity: float32 (n, t), unit rows whose inner product says how alike two items' texts are, and from which
    `similar_from` upwards they count as similar. brand_shares: share of all purchases, by code.
    buyers: int32, different people who bought the item in the window. cohorts, companions, companion_buyers: see
    `recsvc.model.bundle.Bundle`.
    """

    similarity: Floats
    similar_from: float
    brands: Rows
    brand_shares: Floats
    buyers: NDArray[np.int32]
    cohorts: NDArray[np.int32]
    companions: Rows
    companion_buyers: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a user buys more than others do, brands and other words (categories, attributes): code to (purchases,
    lift).
    """

    brands: dict[int, tuple[int, float]]
    words: dict[int, tuple[int, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class UserFacts:
    """What is known of one user. Rows are distinct items of the history that were bought and kept.

    purchases: int32 (m,), how often each of `bought_rows` was bought. left_out_rows (l,), left_out_vectors (l, d): the
    user vector without each of these. without_profile: (d,), or None when there is no profile. repeat_rows,
    repeat_scores: what the score of each bought item gained. preferences: what `preferences_of` found. visit: what is
    being viewed, or in the cart, by row. elapsed: days since each row was bought last. intervals: for a row that is
    bought again and again, how often it was, days from one time to the next, and days since the last. bonus_without:
    what the bought items would gain had one of them never been bought, ascending rows and scores; None where they gain
    nothing.
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
    visit: dict[int, EventType] = field(default_factory=dict)
    elapsed: dict[int, int] = field(default_factory=dict)
    intervals: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    bonus_without: Callable[[int], tuple[Rows, Floats]] | None = None

    def event(self, row: int) -> EventType:
        """What the user did with an item that a fact may name."""
        return self.visit.get(row, EventType.PURCHASE)


def looked_up(rows: Rows, known_rows: Rows, values: Floats | NDArray[np.int32]) -> Floats:
    """The value of each row, 0 where it is not known. `known_rows` ascend."""
    if not len(known_rows):
        return np.zeros(len(rows), np.float32)
    places = np.minimum(np.searchsorted(known_rows, rows), len(known_rows) - 1)
    return np.where(known_rows[places] == rows, values[places], 0).astype(np.float32)
