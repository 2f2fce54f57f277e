"""A model of the shop in plain Python: what the staff and the shoppers said and did, in their order."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from recsvc.domain.shop import Item

# Events of a kind that the service promises to remember of a shopper.
ROOM = 256


class Act(NamedTuple):
    """What a shopper did with an item.

    Attributes:
        kind: "buys", "sends back", "hides" or "looks at".
        item_id: The item.
        days_ago: 0 for now.
        place: Among everything that was done: of equal days, the larger place is later.
        pieces: Bought or sent back.
    """

    kind: str
    item_id: str
    days_ago: int
    place: int
    pieces: int = 1

    @property
    def moment(self) -> tuple[int, int]:
        """What acts are ordered by."""
        return -self.days_ago, self.place


@dataclass
class Shopper:
    """One shopper: what they did, and what they said of themselves."""

    user_id: str
    acts: list[Act] = field(default_factory=list)
    profile: str = ""
    less_brands: set[str] = field(default_factory=set)
    gifts: set[str] = field(default_factory=set)

    def kept_purchases(self) -> dict[str, list[Act]]:
        """By item, the purchases of which a piece was not sent back, oldest first.

        A return takes pieces from the newest earlier purchases of its item.
        """
        left: dict[str, list[tuple[Act, int]]] = {}
        for act in sorted(self.acts, key=lambda act: act.moment):
            purchases = left.setdefault(act.item_id, [])
            if act.kind == "buys":
                purchases.append((act, act.pieces))
            elif act.kind == "sends back":
                pieces = act.pieces
                while pieces and purchases:
                    purchase, rest = purchases.pop()
                    if rest > pieces:
                        purchases.append((purchase, rest - pieces))
                    pieces -= min(rest, pieces)
        return {item_id: [act for act, _ in purchases] for item_id, purchases in left.items() if purchases}

    def hidden(self) -> set[str]:
        """Items that were hidden and not bought since. What was bought since and then sent back is hidden again."""
        kept = [act for acts in self.kept_purchases().values() for act in acts]
        hides = [act for act in self.acts if act.kind == "hides"]
        last = {act.item_id: act.kind for act in sorted([*kept, *hides], key=lambda act: act.moment)}
        return {item_id for item_id, kind in last.items() if kind == "hides"}

    def sent_back(self) -> set[str]:
        """Items of which a piece was sent back."""
        return {act.item_id for act in self._in_order({"sends back"})}

    def looked_at(self) -> set[str]:
        """Items whose pages are among the last that the service remembers."""
        return {act.item_id for act in list(self._in_order({"looks at"}))[-ROOM:]}

    def ever_touched(self) -> set[str]:
        """Items of all acts."""
        return {act.item_id for act in self.acts}

    def _in_order(self, kinds: set[str]) -> Iterator[Act]:
        return iter(sorted((act for act in self.acts if act.kind in kinds), key=lambda act: act.moment))


@dataclass
class Product:
    """One item as the shop described it last."""

    title: str
    brand: str
    categories: tuple[str, ...]
    attributes: frozenset[tuple[str, str]]
    price: float | None  # None: that of the table
    price_days_ago: int = 0
    sold_out: bool = False
    deleted: bool = False

    @classmethod
    def of(cls, item: Item) -> "Product":
        return cls(item.title, item.brand, item.categories, frozenset(item.attributes), None)


class ShopModel:
    """All of it.

    Args:
        tables: The items of each bundle by id, in the order in which the bundles were made.
        table_days_ago: When the table of each bundle was read.
    """

    def __init__(self, tables: list[dict[str, Item]], table_days_ago: list[int]) -> None:
        self._tables = tables
        self._table_days_ago = table_days_ago
        self.bundle = 0
        self.products = {item_id: Product.of(item) for item_id, item in tables[0].items()}
        self.changed: set[str] = set()
        self.shoppers: dict[str, Shopper] = {}
        self.strangers: list[str] = []  # ids of those who asked to be forgotten, and did nothing since
        self.clicks = 0  # events that name a list
        # By item, how many people of the crowds kept it, and how many others had to do with it.
        self.keepers: dict[str, int] = {}
        self.others: dict[str, int] = {}

    def product(self, item_id: str) -> Product:
        """An item that is about to change."""
        self.changed.add(item_id)
        return self.products[item_id]

    def price(self, item_id: str) -> float | None:
        """What filters use: the shop's last word, or the table's where the table is newer."""
        product = self.products[item_id]
        item = self._tables[self.bundle].get(item_id)
        if product.price is None or (item is not None and product.price_days_ago > self._table_days_ago[self.bundle]):
            return item.price if item is not None else None
        return product.price

    def for_sale(self) -> set[str]:
        """Items that may be in a list."""
        return {item_id for item_id, product in self.products.items() if not product.sold_out and not product.deleted}

    def of_brand(self, brand: str) -> set[str]:
        return {item_id for item_id, product in self.products.items() if product.brand == brand}

    def counted_purchases(self, shopper: Shopper) -> dict[str, list[Act]]:
        """The purchases that say something about taste: without gifts, and without what the shopper wants less of."""
        return {
            item_id: acts
            for item_id, acts in shopper.kept_purchases().items()
            if item_id not in shopper.gifts and self.products[item_id].brand not in shopper.less_brands
        }

    def times_bought(self, shopper: Shopper, items: Iterable[str]) -> int:
        """How many counted purchases are of these items."""
        counted = self.counted_purchases(shopper)
        return sum(len(counted.get(item_id, ())) for item_id in items)
