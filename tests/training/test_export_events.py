"""Each event once, whatever is stopped or sent twice, and of an erased user nothing; against a real Redis."""

from collections.abc import AsyncIterator
from pathlib import Path

import polars as pl
import pytest

from recsvc.domain.shop import Event, EventType
from recsvc.store import EventLog, UserStore, keys, open_store
from tests.conftest import RedisServer
from training import export_events as exporter
from training.data.shop import read_shop
from training.errors import ExportError
from training.export_events import Exported, export_events, main

NOW = 1_750_000_000_000_000


@pytest.fixture
async def store(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[UserStore]:
    async with open_store(redis_server.url, tmp_path, "recsvc", timeout_seconds=10) as store:
        yield store


def event(number: int, user_id: str = "ann", **more) -> Event:
    return Event(f"e{number}", user_id, f"i{number % 3}", EventType.PURCHASE, NOW + number, **more)


def held(out: Path) -> pl.DataFrame:
    return pl.read_parquet(sorted(out.rglob("*.parquet"))).sort("user_id", "timestamp")


async def test_what_is_exported_can_be_trained_on_and_leaves_the_log(store, tmp_path):
    out = tmp_path / "events"
    await store.write_events([event(n, f"u{n % 40}", price=2.5, order_id="o") for n in range(300)])
    assert await export_events(store.event_log, out) == Exported(300, 0, 0)
    pl.DataFrame({"item_id": ["i0", "i1", "i2"], "title": ["Tea", "Mug", "Pot"]}).write_csv(tmp_path / "items.csv")
    shop = read_shop(tmp_path)
    assert shop.events.height == 300
    first = shop.events.row(0, named=True)
    assert (first["user_id"], first["item_id"], first["event_type"]) == ("u0", "i0", "purchase")
    assert (first["quantity"], first["price"], first["order_id"]) == (1.0, 2.5, "o")
    assert first["timestamp"].timestamp() == NOW / 1e6
    assert await export_events(store.event_log, out) == Exported(0, 0, 0)
    await store.write_events([event(999, "new")])
    assert await export_events(store.event_log, out) == Exported(1, 0, 0)
    assert held(out).height == 301
    # Whoever was erased before the last run is in none of it, and training knows.
    receipt = await store.delete_user("new")
    assert read_shop(tmp_path).erasures_until < receipt.erased_at
    await export_events(store.event_log, out)
    assert read_shop(tmp_path).erasures_until >= receipt.erased_at


async def test_stopped_before_the_log_lets_go_it_writes_nothing_twice(store, tmp_path, monkeypatch):
    monkeypatch.setattr(exporter, "PART_ENTRIES", 7)
    await store.write_events([event(n, f"u{n % 5}") for n in range(60)])
    trim, trims = EventLog.trim, []

    async def killed(self: EventLog, partition: int, through: str) -> int:
        trims.append(through)
        if len(trims) == 3:
            raise KeyboardInterrupt
        return await trim(self, partition, through)

    monkeypatch.setattr(EventLog, "trim", killed)
    with pytest.raises(KeyboardInterrupt):
        await export_events(store.event_log, tmp_path)
    done = held(tmp_path).height
    assert 0 < done < 60
    again = await export_events(store.event_log, tmp_path)
    assert again.events == 60 - done
    assert 0 < again.repeated <= 7
    assert held(tmp_path)["event_id"].n_unique() == held(tmp_path).height == 60


async def test_an_event_that_the_log_holds_twice_is_exported_once(store, tmp_path):
    small = UserStore(store._client, "recsvc", history_limit=1)
    await small.write_events([event(5)])
    await small.write_events([event(4)])  # too old for the history, so it is logged every time it is sent
    await small.write_events([event(4)])
    assert await export_events(store.event_log, tmp_path) == Exported(2, 1, 0)
    await small.write_events([event(4)])
    assert await export_events(store.event_log, tmp_path) == Exported(0, 1, 0)


async def test_an_erased_user_leaves_the_parts_and_may_come_back(store, tmp_path):
    neighbour = next(f"u{n}" for n in range(1000) if keys.log_partition(f"u{n}") == keys.log_partition("ann"))
    await store.write_events([event(1), event(2), event(1, neighbour)])
    await export_events(store.event_log, tmp_path)
    await store.write_events([event(3)])
    await store.delete_user("ann")
    await store.write_events([event(4)])
    assert await export_events(store.event_log, tmp_path) == Exported(1, 0, 2)
    assert held(tmp_path).rows_by_key("user_id").keys() == {"ann", neighbour}
    assert held(tmp_path).filter(user_id="ann")["event_id"].to_list() == ["e4"]


async def test_two_exports_at_a_time_are_one_too_many(store, tmp_path):
    with exporter._alone(tmp_path), pytest.raises(ExportError, match="another export"):
        await export_events(store.event_log, tmp_path)


def test_the_command_says_what_it_did_or_what_is_wrong(redis_server, tmp_path, capsys):
    options = ["--out", str(tmp_path / "events"), "--redis-url", redis_server.url]
    assert main(options) == 0
    assert "0 events are new" in capsys.readouterr().out
    redis_server.kill()
    assert main(options) == 1
    assert capsys.readouterr().err.endswith("error: Redis did not do as asked: ConnectionError\n")
