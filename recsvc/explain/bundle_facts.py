"""Collects what is known of each item of a bundle, the same for every user."""

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats, Rows
from recsvc.explain.facts import ItemFacts
from recsvc.model.bundle import Bundle
from recsvc.model.catalogue import Catalogue
from recsvc.model.code_sums import CodeSums
from recsvc.model.codes import Vocabulary, codes_of
from recsvc.model.item_columns import NO_CODE
from recsvc.model.vectors import CODE_SCALE
from recsvc.reasons import needs_served

# A category that holds more than this share of the items, and more than this many, says little about one of them.
MAX_CATEGORY_SHARE, MAX_CATEGORY_ITEMS = 0.05, 20
MIN_PARENT_DEPTH = 2  # names of a path that is not a department

# By the paths of a shop, for as long as these are in use: upserts seldom bring another path.
_PARENTS: WeakKeyDictionary[Vocabulary[tuple[str, ...]], Rows] = WeakKeyDictionary()


def item_facts(bundle: Bundle) -> ItemFacts:
    """Returns the facts of all items of a bundle."""
    sums = bundle.code_sums
    leaves, parents = category_codes(sums)
    return ItemFacts(
        vectors=bundle.item_vectors,
        likeness=lambda rows, others: cosines(bundle.text_codes[rows], bundle.text_codes[others]),
        similar_from=bundle.model.similar_from,
        serve_one_need=lambda rows, others: serve_one_need(bundle.catalogue, rows, others),
        leaves=leaves,
        parents=parents,
        brands=bundle.catalogue.brands.codes,
        brand_shares=np.asarray(sums.purchases_of_brand / max(sums.total, 1), np.float32),
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


def category_codes(sums: CodeSums) -> tuple["CodesOfRows", "CodesOfRows"]:
    """Returns the codes of each row's path, and of the path without its last name; see `ItemFacts`."""
    paths, n = sums.catalogue.paths, len(sums.catalogue)
    parents = _PARENTS.get(paths.vocabulary)
    if parents is None:
        parents = _PARENTS[paths.vocabulary] = codes_of(
            path[:-1] if len(path) > MIN_PARENT_DEPTH else () for path in paths.names
        ).codes
    has_parent = parents >= 0
    of_parents = np.bincount(parents[has_parent], weights=sums.items_of_path[has_parent], minlength=1)
    of_paths = np.arange(len(paths), dtype=np.int32)
    return (
        CodesOfRows(paths.codes, _telling(of_paths, sums.items_of_path, n)),
        CodesOfRows(paths.codes, _telling(parents, of_parents, n)),
    )


class CodesOfRows:
    """A code of each row that follows from the row's category path. Reading m of them costs as much as m.

    Args:
        paths: int32 (n,), the path of each row, -1 for none.
        codes: int32 (paths,), the code of each path.
    """

    def __init__(self, paths: Rows, codes: Rows) -> None:
        self._paths = paths
        self._codes = np.append(codes, np.int32(NO_CODE))  # the last place is for rows without a path

    def __getitem__(self, rows: Rows) -> Rows:
        """Returns the codes of m rows, int32 (m,)."""
        codes: Rows = self._codes[self._paths[rows]]
        return codes


def _telling(codes: Rows, sizes: NDArray[Any], n: int) -> Rows:
    """Returns codes with -1 in place of those that too many of n rows have. sizes: how many have each."""
    too_large = sizes > max(MAX_CATEGORY_SHARE * n, MAX_CATEGORY_ITEMS)
    return np.where((codes >= 0) & ~too_large[codes], codes, NO_CODE).astype(np.int32)
