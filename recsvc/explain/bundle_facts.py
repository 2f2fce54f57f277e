"""Collects what is known of each item of a bundle, the same for every user."""

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats, Rows
from recsvc.explain.facts import ItemFacts
from recsvc.model.bundle import Bundle
from recsvc.model.catalogue import NO_CODE

# A path of categories that holds more than this share of the items, and more than this many, says little about one.
MAX_LEAF_SHARE, MAX_LEAF_ITEMS = 0.05, 20


def item_facts(bundle: Bundle) -> ItemFacts:
    """Returns the facts of all items of a bundle."""
    brands = bundle.catalogue.brands
    return ItemFacts(
        vectors=bundle.item_vectors,
        text_vectors=bundle.text_vectors,
        similar_from=bundle.model.similar_from,
        leaves=_leaves(bundle.catalogue.paths.codes),
        brands=brands.codes,
        brand_shares=_purchase_shares(brands.codes, len(brands.names), bundle.purchases),
        buyers=bundle.buyers,
        cohorts=bundle.cohorts,
        companions=bundle.companions,
        companion_buyers=bundle.companion_buyers,
    )


def _purchase_shares(codes: Rows, n_codes: int, purchases: NDArray[np.int32]) -> Floats:
    """Returns each code's share of all purchases, float32 (n_codes,)."""
    coded = codes >= 0
    counts = np.bincount(codes[coded], weights=purchases[coded], minlength=n_codes)
    return np.asarray(counts / max(int(purchases.sum()), 1), np.float32)


def _leaves(paths: Rows) -> Rows:
    """Returns the codes of the items' paths, with -1 in place of paths that hold too many items, (n,)."""
    sizes = np.bincount(paths[paths >= 0], minlength=1)
    too_large = sizes > max(MAX_LEAF_SHARE * len(paths), MAX_LEAF_ITEMS)
    return np.where((paths >= 0) & ~too_large[paths], paths, NO_CODE).astype(np.int32)
