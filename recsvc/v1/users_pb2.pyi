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
    __slots__ = ("user_id",)
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    def __init__(self, user_id: _Optional[str] = ...) -> None: ...

class ExportUserResponse(_message.Message):
    __slots__ = ("existed", "profile", "events", "more_events", "user_vectors")
    EXISTED_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    MORE_EVENTS_FIELD_NUMBER: _ClassVar[int]
    USER_VECTORS_FIELD_NUMBER: _ClassVar[int]
    existed: bool
    profile: Profile
    events: _containers.RepeatedCompositeFieldContainer[_events_pb2.Event]
    more_events: int
    user_vectors: _containers.RepeatedCompositeFieldContainer[UserVector]
    def __init__(self, existed: _Optional[bool] = ..., profile: _Optional[_Union[Profile, _Mapping]] = ..., events: _Optional[_Iterable[_Union[_events_pb2.Event, _Mapping]]] = ..., more_events: _Optional[int] = ..., user_vectors: _Optional[_Iterable[_Union[UserVector, _Mapping]]] = ...) -> None: ...

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
    __slots__ = ("existed", "removed_log_events")
    EXISTED_FIELD_NUMBER: _ClassVar[int]
    REMOVED_LOG_EVENTS_FIELD_NUMBER: _ClassVar[int]
    existed: bool
    removed_log_events: int
    def __init__(self, existed: _Optional[bool] = ..., removed_log_events: _Optional[int] = ...) -> None: ...
