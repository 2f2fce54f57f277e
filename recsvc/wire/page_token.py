"""A page token is the ranking itself: any server can go on from it, at any time, and nothing has to be kept for it.

It comes back from callers and is not signed, for it gives them nothing: what it names passes the same filters and the
same gate as any item, and could as well be asked for with Rank.
"""

import base64
import binascii
import zlib

from recsvc.domain.query import Page
from recsvc.wire.fields import MAX_ID_LENGTH, id_problem

_MAX_ITEMS = 500
# No id holds a control character. Ids are at most 128 characters, of at most 4 bytes.
_SEPARATOR = "\n"
_MAX_BYTES = (_MAX_ITEMS + 3) * (4 * MAX_ID_LENGTH + 1)


def encode_page(page: Page) -> str:
    words = _SEPARATOR.join((page.recommendation_id, page.bundle_id, str(page.shown), *page.item_ids))
    return base64.urlsafe_b64encode(zlib.compress(words.encode(), level=1)).decode()


def decode_page(token: str) -> Page | None:
    """None: not a token of ours."""
    unpacker = zlib.decompressobj()
    try:
        # Not a byte more than a page can have, however much is packed into it.
        words = unpacker.decompress(base64.urlsafe_b64decode(token.encode()), _MAX_BYTES).decode()
        list_id, bundle_id, shown, *item_ids = words.split(_SEPARATOR)
        page = Page(list_id, bundle_id, tuple(item_ids), int(shown))
    except (binascii.Error, zlib.error, ValueError):
        return None
    whole = unpacker.eof and len(item_ids) <= _MAX_ITEMS and 0 < page.shown <= len(item_ids)
    return page if whole and not any(map(id_problem, (list_id, bundle_id, *item_ids))) else None
