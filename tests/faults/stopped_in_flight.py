"""A process is stopped (SIGTERM) while many calls are in flight, with no proxy before it."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from recsvc.v1 import recommendation_pb2, recommendation_pb2_grpc
from tests.faults.load import DEADLINE_SECONDS, LIST_LENGTH, user
from tests.faults.row import Figures, Row
from tests.faults.site import Site, unforeseen
from tests.service_process import ServiceProcess

GRACE_SECONDS = 10.0  # the default of the service
BUSY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Answered:
    started: float
    code: grpc.StatusCode


def measure(bundle: Path, stops: int = 10, in_flight: int = 64) -> Figures:
    """Stops a process under a closed loop, and looks how each call ended that was sent before.

    Args:
        bundle: Folder of the bundle that is served.
        stops: How many processes are stopped, one after another.
        in_flight: Calls at any time.
    """
    return stop_services(bundle, stops, in_flight)


def stop_services(
    bundle: Path,
    stops: int,
    in_flight: int,
    *,
    connections: int = 1,
    stop: Callable[[ServiceProcess], int] = ServiceProcess.stop,
    **settings: Any,
) -> Figures:
    """Does what `measure` does.

    Args:
        bundle: See `measure`.
        stops: See `measure`.
        in_flight: See `measure`.
        connections: Of the callers.
        stop: Stops a service, and returns its exit code.
        settings: Of the services.
    """
    sent_before: Counter[str] = Counter()
    sent_after: Counter[str] = Counter()
    exit_codes: Counter[str] = Counter()
    longest, errors = 0.0, 0
    with Site(bundle) as site:
        for _ in range(stops):
            service = site.start(**settings)
            answers, stopped, took, code = asyncio.run(_stop_under_load(service, in_flight, connections, stop))
            longest, errors = max(longest, took), errors + unforeseen(service)
            exit_codes[str(code)] += 1
            for answer in answers:
                (sent_before if answer.started < stopped else sent_after)[answer.code.name] += 1
    refusals = {"OK", "UNAVAILABLE"}  # a call that begins when the server has gone finds no server
    return {
        "sent_before": sum(sent_before.values()),
        "sent_before_failed": sum(sent_before.values()) - sent_before["OK"],
        "sent_after_with_other_status": sum(n for name, n in sent_after.items() if name not in refusals),
        "sent_before_codes": dict(sent_before),
        "sent_after_codes": dict(sent_after),
        "exits_other_than_0": sum(n for code, n in exit_codes.items() if code != "0"),
        "longest_stop_seconds": round(longest, 2),
        "unforeseen": errors,
    }


async def _stop_under_load(
    service: ServiceProcess, in_flight: int, connections: int, stop: Callable[[ServiceProcess], int]
) -> tuple[list[Answered], float, float, int]:
    answers: list[Answered] = []
    own_connection = [("grpc.use_local_subchannel_pool", 1)]
    async with AsyncExitStack() as stack:
        channels = [
            await stack.enter_async_context(grpc.aio.insecure_channel(service.address, own_connection))
            for _ in range(connections)
        ]
        stubs = [recommendation_pb2_grpc.RecommendationServiceStub(channel) for channel in channels]

        async def caller(number: int) -> None:
            while True:
                started = time.monotonic()
                request = recommendation_pb2.RecommendRequest(user_id=user(number), k=LIST_LENGTH)
                try:
                    await stubs[number % connections].Recommend(request, timeout=DEADLINE_SECONDS)
                except grpc.aio.AioRpcError as error:
                    answers.append(Answered(started, error.code()))
                    return
                answers.append(Answered(started, grpc.StatusCode.OK))
                number += in_flight

        callers = [asyncio.ensure_future(caller(number)) for number in range(in_flight)]
        await asyncio.sleep(BUSY_SECONDS)
        stopped = time.monotonic()
        code = await asyncio.to_thread(stop, service)
        took = time.monotonic() - stopped
        await asyncio.gather(*callers)
    return answers, stopped, took, code


ROW = Row(
    measure,
    at_most={
        "sent_before_failed": 0,
        "sent_after_with_other_status": 0,
        "exits_other_than_0": 0,
        "longest_stop_seconds": GRACE_SECONDS,
        "unforeseen": 0,
    },
    at_least={"sent_before": 64},
)

if __name__ == "__main__":
    ROW.main()
