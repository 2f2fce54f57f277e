"""Each event is exported once, also after a stop or when sent twice, and none of an erased user; with a real Redis."""

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


def exported(out: Path) -> pl.DataFrame:
    return pl.read_parquet(sorted(out.rglob("*.parquet"))).sort("user_id", "timestamp")


async def test_exported_events_can_be_trained_on_and_leave_the_log(store, tmp_path):
    out = tmp_path / "events"
    await store.write_events([event(n, f"u{n % 40}", price=2.5, order_id="o") for n in range(300)])
    assert await export_events(store.event_log, out) == Exported(events=300, repeated=0, erased=0)
    pl.DataFrame({"item_id": ["i0", "i1", "i2"], "title": ["Tea", "Mug", "Pot"]}).write_csv(tmp_path / "items.csv")
    shop = read_shop(tmp_path)
    assert shop.events.height == 300
    first = shop.events.row(0, named=True)
    assert (first["user_id"], first["item_id"], first["event_type"]) == ("u0", "i0", "purchase")
    assert (first["quantity"], first["price"], first["order_id"]) == (1.0, 2.5, "o")
    assert first["timestamp"].timestamp() == NOW / 1e6
    assert await export_events(store.event_log, out) == Exported(events=0, repeated=0, erased=0)
    await store.write_events([event(999, "new")])
    assert await export_events(store.event_log, out) == Exported(events=1, repeated=0, erased=0)
    assert exported(out).height == 301
    # Users erased before the last run are in no file, and training knows the time.
    receipt = await store.delete_user("new")
    assert read_shop(tmp_path).erasures_until < receipt.erased_at
    await export_events(store.event_log, out)
    assert read_shop(tmp_path).erasures_until >= receipt.erased_at


async def test_an_export_stopped_before_the_log_is_trimmed_writes_no_event_twice(store, tmp_path, monkeypatch):
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
    done = exported(tmp_path).height
    assert 0 < done < 60
    again = await export_events(store.event_log, tmp_path)
    assert again.events == 60 - done
    assert 0 < again.repeated <= 7
    assert exported(tmp_path)["event_id"].n_unique() == exported(tmp_path).height == 60


async def test_an_event_that_the_log_holds_twice_is_exported_once(redis_server, tmp_path):
    async with open_store(redis_server.url, tmp_path, "recsvc", history_limit=1, timeout_seconds=10) as store:
        await store.write_events([event(5)])
        await store.write_events([event(4)])  # too old for the history, so it is logged every time it is sent
        await store.write_events([event(4)])
        assert await export_events(store.event_log, tmp_path) == Exported(events=2, repeated=1, erased=0)
        await store.write_events([event(4)])
        assert await export_events(store.event_log, tmp_path) == Exported(events=0, repeated=1, erased=0)


async def test_an_erased_user_leaves_the_files_and_may_come_back(store, tmp_path):
    neighbour = next(f"u{n}" for n in range(1000) if keys.log_partition(f"u{n}") == keys.log_partition("ann"))
    await store.write_events([event(1), event(2), event(1, neighbour)])
    await export_events(store.event_log, tmp_path)
    await store.write_events([event(3)])
    await store.delete_user("ann")
    await store.write_events([event(4)])
    assert await export_events(store.event_log, tmp_path) == Exported(events=1, repeated=0, erased=2)
    assert exported(tmp_path).rows_by_key("user_id").keys() == {"ann", neighbour}
    assert exported(tmp_path).filter(user_id="ann")["event_id"].to_list() == ["e4"]


async def test_a_second_export_to_one_folder_is_refused(store, tmp_path):
    with exporter.locked(tmp_path), pytest.raises(ExportError, match="another export"):
        await export_events(store.event_log, tmp_path)


def test_the_command_prints_the_counts_or_the_error(redis_server, tmp_path, capsys):
    options = ["--out", str(tmp_path / "events"), "--redis-url", redis_server.url]
    assert main(options) == 0
    assert "0 events are new" in capsys.readouterr().out
    redis_server.kill()
    assert main(options) == 1
    assert capsys.readouterr().err.endswith("error: Redis did not do as asked: ConnectionError\n")
