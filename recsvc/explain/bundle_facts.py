"""Collects what is known of each item of a bundle, the same for every user."""

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats, Rows
from recsvc.explain.facts import ItemFacts
from recsvc.model.bundle import Bundle


def item_facts(bundle: Bundle) -> ItemFacts:
    """Returns the facts of all items of a bundle."""
    brands = bundle.catalogue.brands
    return ItemFacts(
        vectors=bundle.item_vectors,
        similarity=bundle.item_vectors[:, bundle.layout.text],
        similar_from=bundle.model.similar_from,
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
