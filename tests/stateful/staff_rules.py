"""What the staff of the shop says of its items."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from recsvc.v1 import catalog_pb2
from tests.stateful.running_shop import days_before_now, stamp
from tests.stateful.shop_day import ShopDay, letters, servers
from tests.stateful.shop_model import Product

TITLES = ("Quartz Lantern", "Velvet Compass", "Walnut Abacus", "Amber Saddle")
STOCKS = ([0], [5], [5, 0], [0, 5])  # several in one call: the last holds
OTHER_BRAND = "Zephyr Works"
PRICES = (20.0, 80.0, 150.0, 250.0)
LONG_AGO = 150  # days: the table of the second bundle is newer
AHEAD_DAYS = -50 / 86_400  # less than the minute that is allowed
NEW_ITEM = "new-item"


class StaffRules(ShopDay):
    """Stock, prices, words, deletions, bundles."""

    @rule(
        server=servers,
        letter=letters,
        subject=st.sampled_from(("stock", "stock", "price", "words", "deletion", "addition")),
        number=st.integers(0, 3),
    )
    def says_of_an_item(self, server: int, letter: str, subject: str, number: int) -> None:
        if subject == "stock":
            self._sets_stock(server, letter, STOCKS[number], {})
        elif subject == "price":
            self._sets_price(server, letter, PRICES[number])
        elif subject == "words":
            self._describes(server, letter, TITLES[number], OTHER_BRAND if number == 0 else self.brand)
        elif subject == "deletion":
            self._deletes(server, letter, restore=number == 0)
        else:
            self._adds_an_item(server, TITLES[number])

    @rule(server=servers, letter=letters, counts=st.permutations((0, 5)))
    def sets_stock_twice_and_dates_the_first_ahead(self, server: int, letter: str, counts: list[int]) -> None:
        self._sets_stock(server, letter, counts[:1], {"set_time": stamp(days_before_now(AHEAD_DAYS))})
        self._sets_stock(1 - server, letter, counts[1:], {})

    def _sets_stock(self, server: int, letter: str, counts: list[int], when: dict) -> None:
        dated = ", dated 50 seconds ahead" if when else ""
        stock = " and then ".join(map(str, counts))
        self.tells(f"the staff sets the stock of {letter} to {stock} at server {server}{dated}")
        item_id = self.items[letter]
        self.model.product(item_id).sold_out = counts[-1] == 0
        self.shop.set_inventory(server, *(catalog_pb2.Inventory(item_id=item_id, stock=n, **when) for n in counts))

    def _sets_price(self, server: int, letter: str, price: float) -> None:
        self.tells(f"the staff sets the price of {letter} to {price} at server {server}")
        item_id = self.items[letter]
        product = self.model.product(item_id)
        product.price, product.price_days_ago = price, 0
        self.shop.set_inventory(server, catalog_pb2.Inventory(item_id=item_id, price=price))

    @rule(server=servers, place=st.integers(0, 3), price=st.sampled_from(PRICES))
    def set_a_price_long_ago(self, server: int, place: int, price: float) -> None:
        """Of an item that had no price but the tables'."""
        item_id = sorted(self.model.of_brand(self.brand) - set(self.items.values()) - {NEW_ITEM})[place]
        if self.model.products[item_id].price is not None:
            return
        self.tells(f"the staff sets the price of {item_id} to {price} at server {server}, dated {LONG_AGO} days ago")
        self.for_good = True  # it would have to be set at a later time
        product = self.model.product(item_id)
        product.price, product.price_days_ago = price, LONG_AGO
        when = stamp(days_before_now(LONG_AGO))
        self.shop.set_inventory(server, catalog_pb2.Inventory(item_id=item_id, price=price, set_time=when))

    def _describes(self, server: int, letter: str, title: str, brand: str) -> None:
        self.tells(f"the staff calls {letter} “{title}” of the brand {brand} at server {server}")
        item_id = self.items[letter]
        product = self.model.product(item_id)
        product.title, product.brand, product.deleted = title, brand, False
        self.shop.describe(server, {item_id: product})

    def _adds_an_item(self, server: int, title: str) -> None:
        self.tells(f"the staff adds the item {NEW_ITEM}, “{title}” of {self.brand}, at server {server}")
        self.model.products[NEW_ITEM] = Product(title, self.brand, ("Garden", "Tools", "Spade"), frozenset(), None)
        self.shop.describe(server, {NEW_ITEM: self.model.product(NEW_ITEM)})

    def _deletes(self, server: int, letter: str, *, restore: bool) -> None:
        self.tells(f"the staff {'restores' if restore else 'deletes'} {letter} at server {server}")
        item_id = self.items[letter]
        self.model.product(item_id).deleted = not restore
        self.shop.delete(server, item_id, restore=restore)

    @rule(server=servers, bundle=st.sampled_from((0, 1)))
    def activates_a_bundle(self, server: int, bundle: int) -> None:
        self.tells(f"the staff activates bundle {bundle} at server {server}")
        self.model.bundle = bundle
        self.shop.activate(server, bundle)
