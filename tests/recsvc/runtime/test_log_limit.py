"""A kind of line fills no disk: the first lines of a period are written, the others are counted."""

import logging
import sys

import pytest

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


@pytest.mark.parametrize("logger", ["grpc._cython.cygrpc", "asyncio"])
@pytest.mark.parametrize(("error", "lines"), [(ExecuteBatchError(), 0), (RuntimeError("no"), 1)])
def test_a_traceback_of_grpc_about_a_caller_that_hung_up_is_not_logged(logger, error, lines, capsys) -> None:
    root, library = logging.getLogger(), logging.getLogger(logger)
    handlers, level = root.handlers[:], root.level
    try:
        configure_logs("info", "json")
        root.handlers[0].setStream(sys.stderr)  # type: ignore[attr-defined]
        try:
            raise error
        except type(error):
            library.exception("raised in core by servicer method [/a.B/C]")
        assert len(capsys.readouterr().err.splitlines()) == lines
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
