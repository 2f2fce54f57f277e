"""Clients that break HTTP/2, or use it carelessly: the process goes on, and others are served meanwhile."""

import gzip
import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from recsvc.v1 import recommendation_pb2
from tests.faults.load import SteadyLoad, ask_for_a_list
from tests.faults.row import Figures, Row
from tests.faults.site import Site, descriptors, resident_mb, unforeseen

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, END_HEADERS, PADDED, PRIORITISED = 1, 4, 8, 32
RECOMMEND = b"/recsvc.v1.RecommendationService/Recommend"
PATIENCE_SECONDS = 2.0
MESSAGE = recommendation_pb2.RecommendRequest(user_id="careless", k=10).SerializeToString()
BODY = b"\0" + len(MESSAGE).to_bytes(4, "big") + MESSAGE

Client = Callable[[int, random.Random, int], None]
"""Port, source of randomness, and how often it does what it does."""


def measure(bundle: Path, times: int = 2_000, lists_per_second: float = 10.0) -> Figures:
    """Lets one careless client after another call, while a steady load asks for lists.

    Args:
        bundle: Folder of the bundle that is served.
        times: Frames, streams or connections of each client.
        lists_per_second: Rate of Recommend.
    """
    growth: dict[str, float] = {}
    with Site(bundle) as site:
        service = site.start(store_timeout=2)
        with SteadyLoad([service.address], {"list": (ask_for_a_list, lists_per_second)}) as load:
            load.wait_for("list", 20)
            before, opened = resident_mb(service), descriptors(service)
            for client in CLIENTS:
                start = resident_mb(service)
                with suppress(OSError):  # the server hangs up on it
                    client(service.port, random.Random(1), times)
                if service.process.poll() is not None:
                    growth[client.__name__] = float("inf")
                    break
                growth[client.__name__] = round(resident_mb(service) - start, 1)
                ended = len(load.of("list"))
                load.wait_for("list", ended + 3)
        crashed = service.process.poll() is not None
        deadline = time.monotonic() + 10
        while not crashed and descriptors(service) > opened + 5 and time.monotonic() < deadline:
            time.sleep(0.05)
        return {
            "clients": len(growth),
            "crashed": int(crashed),
            "growth_mb": 0 if crashed else round(resident_mb(service) - before, 1),
            "growth_mb_by_client": growth,
            "descriptors_growth": 0 if crashed else descriptors(service) - opened,
            "lists": len(load.of("list")),
            "lists_failed": load.failed("list"),
            "list_codes": dict(load.codes("list")),
            "log_lines": len(service.log),
            "unforeseen": unforeseen(service),
        }


def _frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def _string(value: bytes) -> bytes:
    """A plain string of RFC 7541, of any length below 16 kB."""
    if len(value) < 127:
        return bytes((len(value),)) + value
    rest = len(value) - 127
    return bytes((127, rest % 128 | 128, rest // 128)) + value if rest >= 128 else bytes((127, rest)) + value


def _headers(path: bytes = RECOMMEND, *more: tuple[bytes, bytes]) -> bytes:
    fields = [(b"content-type", b"application/grpc"), (b"te", b"trailers"), *more]
    plain = b"".join(b"\x00" + _string(name) + _string(value) for name, value in fields)
    return b"\x83\x86\x04" + _string(path) + b"\x01" + _string(b"localhost") + plain


def _call(stream: int, headers: bytes, body: bytes = BODY) -> bytes:
    return _frame(HEADERS, END_HEADERS, stream, headers) + _frame(DATA, END_STREAM, stream, body)


@contextmanager
def _connected(port: int, settings: bytes = b"") -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(PREFACE + _frame(SETTINGS, 0, 0, settings))
        yield connection


def _read_until_quiet(connection: socket.socket, seconds: float = 0.2) -> None:
    connection.settimeout(seconds)
    with suppress(TimeoutError):
        while connection.recv(65_536):
            pass


def noise(port: int, rng: random.Random, times: int) -> None:
    for _ in range(times // 10):
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as connection, suppress(OSError):
            connection.sendall(rng.randbytes(rng.choice((1, 24, 5_000))))


def http1(port: int, rng: random.Random, times: int) -> None:
    for _ in range(times // 10):
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as connection, suppress(OSError):
            connection.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
            connection.recv(1_000)


def random_frames(port: int, rng: random.Random, times: int) -> None:
    """Frames of every kind with any flags, streams and payloads."""
    for _ in range(times // 10):
        with suppress(OSError), _connected(port) as connection:
            for _ in range(20):
                payload = rng.choice((b"", rng.randbytes(4), rng.randbytes(8), rng.randbytes(300), _headers()))
                stream = rng.choice((0, 1, 2, 3, 2**31 - 1))
                connection.sendall(_frame(rng.randrange(12), rng.randrange(256), stream, payload))


def random_headers(port: int, rng: random.Random, times: int) -> None:
    """Header blocks with turned bits, and frames that lie about their length."""
    for _ in range(times // 10):
        with suppress(OSError), _connected(port) as connection:
            for stream in range(1, 21, 2):
                block = bytearray(_headers())
                for _ in range(3):
                    block[rng.randrange(len(block))] ^= 1 << rng.randrange(8)
                connection.sendall(_call(stream, bytes(block)))
            connection.sendall(b"\xff\xff\xff" + bytes((DATA, 0)) + bytes(4))


def wrong_streams(port: int, rng: random.Random, times: int) -> None:
    """Streams that are even, go down, are closed already, or depend on themselves; windows that overflow."""
    block = _headers()
    cases = (
        _frame(HEADERS, END_HEADERS, 2, block),
        _frame(HEADERS, END_HEADERS, 0, block),
        _call(5, block) + _call(3, block),
        _call(1, block) + _frame(DATA, 0, 1, BODY),
        _frame(DATA, 0, 7, BODY),
        _frame(WINDOW_UPDATE, 0, 0, bytes(4)),
        _frame(WINDOW_UPDATE, 0, 0, (2**31 - 1).to_bytes(4, "big")) * 2,
        _frame(HEADERS, END_HEADERS | PRIORITISED, 1, (1).to_bytes(4, "big") + b"\xff" + block),
        _frame(HEADERS, END_HEADERS | PADDED, 1, b"\xff" + block[:50]),
        _frame(PUSH_PROMISE, END_HEADERS, 1, (2).to_bytes(4, "big") + block),
        _frame(CONTINUATION, END_HEADERS, 1, block),
        _frame(SETTINGS, 0, 0, b"\x00\x04" + b"\xff" * 4),
        _frame(GOAWAY, 0, 0, bytes(8)) + _call(1, block),
    )
    for case in cases:
        with suppress(OSError), _connected(port) as connection:
            connection.sendall(case)
            _read_until_quiet(connection)


def wrong_bodies(port: int, rng: random.Random, times: int) -> None:
    """Messages that lie about their length, are compressed by nothing known, or grow a thousandfold."""
    bomb = gzip.compress(bytes(50_000_000))
    gzipped = _headers(RECOMMEND, (b"grpc-encoding", b"gzip"))
    calls = [
        (_headers(), b"\0\xff\xff\xff\xff" + MESSAGE),
        (_headers(), b"\0\0\0\0"),
        (_headers(), b""),
        (_headers(), b"\1" + BODY[1:]),
        (_headers(), BODY * 3),
        (_headers(RECOMMEND, (b"grpc-encoding", b"br")), b"\1" + BODY[1:]),
        (gzipped, b"\1" + BODY[1:]),
        (gzipped, b"\1" + len(bomb).to_bytes(4, "big") + bomb),
    ]
    for headers, body in calls:
        with suppress(OSError), _connected(port) as connection:
            connection.sendall(_frame(HEADERS, END_HEADERS, 1, headers))
            for start in range(0, len(body), 16_000):
                connection.sendall(_frame(DATA, 0, 1, body[start : start + 16_000]))
            connection.sendall(_frame(DATA, END_STREAM, 1))
            _read_until_quiet(connection, 0.5)


def wrong_metadata(port: int, rng: random.Random, times: int) -> None:
    """Paths that do not exist, headers that are huge, doubled, or not allowed."""
    blocks = [
        _headers(b"/"),
        _headers(b"/recsvc.v1.RecommendationService/" + b"x" * 5_000),
        _headers(b"/\xff\xfe\0"),
        _headers(RECOMMEND, (b"x", b"y" * 12_000)),
        _headers(RECOMMEND, (b"UPPER", b"case")),
        _headers(RECOMMEND, (b"connection", b"close")),
        _headers(RECOMMEND, (b"grpc-timeout", b"99999999999H")),
        _headers(RECOMMEND, (b"grpc-timeout", b"-1S")),
        _headers(RECOMMEND, (b"traceparent", b"\0\xff" * 100)),
        _headers(RECOMMEND, (b"authorization", b"Bearer " + b"a." * 4_000)),
        _headers(RECOMMEND, *((b"k%d" % number, b"v") for number in range(500))),
        b"\x83\x86",
        b"",
    ]
    for block in blocks:
        with suppress(OSError), _connected(port) as connection:
            connection.sendall(_call(1, block))
            _read_until_quiet(connection)


def endless_headers(port: int, rng: random.Random, times: int) -> None:
    """A header block that never ends."""
    with _connected(port) as connection:
        connection.sendall(_frame(HEADERS, 0, 1, _headers()))
        chunk = _frame(CONTINUATION, 0, 1, b"\x00" + _string(b"x") + _string(b"y" * 8_000))
        for _ in range(times):
            connection.sendall(chunk)


def rapid_resets(port: int, rng: random.Random, times: int) -> None:
    with _connected(port) as connection:
        for stream in range(1, 10 * times, 2):
            reset = _frame(RST_STREAM, 0, stream, (8).to_bytes(4, "big"))
            connection.sendall(_call(stream, _headers()) + reset)


def many_settings(port: int, rng: random.Random, times: int) -> None:
    with _connected(port) as connection:
        for _ in range(5 * times):
            connection.sendall(_frame(SETTINGS, 0, 0, b"\x00\x04\x00\x01\x00\x00"))


def many_pings(port: int, rng: random.Random, times: int) -> None:
    with _connected(port) as connection:
        for _ in range(5 * times):
            connection.sendall(_frame(PING, 0, 0, bytes(8)))


def streams_without_end(port: int, rng: random.Random, times: int) -> None:
    """Calls whose message never comes."""
    with _connected(port) as connection:
        for stream in range(1, 2 * times, 2):
            connection.sendall(_frame(HEADERS, END_HEADERS, stream, _headers()))
        _read_until_quiet(connection, 0.5)


def no_room_for_answers(port: int, rng: random.Random, times: int) -> None:
    """Calls whose answers may not be sent: the window is 0."""
    with _connected(port, b"\x00\x04" + bytes(4)) as connection:
        for stream in range(1, times, 2):
            connection.sendall(_call(stream, _headers()))
        _read_until_quiet(connection, 0.5)


def idle_connections(port: int, rng: random.Random, times: int) -> None:
    """Connections that never say anything."""
    silent = [socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) for _ in range(times // 10)]
    time.sleep(0.2)
    for connection in silent:
        connection.close()


CLIENTS: tuple[Client, ...] = (
    *(noise, http1, random_frames, random_headers, wrong_streams, wrong_bodies, wrong_metadata, endless_headers),
    *(rapid_resets, many_settings, many_pings, streams_without_end, no_room_for_answers, idle_connections),
)

ROW = Row(
    measure,
    at_most={"crashed": 0, "growth_mb": 100, "descriptors_growth": 5, "lists_failed": 0, "unforeseen": 0},
    at_least={"clients": len(CLIENTS), "lists": 1},
)

if __name__ == "__main__":
    ROW.main()
