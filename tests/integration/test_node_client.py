"""A storefront in another language, which knows recsvc by its protos alone."""

import base64
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.rpc import error_details_pb2, status_pb2

from recsvc.model import bundle_files as bundles
from tests.integration.conftest import NODE_CLIENT, ROOT
from tests.recsvc.access.credentials import Certified, KeysFile
from tests.service_process import ServiceProcess
from training.synthetic.shop import SyntheticShop

Call = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def service(trained_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    process = ServiceProcess(trained_bundle, tmp_path_factory.mktemp("node") / "data")
    yield process
    process.kill()


@pytest.fixture(scope="module")
def node(node_modules: Path, service: ServiceProcess) -> Call:
    """Makes calls, given as (method, request), one after the other; returns what the client printed of each."""

    def call(*calls: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
        arguments = [part for method, request in calls for part in (method, json.dumps(request))]
        done = subprocess.run(
            ["node", str(NODE_CLIENT / "client.js"), str(ROOT / "protos"), service.address, *arguments],
            env={**os.environ, "NODE_PATH": str(node_modules)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return call


def purchases(shop: SyntheticShop, user_id: str) -> list[dict[str, Any]]:
    """A user's purchases as WriteEvents takes them, proto3's JSON names for enums and strings for 64-bit numbers."""
    events = shop.events.filter(user_id=user_id, event_type="purchase")
    return [
        {
            "event_id": f"{user_id}/{line}",
            "user_id": user_id,
            "item_id": row["item_id"],
            "event_type": "EVENT_TYPE_PURCHASE",
            "timestamp": {"seconds": str(int(row["timestamp"].timestamp()))},
            "quantity": row["quantity"],
        }
        for line, row in enumerate(events.iter_rows(named=True))
    ]


def test_recommendations_with_reasons_and_a_purchase_that_changes_them(
    node: Call, small_shop: SyntheticShop, trained_bundle: Path
) -> None:
    bundle = bundles.load(trained_bundle)
    counts = small_shop.events.filter(event_type="purchase")["user_id"].value_counts(sort=True)
    user_id = counts.filter(counts["count"] == 5)["user_id"].sort()[0]
    history = purchases(small_shop, user_id)
    ask = ("Recommend", {"user_id": user_id, "k": 10})
    unknown, written, known, in_chinese = node(
        ask,
        ("WriteEvents", {"events": history}),
        ask,
        ("Recommend", {"user_id": user_id, "k": 10, "context": {"language": "zh"}}),
    )
    assert written["response"].pop("freshness").keys() == {user_id}
    assert written["response"] == {"acknowledged": len(history), "unknown_items": 0}
    for answer in (unknown, known, in_chinese):
        found = answer["response"]["recommendations"]
        assert [recommendation["rank"] for recommendation in found] == list(range(1, 11))
        assert all(recommendation["item_id"] in bundle.catalogue for recommendation in found)
        assert answer["response"]["bundle_id"] == bundle.bundle_id
        assert answer["response"]["degraded"] == []
    assert (unknown["response"]["personalised"], known["response"]["personalised"]) == (False, True)
    assert item_ids(unknown) != item_ids(known)
    assert item_ids(known) == item_ids(in_chinese)

    bought = {event["item_id"] for event in history}
    for answer, language in ((known, "en"), (in_chinese, "zh")):
        reasons = [found["reason"] for found in answer["response"]["recommendations"] if found["reason"]]
        assert reasons
        for reason in reasons:
            assert reason["language"] == language
            assert 0 < len(reason["text"]) <= 160
            assert reason["provenance"]["verified"] is True
            assert reason["evidence"]
        cited = {e["anchor_item_id"] for reason in reasons for e in reason["evidence"]} - {""}
        assert cited <= bought
        assert cited

    one_more = {**history[0], "event_id": "one more", "item_id": item_ids(known)[0], "timestamp": None}
    _, changed = node(("WriteEvents", {"events": [one_more]}), ask)
    assert scores(changed) != scores(known)


def item_ids(answer: dict[str, Any]) -> list[str]:
    return [found["item_id"] for found in answer["response"]["recommendations"]]


def scores(answer: dict[str, Any]) -> dict[str, float]:
    return {found["item_id"]: found["score"] for found in answer["response"]["recommendations"]}


def test_similar_items(node: Call, small_shop: SyntheticShop) -> None:
    item_id = small_shop.items["item_id"][0]
    [answer] = node(("SimilarItems", {"item_id": item_id, "k": 5}))
    found = answer["response"]["similar_items"]
    assert [item["rank"] for item in found] == [1, 2, 3, 4, 5]
    assert item_id not in {item["item_id"] for item in found}
    assert [item["score"] for item in found] == sorted((item["score"] for item in found), reverse=True)


def test_the_surfaces_of_a_live_shop(node: Call, small_shop: SyntheticShop) -> None:
    item_ids = small_shop.items["item_id"].to_list()
    brand = small_shop.items.filter(small_shop.items["brand"] != "")["brand"][0]
    added, page, written = node(
        ("UpsertItems", {"items": [{"item_id": "from-node", "title": "A copper kettle", "brand": brand, "price": 49}]}),
        ("BatchRecommend", {"requests": [{"user_id": "n", "k": 5}, {"user_id": "n", "k": 5}]}),
        (
            "WriteEvents",
            {"events": [{"event_id": "h", "user_id": "n", "item_id": item_ids[0], "event_type": "EVENT_TYPE_HIDE"}]},
        ),
    )
    assert added == {"response": {}}
    shown = [[found["item_id"] for found in answer["recommendations"]] for answer in page["response"]["responses"]]
    assert len({*shown[0], *shown[1]}) == 10
    token = written["response"]["freshness"]["n"]
    ranked, filtered, held = node(
        ("Rank", {"user_id": "n", "item_ids": [*item_ids[:4], "no such"], "min_freshness": token}),
        ("Recommend", {"user_id": "n", "k": 100, "filter": {"brands": [brand], "max_price": 50, "min_price": 49}}),
        ("ExportUser", {"user_id": "n"}),
    )
    assert ranked["response"]["degraded"] == []
    assert {found["item_id"] for found in ranked["response"]["recommendations"]} == set(item_ids[1:4])
    assert ranked["response"]["left_out_item_ids"] == [item_ids[0], "no such"]
    assert "from-node" in {found["item_id"] for found in filtered["response"]["recommendations"]}
    assert [event["event_type"] for event in held["response"]["events"]] == ["EVENT_TYPE_HIDE"]


def test_errors_arrive_with_their_code_and_details(node: Call) -> None:
    wrong, absent, fine = node(
        ("Recommend", {"user_id": "", "k": 10_000}),
        ("SimilarItems", {"item_id": "no such item", "k": 5}),
        ("Recommend", {"user_id": "u", "k": 1}),
    )
    assert wrong["error"]["code"] == "INVALID_ARGUMENT"
    assert "user_id" in wrong["error"]["details"]
    assert {violation.field for violation in detail(wrong, error_details_pb2.BadRequest()).field_violations} == {
        "user_id",
        "k",
    }
    assert absent["error"]["code"] == "NOT_FOUND"
    assert "no such item" in absent["error"]["details"]
    info = detail(absent, error_details_pb2.ErrorInfo())
    assert (info.domain, info.reason) == ("recsvc", "ITEM_NOT_FOUND")
    assert "response" in fine


def detail(answer: dict[str, Any], message: Any) -> Any:
    """The detail of that type, from the google.rpc.Status that came with the error."""
    status = status_pb2.Status.FromString(base64.b64decode(answer["error"]["status"]))
    [found] = [detail for detail in status.details if detail.Is(message.DESCRIPTOR)]
    found.Unpack(message)
    return message


def test_a_service_with_tls_and_keys_is_called_with_a_ca_and_a_key(
    node_modules: Path, start_service: Callable[..., ServiceProcess], tmp_path: Path
) -> None:
    certified, keys = Certified(tmp_path / "tls"), KeysFile(tmp_path / "keys.toml")
    key = keys.add("storefront", ["recommend"])
    service = start_service(keys_file=keys.path, **certified.settings())
    request = json.dumps({"user_id": "u", "k": 1})

    def call(**environment: str) -> list[dict[str, Any]]:
        arguments = [str(ROOT / "protos"), f"localhost:{service.port}", "Recommend", request, "FindAudience", request]
        done = subprocess.run(
            ["node", str(NODE_CLIENT / "client.js"), *arguments],
            env={**os.environ, "NODE_PATH": str(node_modules), "RECSVC_TLS_CA": str(certified.ca_file), **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    recommended, refused = call(RECSVC_API_KEY=key)
    assert len(recommended["response"]["recommendations"]) == 1
    assert refused["error"]["code"] == "PERMISSION_DENIED"
    assert [answer["error"]["code"] for answer in call(RECSVC_API_KEY="")] == ["UNAUTHENTICATED"] * 2
