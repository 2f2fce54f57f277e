"""What a user has said of their taste, as it moves the user vector; and what the service believes of it.

"Less of this" is negative relevance feedback (Rocchio, "Relevance Feedback in Information Retrieval", 1971): the mean
direction of what is meant is taken away from the user vector. The score stays one inner product.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats, Rows
from recsvc.domain.shop import CATEGORY_SEPARATOR, NO_TASTE, Profile, Taste
from recsvc.model.bundle import Bundle
from recsvc.model.catalogue import Catalogue
from recsvc.model.towers.user import ITEM_ONLY_BLOCKS

# How much of its own length the user vector loses in the direction of each thing that the user wants to see less of.
LESS = 0.5
TOP = 10


@dataclass(frozen=True, slots=True)
class TasteShare:
    """What a user buys: in how many of their purchases it is, and in which share of them."""

    value: str
    purchases: int
    share: float


@dataclass(frozen=True, slots=True)
class TasteProfile:
    """What is believed of a user. purchases: from how many it is made."""

    profile: Profile | None
    taste: Taste
    categories: tuple[TasteShare, ...]
    brands: tuple[TasteShare, ...]
    attributes: tuple[TasteShare, ...]
    purchases: int
    bundle_id: str


def silent_rows(taste: Taste, catalogue: Catalogue) -> Rows:
    """Ascending rows of which the history says nothing: gifts, and what the user wants to see less of."""
    if taste == NO_TASTE:
        return np.empty(0, np.int32)
    each = [catalogue.rows(taste.gifts), *_meant(taste, catalogue)]
    return np.unique(np.concatenate(each)).astype(np.int32)


def disliked(taste: Taste, bundle: Bundle) -> Floats | None:
    """What to add to a user vector of length 1, float32 (d,); None: nothing."""
    meant = [rows for rows in _meant(taste, bundle.catalogue) if len(rows)]
    if not meant:
        return None
    direction = np.zeros(bundle.item_vectors.shape[1], np.float32)
    for rows in meant:
        mean = bundle.item_vectors[rows].mean(axis=0)
        for name in ITEM_ONLY_BLOCKS:  # that an item is new or popular is nobody's taste
            mean[getattr(bundle.layout, name)] = 0.0
        direction -= np.float32(LESS) * mean / max(float(np.linalg.norm(mean)), 1e-12)
    return direction


def taste_profile(
    bundle: Bundle, profile: Profile | None, taste: Taste, bought_rows: Rows, purchases: NDArray[np.int32]
) -> TasteProfile:
    """bought_rows: distinct rows, and how often each was bought."""
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
    tops = [_top(counts, total) for counts in (categories, brands, attributes)]
    return TasteProfile(profile, taste, tops[0], tops[1], tops[2], total, bundle.bundle_id)


def _top(counts: Counter[str], total: int) -> tuple[TasteShare, ...]:
    best = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:TOP]
    return tuple(TasteShare(value, count, count / total) for value, count in best)


def _meant(taste: Taste, catalogue: Catalogue) -> Iterable[Rows]:
    """The rows of each thing that the user wants to see less of."""
    for item_id in taste.less_items:
        yield catalogue.rows([item_id])
    for brand in taste.less_brands:
        yield _coded(catalogue.brands.codes, [name == brand for name in catalogue.brands.names])
    for category in taste.less_categories:
        path = tuple(category.split(CATEGORY_SEPARATOR))
        yield _coded(catalogue.paths.codes, [name[: len(path)] == path for name in catalogue.paths.names])


def _coded(codes: NDArray[np.int32], wanted: list[bool]) -> Rows:
    return np.flatnonzero(np.array([*wanted, False])[codes]).astype(np.int32)
