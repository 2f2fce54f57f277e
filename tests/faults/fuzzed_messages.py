"""Random and mutated messages at every method: no crash, no INTERNAL, no call without an answer."""

import itertools
import random
import select
import time
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.http2_calls import Connection
from tests.faults.load import SteadyLoad, ask_for_a_list
from tests.faults.row import Figures, Row
from tests.faults.site import Site, descriptors, resident_mb, unforeseen
from tests.integration.test_random_requests import Caller, methods

IN_FLIGHT = 24
ANSWER_SECONDS = 60.0
# `Connection` knows no windows: what is on its way must fit into half of one, and a message into a frame.
BYTES_IN_FLIGHT, MESSAGE_BYTES = 30_000, 12_000
# Numbers of grpc.StatusCode.
OK, UNKNOWN, INTERNAL = "0", "2", "13"
UNANSWERED, RESET = "unanswered", ""


def measure(bundle: Path, messages: int = 50_000, seed: int = 1) -> Figures:
    """Sends messages over raw connections. The table's length is 1,000,000.

    Args:
        bundle: Folder of the bundle that is served.
        messages: How many are sent.
        seed: Of the messages.
    """
    codes: Counter[str] = Counter()
    internal: Counter[str] = Counter()
    with Site(bundle) as site:
        service = site.start(store_timeout=2)
        before, began = resident_mb(service), time.monotonic()
        calls = itertools.islice(_calls(seed), messages)
        with SteadyLoad([service.address], {"list": (ask_for_a_list, 2.0)}) as load:
            while batch := list(itertools.islice(calls, IN_FLIGHT * 50)):
                for path, status in _answers(service.port, batch):
                    codes[status] += 1
                    if status in (INTERNAL, UNKNOWN, UNANSWERED, RESET):
                        internal[f"{path} {status}"] += 1
        crashed = service.process.poll() is not None
        return {
            "answered": messages - codes[UNANSWERED],
            "codes": dict(codes),
            "crashed": int(crashed),
            "internal": codes[INTERNAL] + codes[UNKNOWN],
            "unanswered": codes[UNANSWERED] + codes[RESET],
            "worst": dict(internal.most_common(5)),
            "lists": len(load.of("list")),
            "lists_failed": load.failed("list"),
            "messages_per_second": round(messages / (time.monotonic() - began)),
            "resident_mb": [] if crashed else [round(before), round(resident_mb(service))],
            "descriptors": 0 if crashed else descriptors(service),
            "log_lines": len(service.log),
            "unforeseen": unforeseen(service),
        }


def _calls(seed: int) -> Iterator[tuple[str, bytes]]:
    """Each method in turn, with bytes of one of four sorts."""
    caller = Caller(seed)
    rng = caller.rng
    for method in itertools.cycle(methods()):
        path = f"/{method.containing_service.full_name}/{method.name}"
        sort = rng.randrange(4)
        if sort == 0:
            yield path, rng.randbytes(rng.choice((0, 1, 3, 20, 200, 5_000)))
            continue
        message = caller.message(method.input_type, wild=rng.choice((0.0, 0.05, 0.5))).SerializeToString()
        yield path, message if sort == 1 else _mutated(rng, message)


def _mutated(rng: random.Random, message: bytes) -> bytes:
    """The message with some bits turned, or cut, or with a part of it twice."""
    data = bytearray(message or b"\n")
    match rng.randrange(3):
        case 0:
            for _ in range(rng.choice((1, 2, 8))):
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        case 1:
            del data[rng.randrange(len(data)) :]
        case _:
            start = rng.randrange(len(data))
            data += data[start : start + rng.choice((1, 10, 1_000))]
    return bytes(data)


def _answers(port: int, calls: list[tuple[str, bytes]]) -> Iterator[tuple[str, str]]:
    """Makes the calls over a connection of their own, some at a time. Yields path and status of each."""
    connection, waiting = Connection(port), deque(calls)
    running: dict[int, str] = {}
    sizes: dict[int, int] = {}
    try:
        while True:
            while waiting and len(running) < IN_FLIGHT and sum(sizes.values()) < BYTES_IN_FLIGHT:
                path, message = waiting.popleft()
                stream = connection.call(path, message[:MESSAGE_BYTES])
                running[stream], sizes[stream] = path, len(message)
            if not running:
                return
            connection.flush()
            if not select.select([connection.socket], (), (), ANSWER_SECONDS)[0]:
                break
            for answer in connection.answers():
                del sizes[answer.stream]
                yield running.pop(answer.stream), answer.status
    except ConnectionError:
        pass
    finally:
        connection.close()
    for path in (*running.values(), *(path for path, _ in waiting)):
        yield path, UNANSWERED


ROW = Row(
    measure,
    at_most={"crashed": 0, "internal": 0, "unanswered": 0, "lists_failed": 0, "unforeseen": 0},
    at_least={"answered": 1},
)

if __name__ == "__main__":
    ROW.main()
