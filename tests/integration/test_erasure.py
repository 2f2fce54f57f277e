"""The right to be forgotten, on every replica, whatever happens after."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from recsvc.model import bundle_files as bundles
from recsvc.model.bundle import Bundle
from recsvc.v1 import users_pb2 as pb
from tests.conftest import RedisServer
from tests.integration.clients import Storefront, eventually, item_ids
from tests.service_process import ServiceProcess


@pytest.fixture
def folder(small_bundle: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "bundles"
    bundle = bundles.load(small_bundle)
    save(replace(bundle, provenance={"created": "2026-01-01T00:00:00+00:00"}), folder)
    return folder


def save(bundle: Bundle, folder: Path) -> str:
    bundle_id = bundles.save(bundle, folder / "part")
    (folder / "part").rename(folder / bundle_id)
    return bundle_id


def erase(shop: Storefront, user_id: str) -> pb.DeleteUserResponse:
    return shop.users.DeleteUser(pb.DeleteUserRequest(user_id=user_id), timeout=10)


def test_no_replica_remembers_even_with_redis_away(
    small_bundle: Path, start_replicas: Callable[..., list[ServiceProcess]], redis_server: RedisServer
) -> None:
    replicas = start_replicas(redis_url=redis_server.url)
    with replicas[0].channel() as first, replicas[1].channel() as second:
        one, two = Storefront(first), Storefront(second)
        one.buy("ann", "i00003", "i00008", "i00020")
        for shop in (one, two):
            assert shop.recommend("ann").personalised
        erase(one, "ann")
        # Redis goes before the other replica is asked again.
        eventually(lambda: any(line["event"] == "users_forgotten" for line in replicas[1].log))
        redis_server.kill()
        for shop in (one, two):
            answer = shop.recommend("ann")
            assert answer.degraded
            assert not answer.personalised
        redis_server.start()


def test_the_receipt_says_what_was_removed_and_which_bundle_does_without(
    folder: Path, start_service: Callable[..., ServiceProcess], tmp_path: Path
) -> None:
    placements = tmp_path / "placements.toml"
    placements.write_text("[placements.home]\n")
    [first] = folder.iterdir()
    service = start_service(bundle=first, placements=placements)
    with service.channel() as channel:
        shop = Storefront(channel)
        shop.buy("ann", "i00003", "i00008")
        shop.set_profile("ann", about="tea")
        gift = pb.UpdateTasteProfileRequest(user_id="ann", add=pb.Taste(gift_item_ids=["i00008"]))
        assert shop.users.UpdateTasteProfile(gift, timeout=10).taste.gift_item_ids == ["i00008"]
        believed = shop.users.GetTasteProfile(pb.GetTasteProfileRequest(user_id="ann"), timeout=10)
        assert (believed.purchases, believed.taste.gift_item_ids) == (1, ["i00008"])
        answer = shop.recommend("ann", placement="home", reasons=False)

        def exported() -> pb.ExportUserResponse:
            return shop.users.ExportUser(pb.ExportUserRequest(user_id="ann"), timeout=10)

        eventually(lambda: len(exported().lists) == 1 and len(exported().user_vectors) == 1)
        assert exported().taste.gift_item_ids == ["i00008"]
        assert exported().lists[0].item_ids == item_ids(answer)
        receipt = erase(shop, "ann")
        assert (receipt.existed, receipt.removed_log_events, receipt.removed_history_events) == (True, 2, 2)
        assert (receipt.removed_profile, receipt.removed_user_vectors, receipt.removed_lists) == (True, 1, 1)
        assert not exported().existed
        assert not erase(shop, "ann").existed

        def without(erased_at: Timestamp) -> tuple[str, bool]:
            found = shop.users.GetErasure(pb.GetErasureRequest(erased_at=erased_at), timeout=10)
            return found.first_bundle_id, found.in_use

        assert without(receipt.erased_at) == ("", False)
        bundle = bundles.load(first)
        erased = receipt.erased_at.ToMicroseconds()
        names = []
        for number, until in enumerate((erased - 1, erased, erased + 1)):
            model = replace(bundle.model, similar_from=bundle.model.similar_from - number / 100 - 0.01)
            about = {"created": f"2026-0{number + 2}-01T00:00:00+00:00", "data": {"erasures_until": until}}
            names.append(save(replace(bundle, model=model, provenance=about), folder))
        assert without(receipt.erased_at) == (names[1], False)
    with start_service(bundle=folder / names[2], data_dir=tmp_path / "other").channel() as channel:
        found = Storefront(channel).users.GetErasure(pb.GetErasureRequest(erased_at=receipt.erased_at), timeout=10)
        assert (found.first_bundle_id, found.in_use) == (names[1], True)


def test_a_receipt_needs_a_time(start_service: Callable[..., ServiceProcess]) -> None:
    with start_service().channel() as channel:
        with pytest.raises(grpc.RpcError) as refused:
            Storefront(channel).users.GetErasure(pb.GetErasureRequest(), timeout=10)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
