"""`serve` as a whole, with a real private Redis: it says where it listens, shows metrics, and stops on SIGTERM."""

import asyncio
import os
import signal
import time
import urllib.request

import grpc
import pytest
import structlog

from recsvc import server
from recsvc.errors import BundleError, SettingsError
from recsvc.settings import Settings
from recsvc.v1 import events_pb2, recommendation_pb2
from recsvc.v1.events_pb2_grpc import EventServiceStub
from recsvc.v1.recommendation_pb2_grpc import RecommendationServiceStub
from tests.recsvc.service.edge import KNOWN_ITEM, KnownAnswers

EVENT = events_pb2.Event(event_id="e1", user_id="u", item_id="no such", event_type=events_pb2.EVENT_TYPE_VIEW)


class Opened(KnownAnswers):
    """The models as `serve` opens them; the store is the real one."""

    steps: list[str]

    @classmethod
    def open(cls, *arguments: object) -> "Opened":
        opened = cls()
        opened.steps, opened.arguments = ["open"], arguments
        cls.latest = opened
        return opened

    async def start(self) -> None:
        self.steps.append("start")

    async def close(self) -> None:
        self.steps.append("close")


@pytest.fixture
def settings(tmp_path, monkeypatch) -> Settings:
    monkeypatch.setattr(server, "ModelRegistry", Opened)
    return Settings(bundle=tmp_path / "bundle", data_dir=tmp_path / "data", port=0, metrics_port=0, grace_seconds=5)


async def serving_line(lines: list[dict], task: asyncio.Task) -> dict:
    async with asyncio.timeout(20):
        while not task.done():
            if found := [line for line in lines if line["event"] == "serving"]:
                return found[0]
            await asyncio.sleep(0.01)
    task.result()
    raise AssertionError("ended without serving")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_from_start_to_signal(settings, number):
    with structlog.testing.capture_logs() as lines:
        running = asyncio.ensure_future(server.serve(settings))
        line = await serving_line(lines, running)
        assert (line["host"], line["bundle_id"]) == ("127.0.0.1", Opened.bundle_id)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{line['port']}") as channel:
            await RecommendationServiceStub(channel).Recommend(recommendation_pb2.RecommendRequest(user_id="u", k=1))
            known = events_pb2.Event(event_id="e2", user_id="u", item_id=KNOWN_ITEM, event_type=EVENT.event_type)
            request = events_pb2.WriteEventsRequest(events=[EVENT, known])
            written = await EventServiceStub(channel).WriteEvents(request)
        assert (written.acknowledged, written.unknown_items) == (2, 1)
        page = await asyncio.to_thread(read, f"http://127.0.0.1:{line['metrics_port']}/metrics")
        assert 'recsvc_requests_total{code="OK",method="/recsvc.v1.RecommendationService/Recommend"}' in page
        os.kill(os.getpid(), number)
        async with asyncio.timeout(20):
            await running
    assert [line["event"] for line in lines if line["log_level"] == "info"][-3:] == ["serving", "stopping", "stopped"]
    assert Opened.latest.steps == ["open", "start", "close"]
    bundle, store, *others = Opened.latest.arguments
    assert (bundle, *others) == (settings.bundle, "embedded", 1, 10_000, None, None, False)
    assert hasattr(store, "write_events")


def read(address: str) -> str:
    with urllib.request.urlopen(address, timeout=5) as response:  # noqa: S310 - http, to ourselves
        return response.read().decode()


async def test_a_bundle_that_cannot_be_opened_leaves_nothing_running(settings, monkeypatch):
    def refuse(*arguments: object) -> None:
        raise BundleError("no manifest")

    monkeypatch.setattr(Opened, "open", refuse)
    with pytest.raises(BundleError, match="no manifest"):
        await server.serve(settings)


async def test_a_metrics_port_that_is_taken_is_a_settings_error(settings):
    taken = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    with pytest.raises(SettingsError, match=f"metrics_port: cannot listen on port {port}"):
        await server.serve(settings.model_copy(update={"metrics_port": port}))
    taken.close()
    assert Opened.latest.steps[-1] == "close"


async def test_a_signal_while_the_bundle_is_being_opened_stops_before_listening(settings, monkeypatch):
    opened = Opened.open()
    opened.steps.clear()

    def slowly(*arguments: object) -> Opened:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.5)  # the loop hears of it first, as loading takes longer than that
        return opened

    monkeypatch.setattr(Opened, "open", slowly)
    with structlog.testing.capture_logs() as lines:
        async with asyncio.timeout(20):
            await server.serve(settings)
    assert "serving" not in [line["event"] for line in lines]
    assert opened.steps == ["start", "close"]
