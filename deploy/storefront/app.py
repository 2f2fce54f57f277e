"""The shop as an ASGI application: its routes, its headers, and its error pages."""

import contextlib
import datetime as dt
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deploy.storefront import actions, pages
from deploy.storefront.catalogue import Catalogue
from deploy.storefront.connection import Connection
from deploy.storefront.outbox import Outbox
from deploy.storefront.recommender import LIST_SECONDS, Clock, Recommender
from deploy.storefront.shop import Shop, Shopper, templates
from deploy.storefront.visits import Visit, Visits

COOKIE = "visit"
STATIC = Path(__file__).parent / "static"

# No scripts, and nothing from other sites: if a seller's text were ever not escaped, it still could not run.
HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}

_log = logging.getLogger(__name__)

Handle = Callable[[Shop, Request, Visit], Awaitable[Response]]

PAGES: dict[str, Handle] = {
    "/": pages.home,
    "/product/{item_id:path}": pages.product,
    "/cart": pages.cart,
    "/search": pages.search,
    "/browse": pages.browse,
    "/taste": pages.taste,
}
ACTIONS: dict[str, Handle] = {
    "/cart/add": actions.add_to_cart,
    "/cart/remove": actions.remove_from_cart,
    "/cart/check-out": actions.check_out,
    "/buy": actions.buy,
    "/hide": actions.hide,
    "/taste/say": actions.add_taste,
    "/taste/take-back": actions.remove_taste,
    "/language": actions.choose_language,
    "/shopper": actions.choose_shopper,
}


def make_app(
    service: Connection,
    catalogue: Catalogue,
    shoppers: tuple[Shopper, ...] = (),
    clock: Clock | None = None,
    patience: float = LIST_SECONDS,
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost"),
) -> Starlette:
    """Makes the application.

    Args:
        service: How the service is reached.
        catalogue: The items that the shop sells.
        shoppers: Customers who can be chosen by name. A new browser starts as the first.
        clock: The shop's time. None: the real time.
        patience: How long a page waits for its lists, in seconds.
        hosts: The host names that the shop answers to. All others are refused.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with service.open() as channel:
            app.state.shop = Shop(
                catalogue=catalogue,
                recommender=Recommender(channel, clock, patience),
                outbox=Outbox(channel, clock or _now),
                visits=Visits(shoppers[0].user_id if shoppers else ""),
                shoppers=shoppers,
                templates=templates(),
            )
            yield

    return Starlette(
        routes=[
            *(Route(path, _endpoint(handle), methods=["GET"]) for path, handle in PAGES.items()),
            *(Route(path, _endpoint(handle), methods=["POST"]) for path, handle in ACTIONS.items()),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(_Headers), Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))],
        exception_handlers={HTTPException: _no_such_page},
        lifespan=lifespan,
    )


def _endpoint(handle: Handle) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        shop: Shop = request.app.state.shop
        visit, new = shop.visits.find(request.cookies.get(COOKIE, ""), request.headers.get("accept-language", ""))
        try:
            response = await handle(shop, request, visit)
        except HTTPException as error:
            response = _error_page(shop, request, visit, error.status_code)
        except Exception:  # noqa: BLE001  the shopper gets a page, the log gets the error
            _log.exception("%s failed", request.url.path)
            response = _error_page(shop, request, visit, 500)
        if new:
            secure = request.url.scheme == "https"
            response.set_cookie(COOKIE, visit.visit_id, httponly=True, samesite="lax", secure=secure)
        return response

    return answer


async def _no_such_page(request: Request, error: Exception) -> Response:
    """Answers a path that has no page."""
    status = error.status_code if isinstance(error, HTTPException) else 500

    async def page(shop: Shop, request: Request, visit: Visit) -> Response:
        return _error_page(shop, request, visit, status)

    return await _endpoint(page)(request)


def _error_page(shop: Shop, request: Request, visit: Visit, status: int) -> Response:
    """An error page in the shopper's language. The cause of a 500 is in the log alone."""
    values = {"problem": f"error_{status}", "away": False, "stale": False}
    return shop.render("error.html", request, visit, values, status)


class _Headers:
    """Adds `HEADERS` to every answer. Pages are personal, so no cache may keep them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                static = scope["path"].startswith("/static/")
                headers["cache-control"] = "public, max-age=300" if static else "no-store"
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
