"""Who is here, and what they have in their cart: kept in memory, found by a random cookie that says nothing itself."""

import secrets
import uuid
from collections import OrderedDict
from dataclasses import dataclass, field

VISITS = 10_000  # the oldest goes when one more comes
CART_LINES = 50  # the most that the service takes of a cart
QUANTITY = 99
LANGUAGES = ("en", "zh")


@dataclass(slots=True)
class CartLine:
    """recommendation_id: the list that the shopper found it in; empty: none."""

    quantity: int
    recommendation_id: str = ""


@dataclass(slots=True)
class Visit:
    """One browser. token: what every form must bring back. freshness: from the service, for the lists to come.
    notice: a word of the interface to say on the next page, and the title it is about.
    """

    user_id: str
    language: str
    visit_id: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    cart: dict[str, CartLine] = field(default_factory=dict)
    freshness: str = ""
    notice: tuple[str, str] | None = None

    def put(self, item_id: str, recommendation_id: str) -> bool:
        """One more of an item. False: the cart is full."""
        line = self.cart.get(item_id)
        if line is None:
            if len(self.cart) >= CART_LINES:
                return False
            line = self.cart[item_id] = CartLine(0)
        line.quantity = min(line.quantity + 1, QUANTITY)
        line.recommendation_id = recommendation_id or line.recommendation_id
        return True

    def become(self, user_id: str) -> None:
        """Another shopper at the same browser, with an empty cart."""
        self.user_id, self.freshness = user_id, ""
        self.cart.clear()

    def take_notice(self) -> tuple[str, str] | None:
        notice, self.notice = self.notice, None
        return notice


class Visits:
    """first: whom a new browser belongs to; empty: to a shopper of whom nothing is known."""

    def __init__(self, first: str = "") -> None:
        self._first = first
        self._visits: OrderedDict[str, Visit] = OrderedDict()

    def find(self, visit_id: str, accept_language: str) -> tuple[Visit, bool]:
        """The visit, and whether it is new. An id that was never given out finds nothing, so none can be planted."""
        visit = self._visits.get(visit_id)
        if visit is not None:
            self._visits.move_to_end(visit_id)
            return visit, False
        language = "zh" if accept_language.strip().lower().startswith("zh") else "en"
        visit = Visit(self._first or new_user_id(), language)
        self._visits[visit.visit_id] = visit
        if len(self._visits) > VISITS:
            self._visits.popitem(last=False)
        return visit, True


def new_user_id() -> str:
    return f"visitor-{uuid.uuid4().hex}"
