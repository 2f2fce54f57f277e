"""Configures the logs: one event a line on standard error, as JSON or for a terminal, those of libraries too."""

import logging
import sys
import time
from collections.abc import Hashable
from typing import Literal

import structlog

from recsvc.runtime.tracing import trace_ids

# Of one kind of line below the level of errors. A kind is a logger, a level and an event.
_REPEATED_LINES, _REPEAT_SECONDS = 50, 10.0
# Its lines repeat, and each of them counts: a line of the audit log may not be left out.
_COMPLETE_LOGGER = "recsvc.access.audit"
# Libraries put values into their events, so that each is a kind of its own. No more kinds than these are counted.
_MOST_KINDS = 1_000


class LineLimit:
    """Limits the lines of one kind of event, and counts those that are left out.

    Args:
        lines: Most lines of a key in each period.
        seconds: Length of a period. It begins with a line.
        most_keys: That are remembered. With more, all counts start again.
    """

    def __init__(self, lines: int, seconds: float, most_keys: int = _MOST_KINDS) -> None:
        self._lines = lines
        self._seconds = seconds
        self._most_keys = most_keys
        self._periods: dict[Hashable, tuple[float, int]] = {}

    def left_out(self, key: Hashable, now: float) -> dict[str, int] | None:
        """Returns None if the line is to be left out, else what to add to it: the number of lines that were left out.

        Args:
            key: What is counted apart.
            now: In seconds.
        """
        if len(self._periods) >= self._most_keys and key not in self._periods:
            self._periods.clear()
        start, count = self._periods.get(key, (now, 0))
        if now - start < self._seconds:
            self._periods[key] = (start, count + 1)
            return {} if count < self._lines else None
        self._periods[key] = (now, 1)
        return {"left_out": count - self._lines} if count > self._lines else {}


def configure_logs(level: str, log_format: Literal["json", "console"], worker: int | None = None) -> None:
    """Sends all log lines of the process to standard error. The command line calls it once.

    Args:
        level: Lowest severity that is logged, such as "info".
        log_format: How a line looks.
        worker: Number of this worker process, for each of its lines.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace_ids,
    ]
    if worker is not None:
        shared.append(lambda _logger, _method, line: {**line, "worker": worker})
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    # Plain tracebacks: the rich ones print local variables, which hold data of users.
    rendering: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
        if log_format == "json"
        else [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    )
    # It logs each index that it builds, and sets its level when it is loaded.
    logging.getLogger("bm25s").addFilter(lambda record: record.levelno >= logging.WARNING)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    handler.addFilter(_is_no_hang_up)
    handler.addFilter(_without_metadata)
    handler.addFilter(_RepeatedLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())


class _RepeatedLines(logging.Filter):
    """Leaves out most of the lines that repeat. Errors, audit lines and the level debug are all written."""

    def __init__(self) -> None:
        super().__init__()
        self._limit = LineLimit(_REPEATED_LINES, _REPEAT_SECONDS)

    def filter(self, record: logging.LogRecord) -> bool:
        """Returns whether a line is written. Adds to it how many like it were not."""
        if not logging.INFO <= record.levelno < logging.ERROR or record.name == _COMPLETE_LOGGER:
            return True
        line = record.msg  # the fields of a line of ours; the text of a library's
        event = line.get("event") if isinstance(line, dict) else str(line)
        left_out = self._limit.left_out((record.name, record.levelno, event), time.monotonic())
        if left_out is None:
            return False
        if left_out:
            count = left_out["left_out"]
            if isinstance(line, dict):
                record.msg = {**line, "left_out": line.get("left_out", 0) + count}
            else:
                record.msg = f"{line} ({count} such lines left out)"
        return True


def _add_trace_ids(_logger: object, _method: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Adds the trace of the running call to a line, so that a line leads to its trace and back."""
    line.update(trace_ids())
    return line


def _is_no_hang_up(record: logging.LogRecord) -> bool:
    """Returns False for a traceback of grpc.aio, or of its tasks, that says only that a caller hung up."""
    kind = record.exc_info[0] if record.exc_info else None
    return kind is None or kind.__name__ != "ExecuteBatchError"


def _without_metadata(record: logging.LogRecord) -> bool:
    """Removes what a caller sent from a line of grpc about metadata that is not UTF-8: a key may be in it.

    The line is no error then, so that it can be left out when it repeats.
    """
    if record.msg == "Invalid encoding on %s":
        record.msg, record.args = "a caller sent metadata that is not UTF-8", ()
        record.exc_info, record.levelno, record.levelname = None, logging.INFO, "INFO"
    return True
