"""What a browser may send: small, in the right form, and only from a page of ours."""

import secrets
from urllib.parse import parse_qsl, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request

from deploy.storefront.catalogue import ID_LENGTH, Product
from deploy.storefront.shop import Shop
from deploy.storefront.visits import Visit

FORM_BYTES = 16_384
FORM_FIELDS = 16
QUERY_LENGTH = 256  # the service's limit
PATH_LENGTH = 1_000


async def read_form(request: Request, visit: Visit) -> dict[str, str]:
    """The fields of a POST. It must bring back the visit's token, which no other site can know: 403 without."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES:
            raise HTTPException(413)
    try:
        form = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FORM_FIELDS, errors="strict"))
    except ValueError:
        raise HTTPException(400) from None
    if not secrets.compare_digest(form.get("token", "").encode(), visit.token.encode()):
        raise HTTPException(403)
    return form


def limited(value: str, length: int) -> str:
    """Without the spaces at its ends. 400 where it is too long, or has control characters."""
    value = value.strip()
    if len(value) > length or any(ord(character) < ord(" ") or character == "\x7f" for character in value):
        raise HTTPException(400)
    return value


def product_of(shop: Shop, item_id: str) -> Product:
    """404 for what the shop does not sell."""
    product = shop.catalogue.get(item_id)
    if product is None:
        raise HTTPException(404)
    return product


def list_id(value: str) -> str:
    """The list that a shopper came from; it only ever goes back to the service."""
    return limited(value, ID_LENGTH)


def way_back(form: dict[str, str]) -> str:
    """The page that the form stood on. Never another site's: only a path is taken."""
    back = form.get("back", "")
    parts = urlsplit(back)
    ours = back.startswith("/") and not back.startswith("//") and "\\" not in back and back.isprintable()
    return back if ours and not parts.scheme and not parts.netloc and len(back) <= PATH_LENGTH else "/"
