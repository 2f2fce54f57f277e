"""Reasons, evidence and provenance, as all responses carry them."""

import functools
from typing import Any

from google.protobuf.internal.containers import RepeatedCompositeFieldContainer

from recsvc.domain.reason import Evidence, EvidenceKind, Provenance, Reason, Strength, Tone
from recsvc.domain.shop import EventType
from recsvc.v1 import events_pb2, reason_pb2

_KINDS = {kind: reason_pb2.EvidenceKind.Value(f"EVIDENCE_KIND_{kind.name}") for kind in EvidenceKind}
_EVENTS = {event_type: events_pb2.EventType.Value(f"EVENT_TYPE_{event_type.name}") for event_type in EventType}
_TONES: dict[Tone, Any] = {tone: reason_pb2.Tone.Value(f"TONE_{tone.name}") for tone in Tone}
_STRENGTHS = {strength: reason_pb2.Strength.Value(f"STRENGTH_{strength.name}") for strength in Strength}


def set_reason(message: reason_pb2.Reason, reason: Reason) -> None:
    """Fills an empty message with a reason, in place. To read its bytes costs a quarter of to fill every field."""
    if reason.encoded:
        message.MergeFromString(reason.encoded)
        return
    message.text = reason.text
    message.language = reason.language
    message.tone = _TONES[reason.tone]
    message.provenance.CopyFrom(encode_provenance(reason.provenance))
    for evidence in reason.evidence:
        add_evidence(message.evidence, evidence)
    reason.keep_encoded(message.SerializeToString())


@functools.lru_cache(maxsize=64)
def encode_provenance(provenance: Provenance) -> reason_pb2.Provenance:
    """Encodes a provenance. Cached: there is one for each generator, model and policy."""
    return reason_pb2.Provenance(
        generator=provenance.generator,
        model=provenance.model,
        recipe=provenance.recipe,
        policy_version=provenance.policy_version,
        ai_generated=provenance.ai_generated,
        verified=provenance.verified,
    )


def add_evidence(target: "RepeatedCompositeFieldContainer[reason_pb2.Evidence]", evidence: Evidence) -> None:
    """Appends one piece of evidence to a repeated field."""
    message = target.add(
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
