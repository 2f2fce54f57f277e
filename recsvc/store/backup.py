"""Copies all keys of a namespace into a file, and back. The file is checked while it is read.

The file is one gzip stream. Its first line is JSON: format, namespace, schema. Each record after it is a key: four
lengths (key, value, milliseconds to live, kind of record), the key, and the value as Redis dumps it. The last record
has the number of keys and the sha256 of all records before it.

Keys are read one page after another while the service writes. So the copy of each key is of one moment, and the copies
of two keys may be of different moments: the service treats that as a Redis that went back, and puts items right by
their set times. For a copy of one moment, take Redis's own snapshot.
"""

import gzip
import hashlib
import json
import os
import struct
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

from redis.exceptions import ResponseError

from recsvc.errors import BackupError
from recsvc.store import keys
from recsvc.store.connection import RedisClient, operation

FORMAT = "recsvc backup 1"
_RECORD = struct.Struct("<IIqB")
_KEY, _END = 1, 0
_NEVER = -1  # milliseconds to live of a key that does not expire
_PAGE_SIZE = 500  # keys
_PROBE_MILLISECONDS = 60_000
_PART = ".part"

Progress = Callable[[int], object]
_Command = tuple[str | bytes | int, ...]


async def write_backup(client: RedisClient, namespace: str, file: Path, progress: Progress) -> int:
    """Writes all keys of a namespace into a new file, which appears complete or not at all. Returns their number.

    Args:
        client: Of Redis.
        namespace: Of the keys.
        file: To write. It may not exist.
        progress: Is called with the number of keys that are written so far.

    Raises:
        BackupError: The file exists, or cannot be written, or the namespace has no keys.
        StoreUnavailable: Redis does not answer in time.
    """
    if file.exists():  # noqa: ASYNC240 - nothing else runs in the event loop of the command
        raise BackupError(f"{file} exists: name another file")
    part = file.with_name(file.name + _PART)
    count, digest = 0, hashlib.sha256()
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # it has the data of users
        with os.fdopen(descriptor, "wb") as raw, cast("BinaryIO", gzip.open(raw, "wb", compresslevel=1)) as target:
            header = {"format": FORMAT, "namespace": namespace, "schema": keys.SCHEMA_VERSION}
            target.write(json.dumps(header).encode() + b"\n")
            async for key, value, milliseconds in _dumped(client, namespace):
                record = _RECORD.pack(len(key), len(value), milliseconds, _KEY) + key + value
                digest.update(record)
                target.write(record)
                count += 1
                if count % _PAGE_SIZE == 0:
                    progress(count)
            target.write(_RECORD.pack(0, len(digest.digest()), count, _END) + digest.digest())
        if not count:
            raise BackupError(f"the namespace {namespace!r} has no keys: name the one that the service uses")
        part.rename(file)
    except OSError as error:
        raise BackupError(f"{file} cannot be written: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
    progress(count)
    return count


async def restore_backup(
    client: RedisClient, namespace: str, file: Path, progress: Progress, *, replace: bool = False
) -> int:
    """Writes the keys of a file into a namespace, which may have another name than before. Returns their number.

    The whole file is checked before the first key is written.

    Args:
        client: Of Redis.
        namespace: To write.
        file: That `write_backup` wrote.
        progress: Is called with the number of keys that are written so far.
        replace: Whether the namespace may have keys. They are removed first.

    Raises:
        BackupError: The file cannot be used, or the namespace has keys.
        StoreUnavailable: Redis does not answer in time.
    """
    before = _checked(file)
    existing = [page async for page in _pages(client, namespace)]
    if any(existing) and not replace:
        raise BackupError(f"the namespace {namespace!r} has keys: stop all processes, and use --replace to remove them")
    count = 0
    old, new = keys.tag_start(before).encode(), keys.tag_start(namespace).encode()
    with operation("restore"):
        await _check_readable(client, namespace, file)
        for page in existing:
            await _send(client, [("DEL", key) for key in page])
        commands: list[_Command] = []
        for key, value, milliseconds in _records(file):
            commands.append(("RESTORE", new + key.removeprefix(old), max(milliseconds, 0), value, "REPLACE"))
            if len(commands) == _PAGE_SIZE:
                await _send(client, commands)
                count += len(commands)
                commands = []
                progress(count)
        await _send(client, commands)
    count += len(commands)
    progress(count)
    return count


async def _check_readable(client: RedisClient, namespace: str, file: Path) -> None:
    """Restores one value into a key of no meaning. So a Redis that cannot read the file loses nothing.

    Raises:
        BackupError: A newer Redis wrote the values.
    """
    key = keys.probe(namespace)
    for _, value, _ in islice(_records(file), 1):
        try:
            await client.execute_command("RESTORE", key, _PROBE_MILLISECONDS, value, "REPLACE")
        except ResponseError as error:
            if "DUMP payload" not in str(error):
                raise
            raise BackupError(
                f"{file} is of a newer Redis than this one, which cannot read it: restore it into a Redis of that "
                "version or a newer one"
            ) from None
        await client.execute_command("DEL", key)


async def _send(client: RedisClient, commands: Sequence[_Command]) -> None:
    pipeline = client.pipeline(transaction=False)
    for command in commands:
        pipeline.execute_command(*command)
    if commands:
        await pipeline.execute()


async def _dumped(client: RedisClient, namespace: str) -> AsyncIterator[tuple[bytes, bytes, int]]:
    """Yields each key with its dump and its milliseconds to live. Keys that are gone meanwhile are left out."""
    async for page in _pages(client, namespace):
        pipeline = client.pipeline(transaction=False)
        for key in page:
            pipeline.execute_command("DUMP", key)
            pipeline.execute_command("PTTL", key)
        with operation("backup"):
            answers = await pipeline.execute()
        for key, value, milliseconds in zip(page, answers[::2], answers[1::2], strict=True):
            # A key can go after it was dumped: -2. With 0 it is about to. Neither may live for ever once restored.
            if value is not None and (milliseconds > 0 or milliseconds == _NEVER):
                yield key, value, milliseconds


async def _pages(client: RedisClient, namespace: str) -> AsyncIterator[list[bytes]]:
    """Yields the keys of a namespace, each once, except those that live for a moment only."""
    seen: set[bytes] = set()
    page: list[bytes] = []
    passing = keys.passing(namespace)
    with operation("backup"):
        async for key in client.scan_iter(match=keys.every_key(namespace), count=_PAGE_SIZE):
            if key in seen or key.startswith(passing):
                continue
            seen.add(key)
            page.append(key)
            if len(page) == _PAGE_SIZE:
                yield page
                page = []
    yield page


def _checked(file: Path) -> str:
    """Reads a whole file, and returns the namespace that it is of.

    Raises:
        BackupError: It is no backup, was cut short or altered, or is of another version.
    """
    for _ in _records(file):
        pass
    with gzip.open(file, "rb") as source:
        return str(json.loads(source.readline())["namespace"])


def _records(file: Path) -> Iterator[tuple[bytes, bytes, int]]:
    digest, count = hashlib.sha256(), 0
    try:
        with gzip.open(file, "rb") as source:
            header = json.loads(source.readline())
            if not isinstance(header, dict) or header.get("format") != FORMAT:
                raise BackupError(f"{file} is no backup of this version of recsvc")
            if header.get("schema") != keys.SCHEMA_VERSION:
                raise BackupError(
                    f"{file} has schema {header.get('schema')}, and this recsvc has {keys.SCHEMA_VERSION}: restore it "
                    "with the version that wrote it, and then upgrade"
                )
            while True:
                head = source.read(_RECORD.size)
                key_bytes, value_bytes, number, kind = _RECORD.unpack(head)
                key, value = source.read(key_bytes), source.read(value_bytes)
                if kind == _END:
                    if (value, number) != (digest.digest(), count) or source.read(1):
                        raise BackupError(f"{file} was altered: its checksum differs")
                    return
                digest.update(head + key + value)
                count += 1
                yield key, value, number
    except FileNotFoundError:
        raise BackupError(f"{file} does not exist") from None
    except (OSError, EOFError, ValueError, struct.error, zlib.error) as error:
        raise BackupError(f"{file} was cut short or altered ({type(error).__name__})") from None
