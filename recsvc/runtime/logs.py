"""Configures the logs: one event a line on standard error, as JSON or for a terminal, those of libraries too."""

import logging
import sys
from collections.abc import Hashable
from typing import Literal

import structlog


class LineLimit:
    """Limits the lines of one kind of event, and counts those that are left out.

    Args:
        lines: Most lines of a key in each period.
        seconds: Length of a period. It begins with a line.
    """

    def __init__(self, lines: int, seconds: float) -> None:
        self._lines = lines
        self._seconds = seconds
        self._periods: dict[Hashable, tuple[float, int]] = {}

    def left_out(self, key: Hashable, now: float) -> dict[str, int] | None:
        """Returns None if the line is to be left out, else what to add to it: the number of lines that were left out.

        Args:
            key: What is counted apart. There must be few of them.
            now: In seconds.
        """
        start, count = self._periods.get(key, (now, 0))
        if now - start < self._seconds:
            self._periods[key] = (start, count + 1)
            return {} if count < self._lines else None
        self._periods[key] = (now, 1)
        return {"left_out": count - self._lines} if count > self._lines else {}


def configure_logs(level: str, log_format: Literal["json", "console"]) -> None:
    """Sends all log lines of the process to standard error. The command line calls it once.

    Args:
        level: Lowest severity that is logged, such as "info".
        log_format: How a line looks.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
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
    # It logs each index that it builds, at a level of its own.
    logging.getLogger("bm25s").setLevel(logging.WARNING)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    handler.addFilter(_is_no_hang_up)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())


def _is_no_hang_up(record: logging.LogRecord) -> bool:
    """Returns False for a traceback of grpc.aio, or of its tasks, that says only that a caller hung up."""
    kind = record.exc_info[0] if record.exc_info else None
    return kind is None or kind.__name__ != "ExecuteBatchError"
