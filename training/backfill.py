"""Sends a shop's profiles and past events to a running service, through the public gRPC contract.

    python -m training.backfill --data DIR --target HOST:PORT [--users N] [--all-events] [--tls-ca FILE]

A service with keys takes the key in RECSVC_API_KEY, with the scope write.

It is safe to run again, also after a stop: the same profile, or an event with the same id, changes nothing.
"""

import argparse
import asyncio
import hashlib
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import grpc
import polars as pl
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from recsvc.channel import add_client_flags, channel_credentials, client_settings
from recsvc.domain.history_rooms import ROOM_EVENTS
from recsvc.domain.shop import Profile
from recsvc.errors import RecsvcError
from recsvc.v1 import events_pb2, users_pb2
from recsvc.v1.events_pb2_grpc import EventServiceStub
from recsvc.v1.users_pb2_grpc import UserServiceStub
from training.data.interactions import kept_events
from training.data.profiles import profiles_of
from training.data.shop import Shop, read_shop

BATCH_EVENTS = 1_000  # in a request: the contract's limit
EVENT_LANES = 4  # requests with events in flight
PROFILE_LANES = 16  # requests with profiles in flight; the service embeds the waiting ones as one batch
CONNECT_SECONDS = 10.0
CALL_SECONDS = 60.0
# The waits before the second, third, ... try of a call that was answered UNAVAILABLE. Half a minute in all: enough for
# a restart of the service.
BACKOFF_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0)

Request = TypeVar("Request")


class BackfillError(RecsvcError):
    """The service cannot be reached, or it refused a request that would be refused again."""


@dataclass(frozen=True, kw_only=True)
class Backfilled:
    """The result of a backfill.

    Attributes:
        profiles: Profiles that the service stored.
        events: Events that it acknowledged.
        unknown_items: Events of items that its bundle does not know; the service keeps them.
        retries: Calls that were made again.
        seconds: How long it took.
    """

    profiles: int
    events: int
    unknown_items: int
    retries: int
    seconds: float


async def backfill(
    shop: Shop,
    target: str,
    users: int | None = None,
    *,
    all_events: bool = False,
    console: Console | None = None,
    credentials: grpc.ChannelCredentials | None = None,
) -> Backfilled:
    """Sends the profiles, and then the events of each user, oldest first.

    Args:
        shop: The tables.
        target: The address of the service, host:port.
        users: Sends only the first users, this many; None sends all.
        all_events: Sends all events of a user, not only those that the service keeps by default.
        console: Where progress is shown; standard error by default.
        credentials: For TLS and the key. None: a service without both.

    Raises:
        BackfillError: The service cannot be reached, or refused a request.
    """
    profiles, events = select_data(shop, users, all_events=all_events)
    started = time.perf_counter()
    async with _channel(target, credentials) as channel:
        try:
            await asyncio.wait_for(channel.channel_ready(), CONNECT_SECONDS)
        except TimeoutError:
            problem = "no service answers" if credentials is None else "no service answers with this CA and certificate"
            raise BackfillError(f"{problem} at {target}") from None
        sender = _Sender(UserServiceStub(channel), EventServiceStub(channel))
        with _progress(console or Console(stderr=True)) as bar:
            profile_lanes = _profile_lanes(profiles)
            await _in_lanes(profile_lanes, sender.set_profile, _counter(bar, "profiles", len(profiles)))
            event_lanes = [_event_requests(lane) for lane in _event_lanes(events)]
            await _in_lanes(event_lanes, sender.write_events, _counter(bar, "events", len(events)))
    seconds = time.perf_counter() - started
    return Backfilled(
        profiles=len(profiles),
        events=sender.acknowledged,
        unknown_items=sender.unknown_items,
        retries=sender.retries,
        seconds=seconds,
    )


def _channel(target: str, credentials: grpc.ChannelCredentials | None) -> grpc.aio.Channel:
    return grpc.aio.insecure_channel(target) if credentials is None else grpc.aio.secure_channel(target, credentials)


def select_data(shop: Shop, users: int | None, *, all_events: bool) -> tuple[dict[str, Profile], pl.DataFrame]:
    """The profiles by user_id and the events to send.

    A column `occurrence` numbers the events whose lines are equal.
    """
    profiles = profiles_of(shop.users)
    # Numbered before any event is left out: the event_id of a line must not depend on the lines that are sent with it.
    number = pl.int_range(pl.len(), dtype=pl.UInt32).over(shop.events.columns)
    events = shop.events.with_columns(occurrence=number)
    if users is not None:
        chosen = pl.concat((shop.users["user_id"], events["user_id"])).unique(maintain_order=True).head(users)
        profiles = {user_id: profiles[user_id] for user_id in chosen if user_id in profiles}
        events = events.filter(pl.col("user_id").is_in(chosen.implode()))
    if not all_events:
        events = kept_events(events)
    return profiles, events


class _Sender:
    """Makes the calls, retries them while the service is unavailable, and counts the answers."""

    def __init__(self, user_service: UserServiceStub, event_service: EventServiceStub) -> None:
        self._users = user_service
        self._events = event_service
        self.acknowledged = self.unknown_items = self.retries = 0

    async def set_profile(self, request: users_pb2.SetProfileRequest) -> int:
        await self._call(self._users.SetProfile, request)
        return 1

    async def write_events(self, request: events_pb2.WriteEventsRequest) -> int:
        answer = await self._call(self._events.WriteEvents, request)
        self.acknowledged += answer.acknowledged
        self.unknown_items += answer.unknown_items
        return len(request.events)

    async def _call(self, method: Callable[..., Awaitable[Any]], request: object) -> Any:  # noqa: ANN401 - untyped stubs
        for backoff in (*BACKOFF_SECONDS, None):
            try:
                return await method(request, timeout=CALL_SECONDS)
            except grpc.aio.AioRpcError as error:
                if backoff is None or error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise BackfillError(f"the service answered {error.code().name}: {error.details()}") from error
            self.retries += 1
            await asyncio.sleep(backoff * random.uniform(0.5, 1.0))
        raise AssertionError("unreachable: the last try returns or raises")


async def _in_lanes(
    lanes: Iterable[Iterable[Request]], send: Callable[[Request], Awaitable[int]], count: Callable[[int], None]
) -> None:
    """Sends the lanes at the same time, and the requests of a lane one after another. The first failure stops all."""

    async def send_lane(lane: Iterable[Request]) -> None:
        for request in lane:
            count(await send(request))

    try:
        async with asyncio.TaskGroup() as group:
            for lane in lanes:
                group.create_task(send_lane(lane))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None


def profile_request(user_id: str, profile: Profile) -> users_pb2.SetProfileRequest:
    """A profile as the contract sends it."""
    message = users_pb2.Profile(text=profile.text)
    for name, value in profile.attributes:
        message.attributes.add(name=name, value=value)
    return users_pb2.SetProfileRequest(user_id=user_id, profile=message)


def _profile_lanes(profiles: dict[str, Profile]) -> list[Iterator[users_pb2.SetProfileRequest]]:
    users = list(profiles.items())
    return [
        (profile_request(user_id, profile) for user_id, profile in users[lane::PROFILE_LANES])
        for lane in range(PROFILE_LANES)
    ]


def _event_lanes(events: pl.DataFrame) -> list[pl.DataFrame]:
    """The events of a user are together in one lane, oldest first.

    So no event overtakes an earlier one, no two requests write the history of one user at the same time, and each
    history is written a few times and not once for each event.
    """
    lane_of = pl.col("user_id").rank("dense") % EVENT_LANES
    ordered = events.sort("user_id", "timestamp", maintain_order=True)
    return [ordered.filter(lane_of == lane) for lane in range(EVENT_LANES)]


def _event_requests(events: pl.DataFrame) -> Iterator[events_pb2.WriteEventsRequest]:
    for part in events.iter_slices(BATCH_EVENTS):
        request = events_pb2.WriteEventsRequest()
        for row in part.iter_rows(named=True):
            event = request.events.add(
                event_id=event_id(row),
                user_id=row["user_id"],
                item_id=row["item_id"],
                event_type=f"EVENT_TYPE_{row['event_type'].upper()}",
                quantity=row["quantity"],
                price=row["price"],
                order_id=row["order_id"],
            )
            event.timestamp.FromDatetime(row["timestamp"])
        yield request


def event_id(line: dict[str, Any]) -> str:
    """The id of a line, made from its content: the same in any export that holds the line.

    `occurrence` tells equal lines apart.
    """
    return hashlib.blake2b(json.dumps(list(line.values()), default=str).encode(), digest_size=16).hexdigest()


def _progress(console: Console) -> Progress:
    columns = (TextColumn("  {task.description:<9}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, TimeRemainingColumn(), console=console, transient=True)


def _counter(bar: Progress, name: str, total: int) -> Callable[[int], None]:
    task = bar.add_task(name, total=total)
    return lambda done: bar.advance(task, done)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command. Returns the exit code: 1 after an error."""
    parser = argparse.ArgumentParser(
        prog="python -m training.backfill", description="Sends a shop's profiles and past events to a running service."
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with events, items and optionally users")
    parser.add_argument("--target", required=True, metavar="HOST:PORT", help="address of the service")
    parser.add_argument("--users", type=int, metavar="N", help="only the first N users of the tables")
    parser.add_argument(
        "--all-events",
        action="store_true",
        help="send all events to the event log, not only those that the service uses: of each user the newest "
        f"{ROOM_EVENTS} purchases, returns, hidden items, and views and carts together",
    )
    add_client_flags(parser)
    options = parser.parse_args(arguments)
    try:
        credentials = channel_credentials(client_settings(vars(options)))
        shop = read_shop(options.data)
        sending = backfill(shop, options.target, options.users, all_events=options.all_events, credentials=credentials)
        sent = asyncio.run(sending)
    except RecsvcError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(
        f"{sent.profiles:,} profiles and {sent.events:,} events of {options.data} were sent to {options.target}: "
        f"{sent.seconds:.1f} s, {sent.retries:,} calls repeated, {sent.unknown_items:,} events of unknown items"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
