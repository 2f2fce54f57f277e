"""The ACL that is delivered: it has exactly the commands of the store, and a missing one is named."""

import re
from pathlib import Path

import redis

from recsvc.store.connection import connected
from recsvc.store.permissions import PROBES, acl_rules, missing_permissions
from tests.conftest import RedisServer

ROOT = Path(__file__).parents[3]


def test_acl_has_exactly_the_commands_that_the_store_uses(shared_redis: RedisServer) -> None:
    with redis.Redis(unix_socket_path=str(shared_redis.socket)) as raw:
        commands = {name.upper() for name in raw.command()}
    others = ("permissions.py", "backup.py")  # the second is for the operator, who has more permissions
    sources = [path for path in (ROOT / "recsvc/store").glob("*.py") if path.name not in others]
    words = {word for path in sources for word in re.findall(r"[\"']([A-Z]{3,})[\"']", path.read_text("utf-8"))}
    assert set(PROBES) == words & commands - {"READONLY"} | {"SCAN"}  # the name of an error; by `scan_iter`


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
