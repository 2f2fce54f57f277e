"""Drains the event log of a running service to Parquet, each event once, so that the next training knows of it.

    python -m training.export_events --out SHOP/events [--redis-url URL | --data-dir DIR] [--namespace NAME]

Parts lie in OUT/partition-07, one folder a partition of the log; `read_shop` takes OUT for its table of events. What a
part holds is safe on disk before the log lets go of it, and an event that is in a part enters no other: this may be
stopped at any moment and run again. An erased user's events are taken out of the parts, too.
"""

import argparse
import asyncio
import datetime as dt
import fcntl
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from recsvc.domain import Event
from recsvc.errors import RecsvcError
from recsvc.store import LOG_PARTITIONS, EventLog, LogEntry, open_store
from training.data import ERASURES_UNTIL
from training.errors import ExportError

PART_ENTRIES = 10_000  # of the log, at most, in one part: a few hundred KB, and what is in memory at a time
READ_SECONDS = 10.0  # that Redis may take for them

# What makes two events the same, as the contract says.
IDENTITY = ["user_id", "event_id"]

SCHEMA = {
    "user_id": pl.String,
    "item_id": pl.String,
    "timestamp": pl.Datetime("us", "UTC"),
    "event_type": pl.String,
    "quantity": pl.Float64,
    "price": pl.Float64,
    "order_id": pl.String,
    "event_id": pl.String,
    "recommendation_id": pl.String,
}


@dataclass(frozen=True)
class Exported:
    """events: new in the folder. repeated: that the log held twice. erased: taken out of parts written before."""

    events: int
    repeated: int
    erased: int


async def export_events(log: EventLog, out: Path, console: Console | None = None) -> Exported:
    """All that the log holds when it is asked for; later events are for the next run.

    Raises ExportError, and StoreUnavailable when Redis is away: what was written until then is good.
    """
    started = await log.time()
    lengths = [await log.length(partition) for partition in range(LOG_PARTITIONS)]
    exported = []
    with _alone(out), _progress(console or Console(stderr=True)) as bar:
        task = bar.add_task("events", total=sum(lengths))
        for partition, length in enumerate(lengths):
            folder = out / f"partition-{partition:02}"
            folder.mkdir(exist_ok=True)
            while length > 0 and (entries := await log.read(partition, count=PART_ENTRIES)):
                exported.append(await asyncio.to_thread(_add, folder, entries))
                length -= len(entries)
                bar.advance(task, len(entries))
                await log.trim(partition, entries[-1].entry_id)
        # Whoever was erased before is in none of the parts: training says so in its bundle's manifest.
        (out / ERASURES_UNTIL).write_text(f"{started}\n")
    return Exported(
        sum(part.events for part in exported),
        sum(part.repeated for part in exported),
        sum(part.erased for part in exported),
    )


def _add(folder: Path, entries: list[LogEntry]) -> Exported:
    """Writes the next part of one partition; blocks. The same entries again, after a stop, change nothing."""
    events: list[Event] = []
    erased = 0
    for entry in entries:
        if entry.event is not None:
            events.append(entry.event)
        else:
            erased += _erase(folder, entry.user_id)
            events = [event for event in events if event.user_id != entry.user_id]
    frame = _frame(events)
    new = frame.unique(IDENTITY, keep="first", maintain_order=True)
    if written := list(folder.glob("*.parquet")):
        new = new.join(pl.scan_parquet(written).select(IDENTITY).collect(), IDENTITY, "anti", maintain_order="left")
    if new.height:
        _write(new, folder / f"{entries[0].entry_id}-{secrets.token_hex(4)}.parquet")
    return Exported(new.height, frame.height - new.height, erased)


def _erase(folder: Path, user_id: str) -> int:
    """Takes a user out of the parts. Returns how many events that were."""
    erased = 0
    for path in folder.glob("*.parquet"):
        frame = pl.read_parquet(path, glob=False)
        kept = frame.filter(pl.col("user_id") != user_id)
        if kept.height < frame.height:
            _write(kept, path)
            erased += frame.height - kept.height
    return erased


def _frame(events: list[Event]) -> pl.DataFrame:
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    rows = [
        (
            event.user_id,
            event.item_id,
            epoch + dt.timedelta(microseconds=event.timestamp),
            event.event_type.name.lower(),
            event.quantity,
            event.price,
            event.order_id or None,
            event.event_id,
            event.recommendation_id or None,
        )
        for event in events
    ]
    return pl.DataFrame(rows, SCHEMA, orient="row")


def _write(frame: pl.DataFrame, path: Path) -> None:
    """All of it or nothing, and on disk when this returns."""
    unfinished = path.with_suffix(".part")
    frame.write_parquet(unfinished)
    _sync(unfinished)
    unfinished.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Two exports would both read an event before either trims it."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = os.open(out / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ExportError(f"{out} cannot be written to: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise ExportError(f"another export is writing to {out}") from None
    finally:
        os.close(lock)


def _progress(console: Console) -> Progress:
    columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)


async def _export(given: argparse.Namespace) -> Exported:
    url = given.redis_url or os.environ.get("RECSVC_REDIS_URL") or None
    async with open_store(url, given.data_dir, given.namespace, timeout_seconds=READ_SECONDS) as store:
        return await export_events(store.event_log, given.out)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.export_events", description="Drains a service's event log to Parquet, each event once."
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the parts: a shop's `events`")
    parser.add_argument("--redis-url", metavar="URL", help="the service's Redis; better in RECSVC_REDIS_URL, unseen")
    parser.add_argument(
        "--data-dir", type=Path, default=Path("var/recsvc"), help="or the folder of its private Redis, once it stopped"
    )
    parser.add_argument("--namespace", default="recsvc", help="start of the service's keys")
    given = parser.parse_args(arguments)
    try:
        exported = asyncio.run(_export(given))
    except RecsvcError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(
        f"{exported.events:,} events are new in {given.out}; {exported.repeated:,} that the log held twice were left "
        f"out, {exported.erased:,} of erased users removed"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
