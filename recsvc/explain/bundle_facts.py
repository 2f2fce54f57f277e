"""Collects what is known of each item of a bundle, the same for every user."""

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats, Rows
from recsvc.explain.facts import ItemFacts
from recsvc.model.bundle import Bundle
from recsvc.model.catalogue import Catalogue
from recsvc.model.codes import codes_of
from recsvc.model.item_columns import NO_CODE
from recsvc.model.vectors import CODE_SCALE
from recsvc.reasons import needs_served

# A category that holds more than this share of the items, and more than this many, says little about one of them.
MAX_CATEGORY_SHARE, MAX_CATEGORY_ITEMS = 0.05, 20
MIN_PARENT_DEPTH = 2  # names of a path that is not a department


def item_facts(bundle: Bundle) -> ItemFacts:
    """Returns the facts of all items of a bundle."""
    brands = bundle.catalogue.brands
    leaves, parents = category_codes(bundle.catalogue)
    return ItemFacts(
        vectors=bundle.item_vectors,
        likeness=lambda rows, others: cosines(bundle.text_codes[rows], bundle.text_codes[others]),
        similar_from=bundle.model.similar_from,
        serve_one_need=lambda rows, others: serve_one_need(bundle.catalogue, rows, others),
        leaves=leaves,
        parents=parents,
        brands=brands.codes,
        brand_shares=_purchase_shares(brands.codes, len(brands), bundle.purchases),
        buyers=bundle.buyers,
        cohorts=bundle.cohorts,
        companions=bundle.companions,
        companion_buyers=bundle.companion_buyers,
    )


def serve_one_need(catalogue: Catalogue, rows: Rows, others: Rows) -> NDArray[np.bool_]:
    """Returns for each pair whether the nouns of the two titles agree; true too where one of them is not known."""
    items = catalogue.items
    needs = [needs_served(items[row].title) for row in rows.tolist()]
    other_needs = [needs_served(items[row].title) for row in others.tolist()]
    agree = [not one or not other or not one.isdisjoint(other) for one, other in zip(needs, other_needs, strict=True)]
    return np.array(agree, np.bool_)


def cosines(codes: NDArray[np.int8], others: NDArray[np.int8]) -> Floats:
    """Returns the cosines between p and m unit vectors in 8 bits, float32 (p, m); 0 with a zero vector.

    The codes are not normalised again: that would take most of the time, and change a cosine by about .01 at most.
    """
    return np.asarray(codes.astype(np.float32) @ others.astype(np.float32).T / np.float32(CODE_SCALE**2))


def _purchase_shares(codes: Rows, n_codes: int, purchases: NDArray[np.int32]) -> Floats:
    """Returns each code's share of all purchases, float32 (n_codes,)."""
    coded = codes >= 0
    counts = np.bincount(codes[coded], weights=purchases[coded], minlength=n_codes)
    return np.asarray(counts / max(int(purchases.sum()), 1), np.float32)


def category_codes(catalogue: Catalogue) -> tuple[Rows, Rows]:
    """Returns the codes of each row's path, and of the path without its last name; see `ItemFacts`, (n,) each."""
    paths = catalogue.paths
    parents = codes_of(path[:-1] if len(path) > MIN_PARENT_DEPTH else () for path in paths.names).codes
    # The last place is for rows without a path.
    return _telling(paths.codes), _telling(np.append(parents, np.int32(NO_CODE))[paths.codes])


def _telling(codes: Rows) -> Rows:
    """Returns the codes with -1 in place of those that too many rows have, (n,)."""
    sizes = np.bincount(codes[codes >= 0], minlength=1)
    too_large = sizes > max(MAX_CATEGORY_SHARE * len(codes), MAX_CATEGORY_ITEMS)
    return np.where((codes >= 0) & ~too_large[codes], codes, NO_CODE).astype(np.int32)
