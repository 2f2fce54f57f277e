"""Moves the event log of a running service to Parquet files, each event once, for the next training.

    python -m training.export_events --out SHOP/events [--redis-url URL | --data-dir DIR] [--namespace NAME]

The files are in OUT/partition-07, one folder for each partition of the log; `read_shop` reads OUT as the events table.
Randomised lists go to the folder `lists` beside OUT, for `training.off_policy`, and searches to the folder `searches`,
for `training.report_searches`; the service logs searches if it runs with --log-searches. Events are on disk
before they are removed from the log, and no event is in two files: the command may be stopped at any time and run
again. Erased users are removed from the files, too.
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
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from recsvc.domain.records import ServedList
from recsvc.domain.shop import Event
from recsvc.errors import RecsvcError
from recsvc.store import LOG_PARTITIONS, EventLog, LogEntry, open_store
from training.data.parquet_parts import EVENTS, LISTS, SEARCHES, erase, event_rows, list_rows, search_rows
from training.data.shop import ERASURES_UNTIL, LISTS_FOLDER, SEARCHES_TABLE
from training.errors import ExportError

PART_ENTRIES = 10_000  # log entries in one file, at most: a few hundred KB, all in memory at a time
READ_SECONDS = 10.0  # Redis may take this long to return them


@dataclass(frozen=True, kw_only=True)
class Exported:
    """The result of an export.

    Attributes:
        events: New events in the folder.
        repeated: Events that the log held more than once.
        erased: Events, lists and searches of erased users that were removed from earlier files.
        lists: New randomised lists in their folder.
        searches: New searches in their folder.
    """

    events: int
    repeated: int
    erased: int
    lists: int = 0
    searches: int = 0


class Folders(NamedTuple):
    """Where one partition of the log goes."""

    events: Path
    lists: Path
    searches: Path


async def export_events(log: EventLog, out: Path, console: Console | None = None) -> Exported:
    """Exports the entries that the log holds at the start. Later ones are left for the next run.

    Raises:
        ExportError: The folder cannot be written to, or another export is writing to it.
        StoreUnavailable: Redis does not answer. The files written so far are complete.
    """
    started = await log.time()
    lengths = [await log.length(partition) for partition in range(LOG_PARTITIONS)]
    exported = []
    with locked(out), _progress(console or Console(stderr=True)) as bar:
        task = bar.add_task("events", total=sum(lengths))
        for partition, length in enumerate(lengths):
            name = f"partition-{partition:02}"
            folders = Folders(out / name, out.parent / LISTS_FOLDER / name, out.parent / SEARCHES_TABLE / name)
            remaining = length
            while remaining > 0 and (entries := await log.read(partition, count=PART_ENTRIES)):
                exported.append(await asyncio.to_thread(_add, folders, entries))
                remaining -= len(entries)
                bar.advance(task, len(entries))
                await log.trim(partition, entries[-1].entry_id)
        # Users erased before this time are in no file. Training copies the time into the manifest of its bundle.
        (out / ERASURES_UNTIL).write_text(f"{started}\n")
    return Exported(
        events=sum(part.events for part in exported),
        repeated=sum(part.repeated for part in exported),
        erased=sum(part.erased for part in exported),
        lists=sum(part.lists for part in exported),
        searches=sum(part.searches for part in exported),
    )


def _add(folders: Folders, entries: list[LogEntry]) -> Exported:
    """Writes the next files of one partition. Blocks. Adding the same entries again, after a stop, changes nothing."""
    events: list[Event] = []
    lists: list[ServedList] = []
    erased = 0
    for entry in entries:
        if entry.logged is None:
            erased += sum(erase(folder, entry.user_id) for folder in folders)
            events = [event for event in events if event.user_id != entry.user_id]
            lists = [served for served in lists if served.user_id != entry.user_id]
        elif isinstance(entry.logged, Event):
            events.append(entry.logged)
        else:
            lists.append(entry.logged)
    name = entries[0].entry_id
    new_events = EVENTS.add(folders.events, event_rows(events), name)
    return Exported(
        events=new_events,
        repeated=len(events) - new_events,
        erased=erased,
        lists=LISTS.add(folders.lists, list_rows(lists), name),
        searches=SEARCHES.add(folders.searches, search_rows(lists), name),
    )


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Keeps other exports out of the folder: two would both read an event before one of them removes it.

    Raises:
        ExportError: The folder cannot be written to, or another export is writing to it.
    """
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


async def _export(options: argparse.Namespace) -> Exported:
    url = options.redis_url or os.environ.get("RECSVC_REDIS_URL") or None
    async with open_store(url, options.data_dir, options.namespace, timeout_seconds=READ_SECONDS) as store:
        return await export_events(store.event_log, options.out)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command. Returns the exit code: 1 after an error."""
    parser = argparse.ArgumentParser(
        prog="python -m training.export_events",
        description="Moves a service's event log to Parquet files, each event once.",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the files: a shop's `events`")
    parser.add_argument(
        "--redis-url", metavar="URL", help="the service's Redis; RECSVC_REDIS_URL keeps it out of the process list"
    )
    parser.add_argument(
        "--data-dir", type=Path, default=Path("var/recsvc"), help="or the folder of its private Redis, after it stopped"
    )
    parser.add_argument("--namespace", default="recsvc", help="prefix of the service's keys")
    options = parser.parse_args(arguments)
    try:
        exported = asyncio.run(_export(options))
    except RecsvcError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(
        f"{exported.events:,} events are new in {options.out}; {exported.repeated:,} repeated ones were left out; "
        f"{exported.lists:,} lists are new in {options.out.parent / LISTS_FOLDER}; {exported.searches:,} searches are "
        f"new in {options.out.parent / SEARCHES_TABLE}; {exported.erased:,} rows of erased users were removed"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
