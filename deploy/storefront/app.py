"""The shop as an ASGI application: its routes, and what surrounds every answer."""

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
from deploy.storefront.outbox import Outbox
from deploy.storefront.recommender import LIST_SECONDS, Clock, Recommender, open_channel
from deploy.storefront.shop import Shop, Shopper, templates
from deploy.storefront.visits import Visit, Visits

COOKIE = "visit"
STATIC = Path(__file__).parent / "static"

# No script at all, and nothing from elsewhere: should a seller's words ever get through, they are still only words.
HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}

_log = logging.getLogger(__name__)

Handle = Callable[[Shop, Request, Visit], Awaitable[Response]]

_PAGES: dict[str, Handle] = {
    "/": pages.home,
    "/product/{item_id:path}": pages.product,
    "/cart": pages.cart,
    "/search": pages.search,
    "/browse": pages.browse,
    "/taste": pages.taste,
}
_ACTIONS: dict[str, Handle] = {
    "/cart/add": actions.add_to_cart,
    "/cart/remove": actions.remove_from_cart,
    "/cart/check-out": actions.check_out,
    "/buy": actions.buy,
    "/hide": actions.hide,
    "/taste/say": actions.say,
    "/taste/take-back": actions.take_back,
    "/language": actions.choose_language,
    "/shopper": actions.choose_shopper,
}


def make_app(
    service: str,
    catalogue: Catalogue,
    shoppers: tuple[Shopper, ...] = (),
    clock: Clock | None = None,
    patience: float = LIST_SECONDS,
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost"),
) -> Starlette:
    """service: host:port. hosts: the names that it may be called by, as no other site's name may lead here."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_channel(service) as channel:
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
            *(Route(path, _endpoint(handle), methods=["GET"]) for path, handle in _PAGES.items()),
            *(Route(path, _endpoint(handle), methods=["POST"]) for path, handle in _ACTIONS.items()),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(_Headers), Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))],
        exception_handlers={HTTPException: _wrong},
        lifespan=lifespan,
    )


def _endpoint(handle: Handle) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        shop: Shop = request.app.state.shop
        visit, new = shop.visits.find(request.cookies.get(COOKIE, ""), request.headers.get("accept-language", ""))
        try:
            response = await handle(shop, request, visit)
        except HTTPException as error:
            response = _sorry(shop, request, visit, error.status_code)
        except Exception:
            _log.exception("%s failed", request.url.path)
            response = _sorry(shop, request, visit, 500)
        if new:
            secure = request.url.scheme == "https"
            response.set_cookie(COOKIE, visit.visit_id, httponly=True, samesite="lax", secure=secure)
        return response

    return answer


async def _wrong(request: Request, error: Exception) -> Response:
    """For what no page answers."""
    status = error.status_code if isinstance(error, HTTPException) else 500

    async def page(shop: Shop, request: Request, visit: Visit) -> Response:
        return _sorry(shop, request, visit, status)

    return await _endpoint(page)(request)


def _sorry(shop: Shop, request: Request, visit: Visit, status: int) -> Response:
    """A page that says so, in the shopper's language. Of what is not the shopper's doing the log tells more."""
    return shop.render("wrong.html", request, visit, status, problem=f"wrong_{status}", away=False, stale=False)


class _Headers:
    """Puts `HEADERS` on every answer. Pages are a shopper's own: nothing on the way may keep them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                kept = scope["path"].startswith("/static/")
                headers["cache-control"] = "public, max-age=300" if kept else "no-store"
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
