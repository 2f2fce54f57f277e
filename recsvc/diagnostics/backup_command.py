"""`recsvc backup` and `recsvc restore`: copies one namespace of Redis into a file, and back."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from recsvc.errors import SettingsError
from recsvc.settings import BackupSettings
from recsvc.store.backup import Progress, restore_backup, write_backup
from recsvc.store.connection import RedisClient, connected
from recsvc.store.schema import check_schema, stored_version

_TIMEOUT_SECONDS = 30.0


def back_up(settings: BackupSettings, file: Path) -> str:
    """Writes the namespace of the settings into a file. Returns a line about it. Raises as `write_backup`."""

    async def run(client: RedisClient, progress: Progress) -> str:
        if await stored_version(client, settings.namespace) is not None:  # else nothing may be written
            await check_schema(client, settings.namespace)
        count = await write_backup(client, settings.namespace, file, progress)
        return f"{count:,} keys of the namespace {settings.namespace} are in {file}\n"

    return asyncio.run(_with_client(settings, run))


def restore(settings: BackupSettings, file: Path, *, replace: bool) -> str:
    """Writes the keys of a file into the namespace of the settings. Raises as `restore_backup`."""

    async def run(client: RedisClient, progress: Progress) -> str:
        count = await restore_backup(client, settings.namespace, file, progress, replace=replace)
        return f"{count:,} keys of {file} are in the namespace {settings.namespace}\n"

    return asyncio.run(_with_client(settings, run))


async def _with_client(settings: BackupSettings, run: Callable[[RedisClient, Progress], Awaitable[str]]) -> str:
    if settings.redis_address is None:
        raise SettingsError("redis_url: name the Redis; for a private one copy the folder of data_dir instead")
    async with connected(settings.redis_address, _TIMEOUT_SECONDS) as client:
        return await run(client, _show if sys.stderr.isatty() else lambda _: None)


def _show(count: int) -> None:
    sys.stderr.write(f"\r{count:,} keys")
    sys.stderr.flush()
