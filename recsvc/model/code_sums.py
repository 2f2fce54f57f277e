"""How many items have each category path, and how often the items of each path and brand were bought."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Rows
from recsvc.model.catalogue import Catalogue
from recsvc.model.codes import Codes, Name

Sums = NDArray[np.int64]


@dataclass(frozen=True)
class CodeSums:
    """Sums over the items of a catalogue, kept so that a new item costs no pass over all of them.

    Attributes:
        catalogue: The items. The sums are of this object alone.
        purchases: int32 (n,), of each item; of this array alone.
        items_of_path: int64 (paths,), how many items have each path, by code.
        purchases_of_path: int64 (paths,), purchases of these items.
        purchases_of_brand: int64 (brands,), purchases of the items of each brand, by code.
        total: All purchases.
    """

    catalogue: Catalogue
    purchases: NDArray[np.int32]
    items_of_path: Sums
    purchases_of_path: Sums
    purchases_of_brand: Sums
    total: int

    @staticmethod
    def of(catalogue: Catalogue, purchases: NDArray[np.int32]) -> "CodeSums":
        """Reads all items."""
        paths, brands = catalogue.paths, catalogue.brands
        return CodeSums(
            catalogue,
            purchases,
            items_of_path=_sums(paths, np.ones(len(purchases), np.int32)),
            purchases_of_path=_sums(paths, purchases),
            purchases_of_brand=_sums(brands, purchases),
            total=int(purchases.sum()),
        )

    def with_items(self, catalogue: Catalogue, purchases: NDArray[np.int32], rows: Rows) -> "CodeSums":
        """Returns the sums of a catalogue with other items in some distinct rows, some of them new and not bought.

        Args:
            catalogue: That of these sums, with the items.
            purchases: Of all its items, as before.
            rows: Of the items.
        """
        rows = np.unique(rows)
        known = rows[rows < len(self.purchases)]
        before, bought, ones = self.catalogue, purchases[rows], np.ones(len(rows), np.int32)

        def moved(codes: Codes[Name], codes_before: Codes[Name], sums: Sums, amounts: NDArray[np.int32]) -> Sums:
            later = np.zeros(len(codes), np.int64)
            later[: len(sums)] = sums
            _add(later, codes.codes[rows], amounts)
            _add(later, codes_before.codes[known], -amounts[: len(known)])
            return later

        return CodeSums(
            catalogue,
            purchases,
            items_of_path=moved(catalogue.paths, before.paths, self.items_of_path, ones),
            purchases_of_path=moved(catalogue.paths, before.paths, self.purchases_of_path, bought),
            purchases_of_brand=moved(catalogue.brands, before.brands, self.purchases_of_brand, bought),
            total=self.total,
        )


def _sums(codes: Codes[Name], amounts: NDArray[np.int32]) -> Sums:
    coded = codes.codes >= 0
    sums = np.bincount(codes.codes[coded], weights=amounts[coded], minlength=len(codes))
    return np.asarray(sums, np.int64)  # exact: a sum of whole numbers below 2^53


def _add(sums: Sums, codes: Rows, amounts: NDArray[np.int32]) -> None:
    coded = codes >= 0
    np.add.at(sums, codes[coded], amounts[coded])
