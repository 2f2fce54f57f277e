"""RecommendationService: decodes requests to queries, encodes lists."""

import re
from collections.abc import Sequence
from typing import Any

from recsvc.domain.degradation import Degradation
from recsvc.domain.query import ItemFilter, Query, RecommendationList, RepeatPolicy, SimilarItemList, Surface
from recsvc.domain.reason import LANGUAGES, Reason, Tone
from recsvc.v1 import reason_pb2, recommendation_pb2
from recsvc.wire.fields import Violations, id_problem, microseconds, text_problem
from recsvc.wire.filters import check_filter, item_filter
from recsvc.wire.page_token import decode_page, encode_page
from recsvc.wire.reasons import add_evidence, set_reason

MAX_K = 100
MAX_BATCH = 10
MAX_RANKED = 1_000
MAX_VISITED = 50
MAX_QUERY = 256

_FRESHNESS = re.compile(r"[0-9a-f]{1,14}")
_LANGUAGE_TAG = re.compile(r"([A-Za-z]{2,3})(-[A-Za-z0-9]{1,8}){0,8}")

_SURFACES = {0: Surface.FOR_YOU} | {
    recommendation_pb2.Surface.Value(f"SURFACE_{surface.name}"): surface for surface in Surface
}
_REPEAT_POLICIES = {
    recommendation_pb2.RepeatPolicy.Value(f"REPEAT_POLICY_{policy.name}"): policy for policy in RepeatPolicy
}
_DEGRADATIONS = {
    Degradation.STORE_UNAVAILABLE: recommendation_pb2.DEGRADATION_STORE_UNAVAILABLE,
    Degradation.STALE: recommendation_pb2.DEGRADATION_STALE,
    Degradation.REASONS_DROPPED: recommendation_pb2.DEGRADATION_REASONS_DROPPED,
    Degradation.DATA_LOST: recommendation_pb2.DEGRADATION_DATA_LOST,
    Degradation.ITEMS_BEHIND: recommendation_pb2.DEGRADATION_ITEMS_BEHIND,
    Degradation.REASONS_PLAIN: recommendation_pb2.DEGRADATION_REASONS_PLAIN,
    Degradation.STORE_SLOW: recommendation_pb2.DEGRADATION_STORE_SLOW,
    Degradation.WRITES_REFUSED: recommendation_pb2.DEGRADATION_WRITES_REFUSED,
    Degradation.SEARCH_BY_WORDS: recommendation_pb2.DEGRADATION_SEARCH_BY_WORDS,
    Degradation.OTHER_BUNDLE: recommendation_pb2.DEGRADATION_OTHER_BUNDLE,
}
_TONES: dict[int, Tone | None] = {0: None} | {reason_pb2.Tone.Value(f"TONE_{tone.name}"): tone for tone in Tone}


def decode_recommend(request: recommendation_pb2.RecommendRequest, deadline: float | None) -> Query:
    """Decodes a request for one list.

    Args:
        request: The request.
        deadline: Event-loop time by which the list must be ready; None without a deadline.

    Raises:
        InvalidRequest: Lists everything that is wrong.
    """
    violations = Violations()
    query = decode_query(request, deadline, violations)
    violations.raise_if_any()
    return query


def decode_stream_reasons(request: recommendation_pb2.StreamReasonsRequest, deadline: float | None) -> Query:
    """Decodes a request for a list and its later reasons. Arguments and errors as in `decode_recommend`."""
    violations = Violations()
    query = decode_query(request.request, deadline, violations.within("request."))
    if not query.reasons:
        violations.note("request.reason_options.disabled", "must be false: the stream consists of reasons")
    violations.raise_if_any()
    return query


def decode_batch_recommend(request: recommendation_pb2.BatchRecommendRequest, deadline: float | None) -> list[Query]:
    """Decodes a request for the lists of one page. Arguments and errors as in `decode_recommend`."""
    violations = Violations()
    if not 1 <= len(request.requests) <= MAX_BATCH:
        violations.note("requests", f"must hold 1 to {MAX_BATCH} requests")
        violations.raise_if_any()
    queries = [
        decode_query(inner, deadline, violations.within(f"requests[{i}].")) for i, inner in enumerate(request.requests)
    ]
    violations.raise_if_any()
    return queries


def decode_query(request: recommendation_pb2.RecommendRequest, deadline: float | None, violations: Violations) -> Query:
    """Decodes a request within another one. If it notes a violation, the query may not be used."""
    violations.note("user_id", id_problem(request.user_id))
    violations.note("k", _k_problem(request.k))
    check_filter(request.filter, violations)
    if request.filter.repeat_policy not in _REPEAT_POLICIES:
        violations.note("filter.repeat_policy", "must be a known value")
    if request.surface not in _SURFACES:
        violations.note("surface", "must be a known value")
    elif request.surface and request.placement:
        violations.note("surface", "must be empty if a placement is named: a placement has its own")
    if request.reason_options.tone not in _TONES:
        violations.note("reason_options.tone", "must be a known value")
    page = decode_page(request.page_token) if request.page_token else None
    if request.page_token and page is None:
        violations.note("page_token", "must be a next_page_token, unchanged")
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
        tone=_TONES.get(request.reason_options.tone),
        grouped=request.reason_options.group,
        deadline=deadline,
        **_context_fields(request, violations),
    )


def decode_rank(request: recommendation_pb2.RankRequest, deadline: float | None) -> Query:
    """Decodes a request to rank the caller's items. Arguments and errors as in `decode_recommend`."""
    violations = Violations()
    violations.note("user_id", id_problem(request.user_id))
    limit = MAX_K if request.reasons else MAX_RANKED
    if not 1 <= len(request.item_ids) <= limit:
        violations.note("item_ids", f"must hold 1 to {limit} ids{' when reasons are requested' * request.reasons}")
    if request.tone not in _TONES:
        violations.note("tone", "must be a known value")
    query = Query(
        user_id=request.user_id,
        k=len(request.item_ids),
        candidates=tuple(request.item_ids),
        repeats=RepeatPolicy.ALLOW,
        reasons=request.reasons,
        tone=_TONES.get(request.tone),
        deadline=deadline,
        **_context_fields(request, violations),
    )
    violations.raise_if_any()
    return query


def _context_fields(
    request: recommendation_pb2.RecommendRequest | recommendation_pb2.RankRequest, violations: Violations
) -> dict[str, Any]:
    """The fields of a query that come from the context and from min_freshness, by name."""
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
    """Returns the item's id, k, the excluded item ids and the filter. Raises InvalidRequest."""
    violations = Violations()
    violations.note("item_id", id_problem(request.item_id))
    violations.note("k", _k_problem(request.k))
    check_filter(request.filter, violations)
    if request.filter.repeat_policy != recommendation_pb2.REPEAT_POLICY_UNSPECIFIED:
        violations.note("filter.repeat_policy", "must be unspecified: the request names no user")
    if request.filter.backfill:
        violations.note("filter.backfill", "must be false: similar items are not backfilled")
    violations.raise_if_any()
    return request.item_id, request.k, frozenset(request.filter.exclude_item_ids), item_filter(request.filter)


def encode_recommend(served: RecommendationList) -> recommendation_pb2.RecommendResponse:
    """Encodes a list."""
    response = recommendation_pb2.RecommendResponse(
        recommendation_id=served.recommendation_id,
        bundle_id=served.bundle_id,
        personalised=served.personalised,
        degraded=[_DEGRADATIONS[degradation] for degradation in served.degraded],
        arm=served.arm,
        next_page_token=encode_page(served.next_page) if served.next_page is not None else "",
        corrected_query=served.corrected_query,
    )
    _add_recommendations(response, served)
    for group in served.reason_groups:
        message = response.reason_groups.add(text=group.text, item_ids=group.item_ids)
        for evidence in group.evidence:
            add_evidence(message.evidence, evidence)
    return response


def encode_streamed_list(served: RecommendationList) -> recommendation_pb2.StreamReasonsResponse:
    """Encodes a list as the first message of a stream."""
    return recommendation_pb2.StreamReasonsResponse(list=encode_recommend(served))


def encode_reason_update(item_id: str, reason: Reason) -> recommendation_pb2.StreamReasonsResponse:
    """Encodes a better reason as a later message of a stream."""
    response = recommendation_pb2.StreamReasonsResponse()
    response.update.item_id = item_id
    set_reason(response.update.reason, reason)
    return response


def encode_batch_recommend(lists: Sequence[RecommendationList]) -> recommendation_pb2.BatchRecommendResponse:
    """Encodes the lists of one page."""
    return recommendation_pb2.BatchRecommendResponse(responses=map(encode_recommend, lists))


def encode_rank(served: RecommendationList, candidates: Sequence[str]) -> recommendation_pb2.RankResponse:
    """Encodes a ranking of the caller's items, and names the items that are not in it."""
    ranked = {recommendation.item.item_id for recommendation in served.recommendations}
    response = recommendation_pb2.RankResponse(
        recommendation_id=served.recommendation_id,
        bundle_id=served.bundle_id,
        left_out_item_ids=[item_id for item_id in dict.fromkeys(candidates) if item_id not in ranked],
        personalised=served.personalised,
        degraded=[_DEGRADATIONS[degradation] for degradation in served.degraded],
    )
    _add_recommendations(response, served)
    return response


def _add_recommendations(
    response: recommendation_pb2.RecommendResponse | recommendation_pb2.RankResponse, served: RecommendationList
) -> None:
    add = response.recommendations.add
    for recommendation in served.recommendations:
        message = add(item_id=recommendation.item.item_id, score=recommendation.score, rank=recommendation.rank)
        if recommendation.backfilled:
            message.backfilled = True
        if recommendation.reason is not None:
            set_reason(message.reason, recommendation.reason)


def encode_similar_items(similar: SimilarItemList) -> recommendation_pb2.SimilarItemsResponse:
    """Encodes items that are similar to one."""
    response = recommendation_pb2.SimilarItemsResponse(
        recommendation_id=similar.recommendation_id, bundle_id=similar.bundle_id
    )
    for item in similar.neighbours:
        response.similar_items.add(item_id=item.item.item_id, score=item.score, rank=item.rank)
    return response


def _k_problem(k: int) -> str | None:
    return None if 1 <= k <= MAX_K else f"must be 1 to {MAX_K}"


def language_of(tag: str) -> str:
    """Returns the language of a BCP 47 tag: "zh" for "zh-Hans-CN", the first known one for no tag, "" if unknown."""
    if not tag:
        return LANGUAGES[0]
    match = _LANGUAGE_TAG.fullmatch(tag)
    language = match[1].lower() if match else ""
    return language if language in LANGUAGES else ""
