import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from recsvc.v1 import access_pb2 as _access_pb2
from recsvc.v1 import recommendation_pb2 as _recommendation_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Obstacle(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OBSTACLE_UNSPECIFIED: _ClassVar[Obstacle]
    OBSTACLE_UNKNOWN_ITEM: _ClassVar[Obstacle]
    OBSTACLE_DELETED: _ClassVar[Obstacle]
    OBSTACLE_OUT_OF_STOCK: _ClassVar[Obstacle]
    OBSTACLE_HIDDEN: _ClassVar[Obstacle]
    OBSTACLE_EXCLUDED: _ClassVar[Obstacle]
    OBSTACLE_IN_VISIT: _ClassVar[Obstacle]
    OBSTACLE_REPEAT_POLICY: _ClassVar[Obstacle]
    OBSTACLE_FILTER: _ClassVar[Obstacle]
    OBSTACLE_SURFACE: _ClassVar[Obstacle]
    OBSTACLE_RULES: _ClassVar[Obstacle]
    OBSTACLE_SCORE: _ClassVar[Obstacle]
OBSTACLE_UNSPECIFIED: Obstacle
OBSTACLE_UNKNOWN_ITEM: Obstacle
OBSTACLE_DELETED: Obstacle
OBSTACLE_OUT_OF_STOCK: Obstacle
OBSTACLE_HIDDEN: Obstacle
OBSTACLE_EXCLUDED: Obstacle
OBSTACLE_IN_VISIT: Obstacle
OBSTACLE_REPEAT_POLICY: Obstacle
OBSTACLE_FILTER: Obstacle
OBSTACLE_SURFACE: Obstacle
OBSTACLE_RULES: Obstacle
OBSTACLE_SCORE: Obstacle

class WhyNotRequest(_message.Message):
    __slots__ = ("request", "item_id")
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    request: _recommendation_pb2.RecommendRequest
    item_id: str
    def __init__(self, request: _Optional[_Union[_recommendation_pb2.RecommendRequest, _Mapping]] = ..., item_id: _Optional[str] = ...) -> None: ...

class WhyNotResponse(_message.Message):
    __slots__ = ("listed_rank", "obstacles", "rank", "score", "block_scores", "bundle_id", "arm")
    LISTED_RANK_FIELD_NUMBER: _ClassVar[int]
    OBSTACLES_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    BLOCK_SCORES_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_ID_FIELD_NUMBER: _ClassVar[int]
    ARM_FIELD_NUMBER: _ClassVar[int]
    listed_rank: int
    obstacles: _containers.RepeatedScalarFieldContainer[Obstacle]
    rank: int
    score: float
    block_scores: _containers.RepeatedCompositeFieldContainer[BlockScore]
    bundle_id: str
    arm: str
    def __init__(self, listed_rank: _Optional[int] = ..., obstacles: _Optional[_Iterable[_Union[Obstacle, str]]] = ..., rank: _Optional[int] = ..., score: _Optional[float] = ..., block_scores: _Optional[_Iterable[_Union[BlockScore, _Mapping]]] = ..., bundle_id: _Optional[str] = ..., arm: _Optional[str] = ...) -> None: ...

class BlockScore(_message.Message):
    __slots__ = ("block", "score")
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    block: str
    score: float
    def __init__(self, block: _Optional[str] = ..., score: _Optional[float] = ...) -> None: ...

class ExplainRecommendationRequest(_message.Message):
    __slots__ = ("user_id", "recommendation_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    RECOMMENDATION_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    recommendation_id: str
    def __init__(self, user_id: _Optional[str] = ..., recommendation_id: _Optional[str] = ...) -> None: ...

class ExplainRecommendationResponse(_message.Message):
    __slots__ = ("time", "placement", "arm", "propensity", "bundle_id", "surface", "items", "unchanged")
    TIME_FIELD_NUMBER: _ClassVar[int]
    PLACEMENT_FIELD_NUMBER: _ClassVar[int]
    ARM_FIELD_NUMBER: _ClassVar[int]
    PROPENSITY_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_ID_FIELD_NUMBER: _ClassVar[int]
    SURFACE_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    time: _timestamp_pb2.Timestamp
    placement: str
    arm: str
    propensity: float
    bundle_id: str
    surface: _recommendation_pb2.Surface
    items: _containers.RepeatedCompositeFieldContainer[GivenItem]
    unchanged: bool
    def __init__(self, time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., placement: _Optional[str] = ..., arm: _Optional[str] = ..., propensity: _Optional[float] = ..., bundle_id: _Optional[str] = ..., surface: _Optional[_Union[_recommendation_pb2.Surface, str]] = ..., items: _Optional[_Iterable[_Union[GivenItem, _Mapping]]] = ..., unchanged: _Optional[bool] = ...) -> None: ...

class GivenItem(_message.Message):
    __slots__ = ("item_id", "score", "rank", "block_scores")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    BLOCK_SCORES_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    score: float
    rank: int
    block_scores: _containers.RepeatedCompositeFieldContainer[BlockScore]
    def __init__(self, item_id: _Optional[str] = ..., score: _Optional[float] = ..., rank: _Optional[int] = ..., block_scores: _Optional[_Iterable[_Union[BlockScore, _Mapping]]] = ...) -> None: ...
