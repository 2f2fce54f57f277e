import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from recsvc.v1 import access_pb2 as _access_pb2
from recsvc.v1 import reason_pb2 as _reason_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Surface(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SURFACE_UNSPECIFIED: _ClassVar[Surface]
    SURFACE_FOR_YOU: _ClassVar[Surface]
    SURFACE_SIMILAR: _ClassVar[Surface]
    SURFACE_CART: _ClassVar[Surface]
    SURFACE_BUY_AGAIN: _ClassVar[Surface]
    SURFACE_POPULAR: _ClassVar[Surface]
    SURFACE_TRENDING: _ClassVar[Surface]
    SURFACE_SEARCH: _ClassVar[Surface]

class RepeatPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REPEAT_POLICY_UNSPECIFIED: _ClassVar[RepeatPolicy]
    REPEAT_POLICY_ALLOW: _ClassVar[RepeatPolicy]
    REPEAT_POLICY_EXCLUDE: _ClassVar[RepeatPolicy]
    REPEAT_POLICY_WHEN_DUE: _ClassVar[RepeatPolicy]

class Degradation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DEGRADATION_UNSPECIFIED: _ClassVar[Degradation]
    DEGRADATION_STORE_UNAVAILABLE: _ClassVar[Degradation]
    DEGRADATION_REASONS_DROPPED: _ClassVar[Degradation]
    DEGRADATION_STALE: _ClassVar[Degradation]
    DEGRADATION_DATA_LOST: _ClassVar[Degradation]
    DEGRADATION_ITEMS_BEHIND: _ClassVar[Degradation]
    DEGRADATION_REASONS_PLAIN: _ClassVar[Degradation]
    DEGRADATION_STORE_SLOW: _ClassVar[Degradation]
    DEGRADATION_WRITES_REFUSED: _ClassVar[Degradation]
    DEGRADATION_SEARCH_BY_WORDS: _ClassVar[Degradation]
    DEGRADATION_OTHER_BUNDLE: _ClassVar[Degradation]
SURFACE_UNSPECIFIED: Surface
SURFACE_FOR_YOU: Surface
SURFACE_SIMILAR: Surface
SURFACE_CART: Surface
SURFACE_BUY_AGAIN: Surface
SURFACE_POPULAR: Surface
SURFACE_TRENDING: Surface
SURFACE_SEARCH: Surface
REPEAT_POLICY_UNSPECIFIED: RepeatPolicy
REPEAT_POLICY_ALLOW: RepeatPolicy
REPEAT_POLICY_EXCLUDE: RepeatPolicy
REPEAT_POLICY_WHEN_DUE: RepeatPolicy
DEGRADATION_UNSPECIFIED: Degradation
DEGRADATION_STORE_UNAVAILABLE: Degradation
DEGRADATION_REASONS_DROPPED: Degradation
DEGRADATION_STALE: Degradation
DEGRADATION_DATA_LOST: Degradation
DEGRADATION_ITEMS_BEHIND: Degradation
DEGRADATION_REASONS_PLAIN: Degradation
DEGRADATION_STORE_SLOW: Degradation
DEGRADATION_WRITES_REFUSED: Degradation
DEGRADATION_SEARCH_BY_WORDS: Degradation
DEGRADATION_OTHER_BUNDLE: Degradation

class RecommendRequest(_message.Message):
    __slots__ = ("user_id", "k", "context", "filter", "reason_options", "min_freshness", "surface", "placement", "paged", "page_token")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    REASON_OPTIONS_FIELD_NUMBER: _ClassVar[int]
    MIN_FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    SURFACE_FIELD_NUMBER: _ClassVar[int]
    PLACEMENT_FIELD_NUMBER: _ClassVar[int]
    PAGED_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    k: int
    context: Context
    filter: Filter
    reason_options: ReasonOptions
    min_freshness: str
    surface: Surface
    placement: str
    paged: bool
    page_token: str
    def __init__(self, user_id: _Optional[str] = ..., k: _Optional[int] = ..., context: _Optional[_Union[Context, _Mapping]] = ..., filter: _Optional[_Union[Filter, _Mapping]] = ..., reason_options: _Optional[_Union[ReasonOptions, _Mapping]] = ..., min_freshness: _Optional[str] = ..., surface: _Optional[_Union[Surface, str]] = ..., placement: _Optional[str] = ..., paged: _Optional[bool] = ..., page_token: _Optional[str] = ...) -> None: ...

class Context(_message.Message):
    __slots__ = ("time", "language", "viewed_item_ids", "cart_item_ids", "segment", "query")
    TIME_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    VIEWED_ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    CART_ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    time: _timestamp_pb2.Timestamp
    language: str
    viewed_item_ids: _containers.RepeatedScalarFieldContainer[str]
    cart_item_ids: _containers.RepeatedScalarFieldContainer[str]
    segment: str
    query: str
    def __init__(self, time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., language: _Optional[str] = ..., viewed_item_ids: _Optional[_Iterable[str]] = ..., cart_item_ids: _Optional[_Iterable[str]] = ..., segment: _Optional[str] = ..., query: _Optional[str] = ...) -> None: ...

class Filter(_message.Message):
    __slots__ = ("exclude_item_ids", "repeat_policy", "categories", "brands", "min_price", "max_price", "attributes", "backfill")
    EXCLUDE_ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    REPEAT_POLICY_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    BRANDS_FIELD_NUMBER: _ClassVar[int]
    MIN_PRICE_FIELD_NUMBER: _ClassVar[int]
    MAX_PRICE_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    BACKFILL_FIELD_NUMBER: _ClassVar[int]
    exclude_item_ids: _containers.RepeatedScalarFieldContainer[str]
    repeat_policy: RepeatPolicy
    categories: _containers.RepeatedScalarFieldContainer[str]
    brands: _containers.RepeatedScalarFieldContainer[str]
    min_price: float
    max_price: float
    attributes: _containers.RepeatedCompositeFieldContainer[AttributeFilter]
    backfill: bool
    def __init__(self, exclude_item_ids: _Optional[_Iterable[str]] = ..., repeat_policy: _Optional[_Union[RepeatPolicy, str]] = ..., categories: _Optional[_Iterable[str]] = ..., brands: _Optional[_Iterable[str]] = ..., min_price: _Optional[float] = ..., max_price: _Optional[float] = ..., attributes: _Optional[_Iterable[_Union[AttributeFilter, _Mapping]]] = ..., backfill: _Optional[bool] = ...) -> None: ...

class AttributeFilter(_message.Message):
    __slots__ = ("name", "values", "exclude")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_FIELD_NUMBER: _ClassVar[int]
    name: str
    values: _containers.RepeatedScalarFieldContainer[str]
    exclude: bool
    def __init__(self, name: _Optional[str] = ..., values: _Optional[_Iterable[str]] = ..., exclude: _Optional[bool] = ...) -> None: ...

class ReasonOptions(_message.Message):
    __slots__ = ("disabled", "tone", "group")
    DISABLED_FIELD_NUMBER: _ClassVar[int]
    TONE_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    disabled: bool
    tone: _reason_pb2.Tone
    group: bool
    def __init__(self, disabled: _Optional[bool] = ..., tone: _Optional[_Union[_reason_pb2.Tone, str]] = ..., group: _Optional[bool] = ...) -> None: ...

class RecommendResponse(_message.Message):
    __slots__ = ("recommendation_id", "bundle_id", "recommendations", "personalised", "degraded", "arm", "next_page_token", "reason_groups", "corrected_query")
    RECOMMENDATION_ID_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_ID_FIELD_NUMBER: _ClassVar[int]
    RECOMMENDATIONS_FIELD_NUMBER: _ClassVar[int]
    PERSONALISED_FIELD_NUMBER: _ClassVar[int]
    DEGRADED_FIELD_NUMBER: _ClassVar[int]
    ARM_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REASON_GROUPS_FIELD_NUMBER: _ClassVar[int]
    CORRECTED_QUERY_FIELD_NUMBER: _ClassVar[int]
    recommendation_id: str
    bundle_id: str
    recommendations: _containers.RepeatedCompositeFieldContainer[Recommendation]
    personalised: bool
    degraded: _containers.RepeatedScalarFieldContainer[Degradation]
    arm: str
    next_page_token: str
    reason_groups: _containers.RepeatedCompositeFieldContainer[_reason_pb2.ReasonGroup]
    corrected_query: str
    def __init__(self, recommendation_id: _Optional[str] = ..., bundle_id: _Optional[str] = ..., recommendations: _Optional[_Iterable[_Union[Recommendation, _Mapping]]] = ..., personalised: _Optional[bool] = ..., degraded: _Optional[_Iterable[_Union[Degradation, str]]] = ..., arm: _Optional[str] = ..., next_page_token: _Optional[str] = ..., reason_groups: _Optional[_Iterable[_Union[_reason_pb2.ReasonGroup, _Mapping]]] = ..., corrected_query: _Optional[str] = ...) -> None: ...

class Recommendation(_message.Message):
    __slots__ = ("item_id", "score", "rank", "reason", "backfilled")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    BACKFILLED_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    score: float
    rank: int
    reason: _reason_pb2.Reason
    backfilled: bool
    def __init__(self, item_id: _Optional[str] = ..., score: _Optional[float] = ..., rank: _Optional[int] = ..., reason: _Optional[_Union[_reason_pb2.Reason, _Mapping]] = ..., backfilled: _Optional[bool] = ...) -> None: ...

class StreamReasonsRequest(_message.Message):
    __slots__ = ("request",)
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    request: RecommendRequest
    def __init__(self, request: _Optional[_Union[RecommendRequest, _Mapping]] = ...) -> None: ...

class StreamReasonsResponse(_message.Message):
    __slots__ = ("list", "update")
    LIST_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    list: RecommendResponse
    update: ReasonUpdate
    def __init__(self, list: _Optional[_Union[RecommendResponse, _Mapping]] = ..., update: _Optional[_Union[ReasonUpdate, _Mapping]] = ...) -> None: ...

class ReasonUpdate(_message.Message):
    __slots__ = ("item_id", "reason")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    reason: _reason_pb2.Reason
    def __init__(self, item_id: _Optional[str] = ..., reason: _Optional[_Union[_reason_pb2.Reason, _Mapping]] = ...) -> None: ...

class BatchRecommendRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[RecommendRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[RecommendRequest, _Mapping]]] = ...) -> None: ...

class BatchRecommendResponse(_message.Message):
    __slots__ = ("responses",)
    RESPONSES_FIELD_NUMBER: _ClassVar[int]
    responses: _containers.RepeatedCompositeFieldContainer[RecommendResponse]
    def __init__(self, responses: _Optional[_Iterable[_Union[RecommendResponse, _Mapping]]] = ...) -> None: ...

class RankRequest(_message.Message):
    __slots__ = ("user_id", "item_ids", "context", "reasons", "min_freshness", "tone")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    MIN_FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    TONE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    item_ids: _containers.RepeatedScalarFieldContainer[str]
    context: Context
    reasons: bool
    min_freshness: str
    tone: _reason_pb2.Tone
    def __init__(self, user_id: _Optional[str] = ..., item_ids: _Optional[_Iterable[str]] = ..., context: _Optional[_Union[Context, _Mapping]] = ..., reasons: _Optional[bool] = ..., min_freshness: _Optional[str] = ..., tone: _Optional[_Union[_reason_pb2.Tone, str]] = ...) -> None: ...

class RankResponse(_message.Message):
    __slots__ = ("recommendation_id", "bundle_id", "recommendations", "left_out_item_ids", "personalised", "degraded")
    RECOMMENDATION_ID_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_ID_FIELD_NUMBER: _ClassVar[int]
    RECOMMENDATIONS_FIELD_NUMBER: _ClassVar[int]
    LEFT_OUT_ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    PERSONALISED_FIELD_NUMBER: _ClassVar[int]
    DEGRADED_FIELD_NUMBER: _ClassVar[int]
    recommendation_id: str
    bundle_id: str
    recommendations: _containers.RepeatedCompositeFieldContainer[Recommendation]
    left_out_item_ids: _containers.RepeatedScalarFieldContainer[str]
    personalised: bool
    degraded: _containers.RepeatedScalarFieldContainer[Degradation]
    def __init__(self, recommendation_id: _Optional[str] = ..., bundle_id: _Optional[str] = ..., recommendations: _Optional[_Iterable[_Union[Recommendation, _Mapping]]] = ..., left_out_item_ids: _Optional[_Iterable[str]] = ..., personalised: _Optional[bool] = ..., degraded: _Optional[_Iterable[_Union[Degradation, str]]] = ...) -> None: ...

class FindAudienceRequest(_message.Message):
    __slots__ = ("item_id", "k", "new_buyers_only", "page_token")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    NEW_BUYERS_ONLY_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    k: int
    new_buyers_only: bool
    page_token: str
    def __init__(self, item_id: _Optional[str] = ..., k: _Optional[int] = ..., new_buyers_only: _Optional[bool] = ..., page_token: _Optional[str] = ...) -> None: ...

class FindAudienceResponse(_message.Message):
    __slots__ = ("bundle_id", "members", "users", "complete", "next_page_token")
    BUNDLE_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    USERS_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    bundle_id: str
    members: _containers.RepeatedCompositeFieldContainer[AudienceMember]
    users: int
    complete: bool
    next_page_token: str
    def __init__(self, bundle_id: _Optional[str] = ..., members: _Optional[_Iterable[_Union[AudienceMember, _Mapping]]] = ..., users: _Optional[int] = ..., complete: _Optional[bool] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class AudienceMember(_message.Message):
    __slots__ = ("user_id", "affinity")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    AFFINITY_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    affinity: float
    def __init__(self, user_id: _Optional[str] = ..., affinity: _Optional[float] = ...) -> None: ...

class SimilarItemsRequest(_message.Message):
    __slots__ = ("item_id", "k", "filter")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    k: int
    filter: Filter
    def __init__(self, item_id: _Optional[str] = ..., k: _Optional[int] = ..., filter: _Optional[_Union[Filter, _Mapping]] = ...) -> None: ...

class SimilarItemsResponse(_message.Message):
    __slots__ = ("recommendation_id", "bundle_id", "similar_items")
    RECOMMENDATION_ID_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_ID_FIELD_NUMBER: _ClassVar[int]
    SIMILAR_ITEMS_FIELD_NUMBER: _ClassVar[int]
    recommendation_id: str
    bundle_id: str
    similar_items: _containers.RepeatedCompositeFieldContainer[SimilarItem]
    def __init__(self, recommendation_id: _Optional[str] = ..., bundle_id: _Optional[str] = ..., similar_items: _Optional[_Iterable[_Union[SimilarItem, _Mapping]]] = ...) -> None: ...

class SimilarItem(_message.Message):
    __slots__ = ("item_id", "score", "rank")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    score: float
    rank: int
    def __init__(self, item_id: _Optional[str] = ..., score: _Optional[float] = ..., rank: _Optional[int] = ...) -> None: ...
