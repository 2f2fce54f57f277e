"""The load generator over HTTP/1.1, against uvicorn with known answers and pauses."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI, Response

from tests.benchmarks import load
from tests.benchmarks.http1_calls import Connection
from tests.benchmarks.http_servers import served

PAUSE = 0.05
BODY = "x" * 300_000  # more than one read


class Pausing:
    """Answers /large after PAUSE, and refuses everything else."""

    def __init__(self) -> None:
        self.together = self.most_together = 0
        self.application = FastAPI()
        self.application.get("/large")(self.large)

    async def large(self) -> Response:
        self.together += 1
        self.most_together = max(self.most_together, self.together)
        await asyncio.sleep(PAUSE)
        self.together -= 1
        return Response(BODY)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Pausing, int]]:
    pausing = Pausing()
    with served(pausing.application) as port:
        yield pausing, port


def run(port: int, path: str, **settings: Any) -> load.Measured:
    return load.run(load.Load(port, [[(path, b"")]], warm_up=0.0, connections=1, protocol=Connection, **settings))


def test_closed_loop_has_a_connection_for_each_call_in_flight(server):
    pausing, port = server
    pausing.most_together = 0
    measured = run(port, "/large", seconds=0.3, in_flight=6)
    assert pausing.most_together == 6
    assert measured.failed == {}
    assert 0 < measured.completed <= 6 * (0.3 / PAUSE + 1)
    assert min(measured.latencies) >= PAUSE
    assert measured.answer_bytes == len(BODY)


def test_arrivals_open_connections_rather_than_wait(server):
    pausing, port = server
    pausing.most_together = 0
    measured = run(port, "/large", seconds=0.3, rate=200.0)
    assert pausing.most_together > 1
    assert measured.failed == {}
    assert min(measured.latencies) >= PAUSE


def test_answers_other_than_200_fail_by_their_status(server):
    _, port = server
    measured = run(port, "/missing", seconds=0.1, in_flight=2)
    assert set(measured.failed) == {"404"}
    assert measured.completed == 0


def test_a_body_or_a_second_call_at_once_is_refused(server):
    _, port = server
    connection = Connection(port)
    with pytest.raises(ValueError, match="one GET"):
        connection.call("/large", b"body")
    connection.call("/large", b"")
    with pytest.raises(ValueError, match="one GET"):
        connection.call("/large", b"")
    connection.close()
