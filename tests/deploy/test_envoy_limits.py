"""A real Envoy refuses lists over its limit before recsvc is reached, and still leads writes to it."""

import asyncio
from collections import Counter

import grpc
import pytest
import yaml  # type: ignore[import-untyped]  # no stubs

from recsvc.server import listening
from recsvc.v1 import events_pb2, events_pb2_grpc, recommendation_pb2_grpc
from tests.faults.envoy_process import FILE, PROCESSES, EnvoyProcess, has_envoy
from tests.recsvc.service.edge import FixedAnswers, backend_of, edge_settings
from tests.recsvc.service.test_server import REQUEST, code_of, in_flight

OVER = 20
# recsvc itself refuses none of these calls.
SETTINGS = edge_settings(max_concurrent_requests=10_000)


@pytest.mark.skipif(not has_envoy(), reason="no Envoy on this machine")
async def test_lists_over_the_limit_are_refused_by_envoy_and_writes_are_not(tmp_path):
    cluster = yaml.safe_load(FILE.read_text())["static_resources"]["clusters"][0]
    limit = cluster["circuit_breakers"]["thresholds"][0]["max_requests"] // PROCESSES
    answers = FixedAnswers()
    async with listening(SETTINGS, backend_of(answers), asyncio.Event()) as port:
        envoy = await asyncio.to_thread(EnvoyProcess, tmp_path, [port])
        try:
            async with grpc.aio.insecure_channel(envoy.address, options=[("grpc.enable_retries", 0)]) as channel:
                lists = recommendation_pb2_grpc.RecommendationServiceStub(channel)
                writes = events_pb2_grpc.EventServiceStub(channel)
                answers.hold.clear()
                calls = [asyncio.ensure_future(code_of(lists.Recommend(REQUEST))) for _ in range(limit + OVER)]
                await in_flight(limit)
                wrong_write = writes.WriteEvents(events_pb2.WriteEventsRequest())
                assert await code_of(wrong_write) is grpc.StatusCode.INVALID_ARGUMENT, "recsvc was not reached"
                answers.hold.set()
                codes = Counter(await asyncio.gather(*calls))
        finally:
            envoy.close()
    assert codes == {grpc.StatusCode.OK: limit, grpc.StatusCode.UNAVAILABLE: OVER}
