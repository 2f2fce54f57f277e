import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from recsvc.v1 import access_pb2 as _access_pb2
from recsvc.v1 import events_pb2 as _events_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SetProfileRequest(_message.Message):
    __slots__ = ("user_id", "profile")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    profile: Profile
    def __init__(self, user_id: _Optional[str] = ..., profile: _Optional[_Union[Profile, _Mapping]] = ...) -> None: ...

class SetProfileResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Profile(_message.Message):
    __slots__ = ("text", "attributes")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    text: str
    attributes: _containers.RepeatedCompositeFieldContainer[ProfileAttribute]
    def __init__(self, text: _Optional[str] = ..., attributes: _Optional[_Iterable[_Union[ProfileAttribute, _Mapping]]] = ...) -> None: ...

class ProfileAttribute(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class ExportUserRequest(_message.Message):
    __slots__ = ("user_id", "page_token")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    page_token: str
    def __init__(self, user_id: _Optional[str] = ..., page_token: _Optional[str] = ...) -> None: ...

class ExportUserResponse(_message.Message):
    __slots__ = ("existed", "profile", "events", "more_events", "user_vectors", "taste", "lists", "next_page_token")
    EXISTED_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    MORE_EVENTS_FIELD_NUMBER: _ClassVar[int]
    USER_VECTORS_FIELD_NUMBER: _ClassVar[int]
    TASTE_FIELD_NUMBER: _ClassVar[int]
    LISTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    existed: bool
    profile: Profile
    events: _containers.RepeatedCompositeFieldContainer[_events_pb2.Event]
    more_events: int
    user_vectors: _containers.RepeatedCompositeFieldContainer[UserVector]
    taste: Taste
    lists: _containers.RepeatedCompositeFieldContainer[ShownList]
    next_page_token: str
    def __init__(self, existed: _Optional[bool] = ..., profile: _Optional[_Union[Profile, _Mapping]] = ..., events: _Optional[_Iterable[_Union[_events_pb2.Event, _Mapping]]] = ..., more_events: _Optional[int] = ..., user_vectors: _Optional[_Iterable[_Union[UserVector, _Mapping]]] = ..., taste: _Optional[_Union[Taste, _Mapping]] = ..., lists: _Optional[_Iterable[_Union[ShownList, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ShownList(_message.Message):
    __slots__ = ("recommendation_id", "time", "placement", "item_ids", "query", "corrected_query")
    RECOMMENDATION_ID_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    PLACEMENT_FIELD_NUMBER: _ClassVar[int]
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    CORRECTED_QUERY_FIELD_NUMBER: _ClassVar[int]
    recommendation_id: str
    time: _timestamp_pb2.Timestamp
    placement: str
    item_ids: _containers.RepeatedScalarFieldContainer[str]
    query: str
    corrected_query: str
    def __init__(self, recommendation_id: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., placement: _Optional[str] = ..., item_ids: _Optional[_Iterable[str]] = ..., query: _Optional[str] = ..., corrected_query: _Optional[str] = ...) -> None: ...

class Taste(_message.Message):
    __slots__ = ("gift_item_ids", "less_item_ids", "less_brands", "less_categories")
    GIFT_ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    LESS_ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    LESS_BRANDS_FIELD_NUMBER: _ClassVar[int]
    LESS_CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    gift_item_ids: _containers.RepeatedScalarFieldContainer[str]
    less_item_ids: _containers.RepeatedScalarFieldContainer[str]
    less_brands: _containers.RepeatedScalarFieldContainer[str]
    less_categories: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, gift_item_ids: _Optional[_Iterable[str]] = ..., less_item_ids: _Optional[_Iterable[str]] = ..., less_brands: _Optional[_Iterable[str]] = ..., less_categories: _Optional[_Iterable[str]] = ...) -> None: ...

class GetTasteProfileRequest(_message.Message):
    __slots__ = ("user_id",)
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    def __init__(self, user_id: _Optional[str] = ...) -> None: ...

class GetTasteProfileResponse(_message.Message):
    __slots__ = ("profile", "categories", "brands", "attributes", "taste", "purchases", "bundle_id")
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    BRANDS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    TASTE_FIELD_NUMBER: _ClassVar[int]
    PURCHASES_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_ID_FIELD_NUMBER: _ClassVar[int]
    profile: Profile
    categories: _containers.RepeatedCompositeFieldContainer[Preference]
    brands: _containers.RepeatedCompositeFieldContainer[Preference]
    attributes: _containers.RepeatedCompositeFieldContainer[Preference]
    taste: Taste
    purchases: int
    bundle_id: str
    def __init__(self, profile: _Optional[_Union[Profile, _Mapping]] = ..., categories: _Optional[_Iterable[_Union[Preference, _Mapping]]] = ..., brands: _Optional[_Iterable[_Union[Preference, _Mapping]]] = ..., attributes: _Optional[_Iterable[_Union[Preference, _Mapping]]] = ..., taste: _Optional[_Union[Taste, _Mapping]] = ..., purchases: _Optional[int] = ..., bundle_id: _Optional[str] = ...) -> None: ...

class Preference(_message.Message):
    __slots__ = ("value", "purchases", "share")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    PURCHASES_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    value: str
    purchases: int
    share: float
    def __init__(self, value: _Optional[str] = ..., purchases: _Optional[int] = ..., share: _Optional[float] = ...) -> None: ...

class UpdateTasteProfileRequest(_message.Message):
    __slots__ = ("user_id", "add", "remove")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ADD_FIELD_NUMBER: _ClassVar[int]
    REMOVE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    add: Taste
    remove: Taste
    def __init__(self, user_id: _Optional[str] = ..., add: _Optional[_Union[Taste, _Mapping]] = ..., remove: _Optional[_Union[Taste, _Mapping]] = ...) -> None: ...

class UpdateTasteProfileResponse(_message.Message):
    __slots__ = ("taste",)
    TASTE_FIELD_NUMBER: _ClassVar[int]
    taste: Taste
    def __init__(self, taste: _Optional[_Union[Taste, _Mapping]] = ...) -> None: ...

class UserVector(_message.Message):
    __slots__ = ("bundle_id", "values")
    BUNDLE_ID_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    bundle_id: str
    values: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, bundle_id: _Optional[str] = ..., values: _Optional[_Iterable[float]] = ...) -> None: ...

class DeleteUserRequest(_message.Message):
    __slots__ = ("user_id",)
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    def __init__(self, user_id: _Optional[str] = ...) -> None: ...

class DeleteUserResponse(_message.Message):
    __slots__ = ("existed", "removed_log_events", "removed_history_events", "removed_profile", "removed_user_vectors", "removed_lists", "erased_at")
    EXISTED_FIELD_NUMBER: _ClassVar[int]
    REMOVED_LOG_EVENTS_FIELD_NUMBER: _ClassVar[int]
    REMOVED_HISTORY_EVENTS_FIELD_NUMBER: _ClassVar[int]
    REMOVED_PROFILE_FIELD_NUMBER: _ClassVar[int]
    REMOVED_USER_VECTORS_FIELD_NUMBER: _ClassVar[int]
    REMOVED_LISTS_FIELD_NUMBER: _ClassVar[int]
    ERASED_AT_FIELD_NUMBER: _ClassVar[int]
    existed: bool
    removed_log_events: int
    removed_history_events: int
    removed_profile: bool
    removed_user_vectors: int
    removed_lists: int
    erased_at: _timestamp_pb2.Timestamp
    def __init__(self, existed: _Optional[bool] = ..., removed_log_events: _Optional[int] = ..., removed_history_events: _Optional[int] = ..., removed_profile: _Optional[bool] = ..., removed_user_vectors: _Optional[int] = ..., removed_lists: _Optional[int] = ..., erased_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetErasureRequest(_message.Message):
    __slots__ = ("erased_at",)
    ERASED_AT_FIELD_NUMBER: _ClassVar[int]
    erased_at: _timestamp_pb2.Timestamp
    def __init__(self, erased_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetErasureResponse(_message.Message):
    __slots__ = ("first_bundle_id", "in_use")
    FIRST_BUNDLE_ID_FIELD_NUMBER: _ClassVar[int]
    IN_USE_FIELD_NUMBER: _ClassVar[int]
    first_bundle_id: str
    in_use: bool
    def __init__(self, first_bundle_id: _Optional[str] = ..., in_use: _Optional[bool] = ...) -> None: ...
