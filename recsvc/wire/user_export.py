"""UserService.ExportUser: everything that is stored of a user, in pages that fit into a message."""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from google.protobuf.message import Message

from recsvc.domain.records import ServedList, UserExport
from recsvc.domain.shop import NO_TASTE, Event
from recsvc.v1 import events_pb2, users_pb2
from recsvc.wire.fields import Violations, id_problem
from recsvc.wire.users import set_profile, taste_message

MAX_EXPORTED_EVENTS = 10_000  # of one page
# Lists and events of one page. The first page also has a taste of at most 1.3 MB, and clients take 4 MiB.
MAX_PAGE_BYTES = 2_500_000

_Entry = TypeVar("_Entry", bound=Message)
_TOKEN = re.compile(r"([0-9]{1,9})-([0-9]{1,9})-([0-9]{1,10})")


@dataclass(frozen=True, slots=True)
class ExportPage:
    """Where a page begins.

    Attributes:
        user_id: The user.
        lists, events: How many lists and events, the oldest, come in this page and the next ones; None for all of them.
            Counted from the oldest, they stay the same when new ones are written between two pages.
    """

    user_id: str
    lists: int | None = None
    events: int | None = None


def decode_export_user(request: users_pb2.ExportUserRequest) -> ExportPage:
    """Returns the user and the page. Raises InvalidRequest."""
    violations = Violations()
    violations.note("user_id", id_problem(request.user_id))
    page = ExportPage(request.user_id)
    if request.page_token:
        parts = _TOKEN.fullmatch(request.page_token)
        if parts is None or int(parts[3]) != _check(request.user_id):
            violations.note("page_token", "must be next_page_token of an earlier answer about the same user")
        else:
            page = ExportPage(request.user_id, int(parts[1]), int(parts[2]))
    violations.raise_if_any()
    return page


def encode_export_user(export: UserExport, page: ExportPage) -> users_pb2.ExportUserResponse:
    """Encodes one page: the lists first, newest first, then the newest of the events that are left, oldest first."""
    response = users_pb2.ExportUserResponse(
        existed=export.profile is not None or export.taste != NO_TASTE or bool(export.events or export.lists)
    )
    if page.lists is None and page.events is None:  # the first page
        if export.profile is not None:
            set_profile(response.profile, export.profile)
        if export.taste != NO_TASTE:
            response.taste.CopyFrom(taste_message(export.taste))
        for bundle_id, vector in export.user_vectors.items():
            response.user_vectors.add(bundle_id=bundle_id, values=vector)
    lists_left = len(export.lists) if page.lists is None else min(page.lists, len(export.lists))
    events_left = len(export.events) if page.events is None else min(page.events, len(export.events))
    room = MAX_PAGE_BYTES
    lists = list(_fitting((_list(served) for served in export.lists[len(export.lists) - lists_left :]), room))
    lists_left -= len(lists)
    room -= sum(map(_size, lists))
    events: list[events_pb2.Event] = []
    if not lists_left:
        first = max(0, events_left - MAX_EXPORTED_EVENTS)
        events = list(_fitting((_event(event) for event in reversed(export.events[first:events_left])), room))
    events_left -= len(events)
    response.lists.extend(lists)
    response.events.extend(reversed(events))
    response.more_events = events_left
    if lists_left or events_left:
        response.next_page_token = f"{lists_left}-{events_left}-{_check(page.user_id)}"
    return response


def _check(user_id: str) -> int:
    return zlib.crc32(user_id.encode("utf-8", "surrogatepass"))


def _size(message: Message) -> int:
    return message.ByteSize() + 6  # its field and its length


def _fitting(messages: Iterator[_Entry], room: int) -> Iterator[_Entry]:
    """Yields the first messages, as long as they fit into `room` bytes. One message alone always fits a page."""
    for message in messages:
        room -= _size(message)
        if room < 0:
            return
        yield message


def _list(served: ServedList) -> users_pb2.ShownList:
    message = users_pb2.ShownList(
        recommendation_id=served.recommendation_id,
        placement=served.placement,
        item_ids=[item_id for item_id, _ in served.items],
        query=served.query,
        corrected_query=served.corrected_query,
    )
    message.time.FromMicroseconds(served.time)
    return message


def _event(event: Event) -> events_pb2.Event:
    message = events_pb2.Event(
        event_id=event.event_id,
        user_id=event.user_id,
        item_id=event.item_id,
        event_type=event.event_type.value,  # type: ignore[arg-type]  # the stubs do not take a number
        quantity=event.quantity,
        price=event.price,
        order_id=event.order_id,
        recommendation_id=event.recommendation_id,
    )
    message.timestamp.FromMicroseconds(event.timestamp)
    return message
