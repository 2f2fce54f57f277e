"""ExplainService: requests about lists, and the explanations."""

from collections.abc import Sequence

from recsvc.domain.query import Query, Surface
from recsvc.domain.records import ServedList
from recsvc.pipeline.why_not import BlockScores, ItemDiagnosis
from recsvc.v1 import explain_pb2
from recsvc.wire.fields import Violations, id_problem
from recsvc.wire.recommendations import decode_query


def decode_why_not(request: explain_pb2.WhyNotRequest) -> tuple[Query, str]:
    """Returns the query of the list and the id of the item. Raises InvalidRequest."""
    violations = Violations()
    query = decode_query(request.request, None, violations.within("request."))
    violations.note("item_id", id_problem(request.item_id))
    if request.request.page_token or request.request.paged:
        violations.note("request.page_token", "and paged must be empty: only a first page can be explained")
    violations.raise_if_any()
    return query, request.item_id


def decode_explain_recommendation(request: explain_pb2.ExplainRecommendationRequest) -> tuple[str, str]:
    """Returns the ids of the user and of the list. Raises InvalidRequest."""
    violations = Violations()
    violations.note("user_id", id_problem(request.user_id))
    violations.note("recommendation_id", id_problem(request.recommendation_id))
    violations.raise_if_any()
    return request.user_id, request.recommendation_id


def encode_why_not(diagnosis: ItemDiagnosis) -> explain_pb2.WhyNotResponse:
    """Encodes where an item stands in a list."""
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
    served: ServedList, blocks: Sequence[BlockScores], *, unchanged: bool
) -> explain_pb2.ExplainRecommendationResponse:
    """Encodes a list that was served.

    Args:
        served: The list.
        blocks: For each item its scores by block; empty where there are none.
        unchanged: Whether the user's record is the one that the list was made from.
    """
    response = explain_pb2.ExplainRecommendationResponse(
        placement=served.placement,
        arm=served.arm,
        propensity=served.propensity,
        bundle_id=served.bundle_id,
        surface=f"SURFACE_{Surface(served.surface).name}",
        unchanged=unchanged,
    )
    response.time.FromMicroseconds(served.time)
    for rank, ((item_id, score), item_blocks) in enumerate(zip(served.items, blocks, strict=True), served.shown + 1):
        response.items.add(item_id=item_id, score=score, rank=rank, block_scores=_encode_blocks(item_blocks))
    return response


def _encode_blocks(blocks: BlockScores) -> list[explain_pb2.BlockScore]:
    return [explain_pb2.BlockScore(block=name, score=score) for name, score in blocks]
