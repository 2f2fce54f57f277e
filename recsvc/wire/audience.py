"""RecommendationService.FindAudience: users whom an item suits, in pages."""

import base64
import binascii
import math
import zlib
from collections.abc import Sequence

from recsvc.domain.audience_query import AudiencePlace, AudienceQuery
from recsvc.v1 import recommendation_pb2
from recsvc.wire.fields import Violations, id_problem

MAX_AUDIENCE = 10_000  # users of one page

_SEPARATOR = "\n"  # no id holds a control character


def decode_find_audience(request: recommendation_pb2.FindAudienceRequest) -> AudienceQuery:
    """Returns what is asked for. Raises InvalidRequest."""
    violations = Violations()
    violations.note("item_id", id_problem(request.item_id))
    if not 1 <= request.k <= MAX_AUDIENCE:
        violations.note("k", f"must be 1 to {MAX_AUDIENCE}")
    after = _decode_token(request.page_token, request.item_id) if request.page_token else None
    if request.page_token and after is None:
        violations.note("page_token", "must be next_page_token of an earlier answer about the same item")
    violations.raise_if_any()
    return AudienceQuery(request.item_id, request.k, request.new_buyers_only, after)


def encode_find_audience(
    bundle_id: str, query: AudienceQuery, members: Sequence[tuple[str, float]], users: int, *, complete: bool
) -> recommendation_pb2.FindAudienceResponse:
    """Encodes a page of an audience.

    Args:
        bundle_id: The bundle that scored the users.
        query: What was asked for.
        members: Ids of users with the item's affinity, best first.
        users: How many users were scored.
        complete: Whether those are all users.
    """
    response = recommendation_pb2.FindAudienceResponse(bundle_id=bundle_id, users=users, complete=complete)
    for user_id, affinity in members:
        response.members.add(user_id=user_id, affinity=affinity)
    if len(members) == query.k:
        user_id, affinity = members[-1]
        response.next_page_token = _encode_token(AudiencePlace(bundle_id, affinity, user_id), query.item_id)
    return response


def _encode_token(place: AudiencePlace, item_id: str) -> str:
    parts = (place.bundle_id, str(_check(item_id)), repr(place.affinity), place.user_id)
    return base64.urlsafe_b64encode(_SEPARATOR.join(parts).encode()).decode()


def _decode_token(token: str, item_id: str) -> AudiencePlace | None:
    """Decodes a token. None if it is not one of ours, or about another item."""
    try:
        bundle_id, check, affinity, user_id = base64.urlsafe_b64decode(token.encode()).decode().split(_SEPARATOR)
        place = AudiencePlace(bundle_id, float(affinity), user_id)
    except (binascii.Error, ValueError):
        return None
    is_ours = check == str(_check(item_id)) and math.isfinite(place.affinity)
    return place if is_ours and not id_problem(bundle_id) and not id_problem(user_id) else None


def _check(item_id: str) -> int:
    return zlib.crc32(item_id.encode("utf-8", "surrogatepass"))
