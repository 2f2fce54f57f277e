"""The load generator against a server with known answers and pauses."""

import asyncio
import socket
import threading
from collections.abc import Iterator

import grpc
import pytest
from hpack import Encoder

from recsvc.v1 import recommendation_pb2 as pb
from recsvc.v1 import recommendation_pb2_grpc
from tests.benchmarks import load
from tests.benchmarks.http2_calls import Answer, Connection

RECOMMEND = "/recsvc.v1.RecommendationService/Recommend"
ANSWER = pb.RecommendResponse(recommendation_id="x" * 40_000)  # more than one DATA frame
PAUSE = 0.05


class PausingServicer(recommendation_pb2_grpc.RecommendationServiceServicer):
    """Answers after PAUSE. Refuses the user "nobody", and the user "later" with a minute to wait."""

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
        if request.user_id == "later":
            context.set_trailing_metadata([("grpc-retry-pushback-ms", "60000")])
            await context.abort(grpc.StatusCode.UNAVAILABLE, "later")
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


@pytest.mark.parametrize(
    ("user_id", "back_off"), [("nobody", load.BackOff(60, 60)), ("later", load.BackOff(0.001, 0.001))]
)
def test_clients_that_back_off_wait_by_their_policy_or_as_long_as_the_server_says(server, user_id, back_off):
    servicer, port = server
    load.run(load.Load(port, [task(user_id)], seconds=0.3, warm_up=0.0, in_flight=3, back_off=back_off))
    assert servicer.asked == [user_id] * 3


def test_clients_that_back_off_ask_again(server):
    servicer, port = server
    policy = load.BackOff(0.001, 0.001)
    measured = load.run(load.Load(port, [task("nobody")], seconds=0.5, warm_up=0.0, in_flight=2, back_off=policy))
    assert measured.failed == {"5": len(servicer.asked)}
    assert len(servicer.asked) > 4


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("status", [0, 8, 14])
def test_status_and_pause_are_read_in_plain_and_packed_trailers(packed, status):
    trailers = [
        ("grpc-status-details-bin", "CA4="),
        ("grpc-message", "come later"),
        ("grpc-status", str(status)),
        ("grpc-retry-pushback-ms", "731"),
    ]
    encoder = Encoder()
    encoder.header_table_size = 0  # as Connection asks of the server
    block = encoder.encode(trailers, huffman=packed)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connection = Connection(listener.getsockname()[1])
        stream = connection.call(RECOMMEND, b"")
        with listener.accept()[0] as peer:
            peer.sendall(len(block).to_bytes(3, "big") + bytes((1, 0x4 | 0x1)) + stream.to_bytes(4, "big") + block)
            assert connection.answers() == [Answer(stream, str(status), 0, 0.731 if status else 0.0)]
        connection.close()
