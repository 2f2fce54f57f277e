"""The actions of a shopper. Each is sent to the service, then redirects to a page, so reloading repeats nothing."""

import uuid

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from deploy.storefront.catalogue import ID_LENGTH, Product
from deploy.storefront.forms import PATH_LENGTH, limited, list_id, product_of, read_form, way_back
from deploy.storefront.shop import Shop
from deploy.storefront.visits import LANGUAGES, CartLine, Visit, new_user_id
from recsvc.v1.events_pb2 import EVENT_TYPE_ADD_TO_CART, EVENT_TYPE_HIDE, EVENT_TYPE_PURCHASE, Event
from recsvc.v1.users_pb2 import Taste

# Fields of `Taste` by their names in the forms.
_TASTE_FIELDS = {
    "gift": "gift_item_ids",
    "less_item": "less_item_ids",
    "less_brand": "less_brands",
    "less_category": "less_categories",
}


async def add_to_cart(shop: Shop, request: Request, visit: Visit) -> Response:
    """Adds one item to the cart."""
    form = await read_form(request, visit)
    item, found_in = product_of(shop, form.get("item_id", "")), list_id(form.get("list", ""))
    if visit.add_to_cart(item.item_id, found_in):
        visit.notice = "notice_added", item.title
        added = Event(item_id=item.item_id, event_type=EVENT_TYPE_ADD_TO_CART, recommendation_id=found_in)
        await shop.outbox.send(visit, added)
    else:
        visit.notice = "notice_full", ""
    return _redirect(way_back(form))


async def remove_from_cart(shop: Shop, request: Request, visit: Visit) -> Response:  # noqa: ARG001  as all actions
    """Takes an item out of the cart."""
    form = await read_form(request, visit)
    visit.cart.pop(form.get("item_id", ""), None)
    return _redirect("/cart")


async def check_out(shop: Shop, request: Request, visit: Visit) -> Response:
    """Buys everything in the cart."""
    await read_form(request, visit)
    lines = [(item, line) for item_id, line in visit.cart.items() if (item := shop.catalogue.get(item_id))]
    visit.cart.clear()
    if lines:
        delivered = await _buy(shop, visit, lines)
        visit.notice = "notice_checked_out" if delivered else "notice_kept", ""
    return _redirect("/")


async def buy(shop: Shop, request: Request, visit: Visit) -> Response:
    """Buys one item."""
    form = await read_form(request, visit)
    item = product_of(shop, form.get("item_id", ""))
    delivered = await _buy(shop, visit, [(item, CartLine(1, list_id(form.get("list", ""))))])
    visit.notice = "notice_bought" if delivered else "notice_kept", item.title
    return _redirect("/")


async def _buy(shop: Shop, visit: Visit, lines: list[tuple[Product, CartLine]]) -> bool:
    order = uuid.uuid4().hex
    purchases = (
        Event(
            item_id=item.item_id,
            event_type=EVENT_TYPE_PURCHASE,
            quantity=line.quantity,
            price=item.price,
            order_id=order,
            recommendation_id=line.recommendation_id,
        )
        for item, line in lines
    )
    return await shop.outbox.send(visit, *purchases)


async def hide(shop: Shop, request: Request, visit: Visit) -> Response:
    """Hides this item forever. Similar items stay visible."""
    form = await read_form(request, visit)
    item = product_of(shop, form.get("item_id", ""))
    hidden = Event(item_id=item.item_id, event_type=EVENT_TYPE_HIDE, recommendation_id=list_id(form.get("list", "")))
    delivered = await shop.outbox.send(visit, hidden)
    visit.notice = "notice_hidden" if delivered else "notice_kept", item.title
    return _redirect(way_back(form))


async def add_taste(shop: Shop, request: Request, visit: Visit) -> Response:
    """Asks for less of an item, brand or category, or says that an item was a gift."""
    form = await read_form(request, visit)
    taste = _taste(form)
    item = shop.catalogue.get(form.get("value", ""))
    if await shop.recommender.update_taste(visit, add=taste):
        visit.notice = ("notice_gift" if taste.gift_item_ids else "notice_said"), item.title if item else ""
    else:
        visit.notice = "notice_not_said", ""
    return _redirect(way_back(form))


async def remove_taste(shop: Shop, request: Request, visit: Visit) -> Response:
    """Takes back what `add_taste` said."""
    form = await read_form(request, visit)
    delivered = await shop.recommender.update_taste(visit, remove=_taste(form))
    visit.notice = "notice_taken_back" if delivered else "notice_not_said", ""
    return _redirect("/taste")


def _taste(form: dict[str, str]) -> Taste:
    value = limited(form.get("value", ""), PATH_LENGTH)
    field = _TASTE_FIELDS.get(form.get("sort", ""))
    if field is None or not value:
        raise HTTPException(400)
    return Taste(**{field: [value]})


async def choose_language(shop: Shop, request: Request, visit: Visit) -> Response:  # noqa: ARG001
    """Changes the language of the shop and of the reasons."""
    form = await read_form(request, visit)
    if form.get("language") not in LANGUAGES:
        raise HTTPException(400)
    visit.language = form["language"]
    return _redirect(way_back(form))


async def choose_shopper(shop: Shop, request: Request, visit: Visit) -> Response:  # noqa: ARG001
    """Switches to another customer. This example has no log-in; a real shop takes the id of its logged-in user."""
    form = await read_form(request, visit)
    visit.switch_shopper(limited(form.get("user_id", ""), ID_LENGTH) or new_user_id())
    return _redirect("/")


def _redirect(path: str) -> Response:
    return RedirectResponse(path, status_code=303)
