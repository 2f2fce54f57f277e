"""Another bundle takes over on every replica while lists are asked for; a broken one never does."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from recsvc.model import bundle_files as bundles
from recsvc.v1 import models_pb2 as pb
from recsvc.v1 import recommendation_pb2
from recsvc.v1.models_pb2_grpc import ModelServiceStub
from tests.conftest import RedisServer
from tests.integration.clients import Storefront, eventually, item_ids
from tests.service_process import ServiceProcess

BUNDLES = 3


@pytest.fixture
def folder(small_bundle: Path, tmp_path: Path) -> Path:
    """Three bundles, as training leaves them: they differ in what the reasons may call similar."""
    folder, bundle = tmp_path / "bundles", bundles.load(small_bundle)
    folder.mkdir()
    for number in range(BUNDLES):
        model = replace(bundle.model, similar_from=bundle.model.similar_from - number / 100)
        about = {"created": f"2026-0{number + 1}-01T00:00:00+00:00", "evaluation": {"ndcg@10": {"mean": number / 10}}}
        bundle_id = bundles.save(replace(bundle, model=model, provenance=about), folder / "part")
        (folder / "part").rename(folder / bundle_id)
    (folder / "latest").symlink_to(bundle_id)
    return folder


def ids(folder: Path) -> list[str]:
    """Oldest first."""
    found = [path for path in folder.iterdir() if not path.is_symlink()]
    return [path.name for path in sorted(found, key=lambda path: bundles.read_manifest(path)["created"])]


class Operator:
    def __init__(self, service: ServiceProcess) -> None:
        self.channel = service.channel()
        self.models = ModelServiceStub(self.channel)
        self.shop = Storefront(self.channel)

    def list(self) -> pb.ListBundlesResponse:
        return self.models.ListBundles(pb.ListBundlesRequest(), timeout=10)

    def load(self, bundle_id: str) -> None:
        self.models.LoadBundle(pb.LoadBundleRequest(bundle_id=bundle_id), timeout=60)

    def activate(self, bundle_id: str) -> str:
        request = pb.ActivateBundleRequest(bundle_id=bundle_id)
        return self.models.ActivateBundle(request, timeout=60).previous_bundle_id

    def roll_back(self) -> str:
        return self.models.RollBack(pb.RollBackRequest(), timeout=60).bundle_id

    def answers_with(self) -> str:
        return self.shop.recommend("ann", reasons=False).bundle_id


@pytest.fixture
def operators(
    folder: Path, start_replicas: Callable[..., list[ServiceProcess]], redis_server: RedisServer
) -> Iterator[list[Operator]]:
    first = folder / ids(folder)[0]
    operators = [Operator(process) for process in start_replicas(bundle=first, redis_url=redis_server.url)]
    yield operators
    for operator in operators:
        operator.channel.close()


@contextmanager
def lists_asked_for(operators: list[Operator]) -> Iterator[None]:
    """All the while, by several threads; not one may fail or be short."""
    failures: list[object] = []
    ending = threading.Event()

    def ask(operator: Operator, user_id: str) -> None:
        while not ending.is_set():
            try:
                answer = operator.shop.recommend(user_id)
                if len(answer.recommendations) != 10 or answer.degraded:
                    failures.append(answer)
            except grpc.RpcError as error:
                failures.append(error)

    threads = [threading.Thread(target=ask, args=(o, f"u{n}")) for o in operators for n in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ending.set()
        for thread in threads:
            thread.join()
    assert not failures, failures[:3]


def test_a_bundle_takes_over_and_goes_back_and_no_list_fails(folder: Path, operators: list[Operator]) -> None:
    one, two = operators
    oldest, middle, newest = ids(folder)
    one.shop.buy("ann", *item_ids(one.shop.recommend("ann"))[:3])
    assert one.list().active_bundle_id == ""
    with lists_asked_for(operators):
        assert one.activate(newest) == oldest
        assert one.answers_with() == newest
        eventually(lambda: two.answers_with() == newest)
        found = two.list()
        assert (found.active_bundle_id, found.previous_bundle_id) == (newest, oldest)
        assert [info.bundle_id for info in found.bundles] == [newest, middle, oldest]
        assert dict(found.bundles[0].metrics) == {"ndcg@10": pytest.approx(0.2)}
        assert two.roll_back() == oldest
        assert two.answers_with() == oldest
        eventually(lambda: one.answers_with() == oldest)
        two.load(middle)
        assert one.activate(middle) == oldest

    def settled() -> bool:
        serving = {(p.serving_bundle_id, *sorted(p.loaded_bundle_ids), p.problem) for p in one.list().processes}
        return serving == {(middle, *sorted((middle, oldest)), "")}

    eventually(settled)


def test_what_the_shop_said_holds_in_the_other_bundle_and_after_a_restart(
    folder: Path, operators: list[Operator], start_service: Callable[..., ServiceProcess], redis_server: RedisServer
) -> None:
    one, _ = operators
    first = item_ids(one.shop.recommend("ann"))[0]
    one.shop.set_inventory(first, stock=0)
    one.shop.add("kettle", "Copper kettle")
    newest = ids(folder)[-1]
    one.activate(newest)
    restarted = Operator(start_service(bundle=folder / ids(folder)[0], redis_url=redis_server.url))
    for operator in (one, restarted):
        assert operator.answers_with() == newest
        assert first not in item_ids(operator.shop.recommend("ann", 100))
        ranked = operator.shop.recommendations.Rank(recommendation_pb2.RankRequest(user_id="ann", item_ids=["kettle"]))
        assert [found.item_id for found in ranked.recommendations] == ["kettle"]
    restarted.channel.close()


def test_a_bundle_that_cannot_be_used_is_refused_and_nothing_changes(folder: Path, operators: list[Operator]) -> None:
    one, two = operators
    oldest, _, newest = ids(folder)
    (folder / newest / bundles.ITEMS).write_bytes(b"damaged")
    with pytest.raises(grpc.RpcError) as refused:
        one.activate(newest)
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert str(folder) not in str(refused.value.details())
    with pytest.raises(grpc.RpcError) as unknown:
        one.load("0" * 16)
    assert unknown.value.code() is grpc.StatusCode.NOT_FOUND
    with pytest.raises(grpc.RpcError) as nothing:
        one.roll_back()
    assert nothing.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert one.answers_with() == two.answers_with() == oldest


def test_a_replica_without_the_bundle_goes_on_and_says_so(
    folder: Path, tmp_path: Path, start_service: Callable[..., ServiceProcess], redis_server: RedisServer
) -> None:
    oldest, _, newest = ids(folder)
    alone = tmp_path / "elsewhere" / oldest
    shutil.copytree(folder / oldest, alone)
    one = Operator(start_service(bundle=folder / oldest, redis_url=redis_server.url))
    two = Operator(start_service(bundle=alone, redis_url=redis_server.url))
    one.activate(newest)
    eventually(lambda: {p.problem != "" for p in one.list().processes} == {True, False})
    assert (one.answers_with(), two.answers_with()) == (newest, oldest)
    shutil.copytree(folder / newest, alone.parent / newest)  # late, but there
    eventually(lambda: two.answers_with() == newest)
    eventually(lambda: not any(p.problem for p in one.list().processes))
    for operator in (one, two):
        operator.channel.close()


def test_an_arm_of_an_experiment_has_a_bundle_of_its_own(
    folder: Path, tmp_path: Path, start_service: Callable[..., ServiceProcess]
) -> None:
    oldest, _, newest = ids(folder)
    placements = tmp_path / "placements.toml"
    arm = '[[placements.home.arms]]\nname = "{}"\nshare = 0.5\n'
    placements.write_text(arm.format("a") + arm.format("b") + f'bundle_id = "{newest}"\n')
    service = start_service(bundle=folder / oldest, placements=placements)
    operator = Operator(service)
    answers = [operator.shop.recommend(f"u{n}", placement="home", reasons=False) for n in range(20)]
    assert {(answer.arm, answer.bundle_id) for answer in answers} == {("a", oldest), ("b", newest)}
    bought = next(answer for answer in answers if answer.arm == "b")
    operator.shop.act_on(bought, "u", bought.recommendations[0].item_id, "PURCHASE")
    labels = {"placement": "home", "arm": "b", "bundle_id": newest, "event_type": "purchase"}
    assert service.metric("recsvc_attributed_events_total", **labels) == 1.0
    assert service.metric("recsvc_bundle_info", bundle_id=oldest) == 1.0
    operator.channel.close()
