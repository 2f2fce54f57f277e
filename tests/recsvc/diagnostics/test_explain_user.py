"""`recsvc explain` against a real service: it says what the service says, as text."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from recsvc.__main__ import main
from recsvc.diagnostics.explain_user import OBSTACLES
from recsvc.v1 import catalog_pb2, events_pb2, explain_pb2, recommendation_pb2
from recsvc.v1.catalog_pb2_grpc import CatalogServiceStub
from recsvc.v1.events_pb2_grpc import EventServiceStub
from recsvc.v1.explain_pb2_grpc import (
    ExplainServiceServicer,
    ExplainServiceStub,
    add_ExplainServiceServicer_to_server,
)
from recsvc.v1.recommendation_pb2_grpc import (
    RecommendationServiceServicer,
    RecommendationServiceStub,
    add_RecommendationServiceServicer_to_server,
)
from tests.recsvc.stored_bundle import STORED_BUNDLE
from tests.service_process import ServiceProcess

BOUGHT = [f"i000{n:02}" for n in (1, 8, 15, 22)]
SOLD_OUT = "i00030"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A service with one user who has bought things, one sold-out item and one placement."""
    folder = tmp_path_factory.mktemp("explain")
    placements = folder / "placements.toml"
    placements.write_text("[placements.home]\n")
    process = ServiceProcess(STORED_BUNDLE, folder / "data", store_timeout=5, placements=placements)
    with process.channel() as channel:
        events = [
            events_pb2.Event(event_id=item_id, user_id="ann", item_id=item_id, event_type="EVENT_TYPE_PURCHASE")
            for item_id in BOUGHT
        ]
        EventServiceStub(channel).WriteEvents(events_pb2.WriteEventsRequest(events=events), timeout=20)
        inventory = catalog_pb2.SetInventoryRequest(inventory=[catalog_pb2.Inventory(item_id=SOLD_OUT, stock=0)])
        CatalogServiceStub(channel).SetInventory(inventory, timeout=20)
    yield process
    process.kill()


@pytest.fixture
def channel(service: ServiceProcess) -> Iterator[grpc.Channel]:
    with service.channel() as channel:
        yield channel


def lines_of(capsys: pytest.CaptureFixture[str], service: ServiceProcess, *arguments: str) -> list[str]:
    assert main(["explain", *arguments, "--target", service.address]) == 0
    return capsys.readouterr().out.splitlines()


def test_a_list_is_shown_with_its_reasons_and_evidence(
    service: ServiceProcess, channel: grpc.Channel, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = lines_of(capsys, service, "ann", "-k", "5")
    request = recommendation_pb2.RecommendRequest(user_id="ann", k=5)
    served = RecommendationServiceStub(channel).Recommend(request, timeout=20)
    assert f"bundle  {served.bundle_id}" in lines
    shown = [line for line in lines if line[:3].strip().isdigit()]
    assert len(shown) == 5
    for line, listed in zip(shown, served.recommendations, strict=True):
        assert line.split()[:4] == [str(listed.rank), listed.item_id, "score", f"{listed.score:.4f}"]
        assert line.endswith(listed.reason.text)
    evidence = [line for line in lines if line.startswith("       ")]
    assert len(evidence) == sum(len(listed.reason.evidence) for listed in served.recommendations)
    assert any("history item (" in line and "anchor item id i000" in line for line in evidence)


def test_the_placement_names_its_arm(service: ServiceProcess, capsys: pytest.CaptureFixture[str]) -> None:
    assert any(line.endswith("arm control") for line in lines_of(capsys, service, "ann", "--placement", "home"))


def test_a_listed_item_is_shown_with_its_rank_and_the_parts_of_its_score(
    service: ServiceProcess, channel: grpc.Channel, capsys: pytest.CaptureFixture[str]
) -> None:
    request = recommendation_pb2.RecommendRequest(user_id="ann", k=5)
    third = RecommendationServiceStub(channel).Recommend(request, timeout=20).recommendations[2]
    lines = lines_of(capsys, service, "ann", "--item", third.item_id, "-k", "5")
    question = explain_pb2.WhyNotRequest(request=request, item_id=third.item_id)
    diagnosis = ExplainServiceStub(channel).WhyNot(question, timeout=20)
    assert "It is in the list, at rank 3 of at most 5." in lines
    assert f"Its score is {diagnosis.score:.4f}, the sum of:" in lines
    parts = {line.split()[0]: line.split()[1] for line in lines if line.startswith("  ")}
    assert parts == {part.block: f"{part.score:.4f}" for part in diagnosis.block_scores}


def test_an_item_that_is_not_listed_is_shown_with_each_obstacle(
    service: ServiceProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    def until_sold_out() -> list[str]:
        for _ in range(100):
            lines = lines_of(capsys, service, "ann", "--item", SOLD_OUT)
            if any("out of stock" in line for line in lines):
                break
        return lines

    assert "It is not in the list: it is out of stock." in until_sold_out()
    unknown = lines_of(capsys, service, "ann", "--item", "no such")
    assert "It is not in the list: the catalogue does not have it; add it with UpsertItems." in unknown


def test_every_obstacle_of_the_contract_has_a_text() -> None:
    assert set(OBSTACLES) == set(explain_pb2.Obstacle.values())
    assert len(set(OBSTACLES.values())) == len(OBSTACLES)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["ann", "--placement", "nowhere"], "refused the call: INVALID_ARGUMENT: placement must be one of"),
        (["x" * 129], "refused the call: INVALID_ARGUMENT: user_id must have"),
        (["ann", "-k", "101"], "-k must be 1 to 100"),
        (["ann", "-k", "-1"], "-k must be 1 to 100"),
    ],
)
def test_a_refused_call_is_one_clear_line(
    service: ServiceProcess, capsys: pytest.CaptureFixture[str], arguments: list[str], problem: str
) -> None:
    assert main(["explain", *arguments, "--target", service.address]) == 2
    out, text = capsys.readouterr()
    assert out == ""
    [line] = text.splitlines()
    assert line.startswith("recsvc: ")
    assert problem in line


def test_a_service_that_does_not_run_is_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "ann", "--target", "127.0.0.1:1"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("recsvc: the service at 127.0.0.1:1 does not answer; is it running?")


class NewerService(ExplainServiceServicer, RecommendationServiceServicer):
    """A service of a later version: it names what this client does not know, and refuses without a word."""

    def WhyNot(self, request: explain_pb2.WhyNotRequest, context: grpc.ServicerContext) -> explain_pb2.WhyNotResponse:
        return explain_pb2.WhyNotResponse(obstacles=[99])  # type: ignore[list-item]  # not in this contract

    def Recommend(
        self, request: recommendation_pb2.RecommendRequest, context: grpc.ServicerContext
    ) -> recommendation_pb2.RecommendResponse:
        if request.k == 1:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "")
        return recommendation_pb2.RecommendResponse(degraded=[77])  # type: ignore[list-item]  # as above


@pytest.fixture
def newer_service() -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(1))
    add_ExplainServiceServicer_to_server(NewerService(), server)
    add_RecommendationServiceServicer_to_server(NewerService(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None)


def test_values_of_a_newer_service_are_shown_by_their_numbers(
    newer_service: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "ann", "--item", "i00001", "--target", newer_service]) == 0
    assert main(["explain", "ann", "--target", newer_service]) == 0
    printed = capsys.readouterr().out
    assert "unknown (99)" in printed
    assert "degraded: unknown (77)" in printed


def test_a_refusal_without_details_is_one_clear_line(newer_service: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "ann", "-k", "1", "--target", newer_service]) == 2
    assert (
        capsys.readouterr().err
        == f"recsvc: the service at {newer_service} refused the call: PERMISSION_DENIED: no details\n"
    )
