from recsvc.v1 import access_pb2 as _access_pb2
from recsvc.v1 import reason_pb2 as _reason_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GenerateRequest(_message.Message):
    __slots__ = ("recipe", "item_id", "language", "audience", "variant", "drafts")
    RECIPE_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    DRAFTS_FIELD_NUMBER: _ClassVar[int]
    recipe: str
    item_id: str
    language: str
    audience: ContentAudience
    variant: int
    drafts: int
    def __init__(self, recipe: _Optional[str] = ..., item_id: _Optional[str] = ..., language: _Optional[str] = ..., audience: _Optional[_Union[ContentAudience, _Mapping]] = ..., variant: _Optional[int] = ..., drafts: _Optional[int] = ...) -> None: ...

class ContentAudience(_message.Message):
    __slots__ = ("brand", "category")
    BRAND_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    brand: str
    category: str
    def __init__(self, brand: _Optional[str] = ..., category: _Optional[str] = ...) -> None: ...

class GenerateResponse(_message.Message):
    __slots__ = ("drafts", "bundle_id")
    DRAFTS_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_ID_FIELD_NUMBER: _ClassVar[int]
    drafts: _containers.RepeatedCompositeFieldContainer[ContentDraft]
    bundle_id: str
    def __init__(self, drafts: _Optional[_Iterable[_Union[ContentDraft, _Mapping]]] = ..., bundle_id: _Optional[str] = ...) -> None: ...

class ContentDraft(_message.Message):
    __slots__ = ("text", "language", "parts", "provenance", "human_review_required")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    HUMAN_REVIEW_REQUIRED_FIELD_NUMBER: _ClassVar[int]
    text: str
    language: str
    parts: _containers.RepeatedCompositeFieldContainer[ContentPart]
    provenance: _reason_pb2.Provenance
    human_review_required: bool
    def __init__(self, text: _Optional[str] = ..., language: _Optional[str] = ..., parts: _Optional[_Iterable[_Union[ContentPart, _Mapping]]] = ..., provenance: _Optional[_Union[_reason_pb2.Provenance, _Mapping]] = ..., human_review_required: _Optional[bool] = ...) -> None: ...

class ContentPart(_message.Message):
    __slots__ = ("text", "facts")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    text: str
    facts: _containers.RepeatedCompositeFieldContainer[_reason_pb2.Evidence]
    def __init__(self, text: _Optional[str] = ..., facts: _Optional[_Iterable[_Union[_reason_pb2.Evidence, _Mapping]]] = ...) -> None: ...

class ListRecipesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListRecipesResponse(_message.Message):
    __slots__ = ("recipes",)
    RECIPES_FIELD_NUMBER: _ClassVar[int]
    recipes: _containers.RepeatedCompositeFieldContainer[Recipe]
    def __init__(self, recipes: _Optional[_Iterable[_Union[Recipe, _Mapping]]] = ...) -> None: ...

class Recipe(_message.Message):
    __slots__ = ("recipe", "purpose", "languages", "human_review_required", "addresses_audience")
    RECIPE_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    HUMAN_REVIEW_REQUIRED_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    recipe: str
    purpose: str
    languages: _containers.RepeatedScalarFieldContainer[str]
    human_review_required: bool
    addresses_audience: bool
    def __init__(self, recipe: _Optional[str] = ..., purpose: _Optional[str] = ..., languages: _Optional[_Iterable[str]] = ..., human_review_required: _Optional[bool] = ..., addresses_audience: _Optional[bool] = ...) -> None: ...
