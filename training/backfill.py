"""Tells a running service what a shop already knows: profiles and past events, through the public gRPC contract.

    python -m training.backfill --data DIR --target HOST:PORT [--users N] [--all-events]

Safe to run again, also after it was stopped half way: the same profile and an event of the same id change nothing.
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
from typing import Any

import grpc
import polars as pl
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from recsvc.domain.shop import Profile
from recsvc.errors import RecsvcError
from recsvc.v1 import events_pb2, users_pb2
from recsvc.v1.events_pb2_grpc import EventServiceStub
from recsvc.v1.users_pb2_grpc import UserServiceStub
from training.data.interactions import KEPT_EVENTS
from training.data.profiles import profiles_of
from training.data.shop import Shop, read_shop

BATCH_EVENTS = 1_000  # the contract's limit
EVENT_LANES = 4  # requests in flight
PROFILE_LANES = 16  # the service embeds the profiles that wait at the same time as one batch
CONNECT_SECONDS = 10.0
CALL_SECONDS = 60.0
# Before the second, third, ... try of a call that was answered UNAVAILABLE: half a minute in all, so that a service
# that is being restarted is waited for.
BACKOFF_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0)


class BackfillError(RecsvcError):
    """The service cannot be reached, or refused something that is not worth sending again."""


@dataclass(frozen=True)
class Backfilled:
    """What the service acknowledged. unknown_items: events whose item its bundle does not know; they are kept."""

    profiles: int
    events: int
    unknown_items: int
    retries: int
    seconds: float


async def backfill(
    shop: Shop, target: str, users: int | None = None, all_events: bool = False, console: Console | None = None
) -> Backfilled:
    """Sends the profiles, and then each user's newest events, or all, oldest first; of the first `users` users alone.

    Raises BackfillError.
    """
    profiles, events = told(shop, users, all_events)
    started = time.perf_counter()
    async with grpc.aio.insecure_channel(target) as channel:
        try:
            await asyncio.wait_for(channel.channel_ready(), CONNECT_SECONDS)
        except TimeoutError:
            raise BackfillError(f"no service answers at {target}") from None
        sender = _Sender(UserServiceStub(channel), EventServiceStub(channel))
        with _progress(console or Console(stderr=True)) as bar:
            profile_lanes = _profile_lanes(profiles)
            await _in_lanes(profile_lanes, sender.set_profile, _counter(bar, "profiles", len(profiles)))
            event_lanes = [_event_requests(lane) for lane in _event_lanes(events)]
            await _in_lanes(event_lanes, sender.write_events, _counter(bar, "events", len(events)))
    seconds = time.perf_counter() - started
    return Backfilled(len(profiles), sender.acknowledged, sender.unknown_items, sender.retries, seconds)


def told(shop: Shop, users: int | None, all_events: bool) -> tuple[dict[str, Profile], pl.DataFrame]:
    """What is sent: profiles by user_id; events, with an `occurrence` that numbers lines alike in everything else."""
    profiles = profiles_of(shop.users)
    # Numbered before anything is left out: a line's event_id must not depend on what is sent with it.
    alike = pl.int_range(pl.len(), dtype=pl.UInt32).over(shop.events.columns)
    events = shop.events.with_columns(occurrence=alike)
    if users is not None:
        chosen = pl.concat((shop.users["user_id"], events["user_id"])).unique(maintain_order=True).head(users)
        profiles = {user_id: profiles[user_id] for user_id in chosen if user_id in profiles}
        events = events.filter(pl.col("user_id").is_in(chosen.implode()))
    if not all_events:
        events = events.group_by("user_id", maintain_order=True).tail(KEPT_EVENTS)
    return profiles, events


class _Sender:
    """Makes the calls, again where that may help, and adds up the answers."""

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

    async def _call(self, method: Callable[..., Awaitable[Any]], request: Any) -> Any:
        for backoff in (*BACKOFF_SECONDS, None):
            try:
                return await method(request, timeout=CALL_SECONDS)
            except grpc.aio.AioRpcError as error:
                if backoff is None or error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise BackfillError(f"the service answered {error.code().name}: {error.details()}") from error
            self.retries += 1
            await asyncio.sleep(backoff * random.uniform(0.5, 1.0))
        raise AssertionError("the last try returns or raises")


async def _in_lanes(
    lanes: Iterable[Iterable[Any]], send: Callable[[Any], Awaitable[int]], count: Callable[[int], None]
) -> None:
    """Sends lanes side by side, and the requests of each lane one after another. The first failure ends them all."""

    async def one(lane: Iterable[Any]) -> None:
        for request in lane:
            count(await send(request))

    try:
        async with asyncio.TaskGroup() as group:
            for lane in lanes:
                group.create_task(one(lane))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None


def profile_request(user_id: str, profile: Profile) -> users_pb2.SetProfileRequest:
    message = users_pb2.Profile(text=profile.text)
    for name, value in profile.attributes:
        message.attributes.add(name=name, value=value)
    return users_pb2.SetProfileRequest(user_id=user_id, profile=message)


def _profile_lanes(profiles: dict[str, Profile]) -> list[Iterator[users_pb2.SetProfileRequest]]:
    known = list(profiles.items())
    return [(profile_request(*told) for told in known[lane::PROFILE_LANES]) for lane in range(PROFILE_LANES)]


def _event_lanes(events: pl.DataFrame) -> list[pl.DataFrame]:
    """A user's events are in one lane and side by side, oldest first: so none overtakes another, no two requests write
    one user's history, and each history is written a few times and not once an event.
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
    """The same for the same line in any export, whatever stands around it: made from what the line says. Its
    `occurrence` tells lines apart that are alike in everything.
    """
    return hashlib.blake2b(json.dumps(list(line.values()), default=str).encode(), digest_size=16).hexdigest()


def _progress(console: Console) -> Progress:
    columns = (TextColumn("  {task.description:<9}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, TimeRemainingColumn(), console=console, transient=True)


def _counter(bar: Progress, what: str, total: int) -> Callable[[int], None]:
    task = bar.add_task(what, total=total)
    return lambda done: bar.advance(task, done)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.backfill", description="Sends a shop's profiles and past events to a running service."
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with events, items and perhaps users")
    parser.add_argument("--target", required=True, metavar="HOST:PORT", help="where the service listens")
    parser.add_argument("--users", type=int, metavar="N", help="only the first N users of the tables")
    parser.add_argument(
        "--all-events",
        action="store_true",
        help=f"not only each user's newest {KEPT_EVENTS}, which are all that the service uses: the event log gets all",
    )
    given = parser.parse_args(arguments)
    try:
        shop = read_shop(given.data)
        sent = asyncio.run(backfill(shop, given.target, given.users, given.all_events))
    except RecsvcError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(
        f"{sent.profiles:,} profiles and {sent.events:,} events of {given.data} are with {given.target}: "
        f"{sent.seconds:.1f} s, {sent.retries:,} calls repeated, {sent.unknown_items:,} events of unknown items"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
