"""Page tokens. A token holds the ranking itself, so any server can continue it at any time, and nothing is stored.

A token is not signed, because a changed one gains a caller nothing: its items pass the same filters and the same gate
as all others, and Rank would rank them too.
"""

import base64
import binascii
import zlib

from recsvc.domain.query import Page
from recsvc.wire.fields import MAX_ID_LENGTH, id_problem

_MAX_ITEMS = 500
# No id holds a control character. An id has at most 128 characters of at most 4 bytes.
_SEPARATOR = "\n"
_MAX_BYTES = (_MAX_ITEMS + 3) * (4 * MAX_ID_LENGTH + 1)


def encode_page(page: Page) -> str:
    """Encodes a page as a token."""
    text = _SEPARATOR.join((page.recommendation_id, page.bundle_id, str(page.shown), *page.item_ids))
    return base64.urlsafe_b64encode(zlib.compress(text.encode(), level=1)).decode()


def decode_page(token: str) -> Page | None:
    """Decodes a token. None if it is not one of ours, or was altered."""
    unpacker = zlib.decompressobj()
    try:
        # At most the bytes that a page can have: a small token may unpack to gigabytes.
        text = unpacker.decompress(base64.urlsafe_b64decode(token.encode()), _MAX_BYTES).decode()
        list_id, bundle_id, shown, *item_ids = text.split(_SEPARATOR)
        page = Page(list_id, bundle_id, tuple(item_ids), int(shown))
    except (binascii.Error, zlib.error, ValueError):
        return None
    complete = unpacker.eof and len(item_ids) <= _MAX_ITEMS and 0 < page.shown <= len(item_ids)
    return page if complete and not any(map(id_problem, (list_id, bundle_id, *item_ids))) else None
