"""The checks of `recsvc doctor` on Redis. Each returns what is good, or raises with the remedy."""

import asyncio
from collections.abc import Callable, Mapping

from recsvc.diagnostics.access_checks import Warned
from recsvc.errors import SettingsError, StoreUnavailable
from recsvc.settings import Settings
from recsvc.store.connection import connected
from recsvc.store.durability import REDIS, REPLICAS, Durability
from recsvc.store.embedded import embedded_redis
from recsvc.store.eviction import KEEP_ALL_KEYS
from recsvc.store.inspection import RedisFacts, inspect
from recsvc.store.schema import require_readable
from recsvc.store.tls_problem import tls_problem

OLDEST_VERSION = (6, 2)  # XTRIM by entry id
CLOCK_SECONDS = 2.0  # that two clocks may differ: lists count days and hours, and times of events are Redis's
NEARLY_FULL = 0.9  # of maxmemory
SLOW_SHARE = 0.5  # of store_timeout; a slower Redis refuses calls at its next peak

_ONE_OF_CLUSTER = "it is one server of a Redis Cluster: begin redis_url with redis+cluster, or rediss+cluster for TLS"
# What an error of the client means, by the kind of the URL and a part of its name.
_TOPOLOGY_PROBLEMS = {
    ("cluster", "Cluster"): "no Redis Cluster that has all keys is there: `redis-cli CLUSTER INFO` must show "
    "cluster_state:ok, with a master for all 16,384 slots; for one server, begin redis_url with redis",
    ("sentinel", "MasterNotFoundError"): "the Sentinels do not answer, or know no master of that name: start them, and "
    "end redis_url with the name in `redis-cli -p 26379 SENTINEL MASTERS`",
    ("sentinel", "ResponseError"): "no Sentinel is there: name those that are, or begin redis_url with redis",
    ("redis", "MovedError"): _ONE_OF_CLUSTER,
    ("redis", "AskError"): _ONE_OF_CLUSTER,
    ("redis", "Cluster"): _ONE_OF_CLUSTER,
    ("redis", "ResponseError"): "it does not know a command of Redis: if it is a Sentinel, begin redis_url with "
    "redis+sentinel and end it with the name of the master",
}


async def read_facts(settings: Settings) -> RedisFacts:
    """Asks the Redis of the settings, or a private one that is started for it.

    Raises:
        SettingsError: Redis refuses the user, the password or the database, or a private one cannot be used.
        StoreUnavailable: Redis does not answer.
    """
    if settings.redis_address is not None:
        return await _facts(settings.redis_address, settings)
    async with embedded_redis(settings.data_dir) as url:
        return await _facts(url, settings)


async def _facts(url: str, settings: Settings) -> RedisFacts:
    async with connected(url, settings.store_timeout) as client:
        try:
            return await inspect(client, settings.namespace)
        except StoreUnavailable as error:
            raise StoreUnavailable(
                tls_problem(error)
                or _topology_problem(url, str(error))
                or f"no answer within {settings.store_timeout:g} s: start it, correct redis_url, or raise store_timeout"
                f"{_tls_hint(url)} ({error})"
            ) from None


def _topology_problem(url: str, problem: str) -> str:
    """Returns the remedy where redis_url names another kind of Redis than there is, and else ""."""
    kind = url.partition(":")[0].partition("+")[2] or "redis"
    for (of_kind, name), remedy in _TOPOLOGY_PROBLEMS.items():
        if kind == of_kind and name in problem:
            return f"{remedy} ({problem})"
    return ""


def check_durability(facts: RedisFacts, settings: Settings) -> str:
    """Checks that Redis can do what `durability` requires."""
    required = settings.durability
    if required == REDIS:
        return "a write is acknowledged when Redis has it"
    if settings.redis_address is None:
        raise SettingsError(
            f"a private Redis cannot do {required}: name a Redis in redis_url, or set durability to redis"
        )
    asyncio.run(_check_durability(settings.redis_address, settings))
    if required.startswith(REPLICAS) and facts.replicas < int(required.removeprefix(REPLICAS)):
        raise SettingsError(
            f"Redis has {facts.replicas} replicas and durability is {required}, so every write would be refused: start "
            "its replicas, or set durability to redis"
        )
    return f"Redis can do {required}"


async def _check_durability(url: str, settings: Settings) -> None:
    async with connected(url, settings.store_timeout) as client:
        durability = Durability(client, settings.namespace, settings.durability, settings.store_timeout)
        await durability.check()


def _tls_hint(url: str) -> str:
    """A server that expects TLS drops other connections, and one without TLS waits for more. Neither says why."""
    if url.startswith("rediss"):
        return (
            ". If it does not use TLS at this port, name its TLS port. If it asks for certificates, set redis_cert and "
            "redis_key to files that its CA has signed"
        )
    return ". If it uses TLS, begin redis_url with rediss" if url.startswith("redis") else ""


def check_server(facts: RedisFacts, settings: Settings) -> str:
    """Checks the version, the role and the speed."""
    version = ".".join(map(str, facts.version))
    if (0, 0) < facts.version < OLDEST_VERSION:
        oldest = ".".join(map(str, OLDEST_VERSION))
        raise SettingsError(f"version {version} is too old: install {oldest} or later")
    if facts.is_replica:
        raise SettingsError("it is a replica and refuses writes: name the master, or its Sentinels, in redis_url")
    if facts.in_cluster and "cluster" not in (settings.redis_address or "").partition(":")[0]:
        raise SettingsError(_ONE_OF_CLUSTER)
    longest = SLOW_SHARE * settings.store_timeout
    if facts.answer_seconds > longest:
        raise SettingsError(
            f"an answer takes {facts.answer_seconds * 1e3:.0f} ms, more than half of store_timeout: use a Redis that "
            "is nearer or less busy, or raise store_timeout"
        )
    kind = "the named Redis" if settings.redis_url is not None else "a private Redis"
    return f"{kind} answers in {facts.answer_seconds * 1e3:.1f} ms, version {version}"


def check_memory(facts: RedisFacts, _settings: Settings) -> str:
    """Checks the memory and its policy."""
    if facts.eviction.may_evict:
        raise SettingsError(
            f"it deletes keys when its memory is full (maxmemory-policy {facts.eviction.policy}), and with them "
            f"histories: set maxmemory-policy to {KEEP_ALL_KEYS}"
        )
    if facts.memory_share >= 1:
        raise SettingsError("its memory is full and it refuses writes: raise maxmemory, or export the event log")
    if facts.memory_share > NEARLY_FULL:
        return Warned(
            f"{facts.memory_share:.0%} of maxmemory are used, and a full Redis refuses writes: raise maxmemory, or "
            "export the event log"
        )
    return f"has room; maxmemory-policy {facts.eviction.policy or 'is not shown'}"


def check_files(facts: RedisFacts, _settings: Settings) -> str:
    """Checks that Redis writes its data to disk."""
    if facts.write_error:
        raise SettingsError("it cannot write its files: look at its log, and make room on its disk")
    if not facts.keeps_log:
        raise SettingsError(
            "appendonly is off, so a restart of Redis loses acknowledged events: set appendonly to yes in its "
            "configuration"
        )
    return "appendonly is on, and the last write did not fail"


def check_permissions(facts: RedisFacts, settings: Settings) -> str:
    """Checks the ACL of the user."""
    if facts.missing_commands:
        names = ", ".join(name.lower() for name in facts.missing_commands)
        raise SettingsError(f"its ACL forbids this user {names}: take the rules of deploy/redis/users.acl")
    if not facts.may_use_keys:
        raise SettingsError(
            f"its ACL forbids this user the keys of the namespace {settings.namespace}: add ~{{{settings.namespace}:*"
        )
    return "this user may run every command that is needed"


def check_clock(facts: RedisFacts, _settings: Settings) -> str:
    """Checks that the clocks of Redis and of this machine agree."""
    ahead = facts.clock_ahead_seconds
    if abs(ahead) > CLOCK_SECONDS:
        raise SettingsError(
            f"its clock is {abs(ahead):,.0f} s {'ahead of' if ahead > 0 else 'behind'} the clock of this machine: let "
            "both be set by NTP"
        )
    return f"its clock is within {CLOCK_SECONDS:g} s of this machine's"


def check_schema(facts: RedisFacts, settings: Settings) -> str:
    """Checks that this version can read what the namespace has."""
    if facts.schema is None:
        return f"the namespace {settings.namespace} is empty"
    require_readable(facts.schema, settings.namespace)
    return f"the namespace {settings.namespace} has schema {facts.schema}"


CHECKS: Mapping[str, Callable[[RedisFacts, Settings], str]] = {
    "redis": check_server,
    "redis memory": check_memory,
    "redis files": check_files,
    "redis permissions": check_permissions,
    "redis clock": check_clock,
    "redis schema": check_schema,
    "redis durability": check_durability,
}
