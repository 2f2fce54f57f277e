"""Turns lists of the service into rows of a page, each item with its reason and the facts behind it."""

from collections.abc import Iterable
from dataclasses import dataclass

from deploy.storefront.catalogue import Catalogue, Product
from deploy.storefront.interface_words import words_in
from deploy.storefront.visits import Visit
from deploy.storefront.why import Explanation, explain
from recsvc.v1 import recommendation_pb2 as pb

_STALE = {pb.DEGRADATION_STORE_UNAVAILABLE, pb.DEGRADATION_STALE}


@dataclass(frozen=True, slots=True)
class Card:
    """One item. list_id: the list that it is in, to send back with events. explanation: None if it has no reason."""

    product: Product
    list_id: str = ""
    explanation: Explanation | None = None


@dataclass(frozen=True, slots=True)
class Shelf:
    """One row. name: the key of its title and note. stale: whether the service ranked with data that may be old."""

    name: str
    cards: tuple[Card, ...]
    stale: bool = False


def recommended_shelf(
    name: str, answer: pb.RecommendResponse | pb.RankResponse | None, catalogue: Catalogue, visit: Visit
) -> Shelf | None:
    """A row of recommended items. None if there is nothing to show. Items that the shop does not sell are skipped."""
    if answer is None:
        return None
    words = words_in(visit.language)
    cards = tuple(
        Card(
            product,
            answer.recommendation_id,
            explain(recommended.reason, catalogue, words) if recommended.HasField("reason") else None,
        )
        for recommended in answer.recommendations
        if (product := catalogue.get(recommended.item_id)) is not None
    )
    return Shelf(name, cards, not _STALE.isdisjoint(answer.degraded)) if cards else None


def plain_shelf(name: str, products: Iterable[Product]) -> Shelf:
    """A row of items that are not recommended by the service."""
    return Shelf(name, tuple(Card(product) for product in products))
