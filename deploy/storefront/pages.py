"""The pages of the shop. Each works without the service too, with fewer items and no reasons."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from deploy.storefront.forms import PATH_LENGTH, QUERY_LENGTH, limited, list_id, product_of
from deploy.storefront.recommender import ListRequest
from deploy.storefront.shelves import Shelf, plain_shelf, recommended_shelf
from deploy.storefront.shop import Shop
from deploy.storefront.visits import Visit
from recsvc.v1.events_pb2 import EVENT_TYPE_VIEW, Event
from recsvc.v1.users_pb2 import Taste

FOR_YOU_ITEMS, ROW_ITEMS, RESULT_ITEMS, CATEGORY_ITEMS = 8, 4, 24, 48


async def home(shop: Shop, request: Request, visit: Visit) -> Response:
    """The home page. One call fetches all of its lists, so no item is on it twice."""
    # Bought items have a row of their own, so the first row leaves them out.
    for_you, again, trending, popular = await shop.recommender.page(
        visit,
        ListRequest("FOR_YOU", FOR_YOU_ITEMS, repeat_policy="REPEAT_POLICY_EXCLUDE"),
        ListRequest("BUY_AGAIN", ROW_ITEMS),
        ListRequest("TRENDING", ROW_ITEMS),
        ListRequest("POPULAR", ROW_ITEMS),
    )
    first = "for_you" if for_you is not None and for_you.personalised else "to_start"
    rows = ((first, for_you), ("buy_again", again), ("trending", trending), ("popular", popular))
    shelves = [made for name, answer in rows if (made := recommended_shelf(name, answer, shop.catalogue, visit))]
    away = for_you is None
    if not shelves:
        shelves = [plain_shelf("browse", shop.catalogue.selection(RESULT_ITEMS))]
    return _page(shop, "home.html", request, visit, shelves, away=away)


async def product(shop: Shop, request: Request, visit: Visit) -> Response:
    """A product page. Opening it is a view event, with the list that led there."""
    item = product_of(shop, request.path_params["item_id"])
    found_in = list_id(request.query_params.get("list", ""))
    similar = shop.recommender.recommend(visit, ListRequest("SIMILAR", ROW_ITEMS, {"viewed_item_ids": [item.item_id]}))
    if request.method == "GET":
        viewed = Event(item_id=item.item_id, event_type=EVENT_TYPE_VIEW, recommendation_id=found_in)
        answer, _ = await asyncio.gather(similar, shop.outbox.send(visit, viewed))
    else:
        answer = await similar
    shelves = [made] if (made := recommended_shelf("similar", answer, shop.catalogue, visit)) else []
    if answer is None:
        alike = [other for other in shop.catalogue.in_category(item.categories[:2]) if other is not item]
        shelves = [plain_shelf("browse", alike[:ROW_ITEMS])] if alike else []
    return _page(shop, "product.html", request, visit, shelves, away=answer is None, product=item, list_id=found_in)


async def cart(shop: Shop, request: Request, visit: Visit) -> Response:
    """The cart, with items that go well with it."""
    lines = [(item, line) for item_id, line in visit.cart.items() if (item := shop.catalogue.get(item_id))]
    total = sum((item.price or 0.0) * line.quantity for item, line in lines)
    answer = await shop.recommender.recommend(visit, ListRequest("CART", ROW_ITEMS)) if lines else None
    shelves = [made] if (made := recommended_shelf("goes_with", answer, shop.catalogue, visit)) else []
    currency = lines[0][0].currency if lines else ""
    away = bool(lines) and answer is None
    return _page(shop, "cart.html", request, visit, shelves, away=away, lines=lines, total=total, currency=currency)


async def search(shop: Shop, request: Request, visit: Visit) -> Response:
    """The results of a search."""
    query = limited(request.query_params.get("q", ""), QUERY_LENGTH)
    answer = (
        await shop.recommender.recommend(visit, ListRequest("SEARCH", RESULT_ITEMS, {"query": query}))
        if query
        else None
    )
    shelves = [made] if (made := recommended_shelf("results", answer, shop.catalogue, visit)) else []
    if query and answer is None and (found := shop.catalogue.search(query, RESULT_ITEMS)):
        shelves = [plain_shelf("results", found)]
    return _page(shop, "search.html", request, visit, shelves, away=bool(query) and answer is None, query=query)


async def browse(shop: Shop, request: Request, visit: Visit) -> Response:
    """A category of the shop, ordered for the shopper."""
    path = tuple(limited(request.query_params.get("category", ""), PATH_LENGTH).split(" > "))
    items = shop.catalogue.in_category(path)
    deeper = sorted({item.categories[len(path)] for item in items if len(item.categories) > len(path)})
    if items:
        answer = await shop.recommender.ordered(visit, [item.item_id for item in items])
        made = recommended_shelf("browse", answer, shop.catalogue, visit) or plain_shelf("browse", items)
        shelves = [Shelf(made.name, made.cards[:CATEGORY_ITEMS], made.stale)]
    else:
        answer, shelves = None, []
    away = bool(items) and answer is None
    return _page(shop, "browse.html", request, visit, shelves, away=away, path=path, deeper=deeper)


async def taste(shop: Shop, request: Request, visit: Visit) -> Response:
    """The taste that the service knows of the shopper, to see and correct."""
    known = await shop.recommender.taste(visit)
    said = [] if known is None else _said(known.taste, shop)
    return _page(shop, "taste.html", request, visit, [], away=known is None, known=known, said=said)


def _said(taste: Taste, shop: Shop) -> list[tuple[str, str, str]]:
    """Everything that the shopper has said: its sort, its value, and a text for the value."""
    by_item = [("gift", item_id) for item_id in taste.gift_item_ids]
    by_item += [("less_item", item_id) for item_id in taste.less_item_ids]
    named = [(sort, value, item.title if (item := shop.catalogue.get(value)) else value) for sort, value in by_item]
    named += [("less_brand", brand, brand) for brand in taste.less_brands]
    return named + [("less_category", category, category) for category in taste.less_categories]


def _page(
    shop: Shop, template: str, request: Request, visit: Visit, shelves: list[Shelf], **values: object
) -> Response:
    stale = any(row.stale for row in shelves)
    return shop.render(template, request, visit, values | {"shelves": shelves, "stale": stale})
