import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from recsvc.v1 import access_pb2 as _access_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListBundlesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListBundlesResponse(_message.Message):
    __slots__ = ("bundles", "processes", "active_bundle_id", "previous_bundle_id")
    BUNDLES_FIELD_NUMBER: _ClassVar[int]
    PROCESSES_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_BUNDLE_ID_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_BUNDLE_ID_FIELD_NUMBER: _ClassVar[int]
    bundles: _containers.RepeatedCompositeFieldContainer[BundleInfo]
    processes: _containers.RepeatedCompositeFieldContainer[ServerProcess]
    active_bundle_id: str
    previous_bundle_id: str
    def __init__(self, bundles: _Optional[_Iterable[_Union[BundleInfo, _Mapping]]] = ..., processes: _Optional[_Iterable[_Union[ServerProcess, _Mapping]]] = ..., active_bundle_id: _Optional[str] = ..., previous_bundle_id: _Optional[str] = ...) -> None: ...

class BundleInfo(_message.Message):
    __slots__ = ("bundle_id", "trained_at", "metrics")
    class MetricsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    BUNDLE_ID_FIELD_NUMBER: _ClassVar[int]
    TRAINED_AT_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    bundle_id: str
    trained_at: _timestamp_pb2.Timestamp
    metrics: _containers.ScalarMap[str, float]
    def __init__(self, bundle_id: _Optional[str] = ..., trained_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., metrics: _Optional[_Mapping[str, float]] = ...) -> None: ...

class ServerProcess(_message.Message):
    __slots__ = ("process_id", "serving_bundle_id", "loaded_bundle_ids", "problem", "store_problems")
    PROCESS_ID_FIELD_NUMBER: _ClassVar[int]
    SERVING_BUNDLE_ID_FIELD_NUMBER: _ClassVar[int]
    LOADED_BUNDLE_IDS_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    STORE_PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    process_id: str
    serving_bundle_id: str
    loaded_bundle_ids: _containers.RepeatedScalarFieldContainer[str]
    problem: str
    store_problems: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, process_id: _Optional[str] = ..., serving_bundle_id: _Optional[str] = ..., loaded_bundle_ids: _Optional[_Iterable[str]] = ..., problem: _Optional[str] = ..., store_problems: _Optional[_Iterable[str]] = ...) -> None: ...

class LoadBundleRequest(_message.Message):
    __slots__ = ("bundle_id",)
    BUNDLE_ID_FIELD_NUMBER: _ClassVar[int]
    bundle_id: str
    def __init__(self, bundle_id: _Optional[str] = ...) -> None: ...

class LoadBundleResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ActivateBundleRequest(_message.Message):
    __slots__ = ("bundle_id",)
    BUNDLE_ID_FIELD_NUMBER: _ClassVar[int]
    bundle_id: str
    def __init__(self, bundle_id: _Optional[str] = ...) -> None: ...

class ActivateBundleResponse(_message.Message):
    __slots__ = ("previous_bundle_id",)
    PREVIOUS_BUNDLE_ID_FIELD_NUMBER: _ClassVar[int]
    previous_bundle_id: str
    def __init__(self, previous_bundle_id: _Optional[str] = ...) -> None: ...

class RollBackRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RollBackResponse(_message.Message):
    __slots__ = ("bundle_id",)
    BUNDLE_ID_FIELD_NUMBER: _ClassVar[int]
    bundle_id: str
    def __init__(self, bundle_id: _Optional[str] = ...) -> None: ...
