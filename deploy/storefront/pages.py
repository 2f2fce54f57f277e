"""What can be looked at. Every page is there without the service, only with less on it."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from deploy.storefront.forms import PATH_LENGTH, QUERY_LENGTH, limited, list_id, product_of
from deploy.storefront.recommender import Wanted
from deploy.storefront.shelves import Shelf, plain, shelf
from deploy.storefront.shop import Shop
from deploy.storefront.visits import Visit
from recsvc.v1.events_pb2 import EVENT_TYPE_VIEW, Event

FOR_YOU, ROW, FOUND, BROWSED = 8, 4, 24, 48


async def home(shop: Shop, request: Request, visit: Visit) -> Response:
    """One call for the whole page: no item is on it twice."""
    # What was bought before has a row of its own, so the first one is all discoveries.
    for_you, again, trending, popular = await shop.recommender.page(
        visit,
        Wanted("FOR_YOU", FOR_YOU, repeat_policy="REPEAT_POLICY_EXCLUDE"),
        Wanted("BUY_AGAIN", ROW),
        Wanted("TRENDING", ROW),
        Wanted("POPULAR", ROW),
    )
    first = "for_you" if for_you is not None and for_you.personalised else "to_start"
    rows = ((first, for_you), ("buy_again", again), ("trending", trending), ("popular", popular))
    shelves = [made for name, answer in rows if (made := shelf(name, answer, shop.catalogue, visit))]
    away = for_you is None
    if not shelves:
        shelves = [plain("browse", shop.catalogue.some(FOUND))]
    return _page(shop, "home.html", request, visit, shelves, away=away)


async def product(shop: Shop, request: Request, visit: Visit) -> Response:
    """Opening it is an event, of the list that led here."""
    item = product_of(shop, request.path_params["item_id"])
    found_in = list_id(request.query_params.get("list", ""))
    similar = shop.recommender.recommend(visit, Wanted("SIMILAR", ROW, {"viewed_item_ids": [item.item_id]}))
    if request.method == "GET":
        viewed = Event(item_id=item.item_id, event_type=EVENT_TYPE_VIEW, recommendation_id=found_in)
        answer, _ = await asyncio.gather(similar, shop.outbox.send(visit, viewed))
    else:
        answer = await similar
    shelves = [made] if (made := shelf("similar", answer, shop.catalogue, visit)) else []
    if answer is None:
        alike = [each for each in shop.catalogue.within(item.categories[:2]) if each is not item]
        shelves = [plain("browse", alike[:ROW])] if alike else []
    return _page(shop, "product.html", request, visit, shelves, away=answer is None, product=item, list_id=found_in)


async def cart(shop: Shop, request: Request, visit: Visit) -> Response:
    lines = [(item, line) for item_id, line in visit.cart.items() if (item := shop.catalogue.get(item_id))]
    total = sum((item.price or 0.0) * line.quantity for item, line in lines)
    answer = await shop.recommender.recommend(visit, Wanted("CART", ROW)) if lines else None
    shelves = [made] if (made := shelf("goes_with", answer, shop.catalogue, visit)) else []
    currency = lines[0][0].currency if lines else ""
    away = bool(lines) and answer is None
    return _page(shop, "cart.html", request, visit, shelves, away=away, lines=lines, total=total, currency=currency)


async def search(shop: Shop, request: Request, visit: Visit) -> Response:
    query = limited(request.query_params.get("q", ""), QUERY_LENGTH)
    answer = await shop.recommender.recommend(visit, Wanted("SEARCH", FOUND, {"query": query})) if query else None
    shelves = [made] if (made := shelf("results", answer, shop.catalogue, visit)) else []
    if query and answer is None and (found := shop.catalogue.matching(query, FOUND)):
        shelves = [plain("results", found)]
    return _page(shop, "search.html", request, visit, shelves, away=bool(query) and answer is None, query=query)


async def browse(shop: Shop, request: Request, visit: Visit) -> Response:
    """A category as the shop has it, in the order that suits the shopper."""
    path = tuple(limited(request.query_params.get("category", ""), PATH_LENGTH).split(" > "))
    goods = shop.catalogue.within(path)
    deeper = sorted({each.categories[len(path)] for each in goods if len(each.categories) > len(path)})
    if goods:
        answer = await shop.recommender.ordered(visit, [each.item_id for each in goods])
        made = shelf("browse", answer, shop.catalogue, visit) or plain("browse", goods)
        shelves = [Shelf(made.name, made.cards[:BROWSED], made.stale)]
    else:
        answer, shelves = None, []
    away = bool(goods) and answer is None
    return _page(shop, "browse.html", request, visit, shelves, away=away, path=path, deeper=deeper)


async def taste(shop: Shop, request: Request, visit: Visit) -> Response:
    """What is believed of the shopper, to be seen and corrected."""
    believed = await shop.recommender.taste(visit)
    said = [] if believed is None else _said(believed.taste, shop)
    return _page(shop, "taste.html", request, visit, [], away=believed is None, believed=believed, said=said)


def _said(taste: Any, shop: Shop) -> list[tuple[str, str, str]]:
    """The sort, the value, and the words for it, of all that the shopper has said."""
    items = [("gift", item_id) for item_id in taste.gift_item_ids]
    items += [("less_item", item_id) for item_id in taste.less_item_ids]
    named = [(sort, value, item.title if (item := shop.catalogue.get(value)) else value) for sort, value in items]
    named += [("less_brand", brand, brand) for brand in taste.less_brands]
    return named + [("less_category", category, category) for category in taste.less_categories]


def _page(shop: Shop, template: str, request: Request, visit: Visit, shelves: list[Shelf], **values: Any) -> Response:
    return shop.render(template, request, visit, shelves=shelves, stale=any(row.stale for row in shelves), **values)
