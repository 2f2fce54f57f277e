"""A kind of line fills no disk: the first lines of a period are written, the others are counted."""

import io
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
import structlog

from recsvc.access import audit
from recsvc.runtime import logs
from recsvc.runtime.logs import LineLimit, configure_logs


def test_the_first_lines_of_a_period_are_written_and_the_others_counted() -> None:
    limit = LineLimit(lines=2, seconds=10)
    assert [limit.left_out("a", now) for now in (0, 1, 2, 9)] == [{}, {}, None, None]
    assert limit.left_out("a", 10) == {"left_out": 2}
    assert limit.left_out("a", 11) == {}


def test_each_key_is_counted_apart() -> None:
    limit = LineLimit(lines=1, seconds=10)
    assert limit.left_out("a", 0) == {}
    assert limit.left_out("b", 0) == {}
    assert limit.left_out("a", 1) is None


def test_a_quiet_period_has_nothing_to_add() -> None:
    limit = LineLimit(lines=1, seconds=10)
    assert limit.left_out("a", 0) == {}
    assert limit.left_out("a", 100) == {}


class ExecuteBatchError(Exception):
    """Has the name of the error of grpc.aio, which cannot be made here."""


Written = Callable[[], list[dict[str, object]]]


@pytest.fixture
def written() -> Iterator[Written]:
    """Configures the logs at info, and returns the lines since the last call."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logs("info", "json")
    stream = io.StringIO()
    root.handlers[0].setStream(stream)  # type: ignore[attr-defined]

    def lines() -> list[dict[str, object]]:
        text = stream.getvalue()
        stream.seek(0)
        stream.truncate()
        return [json.loads(line) for line in text.splitlines()]

    yield lines
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize("logger", ["grpc._cython.cygrpc", "asyncio"])
@pytest.mark.parametrize(("error", "lines"), [(ExecuteBatchError(), 0), (RuntimeError("no"), 1)])
def test_a_traceback_of_grpc_about_a_caller_that_hung_up_is_not_logged(
    written: Written, logger: str, error: Exception, lines: int
) -> None:
    try:
        raise error
    except type(error):
        logging.getLogger(logger).exception("raised in core by servicer method [/a.B/C]")
    assert len(written()) == lines


def test_lines_of_the_word_index_are_logged_from_warnings_on(written: Written) -> None:
    library = logging.getLogger("bm25s")
    library.setLevel(logging.DEBUG)  # as the library does when it is loaded
    library.debug("Building index from tokens")
    library.warning("no")
    assert [line["event"] for line in written()] == ["no"]


def test_metadata_that_is_not_utf_8_is_not_repeated_in_the_log(written: Written) -> None:
    """grpc.aio logs the value, which may be a key or the id of a user, as an error: without any limit."""
    for _ in range(60):
        try:
            b"Bearer recsvc_secret\xe9".decode()
        except UnicodeDecodeError:
            logging.getLogger("grpc._cython.cygrpc").exception("Invalid encoding on %s", b"Bearer recsvc_secret\xe9")
    lines = written()
    assert "recsvc_secret" not in str(lines)
    assert len(lines) == 50


def test_no_line_of_the_audit_log_is_left_out(written: Written) -> None:
    """Without a file it is in the log of the process, where other lines that repeat are left out."""
    root, library = logging.getLogger(), logging.getLogger(audit.__name__)
    level = library.level
    root.setLevel(logging.WARNING)  # as with --log-level warning: audit lines are info
    try:
        with audit.open_audit_log(None):
            for _ in range(200):
                library.info("audit")
        assert len(written()) == 200
    finally:
        library.setLevel(level)


def test_as_many_kinds_as_there_are_lines_fill_no_memory() -> None:
    limit = LineLimit(lines=1, seconds=10, most_keys=100)
    assert [limit.left_out(number, 0) for number in range(1_000)] == [{}] * 1_000
    assert len(limit._periods) <= 100  # noqa: SLF001 - a bound that no caller sees


def test_repeated_lines_are_left_out_and_counted_errors_are_not(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000.0
    monkeypatch.setattr(logs, "time", SimpleNamespace(monotonic=lambda: now))
    log = structlog.get_logger("a")
    for number in range(200):
        log.warning("redis_slow", number=number)
        log.error("call_failed", number=number)
        logging.getLogger("library").warning("slow %s", number)
    events = Counter(str(line["event"]).split(" ")[0] for line in written())
    assert events == {"redis_slow": 50, "call_failed": 200, "slow": 50}
    now += 10
    log.warning("redis_slow", number=200)
    logging.getLogger("library").warning("slow %s", 200)
    ours, theirs = written()
    assert (ours["left_out"], ours["number"]) == (150, 200)
    assert theirs["event"] == "slow 200 (150 such lines left out)"
