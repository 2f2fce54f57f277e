"""Drains the event log of a running service to Parquet, each event once, so that the next training knows of it.

    python -m training.export_events --out SHOP/events [--redis-url URL | --data-dir DIR] [--namespace NAME]

Parts lie in OUT/partition-07, one folder a partition of the log; `read_shop` takes OUT for its table of events. Lists
in which chance had a part go to the folder `lists` beside OUT, for `training.off_policy`. What a part holds is safe on
disk before the log lets go of it, and what is in a part enters no other: this may be stopped at any moment and run
again. An erased user is taken out of the parts, too.
"""

import argparse
import asyncio
import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from recsvc.domain.records import ServedList
from recsvc.domain.shop import Event
from recsvc.errors import RecsvcError
from recsvc.store import LOG_PARTITIONS, EventLog, LogEntry, open_store
from training.data.parquet_parts import EVENTS, LISTS, erase, event_rows, list_rows
from training.data.shop import ERASURES_UNTIL, LISTS_FOLDER
from training.errors import ExportError

PART_ENTRIES = 10_000  # of the log, at most, in one part: a few hundred KB, and what is in memory at a time
READ_SECONDS = 10.0  # that Redis may take for them


@dataclass(frozen=True)
class Exported:
    """events, lists: new in the folders. repeated: events that the log held twice. erased: events and lists taken out
    of parts written before.
    """

    events: int
    repeated: int
    erased: int
    lists: int = 0


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
            name = f"partition-{partition:02}"
            folders = (out / name, out.parent / LISTS_FOLDER / name)
            while length > 0 and (entries := await log.read(partition, count=PART_ENTRIES)):
                exported.append(await asyncio.to_thread(_add, *folders, entries))
                length -= len(entries)
                bar.advance(task, len(entries))
                await log.trim(partition, entries[-1].entry_id)
        # Whoever was erased before is in none of the parts: training says so in its bundle's manifest.
        (out / ERASURES_UNTIL).write_text(f"{started}\n")
    return Exported(
        sum(part.events for part in exported),
        sum(part.repeated for part in exported),
        sum(part.erased for part in exported),
        sum(part.lists for part in exported),
    )


def _add(event_folder: Path, list_folder: Path, entries: list[LogEntry]) -> Exported:
    """Writes the next parts of one partition; blocks. The same entries again, after a stop, change nothing."""
    events: list[Event] = []
    lists: list[ServedList] = []
    erased = 0
    for entry in entries:
        if entry.logged is None:
            erased += erase(event_folder, entry.user_id) + erase(list_folder, entry.user_id)
            events = [event for event in events if event.user_id != entry.user_id]
            lists = [given for given in lists if given.user_id != entry.user_id]
        elif isinstance(entry.logged, Event):
            events.append(entry.logged)
        else:
            lists.append(entry.logged)
    name = entries[0].entry_id
    new = EVENTS.add(event_folder, event_rows(events), name)
    return Exported(new, len(events) - new, erased, LISTS.add(list_folder, list_rows(lists), name))


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
        f"out; {exported.lists:,} lists are new in {given.out.parent / LISTS_FOLDER}; {exported.erased:,} of erased "
        "users were removed"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
