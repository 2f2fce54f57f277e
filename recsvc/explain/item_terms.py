"""Encodes the categories and attributes that a reason may name as small ints."""

from recsvc.domain.reason import EvidenceKind
from recsvc.model.bundle import Bundle
from recsvc.reasons import attribute_form

# Takes the place of an attribute's name in a term that is a category.
_CATEGORY = ""


class ItemTerms:
    """The terms of a bundle's items: categories at any depth, and attributes. A term has a code once it was seen.

    Attributes:
        pairs: The name and value of each term, by code. A category has the name "".
    """

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._code_of: dict[tuple[str, str], int] = {}
        self._shares: dict[int, float] = {}
        self.pairs: list[tuple[str, str]] = []

    def codes(self, row: int) -> list[int]:
        """Returns all terms of an item, its categories first."""
        item = self._bundle.catalogue.items[row]
        pairs = [(_CATEGORY, name) for name in item.categories]
        pairs += [pair for pair in item.attributes if attribute_form(pair[0]) is not None]
        for pair in pairs:
            if pair not in self._code_of:
                self._code_of[pair] = len(self.pairs)
                self.pairs.append(pair)
        return [self._code_of[pair] for pair in pairs]

    def nameable(self, row: int) -> list[tuple[EvidenceKind, int]]:
        """Returns the terms of an item that a reason may name: its categories but the department, and all attributes.

        The deepest category comes first. A path of one category has no department.
        """
        depth = len(self._bundle.catalogue.items[row].categories)
        codes = self.codes(row)
        categories, attributes = codes[min(1, depth - 1) : depth] if depth else [], codes[depth:]
        return [
            *((EvidenceKind.CATEGORY, code) for code in reversed(categories)),
            *((EvidenceKind.ATTRIBUTE, code) for code in attributes),
        ]

    def share(self, code: int) -> float:
        """Returns the share of all users' purchases that are of items with a term, 0 to 1."""
        if code not in self._shares:
            name, value = self.pairs[code]
            catalogue, purchases = self._bundle.catalogue, self._bundle.purchases
            if name == _CATEGORY:
                bought = purchases[catalogue.paths.mask(lambda path: value in path)]
            else:
                bought = purchases[catalogue.attributes[name, value]]
            self._shares[code] = float(bought.sum() / max(int(purchases.sum()), 1))
        return self._shares[code]
