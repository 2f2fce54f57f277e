"""The audit log: one JSON line for each call that changes something or reveals what is held about users.

A line says who made which call, when, and how it ended. It has no ids of users or items: a log that is kept for years
must not remember whom the service has erased.
"""

import json
import logging
import logging.handlers
import os
import queue
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path

import structlog

from recsvc.errors import SettingsError
from recsvc.runtime.logs import LineLimit
from recsvc.runtime.metrics import AUDIT_LINES_LOST

_MAX_WAITING_LINES = 10_000
_TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}.*", re.ASCII)

_log = structlog.get_logger(__name__)


class AuditLog:
    """Writes lines into a file from a thread of its own, or into the log of the process.

    Args:
        lines: Takes the lines for the file. None: the log of the process.
    """

    def __init__(self, lines: "queue.Queue[logging.LogRecord] | None") -> None:
        self._lines = lines
        self._losses = LineLimit(lines=1, seconds=60)

    def write(self, caller_id: str, method: str, outcome: str, traceparent: str = "", **left_out: int) -> None:
        """Writes a line.

        Args:
            caller_id: Who called; "" if that is not known.
            method: Its full name.
            outcome: Name of the gRPC status code.
            traceparent: As the W3C defines it; "" for none.
            left_out: How many lines like this one were left out before it.
        """
        match = _TRACE.fullmatch(traceparent)
        trace = {"trace_id": match[1]} if match else {}
        if self._lines is None:
            _log.info("audit", caller=caller_id, method=method, outcome=outcome, **trace, **left_out)
            return
        line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "caller": caller_id, "method": method}
        text = json.dumps({**line, "outcome": outcome, **trace, **left_out})
        try:
            self._lines.put_nowait(logging.makeLogRecord({"msg": text}))
        except queue.Full:
            self.lose()

    def lose(self) -> None:
        """Counts a line that could not be written."""
        AUDIT_LINES_LOST.inc()
        if self._losses.left_out("", time.monotonic()) is not None:
            _log.error("audit_lines_lost", problem="the audit log cannot be written, or not fast enough")


@contextmanager
def open_audit_log(path: Path | None) -> Iterator[AuditLog]:
    """Yields the audit log. At the end all lines are written.

    Args:
        path: Of the file. It can be renamed at any time, and is then made again. None: the log of the process.

    Raises:
        SettingsError: The file cannot be written.
    """
    if path is None:
        logging.getLogger(__name__).setLevel(logging.INFO)  # whatever is logged of other things
        yield AuditLog(None)
        return
    lines: queue.Queue[logging.LogRecord] = queue.Queue(_MAX_WAITING_LINES)
    log = AuditLog(lines)
    try:
        handler = _File(path, log)
    except OSError as error:
        raise SettingsError(f"audit_log: cannot write {path}: {error.strerror}") from None
    listener = logging.handlers.QueueListener(lines, handler)
    listener.start()
    try:
        yield log
    finally:
        _stop(listener, lines)
        with suppress(OSError):  # the disk is full: the lines are counted as lost
            handler.close()


def _stop(listener: logging.handlers.QueueListener, lines: "queue.Queue[logging.LogRecord]") -> None:
    # A full queue has no place for the mark of its end: `stop` would raise.
    while lines.full():
        time.sleep(0.01)
    listener.stop()


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class _File(logging.handlers.WatchedFileHandler):
    """The file. Only its owner can read it, unless somebody made it before."""

    def __init__(self, path: Path, log: AuditLog) -> None:
        self._log = log
        super().__init__(path, encoding="utf-8")

    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, "a", encoding="utf-8", opener=_open_private)

    def emit(self, record: logging.LogRecord) -> None:
        """Writes a line. If the file cannot be opened again, the line is lost and the next one tries again."""
        try:
            super().emit(record)
        except OSError:  # it would end the thread that writes
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - the name is of logging
        self._log.lose()
