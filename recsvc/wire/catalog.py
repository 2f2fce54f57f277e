"""CatalogService: items and inventory, as changes of single fields."""

import time
from collections.abc import Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from recsvc.domain.records import ItemChange, ItemField
from recsvc.domain.shop import Item, category_path
from recsvc.v1 import catalog_pb2
from recsvc.wire.fields import (
    MAX_ATTRIBUTE_NAME,
    MAX_ATTRIBUTE_VALUE,
    MAX_ATTRIBUTES,
    MAX_BRAND,
    MAX_CATEGORIES,
    Violations,
    id_problem,
    microseconds,
    text_problem,
)

MAX_ITEMS = 1_000
MAX_UPSERTED = 100  # the text encoder takes some milliseconds for each
MAX_TITLE = 1_000
MAX_STOCK = 1_000_000_000
MAX_SET_TIME_AHEAD = 60_000_000  # microseconds: a change dated a year ahead would block all others until then


def decode_upsert_items(request: catalog_pb2.UpsertItemsRequest) -> list[tuple[Item, list[ItemChange]]]:
    """Returns the items, each with the changes of its other fields. Raises InvalidRequest: then nothing may be set."""
    violations = Violations()
    _check_count(request.items, "items", violations, MAX_UPSERTED)
    decoded = []
    for i, message in enumerate(request.items):
        inner = violations.within(f"items[{i}].")
        inner.note("item_id", id_problem(message.item_id))
        for name, shortest, longest in (
            ("title", 1, MAX_TITLE),
            ("categories", 0, MAX_CATEGORIES),
            ("brand", 0, MAX_BRAND),
        ):
            inner.note(name, text_problem(getattr(message, name), shortest, longest))
        set_time = _set_time(message, inner)
        changes = [ItemChange(message.item_id, ItemField.DELETED, set_time, 0.0)]
        changes += _inventory(message, set_time, inner)
        attributes = _attributes(message, inner)
        item = Item(
            message.item_id, message.title, message.brand, category_path(message.categories), attributes=attributes
        )
        decoded.append((item, changes))
    ids = [message.item_id for message in request.items]
    if len(set(ids)) < len(ids):
        violations.note("items", "must name each item once")
    violations.raise_if_any()
    return decoded


def decode_set_inventory(request: catalog_pb2.SetInventoryRequest) -> list[ItemChange]:
    """Returns the changes of price and stock. Raises InvalidRequest: then nothing of the batch may be set."""
    violations = Violations()
    _check_count(request.inventory, "inventory", violations)
    changes = []
    for i, inventory in enumerate(request.inventory):
        inner = violations.within(f"inventory[{i}].")
        inner.note("item_id", id_problem(inventory.item_id))
        changes += _inventory(inventory, _set_time(inventory, inner), inner)
        if not inventory.HasField("price") and not inventory.HasField("stock"):
            inner.note("stock", "or price must be set")
    violations.raise_if_any()
    return changes


def decode_delete_items(request: catalog_pb2.DeleteItemsRequest) -> list[ItemChange]:
    """Returns the changes that delete or restore. Raises InvalidRequest: then nothing of the batch may be deleted."""
    violations = Violations()
    _check_count(request.item_ids, "item_ids", violations)
    for i, item_id in enumerate(request.item_ids):
        violations.note(f"item_ids[{i}]", id_problem(item_id))
    set_time = _set_time(request, violations)
    violations.raise_if_any()
    deleted = 0.0 if request.restore else 1.0
    return [ItemChange(item_id, ItemField.DELETED, set_time, deleted) for item_id in request.item_ids]


def _check_count(values: Sequence[object], field: str, violations: Violations, limit: int = MAX_ITEMS) -> None:
    if not 1 <= len(values) <= limit:
        violations.note(field, f"must hold 1 to {limit} items")
        violations.raise_if_any()


def _inventory(
    message: "catalog_pb2.Inventory | catalog_pb2.CatalogItem", set_time: int, violations: Violations
) -> list[ItemChange]:
    """The changes of price and stock, if the message sets them."""
    changes = []
    if message.HasField("price"):
        if not 0 <= message.price < float("inf"):  # NaN fails too
            violations.note("price", "must be 0 or more, and finite")
        changes.append(ItemChange(message.item_id, ItemField.PRICE, set_time, message.price))
    if message.HasField("stock"):
        if message.stock > MAX_STOCK:
            violations.note("stock", f"must be at most {MAX_STOCK}")
        changes.append(ItemChange(message.item_id, ItemField.STOCK, set_time, float(message.stock)))
    return changes


def _attributes(message: catalog_pb2.CatalogItem, violations: Violations) -> tuple[tuple[str, str], ...]:
    if len(message.attributes) > MAX_ATTRIBUTES:
        violations.note("attributes", f"must hold at most {MAX_ATTRIBUTES} attributes")
        return ()
    for i, attribute in enumerate(message.attributes):
        inner = violations.within(f"attributes[{i}].")
        inner.note("name", text_problem(attribute.name, 1, MAX_ATTRIBUTE_NAME))
        inner.note("value", text_problem(attribute.value, 1, MAX_ATTRIBUTE_VALUE))
    return tuple((attribute.name, attribute.value) for attribute in message.attributes)


def _set_time(
    message: "catalog_pb2.Inventory | catalog_pb2.CatalogItem | catalog_pb2.DeleteItemsRequest",
    violations: Violations,
) -> int:
    """Returns the set time in microseconds since 1970; 0 for when Redis gets the change."""
    if not message.HasField("set_time"):
        return 0
    timestamp: Timestamp = message.set_time
    moment = microseconds(timestamp)
    if moment is None or moment < 0:
        violations.note("set_time", "must be a valid timestamp, not before 1970")
        return 0
    if moment > time.time_ns() // 1_000 + MAX_SET_TIME_AHEAD:
        violations.note("set_time", "must be at most a minute ahead of the server's clock")
    return moment
