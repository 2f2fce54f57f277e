"""A reason with its evidence and where it comes from, as every answer has it."""

import functools
from typing import TYPE_CHECKING, Any

from recsvc.domain.reason import Evidence, EvidenceKind, Provenance, Reason, Strength, Tone
from recsvc.domain.shop import EventType
from recsvc.v1 import events_pb2, reason_pb2

if TYPE_CHECKING:
    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer

_KINDS = {k: reason_pb2.EvidenceKind.Value(f"EVIDENCE_KIND_{k.name}") for k in EvidenceKind}
_EVENTS = {e: events_pb2.EventType.Value(f"EVENT_TYPE_{e.name}") for e in EventType}
_TONES: dict[Tone, Any] = {t: reason_pb2.Tone.Value(f"TONE_{t.name}") for t in Tone}
_STRENGTHS = {s: reason_pb2.Strength.Value(f"STRENGTH_{s.name}") for s in Strength}


def set_reason(message: reason_pb2.Reason, reason: Reason) -> None:
    """Fills an empty message in place."""
    message.text = reason.text
    message.language = reason.language
    message.tone = _TONES[reason.tone]
    message.provenance.CopyFrom(encode_provenance(reason.provenance))
    for evidence in reason.evidence:
        add_evidence(message.evidence, evidence)


@functools.lru_cache(maxsize=64)
def encode_provenance(provenance: Provenance) -> reason_pb2.Provenance:
    """Few are ever in use: one a generator, model and policy."""
    return reason_pb2.Provenance(
        generator=provenance.generator,
        model=provenance.model,
        recipe=provenance.recipe,
        policy_version=provenance.policy_version,
        ai_generated=provenance.ai_generated,
        verified=provenance.verified,
    )


def add_evidence(to: "RepeatedCompositeFieldContainer[reason_pb2.Evidence]", evidence: Evidence) -> None:
    message = to.add(
        kind=_KINDS[evidence.kind],
        strength=_STRENGTHS[evidence.strength],
        effect=evidence.effect,
        share=evidence.share,
        value=evidence.value,
        count=evidence.count,
        days=evidence.days,
        lift=evidence.lift,
        name=evidence.name,
        people=evidence.people,
        elapsed_days=evidence.elapsed,
        anchor_event=_EVENTS[evidence.event] if evidence.anchor is not None else None,
    )
    if evidence.anchor is not None:
        message.anchor_item_id = evidence.anchor.item_id
