"""Reads what a browser sends, and refuses what is too large, malformed, or sent by another site."""

import secrets
from urllib.parse import parse_qsl, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request

from deploy.storefront.catalogue import ID_LENGTH, Product
from deploy.storefront.shop import Shop
from deploy.storefront.visits import Visit

MAX_FORM_BYTES = 16_384
MAX_FORM_FIELDS = 16
QUERY_LENGTH = 256  # the longest query that the service accepts
PATH_LENGTH = 1_000


async def read_form(request: Request, visit: Visit) -> dict[str, str]:
    """Reads the fields of a POST. Without the visit's token, which no other site can know, the answer is 403."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise HTTPException(413)
    try:
        form = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS, errors="strict"))
    except ValueError:
        raise HTTPException(400) from None
    if not secrets.compare_digest(form.get("token", "").encode(), visit.token.encode()):
        raise HTTPException(403)
    return form


def limited(value: str, length: int) -> str:
    """Strips the value. If it is too long or has control characters, the answer is 400."""
    value = value.strip()
    if len(value) > length or any(ord(character) < ord(" ") or character == "\x7f" for character in value):
        raise HTTPException(400)
    return value


def product_of(shop: Shop, item_id: str) -> Product:
    """Finds the item. If the shop does not sell it, the answer is 404."""
    product = shop.catalogue.get(item_id)
    if product is None:
        raise HTTPException(404)
    return product


def list_id(value: str) -> str:
    """Checks the id of the list that the shopper came from. It is only sent back to the service."""
    return limited(value, ID_LENGTH)


def way_back(form: dict[str, str]) -> str:
    """The page that the form was on. Only a path of this site is accepted; for anything else it is the home page."""
    back = form.get("back", "")
    parts = urlsplit(back)
    is_local = back.startswith("/") and not back.startswith("//") and "\\" not in back and back.isprintable()
    return back if is_local and not parts.scheme and not parts.netloc and len(back) <= PATH_LENGTH else "/"
