"""Encodes the categories and attributes that a reason may name as small ints."""

from typing import NamedTuple

from recsvc.domain.reason import EvidenceKind
from recsvc.model.bundle import Bundle
from recsvc.reasons import attribute_form

# The number of items whose terms are kept, some 700 bytes each.
KEPT_ITEMS = 20_000
# Takes the place of an attribute's name in a term that is a category.
_CATEGORY = ""


class _Terms(NamedTuple):
    """The terms of one item. codes: all of them. nameable: those that a reason may name, by kind and code."""

    codes: tuple[int, ...]
    nameable: tuple[tuple[EvidenceKind, int], ...]


class ItemTerms:
    """The terms of a bundle's items: categories at any depth, and attributes. A term has a code once it was seen.

    Attributes:
        pairs: The name and value of each term, by code. A category has the name "".
    """

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._code_of: dict[tuple[str, str], int] = {}
        self._shares: dict[int, float] = {}
        self._kept: dict[int, _Terms] = {}
        self.pairs: list[tuple[str, str]] = []

    def codes(self, row: int) -> tuple[int, ...]:
        """Returns all terms of an item, its categories first."""
        return self._terms(row).codes

    def nameable(self, row: int) -> tuple[tuple[EvidenceKind, int], ...]:
        """Returns the terms of an item that a reason may name: its categories but the department, and all attributes.

        The deepest category comes first. A path of one category has no department.
        """
        return self._terms(row).nameable

    def _terms(self, row: int) -> _Terms:
        kept = self._kept.get(row)
        if kept is not None:
            return kept
        item = self._bundle.catalogue.items[row]
        pairs = [(_CATEGORY, name) for name in item.categories]
        pairs += [pair for pair in item.attributes if attribute_form(pair[0]) is not None]
        for pair in pairs:
            if pair not in self._code_of:
                self._code_of[pair] = len(self.pairs)
                self.pairs.append(pair)
        codes, depth = tuple(self._code_of[pair] for pair in pairs), len(item.categories)
        categories = codes[min(1, depth - 1) : depth] if depth else ()
        nameable = (
            *((EvidenceKind.CATEGORY, code) for code in reversed(categories)),
            *((EvidenceKind.ATTRIBUTE, code) for code in codes[depth:]),
        )
        if len(self._kept) >= KEPT_ITEMS:
            self._kept.clear()
        terms = self._kept[row] = _Terms(codes, nameable)
        return terms

    def share(self, code: int) -> float:
        """Returns the share of all users' purchases that are of items with a term, 0 to 1."""
        if code not in self._shares:
            (name, value), sums = self.pairs[code], self._bundle.code_sums
            if name == _CATEGORY:
                paths = self._bundle.catalogue.paths.names
                bought = sums.purchases_of_path[[place for place, path in enumerate(paths) if value in path]].sum()
            else:
                bought = self._bundle.purchases[self._bundle.catalogue.attributes[name, value]].sum()
            self._shares[code] = float(bought / max(sums.total, 1))
        return self._shares[code]
