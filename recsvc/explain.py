"""Evidence and reasons for one page: what the arrays say, joined with the catalogue's names, put into words."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from recsvc.bundle import Bundle
from recsvc.domain import Evidence, EvidenceKind, Reason
from recsvc.evidence import Fact, ItemFacts, Preferences, UserFacts, page_facts, preferences_of
from recsvc.metrics import REASONS, REASONS_MISSING
from recsvc.reasons import ReasonWriter


class Explainer:
    """Explains pages of one bundle."""

    def __init__(self, bundle: Bundle, reasons: ReasonWriter) -> None:
        self._bundle = bundle
        self._reasons = reasons
        self._items = _item_facts(bundle)
        catalogue = bundle.catalogue
        self._names = {EvidenceKind.BRAND: catalogue.brands.names, EvidenceKind.CATEGORY: catalogue.categories[1]}

    def preferences(self, bought_rows: NDArray[np.int32], purchases: NDArray[np.int32]) -> Preferences:
        """The brands and categories that a user buys more than others do."""
        return preferences_of(self._items, bought_rows, purchases)

    def explain(
        self,
        user: UserFacts,
        page_rows: NDArray[np.int32],
        pool_rows: NDArray[np.int32],
        language: str,
        seed: int,
    ) -> list[Reason | None]:
        """A reason with its evidence for each item of a page; None where there is nothing true to say.

        pool_rows: what competed for the page. seed: keeps the choice of words stable.
        """
        facts = page_facts(user, self._items, self._bundle.item_vectors, page_rows, pool_rows)
        items = [self._bundle.catalogue.items[row] for row in page_rows]
        evidence = [tuple(map(self._named, found)) for found in facts]
        reasons = self._reasons.write_page(list(zip(items, evidence, strict=True)), language, seed)
        written = Counter(reason.evidence[0].kind for reason in reasons if reason is not None)
        for kind, count in written.items():
            REASONS.labels(kind.value, language).inc(count)
        REASONS_MISSING.inc(len(reasons) - written.total())
        return reasons

    def _named(self, fact: Fact) -> Evidence:
        kind, names = fact.kind, self._names.get(fact.kind)
        anchor = self._bundle.catalogue.items[fact.anchor_row] if fact.anchor_row >= 0 else None
        value = names[fact.code] if names is not None else ""
        days = self._bundle.model.popularity_days if kind is EvidenceKind.POPULARITY else 0
        return Evidence(kind, fact.strength, fact.effect, fact.share, anchor, value, fact.count, days, fact.lift)


def _item_facts(bundle: Bundle) -> ItemFacts:
    brands = bundle.catalogue.brands
    categories, category_names = bundle.catalogue.categories
    return ItemFacts(
        similarity=bundle.item_vectors[:, bundle.layout.text],
        similar_from=bundle.model.similar_from,
        brands=brands.codes,
        categories=categories,
        brand_shares=_purchase_shares(brands.codes, len(brands.names), bundle.purchases),
        category_shares=_purchase_shares(categories, len(category_names), bundle.purchases),
        buyers=bundle.buyers,
    )


def _purchase_shares(codes: NDArray[np.int32], names: int, purchases: NDArray[np.int32]) -> NDArray[np.float32]:
    """float32 (names,): each brand's or category's share of all purchases."""
    held = codes >= 0
    counts = np.bincount(codes[held], weights=purchases[held], minlength=names)
    return np.asarray(counts / max(int(purchases.sum()), 1), np.float32)
