"""The ACL that is delivered: it has exactly the commands of the store, and a missing one is named."""

import re
from pathlib import Path

import redis

from recsvc.store.connection import connected
from recsvc.store.permissions import PROBES, acl_rules, missing_permissions
from tests.conftest import RedisServer

ROOT = Path(__file__).parents[3]


def used_commands() -> set[str]:
    """The names of commands in the source of the store, those of scripts too."""
    source = "\n".join(
        path.read_text() for path in (ROOT / "recsvc/store").glob("*.py") if path.name not in ("permissions.py",)
    )
    names = set(re.findall(r"redis\.call\('([A-Z]+)'", source))
    names |= set(re.findall(r"execute_command\(\s*\*?\(?\"([A-Z]+)\"", source))
    names |= set(
        re.findall(
            r"^\s+(?:return|command =|\*?).*\(\"((?:HMGET|XADD|XLEN|EXISTS|EVAL|EVALSHA))\"", source, re.MULTILINE
        )
    )
    return names | {"EVAL", "EVALSHA", "SCAN", "HMGET", "SREM"}


def test_acl_has_exactly_the_commands_that_the_store_uses() -> None:
    assert set(PROBES) == used_commands()


def test_delivered_file_has_these_rules() -> None:
    lines = (ROOT / "deploy/redis/users.acl").read_text().splitlines()
    assert lines[0] == "user default off"
    assert lines[1] == f"user recsvc on >replace-this-password {acl_rules('recsvc')}"
    assert len(lines) == 2


async def test_each_missing_command_is_named_and_nothing_stays(shared_redis: RedisServer) -> None:
    with redis.Redis(unix_socket_path=str(shared_redis.socket)) as raw:
        raw.execute_command("ACL", "SETUSER", "tested", "on", ">s3cret", *acl_rules("shop").split())
        async with connected(f"unix://tested:s3cret@{shared_redis.socket}", 10) as client:
            assert await missing_permissions(client, "shop") == ([], True)
            assert await missing_permissions(client, "another") == ([], False)
            for name in PROBES:
                raw.execute_command("ACL", "SETUSER", "tested", f"-{name}")
                assert await missing_permissions(client, "shop") == ([name], True)
                raw.execute_command("ACL", "SETUSER", "tested", f"+{name}")
            assert await missing_permissions(client, "shop") == ([], True)
        raw.execute_command("ACL", "DELUSER", "tested")
        assert raw.keys("{shop:probe}*") == []
