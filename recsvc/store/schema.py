"""Keeps in Redis which version of the schema a namespace has, and migrates an older one at the start.

A migration makes the keys of the next version from those of one version. It may run again after it was interrupted, so
each step must do no harm when it is repeated. One process migrates; the others wait for it.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping

import structlog

from recsvc.errors import SettingsError, StoreUnavailable
from recsvc.store import keys, scripts
from recsvc.store.connection import RedisClient, operation

Migration = Callable[[RedisClient, str], Awaitable[None]]

# By the version that a migration starts from. It gets the client and the namespace. There is only one version so far.
MIGRATIONS: Mapping[int, Migration] = {}

_LOCK_SECONDS = 30
_POLL_SECONDS = 0.05
_SHARE_TO_RENEW = 3  # the lock is renewed three times before it would expire

# KEYS: lock. ARGV: token of its holder, a command, its arguments. A process that was paused for longer than the lock
# lives has lost it, and must neither keep nor remove the lock of another one.
_IF_OURS = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call(ARGV[2], KEYS[1], unpack(ARGV, 3))
"""

_log = structlog.get_logger(__name__)


async def stored_version(client: RedisClient, namespace: str) -> int | None:
    """Returns the version of the schema that a namespace has; None if nothing was stored yet.

    Raises:
        SettingsError: It is no number: another program uses the namespace.
        StoreUnavailable: Redis does not answer in time.
    """
    with operation("read_schema"):
        version = await client.execute_command("GET", keys.schema(namespace))
    if version is None:
        return None
    if not version.isdigit():
        raise SettingsError(f"namespace: another program uses {namespace!r} in this Redis: choose another namespace")
    return int(version)


async def check_schema(client: RedisClient, namespace: str, migrations: Mapping[int, Migration] = MIGRATIONS) -> None:
    """Notes the version in an empty namespace, and migrates an older one. Returns when it is the version of this code.

    Raises:
        SettingsError: The namespace has a newer version, or one that cannot be migrated.
        StoreUnavailable: Redis does not answer in time.
    """
    while (version := await stored_version(client, namespace)) != keys.SCHEMA_VERSION:
        if version is None:
            await _write(client, "SET", keys.schema(namespace), keys.SCHEMA_VERSION, "NX")
            continue
        require_readable(version, namespace, migrations)
        await _migrate(client, namespace, migrations)


def require_readable(version: int, namespace: str, migrations: Mapping[int, Migration] = MIGRATIONS) -> None:
    """Raises SettingsError if this code can neither use nor migrate a version of the schema."""
    if version > keys.SCHEMA_VERSION:
        raise SettingsError(
            f"namespace: {namespace!r} in Redis has schema {version}, and this recsvc reads {keys.SCHEMA_VERSION}: "
            "install the version that wrote it, or choose another namespace"
        )
    if any(number not in migrations for number in range(version, keys.SCHEMA_VERSION)):
        raise SettingsError(
            f"namespace: {namespace!r} in Redis has schema {version}, which this recsvc cannot migrate to "
            f"{keys.SCHEMA_VERSION}: upgrade in the steps that CHANGELOG.md names"
        )


async def _migrate(client: RedisClient, namespace: str, migrations: Mapping[int, Migration]) -> None:
    """Migrates, unless another process does: then returns after a moment."""
    lock, token = keys.schema_lock(namespace), secrets.token_hex(8)
    if not await _write(client, "SET", lock, token, "NX", "EX", _LOCK_SECONDS):
        await asyncio.sleep(_POLL_SECONDS)
        return
    renewing = asyncio.create_task(_renew(client, lock, token))
    try:
        # Read again: another process may have finished between the look and the lock.
        while (version := await stored_version(client, namespace) or keys.SCHEMA_VERSION) < keys.SCHEMA_VERSION:
            _log.warning("schema_migration", from_version=version, to_version=version + 1)
            with operation("migrate"):
                await migrations[version](client, namespace)
            await _write(client, "SET", keys.schema(namespace), version + 1)
            _log.warning("schema_migrated", version=version + 1)
    finally:
        renewing.cancel()
        with operation("write_schema"):
            await scripts.run(client, _IF_OURS, lock, token, "DEL")


async def _renew(client: RedisClient, lock: str, token: str) -> None:
    while True:
        await asyncio.sleep(_LOCK_SECONDS / _SHARE_TO_RENEW)
        try:
            with operation("write_schema"):
                await scripts.run(client, _IF_OURS, lock, token, "EXPIRE", _LOCK_SECONDS)
        except StoreUnavailable:
            continue  # the migration itself shows it


async def _write(client: RedisClient, *command: str | int) -> object:
    with operation("write_schema"):
        return await client.execute_command(*command)
