"""The load generator against a server with known answers and pauses."""

import asyncio
import threading
from collections.abc import Iterator

import grpc
import pytest

from recsvc.v1 import recommendation_pb2 as pb
from recsvc.v1 import recommendation_pb2_grpc
from tests.benchmarks import load

RECOMMEND = "/recsvc.v1.RecommendationService/Recommend"
ANSWER = pb.RecommendResponse(recommendation_id="x" * 40_000)  # more than one DATA frame
PAUSE = 0.05


class PausingServicer(recommendation_pb2_grpc.RecommendationServiceServicer):
    """Answers after PAUSE; refuses the user "nobody"."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.together = self.most_together = 0

    async def Recommend(self, request, context):
        self.asked.append(request.user_id)
        self.together += 1
        self.most_together = max(self.most_together, self.together)
        await asyncio.sleep(PAUSE)
        self.together -= 1
        if request.user_id == "nobody":
            await context.abort(grpc.StatusCode.NOT_FOUND, "nobody is nobody")
        return ANSWER


@pytest.fixture
def server() -> Iterator[tuple[PausingServicer, int]]:
    servicer, started, ports = PausingServicer(), threading.Event(), []
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        listening = grpc.aio.server()
        recommendation_pb2_grpc.add_RecommendationServiceServicer_to_server(servicer, listening)
        ports.append(listening.add_insecure_port("127.0.0.1:0"))
        await listening.start()
        started.set()
        await stopping.wait()
        await listening.stop(None)

    stopping = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert started.wait(20)
    yield servicer, ports[0]
    loop.call_soon_threadsafe(stopping.set)
    thread.join()
    loop.close()


def task(*user_ids: str) -> load.Task:
    return [(RECOMMEND, pb.RecommendRequest(user_id=user_id).SerializeToString()) for user_id in user_ids]


def test_closed_loop_keeps_its_number_of_tasks_in_flight(server):
    servicer, port = server
    measured = load.run(load.Load(port, [task("a"), task("b")], seconds=0.5, warm_up=0.2, in_flight=6))
    assert servicer.most_together == 6
    assert measured.failed == {}
    assert 0 < measured.completed <= len(servicer.asked) <= 6 * (0.7 / PAUSE + 1)
    assert min(measured.latencies) >= PAUSE
    assert measured.answer_bytes == ANSWER.ByteSize() + 5  # the prefix of a gRPC message
    assert set(servicer.asked) == {"a", "b"}


def test_arrivals_follow_the_rate_and_all_are_answered(server):
    servicer, port = server
    measured = load.run(load.Load(port, [task("a")], seconds=1.0, warm_up=0.0, rate=200.0, seed=3))
    # Five standard deviations of a Poisson count.
    assert abs(len(measured.latencies) - 200) < 5 * 200**0.5
    assert len(measured.latencies) == len(servicer.asked)
    assert min(measured.latencies) >= PAUSE


def test_calls_of_a_task_run_in_sequence_and_count_once(server):
    servicer, port = server
    measured = load.run(load.Load(port, [task("first", "second")], seconds=0.5, warm_up=0.0, in_flight=1))
    assert servicer.asked == ["first", "second"] * (len(servicer.asked) // 2)
    assert servicer.most_together == 1
    assert min(measured.latencies) >= 2 * PAUSE


def test_failed_calls_count_by_status_and_not_as_completed(server):
    _, port = server
    measured = load.run(load.Load(port, [task("nobody", "never asked")], seconds=0.3, warm_up=0.0, in_flight=2))
    assert set(measured.failed) == {"5"}  # NOT_FOUND
    assert (measured.completed, measured.latencies) == (0, [])
