"""Asks a running service why a user gets a list, or why an item is not in it: `recsvc explain USER`."""

from collections.abc import Iterator
from typing import Any

import grpc

from recsvc.channel import ClientSettings, open_channel
from recsvc.errors import CallFailed, SettingsError
from recsvc.v1 import explain_pb2, reason_pb2, recommendation_pb2
from recsvc.v1.explain_pb2_grpc import ExplainServiceStub
from recsvc.v1.recommendation_pb2_grpc import RecommendationServiceStub
from recsvc.wire.recommendations import MAX_K

_TIMEOUT_SECONDS = 10.0
# Read as "It is not in the list: ...".
OBSTACLES = {
    explain_pb2.OBSTACLE_UNSPECIFIED: "the service named no obstacle",
    explain_pb2.OBSTACLE_UNKNOWN_ITEM: "the catalogue does not have it; add it with UpsertItems",
    explain_pb2.OBSTACLE_DELETED: "the shop has deleted it",
    explain_pb2.OBSTACLE_OUT_OF_STOCK: "it is out of stock",
    explain_pb2.OBSTACLE_HIDDEN: "the user has hidden it",
    explain_pb2.OBSTACLE_EXCLUDED: "the request excludes it by its id",
    explain_pb2.OBSTACLE_IN_VISIT: "the user has viewed it in this visit, or has it in the cart",
    explain_pb2.OBSTACLE_REPEAT_POLICY: "the user has it already, and the repeat policy leaves it out",
    explain_pb2.OBSTACLE_FILTER: "it does not match the filter",
    explain_pb2.OBSTACLE_SURFACE: "this surface never lists it",
    explain_pb2.OBSTACLE_RULES: "rules of the placement put other items before it, or a cap is full",
    explain_pb2.OBSTACLE_SCORE: "other items have higher scores",
}


def explain_user(*, user_id: str, item_id: str, target: str, placement: str, k: int, client: ClientSettings) -> str:
    """Returns the explanation as lines of text.

    Args:
        user_id: The user.
        item_id: The item whose place is explained; "" for the whole list.
        target: Address of the service, host:port.
        placement: The placement of the list; "" for none.
        k: Length of the list.
        client: TLS and the key.

    Raises:
        CallFailed: The service cannot be reached, or refuses the call.
        SettingsError: k is out of range, or the settings of the client cannot be used.
    """
    if not 1 <= k <= MAX_K:
        raise SettingsError(f"-k must be 1 to {MAX_K}")
    request = recommendation_pb2.RecommendRequest(user_id=user_id, k=k, placement=placement)
    with open_channel(target, client) as channel:
        try:
            if item_id:
                question = explain_pb2.WhyNotRequest(request=request, item_id=item_id)
                explain = ExplainServiceStub(channel)  # type: ignore[no-untyped-call]  # generated code has no types
                lines = _diagnosis_lines(explain.WhyNot(question, timeout=_TIMEOUT_SECONDS), user_id, item_id, k)
            else:
                recommend = RecommendationServiceStub(channel)  # type: ignore[no-untyped-call]  # as above
                lines = _list_lines(recommend.Recommend(request, timeout=_TIMEOUT_SECONDS), user_id)
        except grpc.RpcError as error:
            raise CallFailed(_problem(error, target)) from None
    return "\n".join(lines) + "\n"


def _list_lines(served: recommendation_pb2.RecommendResponse, user_id: str) -> Iterator[str]:
    ranked_by = "the user's own vector" if served.personalised else "popularity, or the same list for everybody"
    yield f"list    {served.recommendation_id}"
    yield f"user    {user_id}"
    yield f"bundle  {served.bundle_id}{f', arm {served.arm}' if served.arm else ''}"
    yield f"ranked by {ranked_by}"
    for degradation in served.degraded:
        yield f"degraded: {_name(recommendation_pb2.Degradation.DESCRIPTOR, degradation, 'DEGRADATION_')}"
    for listed in served.recommendations:
        text = listed.reason.text if listed.HasField("reason") else "no reason"
        backfilled = " (backfilled: it does not match the filter)" if listed.backfilled else ""
        yield f"{listed.rank:>3}  {listed.item_id}  score {listed.score:.4f}  {text}{backfilled}"
        for evidence in listed.reason.evidence:
            yield f"       {_evidence(evidence)}"


def _diagnosis_lines(answer: explain_pb2.WhyNotResponse, user_id: str, item_id: str, k: int) -> Iterator[str]:
    yield f"item    {item_id}"
    yield f"user    {user_id}"
    yield f"bundle  {answer.bundle_id}{f', arm {answer.arm}' if answer.arm else ''}"
    if answer.listed_rank:
        yield f"It is in the list, at rank {answer.listed_rank} of at most {k}."
    for obstacle in answer.obstacles:
        why = OBSTACLES.get(obstacle) or _name(explain_pb2.Obstacle.DESCRIPTOR, obstacle, "OBSTACLE_")
        yield f"It is not in the list: {why}."
    if answer.rank:
        yield f"By score alone it has rank {answer.rank} of all items that may be listed."
    yield f"Its score is {answer.score:.4f}{', the sum of:' if answer.block_scores else '.'}"
    for part in sorted(answer.block_scores, key=lambda part: -part.score):
        yield f"  {part.block:<14}{part.score:>9.4f}"


def _evidence(evidence: reason_pb2.Evidence) -> str:
    kind = _name(reason_pb2.EvidenceKind.DESCRIPTOR, evidence.kind, "EVIDENCE_KIND_")
    strength = _name(reason_pb2.Strength.DESCRIPTOR, evidence.strength, "STRENGTH_")
    details = (
        f"{field.name.replace('_', ' ')} {_value(field, value)}"
        for field, value in evidence.ListFields()
        if field.name not in ("kind", "strength")
    )
    return ", ".join((f"{kind} ({strength})", *details))


def _value(field: Any, value: object) -> str:  # noqa: ANN401 - descriptors have no common type in C and Python
    if field.enum_type is not None:
        return _name(field.enum_type, value, "EVENT_TYPE_")
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _name(enum: Any, number: Any, prefix: str) -> str:  # noqa: ANN401 - as above
    """The name of an enum value as words; its number if a newer service sent one that this version does not know."""
    value = enum.values_by_number.get(number)
    return value.name.removeprefix(prefix).lower().replace("_", " ") if value is not None else f"unknown ({number})"


def _problem(error: grpc.RpcError, target: str) -> str:
    code, details = error.code(), next(iter((error.details() or "no details").splitlines()))
    if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
        return f"the service at {target} does not answer; is it running? ({details})"
    return f"the service at {target} refused the call: {code.name}: {details}"
