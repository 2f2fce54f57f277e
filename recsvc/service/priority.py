"""Which calls come first when there are too many: the operator's, then writes, then lists, then work in bulk."""

from enum import IntEnum


class Priority(IntEnum):
    """The order in which calls are refused under overload: the highest number first."""

    ADMIN = 0
    WRITE = 1
    RECOMMEND = 2
    BATCH = 3


# How long a call may wait before its work begins, in seconds. A call that would wait longer is refused at once.
LONGEST_WAIT = {Priority.ADMIN: float("inf"), Priority.WRITE: 1.0, Priority.RECOMMEND: 0.25, Priority.BATCH: 0.05}
# The part of the limit of calls that a priority may fill together with the others.
SHARE_OF_LIMIT = {Priority.ADMIN: 2.0, Priority.WRITE: 1.5, Priority.RECOMMEND: 1.0, Priority.BATCH: 0.5}

_WRITES = frozenset(
    {
        "/recsvc.v1.EventService/WriteEvents",
        "/recsvc.v1.UserService/SetProfile",
        "/recsvc.v1.UserService/UpdateTasteProfile",
        "/recsvc.v1.UserService/DeleteUser",
        "/recsvc.v1.CatalogService/SetInventory",
        "/recsvc.v1.CatalogService/DeleteItems",
    }
)
_BATCHES = frozenset(
    {
        "/recsvc.v1.CatalogService/UpsertItems",
        "/recsvc.v1.ContentService/Generate",
        "/recsvc.v1.ExplainService/WhyNot",
        "/recsvc.v1.RecommendationService/FindAudience",
        "/recsvc.v1.UserService/ExportUser",
    }
)
_LISTS = "/recsvc.v1.RecommendationService/"
_READS = frozenset({"/recsvc.v1.UserService/GetTasteProfile", "/recsvc.v1.ExplainService/ExplainRecommendation"})


def priority_of(method: str) -> Priority:
    """Returns the priority of a method.

    Args:
        method: Such as "/package.Service/Method". One that is in no list is the operator's: there are few such calls.
    """
    if method in _WRITES:
        return Priority.WRITE
    if method in _BATCHES:
        return Priority.BATCH
    if method.startswith(_LISTS) or method in _READS:
        return Priority.RECOMMEND
    return Priority.ADMIN
