"""ExplainService: what is asked of a list, and what is told of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from recsvc.domain.query import Query, Surface
from recsvc.v1 import explain_pb2
from recsvc.wire.fields import Violations, id_problem
from recsvc.wire.recommendations import decode_query

if TYPE_CHECKING:
    from recsvc.domain.records import ServedList
    from recsvc.pipeline.why_not import BlockScores, ItemDiagnosis


def decode_why_not(request: explain_pb2.WhyNotRequest) -> tuple[Query, str]:
    """The list's query and the item's id. Raises InvalidRequest."""
    violations = Violations()
    query = decode_query(request.request, None, violations.within("request."))
    violations.note("item_id", id_problem(request.item_id))
    if request.request.page_token or request.request.paged:
        violations.note("request.page_token", "and paged must be empty: it is the first list that is looked into")
    violations.raise_if_any()
    return query, request.item_id


def decode_explain_recommendation(request: explain_pb2.ExplainRecommendationRequest) -> tuple[str, str]:
    """The user's and the list's id. Raises InvalidRequest."""
    violations = Violations()
    violations.note("user_id", id_problem(request.user_id))
    violations.note("recommendation_id", id_problem(request.recommendation_id))
    violations.raise_if_any()
    return request.user_id, request.recommendation_id


def encode_why_not(diagnosis: "ItemDiagnosis") -> explain_pb2.WhyNotResponse:
    return explain_pb2.WhyNotResponse(
        listed_rank=diagnosis.listed_rank,
        obstacles=[f"OBSTACLE_{obstacle.name}" for obstacle in diagnosis.obstacles],
        rank=diagnosis.rank,
        score=diagnosis.score,
        block_scores=_encode_blocks(diagnosis.blocks),
        bundle_id=diagnosis.bundle_id,
        arm=diagnosis.arm,
    )


def encode_explain_recommendation(
    given: "ServedList", blocks: Sequence["BlockScores"], unchanged: bool
) -> explain_pb2.ExplainRecommendationResponse:
    response = explain_pb2.ExplainRecommendationResponse(
        placement=given.placement,
        arm=given.arm,
        propensity=given.propensity,
        bundle_id=given.bundle_id,
        surface=f"SURFACE_{Surface(given.surface).name}",
        unchanged=unchanged,
    )
    response.time.FromMicroseconds(given.time)
    for rank, ((item_id, score), made_of) in enumerate(zip(given.items, blocks, strict=True), given.shown + 1):
        response.items.add(item_id=item_id, score=score, rank=rank, block_scores=_encode_blocks(made_of))
    return response


def _encode_blocks(blocks: "BlockScores") -> list[explain_pb2.BlockScore]:
    return [explain_pb2.BlockScore(block=name, score=score) for name, score in blocks]
