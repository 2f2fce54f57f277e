"""From the randomised lists of a running service to the estimated reward of another arm or bundle."""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl

from recsvc.store import open_store
from recsvc.v1 import users_pb2
from tests.conftest import RedisServer
from tests.integration.clients import Storefront, item_ids
from tests.service_process import ServiceProcess
from training import export_events
from training.data.shop import LISTS_FOLDER
from training.off_policy import __main__ as off_policy

PLACEMENTS = """
[placements.home]
pins = [{ item_id = "i00042", position = 2 }]

[[placements.home.arms]]
name = "control"
share = 0.5

[[placements.home.arms]]
name = "curious"
share = 0.5
exploration = 0.3

[placements.charts]
surface = "popular"
"""
USERS = [f"u{n}" for n in range(60)]


def logged_lists(url: str, tmp_path: Path) -> int:
    async def count() -> int:
        async with open_store(url, tmp_path, "recsvc", timeout_seconds=10) as store:
            return sum([len((await store.event_log.of_user(user_id))[1]) for user_id in USERS])

    return asyncio.run(count())


def test_randomised_lists_are_exported_and_used_to_judge_arms_and_bundles(
    start_service: Callable[..., ServiceProcess],
    redis_server: RedisServer,
    trained_bundle: Path,
    small_shop_folder: Path,
    tmp_path: Path,
) -> None:
    placements = tmp_path / "placements.toml"
    placements.write_text(PLACEMENTS)
    process = start_service(trained_bundle, redis_url=redis_server.url, placements=placements)
    with process.channel() as channel:
        shop = Storefront(channel)
        bought, by_arm = 0, {"control": 0, "curious": 0}
        plain = item_ids(shop.recommend("nobody", 10))
        for n, user_id in enumerate(USERS):
            answer = shop.recommend(user_id, 10, placement="home")
            shown = item_ids(answer)
            assert shown[1] == "i00042"  # exploration moves no pin
            assert len(set(shown)) == 10
            by_arm[answer.arm] += [i for i in shown if i != "i00042"] != [i for i in plain if i != "i00042"][:9]
            shop.recommend(user_id, 10, placement="charts")  # nothing in it is random, so it is not logged
            if n % 2:
                bought += 1
                shop.act_on(answer, user_id, shown[n % 10], "PURCHASE")
        assert by_arm["control"] == 0 < by_arm["curious"]
        exported = shop.users.ExportUser(users_pb2.ExportUserRequest(user_id="u3"), timeout=20)
        assert {shown.placement for shown in exported.lists} == {"home", "charts"}
    process.stop()  # waiting lists are written
    assert logged_lists(redis_server.url, tmp_path) == len(USERS)

    data = tmp_path / "shop"
    data.mkdir()
    for table in small_shop_folder.glob("items.*"):
        shutil.copy(table, data)
    assert export_events.main(["--out", str(data / "events"), "--redis-url", redis_server.url]) == 0
    lists = pl.read_parquet(sorted((data / LISTS_FOLDER).rglob("*.parquet")))
    assert lists["recommendation_id"].n_unique() == lists.height == len(USERS)
    result = tmp_path / "result.json"
    arguments = ["--data", str(data), "--placement", "home", "--report", str(tmp_path / "report.html")]
    assert off_policy.main([*arguments, "--bundle", str(trained_bundle), "--json", str(result)]) == 0
    estimated = json.loads(result.read_text())
    assert sum(row["lists"] for row in estimated["arms"]) == len(USERS)
    earned = sum(row["observed"] * row["lists"] for row in estimated["arms"])
    assert round(earned) == bought
    [row] = estimated["bundle"]
    assert row["arm"] == "curious"
    # The same bundle orders the candidates as before, so its estimate is near the observed reward.
    assert row["difference"]["low"] <= 0 <= row["difference"]["high"]
    assert row["effective"] > 10
    assert "curious" in (tmp_path / "report.html").read_text()

    async def erase() -> None:
        async with open_store(redis_server.url, tmp_path, "recsvc", timeout_seconds=10) as store:
            await store.delete_user("u3")

    asyncio.run(erase())
    assert export_events.main(["--out", str(data / "events"), "--redis-url", redis_server.url]) == 0
    assert "u3" not in pl.read_parquet(sorted((data / LISTS_FOLDER).rglob("*.parquet")))["user_id"].to_list()


def test_missing_lists_are_an_error(tmp_path: Path, capsys) -> None:
    assert off_policy.main(["--data", str(tmp_path), "--placement", "home"]) == 1
    assert "lists: is missing" in capsys.readouterr().err
