import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from recsvc.v1 import access_pb2 as _access_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class UpsertItemsRequest(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[CatalogItem]
    def __init__(self, items: _Optional[_Iterable[_Union[CatalogItem, _Mapping]]] = ...) -> None: ...

class CatalogItem(_message.Message):
    __slots__ = ("item_id", "title", "categories", "brand", "price", "stock", "set_time", "attributes")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    BRAND_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    STOCK_FIELD_NUMBER: _ClassVar[int]
    SET_TIME_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    title: str
    categories: str
    brand: str
    price: float
    stock: int
    set_time: _timestamp_pb2.Timestamp
    attributes: _containers.RepeatedCompositeFieldContainer[ItemAttribute]
    def __init__(self, item_id: _Optional[str] = ..., title: _Optional[str] = ..., categories: _Optional[str] = ..., brand: _Optional[str] = ..., price: _Optional[float] = ..., stock: _Optional[int] = ..., set_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., attributes: _Optional[_Iterable[_Union[ItemAttribute, _Mapping]]] = ...) -> None: ...

class ItemAttribute(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class UpsertItemsResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SetInventoryRequest(_message.Message):
    __slots__ = ("inventory",)
    INVENTORY_FIELD_NUMBER: _ClassVar[int]
    inventory: _containers.RepeatedCompositeFieldContainer[Inventory]
    def __init__(self, inventory: _Optional[_Iterable[_Union[Inventory, _Mapping]]] = ...) -> None: ...

class Inventory(_message.Message):
    __slots__ = ("item_id", "stock", "price", "set_time")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    STOCK_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    SET_TIME_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    stock: int
    price: float
    set_time: _timestamp_pb2.Timestamp
    def __init__(self, item_id: _Optional[str] = ..., stock: _Optional[int] = ..., price: _Optional[float] = ..., set_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SetInventoryResponse(_message.Message):
    __slots__ = ("unknown_items",)
    UNKNOWN_ITEMS_FIELD_NUMBER: _ClassVar[int]
    unknown_items: int
    def __init__(self, unknown_items: _Optional[int] = ...) -> None: ...

class DeleteItemsRequest(_message.Message):
    __slots__ = ("item_ids", "restore", "set_time")
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    RESTORE_FIELD_NUMBER: _ClassVar[int]
    SET_TIME_FIELD_NUMBER: _ClassVar[int]
    item_ids: _containers.RepeatedScalarFieldContainer[str]
    restore: bool
    set_time: _timestamp_pb2.Timestamp
    def __init__(self, item_ids: _Optional[_Iterable[str]] = ..., restore: _Optional[bool] = ..., set_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class DeleteItemsResponse(_message.Message):
    __slots__ = ("unknown_items",)
    UNKNOWN_ITEMS_FIELD_NUMBER: _ClassVar[int]
    unknown_items: int
    def __init__(self, unknown_items: _Optional[int] = ...) -> None: ...
