"""Visits and their carts, kept in memory and found by a random cookie."""

import secrets
import uuid
from collections import OrderedDict
from dataclasses import dataclass, field

MAX_VISITS = 10_000  # when there are more, the visit that was not used for longest is dropped
MAX_CART_LINES = 50  # the most that the service takes of a cart
MAX_QUANTITY = 99
LANGUAGES = ("en", "zh")


@dataclass(slots=True)
class CartLine:
    """One item of a cart. recommendation_id: the list that the shopper found it in, or empty."""

    quantity: int
    recommendation_id: str = ""


@dataclass(slots=True)
class Visit:
    """One browser.

    Attributes:
        user_id: The current shopper.
        language: Of the interface and of the reasons.
        visit_id: The value of the cookie.
        token: Must come back with every form.
        cart: Its lines by item id.
        freshness: A token of the service, to send with the next lists.
        notice: The key of a text to show on the next page, and the title that it is about.
    """

    user_id: str
    language: str
    visit_id: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    cart: dict[str, CartLine] = field(default_factory=dict)
    freshness: str = ""
    notice: tuple[str, str] | None = None

    def add_to_cart(self, item_id: str, recommendation_id: str) -> bool:
        """Adds one of an item. False if the cart is full."""
        line = self.cart.get(item_id)
        if line is None:
            if len(self.cart) >= MAX_CART_LINES:
                return False
            line = self.cart[item_id] = CartLine(0)
        line.quantity = min(line.quantity + 1, MAX_QUANTITY)
        line.recommendation_id = recommendation_id or line.recommendation_id
        return True

    def switch_shopper(self, user_id: str) -> None:
        """Makes another shopper the current one, with an empty cart."""
        self.user_id, self.freshness = user_id, ""
        self.cart.clear()

    def take_notice(self) -> tuple[str, str] | None:
        """Returns the notice and removes it."""
        notice, self.notice = self.notice, None
        return notice


class Visits:
    """All visits. first: the shopper of a new browser; empty: a new visitor."""

    def __init__(self, first: str = "") -> None:
        self._first = first
        self._visits: OrderedDict[str, Visit] = OrderedDict()

    def find(self, visit_id: str, accept_language: str) -> tuple[Visit, bool]:
        """Finds the visit, or makes one; also tells whether it is new. An unknown id is not used for the new visit."""
        visit = self._visits.get(visit_id)
        if visit is not None:
            self._visits.move_to_end(visit_id)
            return visit, False
        language = "zh" if accept_language.strip().lower().startswith("zh") else "en"
        visit = Visit(self._first or new_user_id(), language)
        self._visits[visit.visit_id] = visit
        if len(self._visits) > MAX_VISITS:
            self._visits.popitem(last=False)
        return visit, True


def new_user_id() -> str:
    """A user id for a new visitor."""
    return f"visitor-{uuid.uuid4().hex}"
