"""Proto <-> domain, and the limits of requests as the protos document them. Nothing below the service knows the wire.

`decode_*` raise InvalidRequest with every violation at once; a description never repeats what the caller sent.
`encode_*` build responses in place (`add`, then set): half the time of nested constructors, and every list pays it.
"""

import functools
import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from google.protobuf.timestamp_pb2 import Timestamp

from recsvc.domain import (
    LANGUAGES,
    Degradation,
    Event,
    EventType,
    Evidence,
    EvidenceKind,
    Profile,
    Provenance,
    Query,
    RecommendationList,
    RepeatPolicy,
    Strength,
)
from recsvc.errors import FieldViolation, InvalidRequest
from recsvc.v1 import events_pb2, reason_pb2, recommendation_pb2, users_pb2

if TYPE_CHECKING:
    from recsvc.recommend import SimilarItemList

MAX_ID_LENGTH = 128
MAX_K = 100
MAX_EXCLUDED_ITEMS = 1_000
MAX_EVENTS = 1_000
MAX_QUANTITY = 1_000_000
MAX_PROFILE_TEXT = 2_000
MAX_ATTRIBUTES = 32
MAX_ATTRIBUTE_NAME = 64
MAX_ATTRIBUTE_VALUE = 256
EARLIEST_EVENT = 631_152_000_000_000  # 1990-01-01 in microseconds since 1970
LATEST_EVENT_AHEAD = 86_400_000_000  # a day: clocks and time zones differ, years do not

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_FRESHNESS = re.compile(r"[0-9a-f]{1,14}")
_LANGUAGE_TAG = re.compile(r"([A-Za-z]{2,3})(-[A-Za-z0-9]{1,8}){0,8}")
_TIMESTAMP_SECONDS = range(-62_135_596_800, 253_402_300_800)  # years 1 to 9999, as timestamp.proto says

_REPEAT_POLICIES = {0: RepeatPolicy.UNSPECIFIED, 1: RepeatPolicy.ALLOW, 2: RepeatPolicy.EXCLUDE}
_EVENT_TYPES = {t.value: t for t in EventType}
_DEGRADATIONS = {
    Degradation.STORE_UNAVAILABLE: recommendation_pb2.DEGRADATION_STORE_UNAVAILABLE,
    Degradation.STALE: recommendation_pb2.DEGRADATION_STALE,
    Degradation.REASONS_DROPPED: recommendation_pb2.DEGRADATION_REASONS_DROPPED,
}
_KINDS = {k: reason_pb2.EvidenceKind.Value(f"EVIDENCE_KIND_{k.name}") for k in EvidenceKind}
_STRENGTHS = {s: reason_pb2.Strength.Value(f"STRENGTH_{s.name}") for s in Strength}


class _Violations:
    """Gathers what is wrong with one request."""

    def __init__(self) -> None:
        self._found: list[FieldViolation] = []

    def note(self, field: str, problem: str | None) -> None:
        if problem is not None:
            self._found.append(FieldViolation(field, problem))

    def raise_if_any(self) -> None:
        if self._found:
            raise InvalidRequest(self._found)


def decode_recommend(request: recommendation_pb2.RecommendRequest, deadline: float | None) -> Query:
    """deadline: event-loop time by which the answer must be out; None: no hurry. Raises InvalidRequest."""
    violations = _Violations()
    violations.note("user_id", _id_problem(request.user_id))
    violations.note("k", _k_problem(request.k))
    violations.note("filter.exclude_item_ids", _excluded_problem(request.filter))
    if request.filter.repeat_policy not in _REPEAT_POLICIES:
        violations.note("filter.repeat_policy", "must be a known value")
    language = _language(request.context.language)
    if not language:
        violations.note("context.language", f"must be one of {', '.join(LANGUAGES)}, with or without a region")
    moment = None
    if request.context.HasField("time"):
        moment = _microseconds(request.context.time)
        violations.note("context.time", "must be a valid timestamp" if moment is None else None)
    if request.min_freshness and not _FRESHNESS.fullmatch(request.min_freshness):
        violations.note("min_freshness", "must be a token from WriteEventsResponse.freshness")
    violations.raise_if_any()
    return Query(
        user_id=request.user_id,
        k=request.k,
        language=language,
        excluded_item_ids=frozenset(request.filter.exclude_item_ids),
        repeats=_REPEAT_POLICIES[request.filter.repeat_policy],
        reasons=not request.reason_options.disabled,
        time=moment,
        min_freshness=int(request.min_freshness or "0", 16),
        deadline=deadline,
    )


def decode_similar_items(request: recommendation_pb2.SimilarItemsRequest) -> tuple[str, int, frozenset[str]]:
    """The item's id, k, and the excluded item ids. Raises InvalidRequest."""
    violations = _Violations()
    violations.note("item_id", _id_problem(request.item_id))
    violations.note("k", _k_problem(request.k))
    violations.note("filter.exclude_item_ids", _excluded_problem(request.filter))
    if request.filter.repeat_policy != recommendation_pb2.REPEAT_POLICY_UNSPECIFIED:
        violations.note("filter.repeat_policy", "must be unspecified: no user is asked about")
    violations.raise_if_any()
    return request.item_id, request.k, frozenset(request.filter.exclude_item_ids)


def decode_write_events(request: events_pb2.WriteEventsRequest) -> list[Event]:
    """The batch in its own order. Raises InvalidRequest, and then nothing of the batch may be recorded."""
    violations = _Violations()
    count = len(request.events)
    if not 1 <= count <= MAX_EVENTS:
        violations.note("events", f"must hold 1 to {MAX_EVENTS} events")
        violations.raise_if_any()
    now = time.time_ns() // 1_000
    events = [_decode_event(e, f"events[{i}].", now, violations) for i, e in enumerate(request.events)]
    violations.raise_if_any()
    return events


def decode_set_profile(request: users_pb2.SetProfileRequest) -> tuple[str, Profile | None]:
    """The user's id and the new profile; None removes the one there is. Raises InvalidRequest."""
    violations = _Violations()
    violations.note("user_id", _id_problem(request.user_id))
    if not request.HasField("profile"):
        violations.note("profile", "is required; an empty message removes the profile")
    profile = request.profile
    if len(profile.text) > MAX_PROFILE_TEXT:
        violations.note("profile.text", f"must have at most {MAX_PROFILE_TEXT} characters")
    attributes: dict[str, str] = {}
    if len(profile.attributes) > MAX_ATTRIBUTES:
        violations.note("profile.attributes", f"must hold at most {MAX_ATTRIBUTES} attributes")
    else:
        for i, attribute in enumerate(profile.attributes):
            path = f"profile.attributes[{i}]."
            if not 1 <= len(attribute.name) <= MAX_ATTRIBUTE_NAME:
                violations.note(path + "name", f"must have 1 to {MAX_ATTRIBUTE_NAME} characters")
            elif attribute.name in attributes:
                violations.note(path + "name", "must not repeat an earlier attribute's name")
            if not 1 <= len(attribute.value) <= MAX_ATTRIBUTE_VALUE:
                violations.note(path + "value", f"must have 1 to {MAX_ATTRIBUTE_VALUE} characters")
            attributes[attribute.name] = attribute.value
    violations.raise_if_any()
    if not profile.text and not attributes:
        return request.user_id, None
    return request.user_id, Profile(profile.text, tuple(attributes.items()))


def decode_delete_user(request: users_pb2.DeleteUserRequest) -> str:
    """The user's id. Raises InvalidRequest."""
    violations = _Violations()
    violations.note("user_id", _id_problem(request.user_id))
    violations.raise_if_any()
    return request.user_id


def encode_recommend(answer: RecommendationList) -> recommendation_pb2.RecommendResponse:
    response = recommendation_pb2.RecommendResponse(
        recommendation_id=answer.recommendation_id,
        bundle_id=answer.bundle_id,
        personalised=answer.personalised,
        degraded=[_DEGRADATIONS[d] for d in answer.degraded],
    )
    add = response.recommendations.add
    for recommendation in answer.recommendations:
        message = add(item_id=recommendation.item.item_id, score=recommendation.score, rank=recommendation.rank)
        reason = recommendation.reason
        if reason is not None:
            target = message.reason
            target.text = reason.text
            target.language = reason.language
            target.provenance.CopyFrom(_encode_provenance(reason.provenance))
            for evidence in reason.evidence:
                _add_evidence(target, evidence)
    return response


def encode_write_events(
    acknowledged: int, unknown_items: int, versions: Mapping[str, int]
) -> events_pb2.WriteEventsResponse:
    """versions: of the records that hold the events, by user_id."""
    freshness = {user_id: f"{version:x}" for user_id, version in versions.items()}
    return events_pb2.WriteEventsResponse(acknowledged=acknowledged, unknown_items=unknown_items, freshness=freshness)


def encode_similar_items(answer: "SimilarItemList") -> recommendation_pb2.SimilarItemsResponse:
    response = recommendation_pb2.SimilarItemsResponse(
        recommendation_id=answer.recommendation_id, bundle_id=answer.bundle_id
    )
    for neighbour in answer.neighbours:
        response.similar_items.add(item_id=neighbour.item.item_id, score=neighbour.score, rank=neighbour.rank)
    return response


def _decode_event(event: events_pb2.Event, path: str, now: int, violations: _Violations) -> Event:
    violations.note(path + "event_id", _id_problem(event.event_id))
    violations.note(path + "user_id", _id_problem(event.user_id))
    violations.note(path + "item_id", _id_problem(event.item_id))
    violations.note(path + "order_id", _id_problem(event.order_id, required=False))
    violations.note(path + "recommendation_id", _id_problem(event.recommendation_id, required=False))
    event_type = _EVENT_TYPES.get(event.event_type)
    if event_type is None:
        violations.note(path + "event_type", "is required and must be a known value")
        event_type = EventType.VIEW  # never used: the violation refuses the batch
    timestamp: int | None = now
    if event.HasField("timestamp"):
        timestamp = _microseconds(event.timestamp)
        if timestamp is None:
            violations.note(path + "timestamp", "must be a valid timestamp")
        elif timestamp < EARLIEST_EVENT:
            violations.note(path + "timestamp", "must not be before 1990")
        elif timestamp > now + LATEST_EVENT_AHEAD:
            violations.note(path + "timestamp", "must be at most a day ahead of the server's clock")
    quantity = event.quantity if event.HasField("quantity") else 1.0
    if not 0 < quantity <= MAX_QUANTITY:  # NaN fails too
        violations.note(path + "quantity", f"must be over 0 and at most {MAX_QUANTITY}")
    price = event.price if event.HasField("price") else None
    if price is not None and not 0 <= price < float("inf"):
        violations.note(path + "price", "must be 0 or more, and finite")
    return Event(
        event_id=event.event_id,
        user_id=event.user_id,
        item_id=event.item_id,
        event_type=event_type,
        timestamp=timestamp or now,
        quantity=quantity,
        price=price,
        order_id=event.order_id,
        recommendation_id=event.recommendation_id,
    )


def _id_problem(value: str, *, required: bool = True) -> str | None:
    if len(value) > MAX_ID_LENGTH or (required and not value):
        return f"must have {1 if required else 0} to {MAX_ID_LENGTH} characters"
    if _CONTROL.search(value):
        return "must not hold control characters"
    return None


def _k_problem(k: int) -> str | None:
    return None if 1 <= k <= MAX_K else f"must be 1 to {MAX_K}"


def _excluded_problem(item_filter: recommendation_pb2.Filter) -> str | None:
    # Only their number is limited: one that is no item's id, however odd, is ignored as the proto says.
    if len(item_filter.exclude_item_ids) > MAX_EXCLUDED_ITEMS:
        return f"must hold at most {MAX_EXCLUDED_ITEMS} ids"
    return None


def _language(tag: str) -> str:
    """The language of a BCP 47 tag: 'zh-Hans-CN' is 'zh', none given is the first known. Empty: not one we know."""
    if not tag:
        return LANGUAGES[0]
    match = _LANGUAGE_TAG.fullmatch(tag)
    language = match[1].lower() if match else ""
    return language if language in LANGUAGES else ""


def _microseconds(timestamp: Timestamp) -> int | None:
    """Since 1970, UTC. None: not a valid timestamp."""
    if timestamp.seconds not in _TIMESTAMP_SECONDS or not 0 <= timestamp.nanos < 1_000_000_000:
        return None
    return timestamp.seconds * 1_000_000 + timestamp.nanos // 1_000


@functools.lru_cache(maxsize=64)
def _encode_provenance(provenance: Provenance) -> reason_pb2.Provenance:
    """Few are ever in use: one a generator, model and policy."""
    return reason_pb2.Provenance(
        generator=provenance.generator,
        model=provenance.model,
        recipe=provenance.recipe,
        policy_version=provenance.policy_version,
        ai_generated=provenance.ai_generated,
        verified=provenance.verified,
    )


def _add_evidence(reason: reason_pb2.Reason, evidence: Evidence) -> None:
    message = reason.evidence.add(
        kind=_KINDS[evidence.kind],
        strength=_STRENGTHS[evidence.strength],
        effect=evidence.effect,
        share=evidence.share,
        value=evidence.value,
        count=evidence.count,
        days=evidence.days,
        lift=evidence.lift,
    )
    if evidence.anchor is not None:
        message.anchor_item_id = evidence.anchor.item_id
