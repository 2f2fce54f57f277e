"""Makes a bundle of many items from a smaller one, in minutes: its items again and again, each copy a little different.

The vectors of the copies have the spread of a real shop's, which random ones have not. Texts and people are the same.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import NO_ROW
from recsvc.model.bundle import Bundle
from recsvc.model.catalogue import Catalogue
from recsvc.model.search_view_files import SECTION
from recsvc.model.vectors import unit

# Of the standard deviation of a column: copies are as near to each other as variants of one product are.
JITTER = 0.1


def tiled(bundle: Bundle, items: int, seed: int = 0) -> Bundle:
    """Returns a bundle with `items` items. The first ones are those of `bundle`, with their ids.

    Companions and neighbours of a copy are copies of the same number, so each copy is a shop of its own.
    """
    n = len(bundle.catalogue)
    copies = -(-items // n)
    rng = np.random.default_rng(seed)
    catalogue = Catalogue(
        [
            item if not copy else replace(item, item_id=f"{item.item_id}-{copy}")
            for copy in range(copies)
            for item in bundle.catalogue.items
        ][:items]
    )
    arrays: dict[str, Any] = {
        name: np.resize(getattr(bundle, name), (items, *getattr(bundle, name).shape[1:]))
        for name in (
            "item_vectors",
            "buyers",
            "purchases",
            "cohorts",
            "companion_buyers",
            "repeat_rates",
            "repeat_intervals",
            "neighbour_weights",
            "text_codes",
        )
    }
    vectors = arrays["item_vectors"]
    spread = JITTER * bundle.item_vectors.std(axis=0)
    for start in range(n, items, n):
        part = vectors[start : start + n]
        part += rng.standard_normal(part.shape, np.float32) * spread
        for block in (bundle.layout.sequence, bundle.layout.text):  # whose vectors have length 1
            part[:, block] = unit(part[:, block])
    rows: dict[str, Any] = {
        name: _shifted(getattr(bundle, name), n, items) for name in ("companions", "neighbour_rows")
    }
    # The shortened vectors of the search are those of the first items alone.
    provenance = {name: value for name, value in bundle.provenance.items() if name != SECTION}
    return replace(
        bundle, catalogue=catalogue, bundle_id="", provenance=provenance, search_views=None, **arrays, **rows
    )


def _shifted(rows: NDArray[np.int32], n: int, items: int) -> NDArray[np.int32]:
    """Repeats rows of n items, each time for the next copies. A row of a copy that is cut off is none."""
    tiles = np.resize(rows, (items, *rows.shape[1:]))
    offsets = np.arange(items, dtype=np.int32) // n * n
    shifted = np.where(tiles == NO_ROW, NO_ROW, tiles + offsets[:, None])
    return np.where(shifted < items, shifted, NO_ROW).astype(np.int32)
