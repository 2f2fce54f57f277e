"""From the searches of a running service to the report: counts by hand, privacy, erasure, and the evaluation."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import redis

from recsvc.model import bundle_files
from recsvc.retrieval.synonyms import read_synonyms
from recsvc.store import open_store
from recsvc.v1 import recommendation_pb2 as pb
from recsvc.v1 import users_pb2
from tests.conftest import RedisServer
from tests.integration.clients import Storefront, eventually, item_ids
from tests.service_process import ServiceProcess
from training import evaluate_search, export_events, report_searches

PEOPLE = [f"p{n}" for n in range(12)]
NOTHING = pb.Filter(categories=["No such department"])


def search(shop: Storefront, user_id: str, query: str, **fields: Any) -> pb.RecommendResponse:
    context = pb.Context(query=query)
    return shop.recommend(user_id, 3, surface="SURFACE_SEARCH", context=context, reasons=False, **fields)


def shop_around(shop: Storefront) -> dict[str, list[str]]:
    """What the tests count. Returns the items that "sleeping bag" showed: on the first page, and on the second."""
    pages: dict[str, list[str]] = {}
    for person in PEOPLE:
        assert not item_ids(search(shop, person, "Bivvy ", filter=NOTHING))
        answer = search(shop, person, "sleeping bag", paged=person == "p0")
        pages.setdefault("first", item_ids(answer))
        opened = item_ids(answer)[0]
        if person == "p0":
            following = search(shop, person, "sleeping bag", page_token=answer.next_page_token)
            assert following.recommendation_id == answer.recommendation_id
            pages["second"] = item_ids(following)
            opened = pages["second"][0]
        shop.act_on(answer, person, opened, "VIEW")
        if person in {"p1", "p2"}:
            shop.act_on(answer, person, opened, "PURCHASE")
        assert search(shop, person, "wheelbarow").corrected_query == "wheelbarrow"
    # One query more than once; opened only the first time.
    search(shop, "p0", "SLEEPING  bag")
    # Too few people for a list.
    answer = search(shop, "p0", "brace for my bad knee")
    shop.act_on(answer, "p0", item_ids(answer)[0], "VIEW")
    for person in PEOPLE[:4]:
        search(shop, person, "tent")
    # No search, though it has a query; and an event that names a list of another person.
    shop.recommend("p0", 3, context=pb.Context(query="mug"))
    shop.act_on(search(shop, "p3", "tent"), "p4", item_ids(answer)[0], "VIEW")
    return pages


@pytest.fixture
def export(redis_server: RedisServer, tmp_path: Path, small_bundle: Path) -> Callable[[], Path]:
    """Exports the service's log, and returns the shop's folder."""
    folder = tmp_path / "shop"
    folder.mkdir()
    items = bundle_files.load(small_bundle).catalogue.items
    pl.DataFrame({"item_id": [i.item_id for i in items], "title": [i.title for i in items]}).write_csv(
        folder / "items.csv"
    )

    def run() -> Path:
        assert export_events.main(["--out", str(folder / "events"), "--redis-url", redis_server.url]) == 0
        return folder

    return run


def report(folder: Path, *options: str) -> dict:
    out = folder.parent / "report"
    assert report_searches.main(["--data", str(folder), "--out", str(out), *options]) == 0
    return json.loads((out / "searches.json").read_text("utf-8"))


def written(folder: Path) -> str:
    """All that the report wrote."""
    return "".join(path.read_text("utf-8") for path in (folder.parent / "report").iterdir())


def erase(url: str, tmp_path: Path, user_id: str) -> None:
    async def run() -> None:
        async with open_store(url, tmp_path, "recsvc", timeout_seconds=10) as store:
            await store.delete_user(user_id)

    asyncio.run(run())


def test_report_has_the_counts_of_a_served_shop_and_nothing_that_few_people_typed(
    start_service: Callable[..., ServiceProcess],
    redis_server: RedisServer,
    export: Callable[[], Path],
    small_bundle: Path,
    tmp_path: Path,
) -> None:
    process = start_service(redis_url=redis_server.url, log_searches=True)
    with process.channel() as channel:
        shop = Storefront(channel)
        pages = shop_around(shop)
        search(shop, "gone", "bivvy", filter=NOTHING)
        search(shop, "gone", "sleeping bag")
    process.stop()  # waiting lists are written
    erase(redis_server.url, tmp_path, "gone")
    folder = export()
    assert "gone" not in pl.read_parquet(sorted((folder / "searches").rglob("*.parquet")))["user_id"].to_list()
    assert not (folder / "lists").exists()  # nothing was randomised

    result = report(folder)
    assert result["sums"] == {
        "queries": 5,
        "searches": 43,
        "people": 12,
        "typed": 41,
        "empty": 12,
        "opened": 13,
        "bought": 2,
    }
    assert result["withheld"] == {
        "queries": 2,
        "searches": 6,
        "people": 4,
        "typed": 5,
        "empty": 0,
        "opened": 1,
        "bought": 0,
    }
    counted = {
        row["query"]: tuple(row[name] for name in ("people", "searches", "empty", "opened", "bought", "corrected"))
        for row in result["queries"]
    }
    assert counted == {
        "sleeping bag": (12, 13, 0, 12, 2, 0),
        "bivvy": (12, 12, 12, 0, 0, 0),
        "wheelbarow": (12, 12, 0, 0, 0, 12),
    }
    row_of = {row["query"]: row for row in result["queries"]}
    assert row_of["wheelbarow"]["corrected_query"] == "wheelbarrow"
    assert row_of["bivvy"]["shown"] == []
    assert sorted(row_of["sleeping bag"]["shown"][:3]) == sorted(pages["first"])
    assert sorted(row_of["sleeping bag"]["shown"][3:]) == sorted(pages["second"])
    # Wilson's interval of 2 of 12, by its formula.
    assert row_of["sleeping bag"]["buy_rate"] == pytest.approx({"mean": 1 / 6, "low": 0.0470, "high": 0.4480}, abs=1e-4)
    assert result["found_nothing"] == ["bivvy"]
    assert result["rarely_opened"] == ["wheelbarow"]
    [suggested] = result["suggestions"]
    assert (suggested["line"], suggested["people"], suggested["empty"]) == ("sleeping bag, bivvy", 12, 12)
    assert read_synonyms(tmp_path / "report" / "synonyms.txt") == (("sleeping bag", "bivvy"),)
    assert "bivvy" in (tmp_path / "report" / "searches.html").read_text("utf-8")
    for private in ("knee", "tent", *PEOPLE):
        assert private not in json.dumps([result["queries"], result["suggestions"]])
        assert f">{private}<" not in written(folder)
    assert "knee" not in written(folder)

    present = tmp_path / "synonyms.txt"
    present.write_text("bivvy, sleeping bag\n")
    known = report(folder, "--synonyms", str(present), "--min-people", "4")
    assert known["suggestions"] == []
    assert {row["query"]: row["synonyms"] for row in known["queries"]} == {
        "sleeping bag": True,
        "bivvy": True,
        "wheelbarow": False,
        "tent": False,
    }

    # The evaluation reads the same log: what was opened is relevant.
    figures = tmp_path / "figures.json"
    arguments = ["--bundle", str(small_bundle), "--data", str(folder), "--items", "1", "--by", "product"]
    assert evaluate_search.main([*arguments, "--json", str(figures)]) == 0
    [query] = json.loads(figures.read_text("utf-8"))["sets"]["search log"]["queries"]
    assert (query["text"], query["relevant"], query["product"]["mrr"]) == ("sleeping bag", 2, 1.0)

    erase(redis_server.url, tmp_path, "p1")  # after the export
    remaining = report(export())
    assert (remaining["sums"]["people"], remaining["sums"]["bought"]) == (11, 1)
    for path in folder.rglob("*.parquet"):
        assert "p1" not in pl.read_parquet(path, glob=False)["user_id"].to_list()


def test_searches_are_neither_kept_nor_exported_unless_the_shop_wants_it(
    start_service: Callable[..., ServiceProcess],
    redis_server: RedisServer,
    export: Callable[[], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    placements = tmp_path / "placements.toml"
    placements.write_text('[placements.results]\nsurface = "search"\n')
    process = start_service(redis_url=redis_server.url, placements=placements)
    with process.channel() as channel:
        shop = Storefront(channel)
        search(shop, "ann", "bivvy")
        shop.recommend("ann", 3, placement="results", context=pb.Context(query="bivvy"))
        shop.buy("ann", "i00003")
    process.stop()
    folder = export()
    assert not (folder / "searches").exists()
    assert report_searches.main(["--data", str(folder), "--out", str(tmp_path / "report")]) == 1
    assert "--log-searches" in capsys.readouterr().err
    assert b"bivvy" not in stored(redis_server)


def test_a_user_sees_and_erases_the_searches_that_are_kept(
    start_service: Callable[..., ServiceProcess], redis_server: RedisServer
) -> None:
    process = start_service(redis_url=redis_server.url, log_searches=True)
    with process.channel() as channel:
        shop = Storefront(channel)
        search(shop, "ann", "  Wheelbarow ")

        def exported() -> users_pb2.ExportUserResponse:
            return shop.users.ExportUser(users_pb2.ExportUserRequest(user_id="ann"), timeout=20)

        eventually(lambda: len(exported().lists) == 1 and b"wheelbarow" in stored(redis_server))
        [listed] = exported().lists
        assert (listed.query, listed.corrected_query, listed.placement) == ("wheelbarow", "wheelbarrow", "")
        receipt = shop.users.DeleteUser(users_pb2.DeleteUserRequest(user_id="ann"), timeout=20)
        assert (receipt.removed_lists, receipt.removed_log_events) == (1, 1)
        assert not exported().existed
        assert b"wheelbarow" not in stored(redis_server)


def stored(server: RedisServer) -> bytes:
    """All values that Redis holds now."""
    with redis.Redis(unix_socket_path=str(server.socket)) as client:
        values = []
        for key in client.scan_iter():
            kind = client.type(key)
            if kind == b"stream":
                values += [value for _, fields in client.xrange(key) for value in fields.values()]
            elif kind == b"list":
                values += client.lrange(key, 0, -1)
            elif kind == b"hash":
                values += client.hgetall(key).values()
        return b"\n".join(values)
