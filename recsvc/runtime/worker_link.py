"""The link between a worker process and its supervisor: lines of JSON over a socket that the worker inherits.

A thread of the worker reads it, so that it also works while the worker is still importing. When the supervisor has
ended, however it ended, the socket closes, and the worker stops in order.
"""

import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import StrEnum
from typing import Any, Self

from prometheus_client import REGISTRY

from recsvc.errors import SettingsError


class Command(StrEnum):
    """What a supervisor asks of a worker. Each is a line."""

    SEND_METRICS = "send_metrics"
    STOP = "stop"
    STOP_AT_ONCE = "stop_at_once"


# What a worker says, as keys of its lines: it serves; it cannot be started; its metrics.
SERVING, PROBLEM, METRICS = "serving", "problem", "metrics"

_OnStop = Callable[[bool], object]  # whether it stops at once


class WorkerLink:
    """The end of a worker.

    Args:
        number: Of the worker, from 1.
        descriptor: Of the socket.
    """

    def __init__(self, number: int, descriptor: int) -> None:
        self.number = number
        self._socket = socket.socket(fileno=descriptor)
        self._socket.set_inheritable(False)
        self._sending = threading.Lock()
        self._on_stop: _OnStop = _end_process
        threading.Thread(target=self._follow, name="supervisor", daemon=True).start()

    @classmethod
    def of_flag(cls, value: str) -> Self:
        """Opens the link that the supervisor has named in a flag: NUMBER:DESCRIPTOR.

        Raises:
            SettingsError: The flag does not come from a supervisor.
        """
        number, _, descriptor = value.partition(":")
        try:
            return cls(int(number), int(descriptor))
        except (ValueError, OSError):
            raise SettingsError("supervised: only recsvc serve --workers sets this flag") from None

    def on_stop(self, stop: _OnStop) -> None:
        """Has `stop` called from another thread when the worker shall stop; with True: at once."""
        self._on_stop = stop

    def say_serving(self, facts: Mapping[str, object]) -> None:
        """Tells the supervisor that the worker answers. facts: for the supervisor's line of the log."""
        self._send({SERVING: dict(facts)})

    def say_problem(self, problem: str) -> None:
        """Tells the supervisor why no worker can be started with these settings."""
        self._send({PROBLEM: problem})

    def _follow(self) -> None:
        with suppress(OSError), self._socket.makefile("r", encoding="utf-8") as lines:
            for line in lines:
                match line.strip():
                    case Command.SEND_METRICS:
                        self._send({METRICS: read_metrics()})
                    case Command.STOP:
                        self._stop()
                    case Command.STOP_AT_ONCE:
                        self._stop(at_once=True)
        self._stop()

    def _stop(self, *, at_once: bool = False) -> None:
        with suppress(RuntimeError):  # the event loop has ended, and the process is about to
            self._on_stop(at_once)

    def _send(self, message: dict[str, object]) -> None:
        with self._sending, suppress(OSError):  # the supervisor has ended: `_follow` sees it too
            self._socket.sendall(json.dumps(message).encode() + b"\n")


def _end_process(_at_once: bool) -> None:  # noqa: FBT001 - it is an `_OnStop`
    os.kill(os.getpid(), signal.SIGTERM)


def read_metrics() -> list[dict[str, Any]]:
    """Returns the metrics of this process as JSON has them."""
    return [
        {
            "name": metric.name,
            "help": metric.documentation,
            "type": metric.type,
            "samples": [[sample.name, sample.labels, sample.value] for sample in metric.samples],
        }
        for metric in REGISTRY.collect()
    ]
