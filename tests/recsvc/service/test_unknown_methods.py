"""Calls of methods that the server does not have."""

import asyncio

import grpc
import pytest

from recsvc.v1 import recommendation_pb2 as rec
from recsvc.v1.recommendation_pb2_grpc import RecommendationServiceStub
from tests.recsvc.service.edge import FixedAnswers, backend_of, edge_settings, listening

REQUEST = rec.RecommendRequest(user_id="u", k=1)
HEADERS, SETTINGS, DATA, END_STREAM, END_HEADERS = 1, 4, 0, 1, 4


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def string(value: bytes) -> bytes:
    return bytes((len(value),)) + value


def call(path: bytes) -> bytes:
    """A connection with one call, in frames of HTTP/2: no client of gRPC sends such a path."""
    headers = b"\x83\x86\x04" + string(path) + b"\x01" + string(b"localhost")
    headers += b"\x0f\x10" + string(b"application/grpc") + b"\x00" + string(b"te") + string(b"trailers")
    start = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0)
    return start + frame(HEADERS, END_HEADERS, 1, headers) + frame(DATA, END_STREAM, 1, bytes(5))


async def answer_to(port: int, sent: bytes) -> bytes:
    """All that the server answers until it says a status, or hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    answer = b""
    async with asyncio.timeout(20):
        while b"grpc-status" not in answer and (part := await reader.read(65_536)):
            answer += part
    writer.close()
    return answer


@pytest.mark.parametrize(
    "path",
    [
        b"/recsvc.v1.RecommendationService/Reco\xedmend",
        b"/\xff\xfe",
        b"/recsvc.v1.\xc3\x28/X",
        b"/recsvc.v1.RecommendationService/\xe2\x82",
        b"/recsvc.v1.RecommendationService/NoSuchMethod",
        "/recsvc.v1.RecommendationService/茶".encode(),
    ],
)
async def test_a_call_of_an_unknown_method_is_refused_and_the_server_goes_on(path: bytes):
    async with (
        listening(edge_settings(), backend_of(FixedAnswers()), asyncio.Event()) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        for _ in range(3):
            answer = await answer_to(port, call(path))
            assert b"grpc-status\x0212" in answer  # UNIMPLEMENTED
        await RecommendationServiceStub(channel).Recommend(REQUEST)


async def test_a_server_that_refused_calls_of_unknown_methods_stops_in_order():
    async with listening(edge_settings(), backend_of(FixedAnswers()), asyncio.Event()) as port:
        await answer_to(port, call(b"/\xff"))
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
