"""CatalogService: what a shop says of its items, as changes of single fields."""

import time
from collections.abc import Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from recsvc.domain import ItemChange, ItemField
from recsvc.v1 import catalog_pb2
from recsvc.wire.fields import Violations, id_problem, microseconds

MAX_ITEMS = 1_000
MAX_STOCK = 1_000_000_000
LATEST_SET_TIME_AHEAD = 60_000_000  # a minute: one set a year ahead would refuse all others until then


def decode_set_inventory(request: catalog_pb2.SetInventoryRequest) -> list[ItemChange]:
    """Raises InvalidRequest, and then nothing of the batch may be set."""
    violations = Violations()
    _check_count(request.inventory, "inventory", violations)
    changes = []
    for i, inventory in enumerate(request.inventory):
        path = f"inventory[{i}]."
        violations.note(path + "item_id", id_problem(inventory.item_id))
        set_time = _set_time(inventory, path, violations)
        if inventory.HasField("price"):
            if not 0 <= inventory.price < float("inf"):  # NaN fails too
                violations.note(path + "price", "must be 0 or more, and finite")
            changes.append(ItemChange(inventory.item_id, ItemField.PRICE, set_time, inventory.price))
        if inventory.HasField("stock"):
            if inventory.stock > MAX_STOCK:
                violations.note(path + "stock", f"must be at most {MAX_STOCK}")
            changes.append(ItemChange(inventory.item_id, ItemField.STOCK, set_time, float(inventory.stock)))
        if not inventory.HasField("price") and not inventory.HasField("stock"):
            violations.note(path + "stock", "or price must be set")
    violations.raise_if_any()
    return changes


def decode_delete_items(request: catalog_pb2.DeleteItemsRequest) -> list[ItemChange]:
    """Raises InvalidRequest, and then nothing of the batch may be deleted."""
    violations = Violations()
    _check_count(request.item_ids, "item_ids", violations)
    for i, item_id in enumerate(request.item_ids):
        violations.note(f"item_ids[{i}]", id_problem(item_id))
    set_time = _set_time(request, "", violations)
    violations.raise_if_any()
    deleted = 0.0 if request.restore else 1.0
    return [ItemChange(item_id, ItemField.DELETED, set_time, deleted) for item_id in request.item_ids]


def _check_count(values: Sequence[object], field: str, violations: Violations) -> None:
    if not 1 <= len(values) <= MAX_ITEMS:
        violations.note(field, f"must hold 1 to {MAX_ITEMS} items")
        violations.raise_if_any()


def _set_time(
    message: "catalog_pb2.Inventory | catalog_pb2.DeleteItemsRequest", path: str, violations: Violations
) -> int:
    now = time.time_ns() // 1_000
    if not message.HasField("set_time"):
        return now
    timestamp: Timestamp = message.set_time
    moment = microseconds(timestamp)
    if moment is None or moment < 0:
        violations.note(path + "set_time", "must be a valid timestamp, not before 1970")
        return now
    if moment > now + LATEST_SET_TIME_AHEAD:
        violations.note(path + "set_time", "must be at most a minute ahead of the server's clock")
    return moment
