"""The commands that recsvc uses: the rules of an ACL that permits exactly these, and a search for missing ones.

deploy/redis/users.acl has the rules.
"""

from collections.abc import Iterable, Mapping

from redis.asyncio import RedisCluster
from redis.exceptions import NoPermissionError, ResponseError

from recsvc.store import keys
from recsvc.store.connection import RedisClient, operation

_KEY = "KEY"  # stands for a key of the namespace that recsvc uses for nothing else
_VALUE_SECONDS = 60
# Each command with arguments that do no harm. The key has a string for a minute, so that commands for other types
# change nothing: Redis refuses them by the type, after it has looked at the ACL.
PROBES: Mapping[str, tuple[str | int, ...]] = {
    "SETEX": (_KEY, _VALUE_SECONDS, "1"),
    "SET": (_KEY, "1", "EX", _VALUE_SECONDS),
    "APPEND": (_KEY, "0"),
    "INCR": (_KEY,),
    "GET": (_KEY,),
    "MGET": (_KEY,),
    "EXISTS": (_KEY,),
    "EXPIRE": (_KEY, _VALUE_SECONDS),
    "PEXPIRE": (_KEY, 1_000 * _VALUE_SECONDS),
    "HSET": (_KEY, "f", "1"),
    "HGET": (_KEY, "f"),
    "HMGET": (_KEY, "f"),
    "HGETALL": (_KEY,),
    "HKEYS": (_KEY,),
    "HLEN": (_KEY,),
    "HEXISTS": (_KEY, "f"),
    "HDEL": (_KEY, "f"),
    "HSCAN": (_KEY, 0),
    "LPUSH": (_KEY, "1"),
    "LTRIM": (_KEY, 0, 1),
    "LRANGE": (_KEY, 0, 1),
    "LLEN": (_KEY,),
    "SADD": (_KEY, "1"),
    "SREM": (_KEY, "1"),
    "SMEMBERS": (_KEY,),
    "SISMEMBER": (_KEY, "1"),
    "XADD": (_KEY, "*", "f", "1"),
    "XDEL": (_KEY, "0-1"),
    "XLEN": (_KEY,),
    "XRANGE": (_KEY, "-", "+", "COUNT", 1),
    "XREVRANGE": (_KEY, "+", "-", "COUNT", 1),
    "XTRIM": (_KEY, "MINID", "=", "0-1"),
    "ZINCRBY": (_KEY, 1, "1"),
    "ZREMRANGEBYRANK": (_KEY, 0, 0),
    "ZREVRANGE": (_KEY, 0, 0),
    "EVAL": ("return 1", 1, _KEY),
    "EVALSHA": ("0" * 40, 1, _KEY),
    "SCAN": (0, "MATCH", _KEY, "COUNT", 1),
    "INFO": ("memory",),
    "PING": (),
    "TIME": (),
    "WAIT": (0, 1),
    "DEL": (_KEY,),  # last: it removes the key
}
# The client asks these of a Cluster, of one database among several, and of any Redis at the start of a connection.
_OF_THE_CLIENT = ("select", "cluster|slots", "cluster|shards", "command", "asking", "readonly")


def acl_rules(namespace: str) -> str:
    """Returns the rules for a user who may do what `recsvc serve` and `recsvc reason-worker` do, and no more."""
    commands = sorted([*(name.lower() for name in PROBES), *_OF_THE_CLIENT])
    return f"resetchannels ~{keys.every_key(namespace)} -@all {' '.join(f'+{name}' for name in commands)}"


async def missing_permissions(client: RedisClient, namespace: str) -> tuple[list[str], bool]:
    """Tries each command.

    Returns:
        The commands that Redis does not permit, and whether it permits keys of the namespace.

    Raises:
        StoreUnavailable: Redis does not answer in time.
    """
    key = keys.probe(namespace)
    missing: list[str] = []
    may_use_keys = True
    with operation("probe"):
        for name, arguments in PROBES.items():
            words = [key if word == _KEY else word for word in arguments]
            try:
                await _execute(client, name, words)
            except NoPermissionError as error:
                if " key" in str(error):
                    may_use_keys = False
                else:
                    missing.append(name)
            except ResponseError:
                continue  # permitted: it is the key that does not fit
    return missing, may_use_keys


async def _execute(client: RedisClient, name: str, words: Iterable[str | int]) -> None:
    if isinstance(client, RedisCluster) and name in ("SCAN", "INFO", "PING", "TIME", "WAIT"):
        await client.execute_command(name, *words, target_nodes=RedisCluster.RANDOM)
    else:
        await client.execute_command(name, *words)
