"""The filter that requests of several services carry."""

from collections.abc import Sequence

from recsvc.domain.query import AttributeFilter, ItemFilter
from recsvc.domain.shop import category_path
from recsvc.v1 import recommendation_pb2
from recsvc.wire.fields import (
    MAX_ATTRIBUTE_NAME,
    MAX_ATTRIBUTE_VALUE,
    MAX_ATTRIBUTES,
    MAX_BRAND,
    MAX_CATEGORIES,
    Violations,
    text_problem,
)

MAX_EXCLUDED_ITEMS = 1_000
MAX_FILTER_VALUES = 100


def check_filter(message: recommendation_pb2.Filter, violations: Violations) -> None:
    """Notes everything that is wrong with a filter."""
    # Only their number is limited: an id that no item has is ignored, as the proto says.
    if len(message.exclude_item_ids) > MAX_EXCLUDED_ITEMS:
        violations.note("filter.exclude_item_ids", f"must hold at most {MAX_EXCLUDED_ITEMS} ids")
    for name, values, longest in (
        ("categories", message.categories, MAX_CATEGORIES),
        ("brands", message.brands, MAX_BRAND),
    ):
        violations.note(f"filter.{name}", _values_problem(values, 0, longest))
    if len(message.attributes) > MAX_ATTRIBUTES:
        violations.note("filter.attributes", f"must hold at most {MAX_ATTRIBUTES} attributes")
    for i, attribute in enumerate(message.attributes[:MAX_ATTRIBUTES]):
        inner = violations.within(f"filter.attributes[{i}].")
        inner.note("name", text_problem(attribute.name, 1, MAX_ATTRIBUTE_NAME))
        inner.note("values", _values_problem(attribute.values, 1, MAX_ATTRIBUTE_VALUE))
    for name in ("min_price", "max_price"):
        if message.HasField(name) and not 0 <= getattr(message, name) < float("inf"):  # NaN fails too
            violations.note(f"filter.{name}", "must be 0 or more, and finite")


def item_filter(message: recommendation_pb2.Filter) -> ItemFilter:
    """Decodes a filter. The excluded ids, the repeat policy and backfill are fields of the query."""
    return ItemFilter(
        categories=frozenset(map(category_path, message.categories)),
        brands=frozenset(message.brands),
        min_price=message.min_price if message.HasField("min_price") else None,
        max_price=message.max_price if message.HasField("max_price") else None,
        attributes=frozenset(
            AttributeFilter(attribute.name, frozenset(attribute.values), attribute.exclude)
            for attribute in message.attributes
        ),
    )


def _values_problem(values: Sequence[str], min_count: int, longest: int) -> str | None:
    if min_count <= len(values) <= MAX_FILTER_VALUES and all(1 <= len(value) <= longest for value in values):
        return None
    number = f"{min_count} to {MAX_FILTER_VALUES}" if min_count else f"at most {MAX_FILTER_VALUES}"
    return f"must hold {number} of 1 to {longest} characters"
