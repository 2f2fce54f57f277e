"""Backfill to a real service with a real Redis: afterwards Redis holds the data of the tables."""

import asyncio
import datetime as dt
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import pytest

from recsvc.domain.history_rooms import ROOM_EVENTS
from recsvc.domain.records import UserRecord
from recsvc.store import UserStore, open_store
from recsvc.store.keys import LOG_PARTITIONS
from tests.conftest import RedisServer
from tests.service_process import ServiceProcess
from training import backfill as module
from training.backfill import BackfillError, backfill, main, select_data
from training.data.profiles import profiles_of
from training.data.shop import Shop, read_shop

USERS = 60
NOON = dt.datetime(2025, 6, 1, 12, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Running:
    target: str
    redis: RedisServer

    @asynccontextmanager
    async def store(self) -> AsyncIterator[UserStore]:
        async with open_store(self.redis.url, Path("unused"), "recsvc", timeout_seconds=5) as store:
            yield store

    async def record(self, user_id: str) -> UserRecord:
        async with self.store() as store:
            record = await store.read(user_id, "no bundle")
        assert record is not None
        return record

    async def logged(self) -> int:
        """The number of events in the log."""
        async with self.store() as store:
            partitions = [await store.event_log.read(partition, count=100_000) for partition in range(LOG_PARTITIONS)]
        return sum(map(len, partitions))


@pytest.fixture(scope="module")
def running(trained_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = Path(tempfile.mkdtemp(prefix="recsvc-test-"))  # a unix socket's path is short
    redis = RedisServer(folder)
    redis.start()
    # A test machine may be busy: Redis is given time, so that a call is repeated only where a test means it to be.
    data_dir = tmp_path_factory.mktemp("data")
    service = ServiceProcess(trained_bundle, data_dir, redis.url, store_timeout=5)
    yield Running(service.address, redis)
    service.kill()
    redis.kill()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def shop(small_shop_folder: Path) -> Shop:
    return read_shop(small_shop_folder)


def only(shop: Shop, events: list[tuple[str, str, dt.datetime]]) -> Shop:
    """A shop without profiles and with these purchases: user_id, item_id, timestamp."""
    user_ids, item_ids, timestamps = zip(*events, strict=True)
    frame = pl.DataFrame(
        {
            "user_id": user_ids,
            "item_id": item_ids,
            "timestamp": pl.Series(timestamps, dtype=pl.Datetime("us", "UTC")),
            "event_type": "purchase",
            "quantity": 1.0,
            "price": pl.Series([None] * len(events), dtype=pl.Float64),
            "order_id": pl.Series([None] * len(events), dtype=pl.String),
        }
    )
    return replace(shop, events=frame.select(shop.events.columns), users=shop.users.clear())


def lines_of(shop: Shop, user_id: str) -> list[tuple[str, int, str, float]]:
    """A user's events as (item_id, microseconds, event type, quantity), oldest first."""
    events = shop.events.filter(pl.col("user_id") == user_id).with_columns(pl.col("timestamp").dt.epoch("us"))
    return list(events.select("item_id", "timestamp", "event_type", "quantity").iter_rows())


def held_by(record: UserRecord) -> list[tuple[str, int, str, float]]:
    return [(e.item_id, e.timestamp, e.event_type.name.lower(), e.quantity) for e in record.events]


async def test_redis_holds_the_data_of_the_tables_and_a_second_run_changes_nothing(running: Running, shop: Shop):
    profiles, events = select_data(shop, USERS, all_events=False)
    first = await backfill(shop, running.target, USERS)
    assert (first.profiles, first.events, first.unknown_items) == (len(profiles), len(events), 0)
    user_ids = shop.users["user_id"].head(USERS).to_list()
    before = {user_id: await running.record(user_id) for user_id in user_ids}
    for user_id, record in before.items():
        assert held_by(record) == lines_of(shop, user_id)
        assert record.profile == profiles.get(user_id)
        assert (record.profile_embedding is not None) == (user_id in profiles)
    logged = await running.logged()
    assert logged == len(events)
    expected = profiles_of(shop.users)
    assert profiles == {user_id: profile for user_id, profile in expected.items() if user_id in user_ids}

    second = await backfill(shop, running.target, USERS)
    assert (second.profiles, second.events) == (first.profiles, first.events)
    for user_id, record in before.items():
        again = await running.record(user_id)
        # The language model's last bits depend on what it reads in one batch, so a profile may count as changed.
        assert replace(again, version=record.version) == record
        assert again.version == record.version or user_id in profiles
    assert await running.logged() == logged


async def test_only_the_newest_events_are_sent_unless_all_are_requested(running: Running, shop: Shop):
    items = shop.items["item_id"].to_list()
    lines = [("keen", items[i % len(items)], NOON + dt.timedelta(minutes=i)) for i in range(ROOM_EVENTS + 50)]
    keen = only(shop, [*lines, ("calm", items[0], NOON)])
    logged = await running.logged()
    assert (await backfill(keen, running.target)).events == ROOM_EVENTS + 1
    assert await running.logged() == logged + ROOM_EVENTS + 1
    newest = held_by(await running.record("keen"))
    assert newest == lines_of(keen, "keen")[50:]
    assert (await backfill(keen, running.target, all_events=True)).events == ROOM_EVENTS + 51
    assert held_by(await running.record("keen")) == newest


async def test_a_purchase_is_sent_however_many_views_come_after_it(running: Running, shop: Shop):
    item, other = shop.items["item_id"].head(2)
    lines = [("viewer", item, NOON), *(("viewer", other, NOON + dt.timedelta(minutes=i)) for i in range(1, 300))]
    viewed = only(shop, lines)
    event_types = ["purchase"] + ["view"] * (len(lines) - 1)
    viewed = replace(viewed, events=viewed.events.with_columns(event_type=pl.Series(event_types)))
    assert (await backfill(viewed, running.target)).events == ROOM_EVENTS + 1
    assert held_by(await running.record("viewer"))[0] == lines_of(viewed, "viewer")[0]


async def test_equal_lines_are_separate_purchases(running: Running, shop: Shop):
    item = shop.items["item_id"][0]
    twice = only(shop, [("twin", item, NOON), ("twin", item, NOON)])
    for _ in range(2):
        await backfill(twice, running.target)
        assert len((await running.record("twin")).events) == 2


async def test_a_line_of_a_longer_export_is_the_same_event(running: Running, shop: Shop):
    item, other = shop.items["item_id"].head(2)
    await backfill(only(shop, [("grows", item, NOON), ("grows", item, NOON)]), running.target)
    # With later lines, an earlier one and another user's, the first two lines are no new events.
    longer = [("a", item, NOON), ("grows", other, NOON - dt.timedelta(days=1))]
    longer += [("grows", item, NOON), ("grows", item, NOON), ("grows", item, NOON + dt.timedelta(days=1))]
    await backfill(only(shop, longer), running.target)
    assert [event.item_id for event in (await running.record("grows")).events] == [other, item, item, item]


async def test_events_of_items_that_the_bundle_does_not_know_are_kept_and_counted(running: Running, shop: Shop):
    unknown = only(shop, [("explorer", "not in the catalogue", NOON)])
    sent = await backfill(unknown, running.target)
    assert (sent.events, sent.unknown_items) == (1, 1)
    assert len((await running.record("explorer")).events) == 1


async def test_a_call_is_retried_while_the_service_is_unavailable(running: Running, shop: Shop):
    late = only(shop, [("patient", shop.items["item_id"][0], NOON)])
    running.redis.kill()
    sending = asyncio.ensure_future(backfill(late, running.target))
    await asyncio.sleep(0.5)
    assert not sending.done()
    await asyncio.to_thread(running.redis.start)
    sent = await sending
    assert sent.events == 1
    assert sent.retries > 0
    assert len((await running.record("patient")).events) == 1


async def test_a_refused_request_stops_the_backfill_at_once(running: Running, shop: Shop):
    refused = only(shop, [("u" * 129, shop.items["item_id"][0], NOON)])
    with pytest.raises(BackfillError, match=r"INVALID_ARGUMENT.*user_id"):
        await backfill(refused, running.target)


async def test_an_address_without_a_service_is_an_error(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "CONNECT_SECONDS", 0.2)
    with pytest.raises(BackfillError, match="no service answers at localhost:1"):
        await backfill(shop, "localhost:1")


def test_the_command_prints_the_counts(running: Running, small_shop_folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["--data", str(small_shop_folder), "--target", running.target, "--users", "3"]) == 0
    assert f"were sent to {running.target}" in capsys.readouterr().out


def test_the_command_lists_the_problems_of_the_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["--data", str(tmp_path / "none"), "--target", "localhost:1"]) == 1
    assert "is not a folder" in capsys.readouterr().err
