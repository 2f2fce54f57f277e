"""RecommendationService: requests to queries, lists to responses."""

import re
from collections.abc import Sequence
from typing import Any

from recsvc.domain.query import (
    Degradation,
    ItemFilter,
    Query,
    RecommendationList,
    RepeatPolicy,
    SimilarItemList,
    Surface,
)
from recsvc.domain.reason import LANGUAGES, Reason, Tone
from recsvc.v1 import reason_pb2, recommendation_pb2
from recsvc.wire.fields import (
    Violations,
    id_problem,
    microseconds,
    text_problem,
)
from recsvc.wire.filters import check_filter, item_filter
from recsvc.wire.page_token import decode_page, encode_page
from recsvc.wire.reasons import set_reason

MAX_K = 100
MAX_BATCH = 10
MAX_AUDIENCE = 10_000
MAX_RANKED = 1_000
MAX_VISITED = 50
MAX_QUERY = 256

_FRESHNESS = re.compile(r"[0-9a-f]{1,14}")
_LANGUAGE_TAG = re.compile(r"([A-Za-z]{2,3})(-[A-Za-z0-9]{1,8}){0,8}")

_SURFACES = {0: Surface.FOR_YOU} | {recommendation_pb2.Surface.Value(f"SURFACE_{s.name}"): s for s in Surface}
_REPEAT_POLICIES = {recommendation_pb2.RepeatPolicy.Value(f"REPEAT_POLICY_{p.name}"): p for p in RepeatPolicy}
_DEGRADATIONS = {
    Degradation.STORE_UNAVAILABLE: recommendation_pb2.DEGRADATION_STORE_UNAVAILABLE,
    Degradation.STALE: recommendation_pb2.DEGRADATION_STALE,
    Degradation.REASONS_DROPPED: recommendation_pb2.DEGRADATION_REASONS_DROPPED,
}
_TONE_OF: dict[int, Tone | None] = {0: None} | {reason_pb2.Tone.Value(f"TONE_{t.name}"): t for t in Tone}


def decode_recommend(request: recommendation_pb2.RecommendRequest, deadline: float | None) -> Query:
    """deadline: event-loop time by which the answer must be out; None: no hurry. Raises InvalidRequest."""
    violations = Violations()
    query = decode_query(request, deadline, violations)
    violations.raise_if_any()
    return query


def decode_stream_reasons(request: recommendation_pb2.StreamReasonsRequest, deadline: float | None) -> Query:
    """deadline: as in `decode_recommend`. Raises InvalidRequest."""
    violations = Violations()
    query = decode_query(request.request, deadline, violations.within("request."))
    if not query.reasons:
        violations.note("request.reason_options.disabled", "must be false: reasons are what is streamed")
    violations.raise_if_any()
    return query


def decode_batch_recommend(request: recommendation_pb2.BatchRecommendRequest, deadline: float | None) -> list[Query]:
    """deadline: as in `decode_recommend`. Raises InvalidRequest."""
    violations = Violations()
    if not 1 <= len(request.requests) <= MAX_BATCH:
        violations.note("requests", f"must hold 1 to {MAX_BATCH} requests")
        violations.raise_if_any()
    queries = [decode_query(r, deadline, violations.within(f"requests[{i}].")) for i, r in enumerate(request.requests)]
    violations.raise_if_any()
    return queries


def decode_query(request: recommendation_pb2.RecommendRequest, deadline: float | None, violations: Violations) -> Query:
    """For a request within another: notes what is wrong, and then the query may not be used."""
    violations.note("user_id", id_problem(request.user_id))
    violations.note("k", _k_problem(request.k))
    check_filter(request.filter, violations)
    if request.filter.repeat_policy not in _REPEAT_POLICIES:
        violations.note("filter.repeat_policy", "must be a known value")
    if request.surface not in _SURFACES:
        violations.note("surface", "must be a known value")
    elif request.surface and request.placement:
        violations.note("surface", "must be empty where a placement is named: it has its own")
    if request.reason_options.tone not in _TONE_OF:
        violations.note("reason_options.tone", "must be a known value")
    page = decode_page(request.page_token) if request.page_token else None
    if request.page_token and page is None:
        violations.note("page_token", "must be a next_page_token, unaltered")
    return Query(
        user_id=request.user_id,
        k=request.k,
        page=page,
        paged=request.paged,
        surface=_SURFACES.get(request.surface, Surface.FOR_YOU),
        placement=request.placement,
        excluded_item_ids=frozenset(request.filter.exclude_item_ids),
        filter=item_filter(request.filter),
        backfill=request.filter.backfill,
        repeats=_REPEAT_POLICIES.get(request.filter.repeat_policy, RepeatPolicy.UNSPECIFIED),
        reasons=not request.reason_options.disabled,
        tone=_TONE_OF.get(request.reason_options.tone),
        deadline=deadline,
        **_circumstances(request, violations),
    )


def decode_rank(request: recommendation_pb2.RankRequest, deadline: float | None) -> Query:
    """deadline: as in `decode_recommend`. Raises InvalidRequest."""
    violations = Violations()
    violations.note("user_id", id_problem(request.user_id))
    most = MAX_K if request.reasons else MAX_RANKED
    if not 1 <= len(request.item_ids) <= most:
        violations.note("item_ids", f"must hold 1 to {most} ids{' when reasons are asked for' * request.reasons}")
    if request.tone not in _TONE_OF:
        violations.note("tone", "must be a known value")
    query = Query(
        user_id=request.user_id,
        k=len(request.item_ids),
        candidates=tuple(request.item_ids),
        repeats=RepeatPolicy.ALLOW,
        reasons=request.reasons,
        tone=_TONE_OF.get(request.tone),
        deadline=deadline,
        **_circumstances(request, violations),
    )
    violations.raise_if_any()
    return query


def _circumstances(
    request: recommendation_pb2.RecommendRequest | recommendation_pb2.RankRequest, violations: Violations
) -> dict[str, Any]:
    """What a query has of its context and of freshness, by the names of its fields."""
    context = request.context
    language = language_of(context.language)
    if not language:
        violations.note("context.language", f"must be one of {', '.join(LANGUAGES)}, with or without a region")
    moment = None
    if context.HasField("time"):
        moment = microseconds(context.time)
        violations.note("context.time", "must be a valid timestamp" if moment is None else None)
    violations.note("context.query", text_problem(context.query, 0, MAX_QUERY))
    for name in ("viewed_item_ids", "cart_item_ids"):
        if len(getattr(context, name)) > MAX_VISITED:
            violations.note(f"context.{name}", f"must hold at most {MAX_VISITED} ids")
    if request.min_freshness and not _FRESHNESS.fullmatch(request.min_freshness):
        violations.note("min_freshness", "must be a token from WriteEventsResponse.freshness")
        return {}
    return {
        "language": language,
        "time": moment,
        "segment": context.segment,
        "text": context.query.strip(),
        "viewed": tuple(context.viewed_item_ids),
        "cart": tuple(context.cart_item_ids),
        "min_freshness": int(request.min_freshness or "0", 16),
    }


def decode_similar_items(
    request: recommendation_pb2.SimilarItemsRequest,
) -> tuple[str, int, frozenset[str], ItemFilter]:
    """The item's id, k, the excluded item ids and the filter. Raises InvalidRequest."""
    violations = Violations()
    violations.note("item_id", id_problem(request.item_id))
    violations.note("k", _k_problem(request.k))
    check_filter(request.filter, violations)
    if request.filter.repeat_policy != recommendation_pb2.REPEAT_POLICY_UNSPECIFIED:
        violations.note("filter.repeat_policy", "must be unspecified: no user is asked about")
    if request.filter.backfill:
        violations.note("filter.backfill", "must be false: neighbours are not filled up")
    violations.raise_if_any()
    return request.item_id, request.k, frozenset(request.filter.exclude_item_ids), item_filter(request.filter)


def decode_find_audience(request: recommendation_pb2.FindAudienceRequest) -> tuple[str, int, bool]:
    """The item's id, k, and whether buyers are left out. Raises InvalidRequest."""
    violations = Violations()
    violations.note("item_id", id_problem(request.item_id))
    if not 1 <= request.k <= MAX_AUDIENCE:
        violations.note("k", f"must be 1 to {MAX_AUDIENCE}")
    violations.raise_if_any()
    return request.item_id, request.k, request.new_buyers_only


def encode_find_audience(
    bundle_id: str, members: Sequence[tuple[str, float]], users: int, complete: bool
) -> recommendation_pb2.FindAudienceResponse:
    response = recommendation_pb2.FindAudienceResponse(bundle_id=bundle_id, users=users, complete=complete)
    for user_id, affinity in members:
        response.members.add(user_id=user_id, affinity=affinity)
    return response


def encode_recommend(answer: RecommendationList) -> recommendation_pb2.RecommendResponse:
    response = recommendation_pb2.RecommendResponse(
        recommendation_id=answer.recommendation_id,
        bundle_id=answer.bundle_id,
        personalised=answer.personalised,
        degraded=[_DEGRADATIONS[d] for d in answer.degraded],
        arm=answer.arm,
        next_page_token=encode_page(answer.next_page) if answer.next_page is not None else "",
    )
    _add_recommendations(response, answer)
    return response


def encode_streamed_list(answer: RecommendationList) -> recommendation_pb2.StreamReasonsResponse:
    return recommendation_pb2.StreamReasonsResponse(list=encode_recommend(answer))


def encode_reason_update(item_id: str, reason: Reason) -> recommendation_pb2.StreamReasonsResponse:
    response = recommendation_pb2.StreamReasonsResponse()
    response.update.item_id = item_id
    set_reason(response.update.reason, reason)
    return response


def encode_batch_recommend(answers: Sequence[RecommendationList]) -> recommendation_pb2.BatchRecommendResponse:
    return recommendation_pb2.BatchRecommendResponse(responses=map(encode_recommend, answers))


def encode_rank(answer: RecommendationList, candidates: Sequence[str]) -> recommendation_pb2.RankResponse:
    ranked = {recommendation.item.item_id for recommendation in answer.recommendations}
    response = recommendation_pb2.RankResponse(
        recommendation_id=answer.recommendation_id,
        bundle_id=answer.bundle_id,
        left_out_item_ids=[item_id for item_id in dict.fromkeys(candidates) if item_id not in ranked],
        personalised=answer.personalised,
        degraded=[_DEGRADATIONS[d] for d in answer.degraded],
    )
    _add_recommendations(response, answer)
    return response


def _add_recommendations(
    response: recommendation_pb2.RecommendResponse | recommendation_pb2.RankResponse, answer: RecommendationList
) -> None:
    add = response.recommendations.add
    for recommendation in answer.recommendations:
        message = add(item_id=recommendation.item.item_id, score=recommendation.score, rank=recommendation.rank)
        if recommendation.backfilled:
            message.backfilled = True
        if recommendation.reason is not None:
            set_reason(message.reason, recommendation.reason)


def encode_similar_items(answer: SimilarItemList) -> recommendation_pb2.SimilarItemsResponse:
    response = recommendation_pb2.SimilarItemsResponse(
        recommendation_id=answer.recommendation_id, bundle_id=answer.bundle_id
    )
    for neighbour in answer.neighbours:
        response.similar_items.add(item_id=neighbour.item.item_id, score=neighbour.score, rank=neighbour.rank)
    return response


def _k_problem(k: int) -> str | None:
    return None if 1 <= k <= MAX_K else f"must be 1 to {MAX_K}"


def language_of(tag: str) -> str:
    """The language of a BCP 47 tag: 'zh-Hans-CN' is 'zh', none given is the first known. Empty: not one we know."""
    if not tag:
        return LANGUAGES[0]
    match = _LANGUAGE_TAG.fullmatch(tag)
    language = match[1].lower() if match else ""
    return language if language in LANGUAGES else ""
