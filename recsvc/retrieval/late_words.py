"""The words of the texts that came or changed after an index was stored. A change costs as much as its own words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import NO_ROWS, NO_SCORES, Floats, Rows
from recsvc.model.growing import GrowingMapping
from recsvc.model.item_words import K1, B


class Amounts(NamedTuple):
    """The texts that have a term, and how much each has of it: 1 where a text of average length has it once.

    Attributes:
        rows: int32 (p,), distinct, in no order.
        amounts: float32 (p,).
    """

    rows: Rows
    amounts: Floats


NO_AMOUNTS = Amounts(NO_ROWS, NO_SCORES)


@dataclass(frozen=True)
class LateWords:
    """Terms of late texts. No method changes it: `with_texts` makes another.

    Attributes:
        stored: How many rows the stored index has.
        n: How many rows there are, late ones included.
        terms: The sum over all texts, stored ones included, of the distinct terms of each.
        current: bool (stored,), which texts of the stored index still hold; None if all do.
        by_term: The late texts that have a term.
    """

    stored: int
    n: int
    terms: int
    current: NDArray[np.bool_] | None = None
    by_term: GrowingMapping[str, Amounts] = field(default_factory=GrowingMapping)

    def with_texts(self, texts: Mapping[int, Sequence[str]], earlier: Mapping[int, Sequence[str]]) -> "LateWords":
        """Returns a copy with other texts in some rows, some of them new.

        Args:
            texts: The terms of each, by row.
            earlier: The terms of the texts that the rows had before, of those rows that were there.
        """
        lost: dict[str, list[int]] = {}
        for row, terms in earlier.items():
            if self._is_late(row):
                for term in dict.fromkeys(terms):
                    lost.setdefault(term, []).append(row)
        counts = {row: Counter(terms) for row, terms in texts.items()}
        n = max(self.n, 1 + max(texts, default=-1))
        n_terms = self.terms + sum(map(len, counts.values())) - sum(len(set(terms)) for terms in earlier.values())
        gained: dict[str, list[tuple[int, float]]] = {}
        for row, of_text in counts.items():
            relative = len(of_text) * n / n_terms if n_terms else 1.0
            for term, count in of_text.items():
                gained.setdefault(term, []).append((row, _amount(count, relative)))
        changed = {term: self._changed(term, lost.get(term, ()), gained.get(term, ())) for term in {**lost, **gained}}
        return LateWords(
            stored=self.stored,
            n=n,
            terms=n_terms,
            current=self._current_without(texts),
            by_term=self.by_term.with_values(changed, keep=lambda amounts: len(amounts.rows) > 0),
        )

    def of_term(self, term: str) -> Amounts:
        """Returns the late texts that have a term."""
        amounts: Amounts = self.by_term.get(term, NO_AMOUNTS)
        return amounts

    def _is_late(self, row: int) -> bool:
        return row >= self.stored or (self.current is not None and not self.current[row])

    def _changed(self, term: str, lost: Sequence[int], gained: Sequence[tuple[int, float]]) -> Amounts:
        rows, amounts = self.of_term(term)
        if lost:
            kept = ~np.isin(rows, lost)
            rows, amounts = rows[kept], amounts[kept]
        return Amounts(
            np.append(rows, np.array([row for row, _ in gained], np.int32)),
            np.append(amounts, np.array([amount for _, amount in gained], np.float32)),
        )

    def _current_without(self, rows: Mapping[int, object]) -> NDArray[np.bool_] | None:
        replaced = [row for row in rows if row < self.stored and not self._is_late(row)]
        if not replaced:
            return self.current
        # A byte an item, copied: requests that are under way still read the mask as it was.
        current = np.ones(self.stored, np.bool_) if self.current is None else self.current.copy()
        current[replaced] = False
        return current


def _amount(count: int, relative: float) -> float:
    """Returns BM25's saturated frequency of a term that a text has `count` times.

    Args:
        count: 1 or more.
        relative: The length of the text over the mean length.
    """
    return count * (K1 + 1) / (count + K1 * (1 - B + B * relative))
