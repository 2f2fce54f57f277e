"""Applies the taste that a user stated to the user vector, and summarises what a user buys.

"Less of this" is negative relevance feedback (Rocchio, "Relevance Feedback in Information Retrieval", 1971): the mean
direction of the items meant is subtracted from the user vector. The score stays one inner product.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import NO_ROWS, Floats, Rows
from recsvc.domain.shop import CATEGORY_SEPARATOR, NO_TASTE, Profile, Taste, category_path
from recsvc.model.bundle import Bundle
from recsvc.model.catalogue import Catalogue
from recsvc.model.vectors import unit

# How much of its own length the user vector loses in the direction of each brand, category or item that is disliked.
DISLIKE_WEIGHT = 0.5
# The number of categories, brands and attributes in a taste profile.
TASTE_SHARES = 10


@dataclass(frozen=True, slots=True)
class TasteShare:
    """One category, brand or attribute that a user buys.

    Attributes:
        value: Its name.
        purchases: How many purchases have it.
        share: The share of all purchases of the user that have it, 0 to 1.
    """

    value: str
    purchases: int
    share: float


@dataclass(frozen=True, slots=True)
class TasteProfile:
    """The taste of a user, as stated and as purchases show it.

    Attributes:
        profile: As it was set; None without one.
        taste: As the user stated it.
        categories: The categories with the most purchases, best first; so with brands and attributes.
        brands: See `categories`.
        attributes: See `categories`.
        purchases: The number of purchases that the shares are computed from.
        bundle_id: Of the bundle whose catalogue was read.
    """

    profile: Profile | None
    taste: Taste
    categories: tuple[TasteShare, ...]
    brands: tuple[TasteShare, ...]
    attributes: tuple[TasteShare, ...]
    purchases: int
    bundle_id: str


def silent_rows(taste: Taste, catalogue: Catalogue) -> Rows:
    """Returns the ascending rows whose events the history leaves out: gifts, and items that are disliked."""
    if taste == NO_TASTE:
        return NO_ROWS
    return np.unique(np.concatenate([catalogue.rows(taste.gifts), *_disliked_rows(taste, catalogue)])).astype(np.int32)


def disliked(taste: Taste, bundle: Bundle) -> Floats | None:
    """Returns what to add to a user vector of length 1, float32 (d,); None if nothing is disliked."""
    groups = [rows for rows in _disliked_rows(taste, bundle.catalogue) if len(rows)]
    if not groups:
        return None
    direction = np.zeros(bundle.item_vectors.shape[1], np.float32)
    for rows in groups:
        # That an item is new or popular is not a taste.
        mean = bundle.layout.without_item_only(bundle.item_vectors[rows].mean(axis=0))
        direction -= np.float32(DISLIKE_WEIGHT) * unit(mean)
    return direction


def taste_profile(
    bundle: Bundle, profile: Profile | None, taste: Taste, bought_rows: Rows, purchases: NDArray[np.int32]
) -> TasteProfile:
    """Summarises what a user buys.

    Args:
        bundle: Gives the catalogue.
        profile: As it was set; None without one.
        taste: As the user stated it.
        bought_rows: Distinct rows.
        purchases: How often each of them was bought.
    """
    categories, brands, attributes = Counter[str](), Counter[str](), Counter[str]()
    for row, count in zip(bought_rows.tolist(), purchases.tolist(), strict=True):
        item = bundle.catalogue.items[row]
        if item.categories:
            categories[CATEGORY_SEPARATOR.join(item.categories)] += count
        if item.brand:
            brands[item.brand] += count
        for name, value in set(item.attributes):
            attributes[f"{name}: {value}"] += count
    total = int(purchases.sum())
    return TasteProfile(
        profile=profile,
        taste=taste,
        categories=_largest_shares(categories, total),
        brands=_largest_shares(brands, total),
        attributes=_largest_shares(attributes, total),
        purchases=total,
        bundle_id=bundle.bundle_id,
    )


def _largest_shares(counts: Counter[str], total: int) -> tuple[TasteShare, ...]:
    best = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:TASTE_SHARES]
    return tuple(TasteShare(value, count, count / total) for value, count in best)


def _disliked_rows(taste: Taste, catalogue: Catalogue) -> Iterator[Rows]:
    """The rows of each item, brand and category that the user wants to see less of."""
    for item_id in taste.less_items:
        yield catalogue.rows([item_id])
    for brand in taste.less_brands:
        yield _rows(catalogue.brands.having((brand,)))
    for category in taste.less_categories:
        if path := category_path(category):
            yield _rows(catalogue.paths.mask(partial(_begins_with, path)))


def _begins_with(beginning: tuple[str, ...], path: tuple[str, ...]) -> bool:
    return path[: len(beginning)] == beginning


def _rows(mask: NDArray[np.bool_]) -> Rows:
    return np.flatnonzero(mask).astype(np.int32)
