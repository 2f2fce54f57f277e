from recsvc.v1 import events_pb2 as _events_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Tone(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TONE_UNSPECIFIED: _ClassVar[Tone]
    TONE_NEUTRAL: _ClassVar[Tone]
    TONE_WARM: _ClassVar[Tone]
    TONE_CONCISE: _ClassVar[Tone]

class EvidenceKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVIDENCE_KIND_UNSPECIFIED: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_REPEAT_PURCHASE: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_HISTORY_ITEM: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_SIMILAR_ITEM: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_BRAND: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_CATEGORY: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_PROFILE: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_POPULARITY: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_CO_PURCHASE: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_ATTRIBUTE: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_REPEAT_INTERVAL: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_NAME: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_AUDIENCE: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_SYNONYM: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_QUERY: _ClassVar[EvidenceKind]

class Strength(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STRENGTH_UNSPECIFIED: _ClassVar[Strength]
    STRENGTH_CAUSAL: _ClassVar[Strength]
    STRENGTH_CONTRIBUTORY: _ClassVar[Strength]
    STRENGTH_RELATIONAL: _ClassVar[Strength]
    STRENGTH_NEUTRAL: _ClassVar[Strength]
TONE_UNSPECIFIED: Tone
TONE_NEUTRAL: Tone
TONE_WARM: Tone
TONE_CONCISE: Tone
EVIDENCE_KIND_UNSPECIFIED: EvidenceKind
EVIDENCE_KIND_REPEAT_PURCHASE: EvidenceKind
EVIDENCE_KIND_HISTORY_ITEM: EvidenceKind
EVIDENCE_KIND_SIMILAR_ITEM: EvidenceKind
EVIDENCE_KIND_BRAND: EvidenceKind
EVIDENCE_KIND_CATEGORY: EvidenceKind
EVIDENCE_KIND_PROFILE: EvidenceKind
EVIDENCE_KIND_POPULARITY: EvidenceKind
EVIDENCE_KIND_CO_PURCHASE: EvidenceKind
EVIDENCE_KIND_ATTRIBUTE: EvidenceKind
EVIDENCE_KIND_REPEAT_INTERVAL: EvidenceKind
EVIDENCE_KIND_NAME: EvidenceKind
EVIDENCE_KIND_AUDIENCE: EvidenceKind
EVIDENCE_KIND_SYNONYM: EvidenceKind
EVIDENCE_KIND_QUERY: EvidenceKind
STRENGTH_UNSPECIFIED: Strength
STRENGTH_CAUSAL: Strength
STRENGTH_CONTRIBUTORY: Strength
STRENGTH_RELATIONAL: Strength
STRENGTH_NEUTRAL: Strength

class Reason(_message.Message):
    __slots__ = ("text", "language", "evidence", "provenance", "tone")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    TONE_FIELD_NUMBER: _ClassVar[int]
    text: str
    language: str
    evidence: _containers.RepeatedCompositeFieldContainer[Evidence]
    provenance: Provenance
    tone: Tone
    def __init__(self, text: _Optional[str] = ..., language: _Optional[str] = ..., evidence: _Optional[_Iterable[_Union[Evidence, _Mapping]]] = ..., provenance: _Optional[_Union[Provenance, _Mapping]] = ..., tone: _Optional[_Union[Tone, str]] = ...) -> None: ...

class ReasonGroup(_message.Message):
    __slots__ = ("text", "item_ids", "evidence")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    text: str
    item_ids: _containers.RepeatedScalarFieldContainer[str]
    evidence: _containers.RepeatedCompositeFieldContainer[Evidence]
    def __init__(self, text: _Optional[str] = ..., item_ids: _Optional[_Iterable[str]] = ..., evidence: _Optional[_Iterable[_Union[Evidence, _Mapping]]] = ...) -> None: ...

class Evidence(_message.Message):
    __slots__ = ("kind", "strength", "effect", "share", "anchor_item_id", "value", "count", "days", "lift", "anchor_event", "name", "people", "elapsed_days")
    KIND_FIELD_NUMBER: _ClassVar[int]
    STRENGTH_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    ANCHOR_ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    LIFT_FIELD_NUMBER: _ClassVar[int]
    ANCHOR_EVENT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_DAYS_FIELD_NUMBER: _ClassVar[int]
    kind: EvidenceKind
    strength: Strength
    effect: float
    share: float
    anchor_item_id: str
    value: str
    count: int
    days: int
    lift: float
    anchor_event: _events_pb2.EventType
    name: str
    people: int
    elapsed_days: int
    def __init__(self, kind: _Optional[_Union[EvidenceKind, str]] = ..., strength: _Optional[_Union[Strength, str]] = ..., effect: _Optional[float] = ..., share: _Optional[float] = ..., anchor_item_id: _Optional[str] = ..., value: _Optional[str] = ..., count: _Optional[int] = ..., days: _Optional[int] = ..., lift: _Optional[float] = ..., anchor_event: _Optional[_Union[_events_pb2.EventType, str]] = ..., name: _Optional[str] = ..., people: _Optional[int] = ..., elapsed_days: _Optional[int] = ...) -> None: ...

class Provenance(_message.Message):
    __slots__ = ("generator", "model", "recipe", "policy_version", "ai_generated", "verified")
    GENERATOR_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    RECIPE_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    AI_GENERATED_FIELD_NUMBER: _ClassVar[int]
    VERIFIED_FIELD_NUMBER: _ClassVar[int]
    generator: str
    model: str
    recipe: str
    policy_version: str
    ai_generated: bool
    verified: bool
    def __init__(self, generator: _Optional[str] = ..., model: _Optional[str] = ..., recipe: _Optional[str] = ..., policy_version: _Optional[str] = ..., ai_generated: _Optional[bool] = ..., verified: _Optional[bool] = ...) -> None: ...
