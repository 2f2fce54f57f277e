"""`serve` as a whole, with a real private Redis: it says where it listens, shows metrics, and stops on SIGTERM."""

import asyncio
import gc
import os
import signal
import time
import urllib.request
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

import grpc
import pytest
import structlog
import torch

from recsvc import server
from recsvc.domain.serving_config import ServingConfig
from recsvc.errors import BundleError, SettingsError
from recsvc.settings import Settings
from recsvc.store import UserStore
from recsvc.v1 import events_pb2, recommendation_pb2
from recsvc.v1.events_pb2_grpc import EventServiceStub
from recsvc.v1.recommendation_pb2_grpc import RecommendationServiceStub
from tests.recsvc.service.edge import KNOWN_ITEM, FixedAnswers, edge_settings

EVENT = events_pb2.Event(event_id="e1", user_id="u", item_id="no such", event_type=events_pb2.EVENT_TYPE_VIEW)


class RecordedBackend(FixedAnswers):
    """A backend that records how `serve` makes, starts and closes it. The store is the real one."""

    made: "list[RecordedBackend]"

    def __init__(self, config: ServingConfig, store: UserStore, on_bundle_loaded: Callable[[], object]) -> None:
        super().__init__()
        self.config, self.real_store, self.on_bundle_loaded = config, store, on_bundle_loaded
        self.steps = ["made"]
        self.made.append(self)

    async def start(self) -> None:
        self.steps.append("start")

    async def close(self) -> None:
        self.steps.append("close")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(server, "Backend", RecordedBackend)
    monkeypatch.setattr(RecordedBackend, "made", [], raising=False)
    return edge_settings(bundle=tmp_path / "bundle", data_dir=tmp_path / "data", metrics_port=0, grace_seconds=5)


async def serving_line(lines: list[MutableMapping[str, Any]], task: asyncio.Future[None]) -> MutableMapping[str, Any]:
    async with asyncio.timeout(20):
        while not task.done():
            if serving := [line for line in lines if line["event"] == "serving"]:
                return serving[0]
            await asyncio.sleep(0.01)
    task.result()
    raise AssertionError("ended without serving")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_from_start_to_signal(settings: Settings, number: signal.Signals) -> None:
    with structlog.testing.capture_logs() as lines:
        running = asyncio.ensure_future(server.serve(settings))
        line = await serving_line(lines, running)
        assert (line["host"], line["bundle_id"]) == ("127.0.0.1", RecordedBackend.bundle_id)
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
    [backend] = RecordedBackend.made
    assert backend.steps == ["made", "start", "close"]
    assert backend.config == ServingConfig(bundle=settings.bundle)
    assert backend.on_bundle_loaded is gc.freeze
    assert isinstance(backend.real_store, UserStore)


def read(address: str) -> str:
    with urllib.request.urlopen(address, timeout=5) as response:  # noqa: S310 - http, to ourselves
        return str(response.read().decode())


async def test_the_process_computes_with_as_many_threads_as_are_set(settings: Settings) -> None:
    threads = torch.get_num_threads()
    try:
        with structlog.testing.capture_logs() as lines:
            running = asyncio.ensure_future(server.serve(settings.model_copy(update={"search_threads": 3})))
            await serving_line(lines, running)
            assert torch.get_num_threads() == 3
            os.kill(os.getpid(), signal.SIGTERM)
            await running
    finally:
        torch.set_num_threads(threads)


async def test_a_bundle_that_cannot_be_opened_leaves_nothing_running(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise BundleError("no manifest")

    monkeypatch.setattr(server, "Backend", refuse)
    with pytest.raises(BundleError, match="no manifest"):
        await server.serve(settings)


async def test_a_backend_that_does_not_start_is_closed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(self: RecordedBackend) -> None:
        raise BundleError("missing")

    monkeypatch.setattr(RecordedBackend, "start", fail)
    with pytest.raises(BundleError, match="missing"):
        await server.serve(settings)
    assert RecordedBackend.made[0].steps == ["made", "close"]


async def test_a_metrics_port_that_is_taken_is_a_settings_error(settings: Settings) -> None:
    taken = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    with pytest.raises(SettingsError, match=f"metrics_port: cannot listen on port {port}"):
        await server.serve(settings.model_copy(update={"metrics_port": port}))
    taken.close()
    assert RecordedBackend.made[0].steps[-1] == "close"


async def test_a_signal_while_the_bundle_is_being_opened_stops_before_listening(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(*arguments: Any) -> RecordedBackend:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.5)  # the event loop sees the signal first: loading takes longer than that
        return RecordedBackend(*arguments)

    monkeypatch.setattr(server, "Backend", slowly)
    with structlog.testing.capture_logs() as lines:
        async with asyncio.timeout(20):
            await server.serve(settings)
    assert "serving" not in [line["event"] for line in lines]
    assert RecordedBackend.made[0].steps == ["made", "start", "close"]
