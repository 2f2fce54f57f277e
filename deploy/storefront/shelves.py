"""Lists of the service as rows of a page: each item with its reason, and what stands behind it."""

from collections.abc import Iterable
from dataclasses import dataclass

from deploy.storefront.catalogue import Catalogue, Product
from deploy.storefront.interface_words import words_in
from deploy.storefront.visits import Visit
from deploy.storefront.why import Why, why
from recsvc.v1 import recommendation_pb2 as pb

_BEHIND = {pb.DEGRADATION_STORE_UNAVAILABLE, pb.DEGRADATION_STALE}


@dataclass(frozen=True, slots=True)
class Card:
    """One item. list_id: the list that it is in, for the events that come of it. why: None where no true reason was."""

    product: Product
    list_id: str = ""
    why: Why | None = None


@dataclass(frozen=True, slots=True)
class Shelf:
    """One row. name: of the words of its title and note. stale: the service had to rank by what it had."""

    name: str
    cards: tuple[Card, ...]
    stale: bool = False


def shelf(
    name: str, answer: pb.RecommendResponse | pb.RankResponse | None, catalogue: Catalogue, visit: Visit
) -> Shelf | None:
    """None where there is nothing to show. Items that the shop does not know are passed over."""
    if answer is None:
        return None
    words = words_in(visit.language)
    cards = tuple(
        Card(
            product,
            answer.recommendation_id,
            why(found.reason, catalogue, words) if found.HasField("reason") else None,
        )
        for found in answer.recommendations
        if (product := catalogue.get(found.item_id)) is not None
    )
    return Shelf(name, cards, not _BEHIND.isdisjoint(answer.degraded)) if cards else None


def plain(name: str, products: Iterable[Product]) -> Shelf:
    """Without the service."""
    return Shelf(name, tuple(Card(product) for product in products))
