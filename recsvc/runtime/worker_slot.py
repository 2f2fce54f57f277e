"""One worker of a supervisor: starts its process, starts it again when it ends, and talks to it over its link."""

import asyncio
import json
import signal
import socket
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import structlog

from recsvc.errors import SettingsError, WorkersFailing
from recsvc.runtime.metrics import WORKER_RESTARTS, WORKER_UP
from recsvc.runtime.metrics_sum import Page, counts
from recsvc.runtime.worker_link import Command

_FIRST_BACKOFF_SECONDS = 0.1
_LONGEST_BACKOFF_SECONDS = 10.0
# A process that served for this long is no part of a row of failures.
_STEADY_SECONDS = 30.0
# Processes in a row that ended before they served, and that served for a short time only.
_MOST_UNSERVED, _MOST_SHORT = 5, 20
_READ_SECONDS = 2.0  # a process that does not send its metrics within this time is left out
_LONGEST_LINE_BYTES = 64 * 1024 * 1024  # its metrics are one line, some 0.2 MB

_log = structlog.get_logger(__name__)


class WorkerSlot:
    """A place for one process at a time.

    Args:
        number: From 1.
        command: Makes the command line from the number and the descriptor of the link.
        environment: Of the process.
        unusable_code: The exit code of a process that cannot be started with its settings.
        on_serving: Is called when a process answers.
        on_ended: Is called with the counts of a process that has ended.
        others_serve: Says whether another worker answers.
    """

    def __init__(
        self,
        number: int,
        *,
        command: Callable[[int, int], Sequence[str]],
        environment: Mapping[str, str],
        unusable_code: int,
        on_serving: Callable[[], object],
        on_ended: Callable[[Page], object],
        others_serve: Callable[[], bool],
    ) -> None:
        self.number = number
        self.facts: Mapping[str, object] | None = None  # of a process that answers
        self._command = command
        self._environment = environment
        self._unusable_code = unusable_code
        self._on_serving = on_serving
        self._on_ended = on_ended
        self._others_serve = others_serve
        self._stopping = asyncio.Event()
        self._asked: Command | None = None
        self._process: Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._serving_since = 0.0
        self._problem = ""
        self._page: Page = ()
        self._reading: asyncio.Future[Page] | None = None
        self._up = WORKER_UP.labels(str(number))
        self._up.set(0)
        self._restarts = WORKER_RESTARTS.labels(str(number))

    async def keep_running(self) -> None:
        """Runs a process, and another one when it ends. Returns after `stop`, when the process has ended.

        Raises:
            SettingsError: The process cannot be started with these settings.
            WorkersFailing: It ends again and again, and no other worker answers.
        """
        unserved = short = 0
        while True:
            ended = await self._run()
            if self._stopping.is_set():
                return
            if self._problem or ended == f"code {self._unusable_code}":
                raise SettingsError(self._problem or f"worker {self.number} cannot be started: its own line says why")
            served = time.monotonic() - self._serving_since if self._serving_since else 0.0
            unserved = 0 if served else unserved + 1
            short = 1 if served > _STEADY_SECONDS else short + 1
            pause = min(_FIRST_BACKOFF_SECONDS * 2 ** (short - 1), _LONGEST_BACKOFF_SECONDS)
            fields = {"worker": self.number, "ended_with": ended, "served_seconds": round(served, 1)}
            if (unserved >= _MOST_UNSERVED or short >= _MOST_SHORT) and not self._others_serve():
                _log.error("worker_ended", **fields)
                raise WorkersFailing(
                    f"worker {self.number} ended {short} times in a row, the last time with {ended}, and no other "
                    "worker answers: see the log above"
                )
            _log.error("worker_ended", **fields, starts_again_after_seconds=pause)
            self._restarts.inc()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
                return

    def stop(self, *, at_once: bool = False) -> None:
        """Asks the process to finish its calls and end; at once: to end without them."""
        self._stopping.set()
        self._asked = Command.STOP_AT_ONCE if at_once else Command.STOP
        self._ask(self._asked)

    def kill(self) -> None:
        """Ends a process that does not end."""
        if self._process is not None and self._process.returncode is None:
            _log.error("worker_killed", worker=self.number, reason="it did not end in time")
            self._process.kill()

    async def read(self) -> Page:
        """Returns its metrics; of one that does not answer in time, what it had counted when it last did."""
        if self.facts is None:
            return ()
        if self._reading is None:
            self._reading = asyncio.get_running_loop().create_future()
            self._ask(Command.SEND_METRICS)
        with suppress(TimeoutError):
            return await asyncio.wait_for(asyncio.shield(self._reading), _READ_SECONDS)
        return counts(self._page)

    async def _run(self) -> str:
        """Runs one process. Returns how it ended."""
        self._problem, self._serving_since, self._page = "", 0.0, ()
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = self._process = await asyncio.create_subprocess_exec(
                    *self._command(self.number, theirs.fileno()),
                    pass_fds=(theirs.fileno(),),
                    env=self._environment,
                    stdin=DEVNULL,
                    # Ctrl-C in a terminal reaches the whole process group, but the supervisor says when to stop.
                    start_new_session=True,
                )
            except OSError as error:  # no memory, or too many processes
                ours.close()
                return f"{error.strerror}, before it was started"
        reader, self._writer = await asyncio.open_unix_connection(sock=ours, limit=_LONGEST_LINE_BYTES)
        if self._asked is not None:
            self._ask(self._asked)
        try:
            while line := await reader.readline():
                self._take(json.loads(line))
        except ConnectionError:  # it ended with something unread
            pass
        finally:
            self._writer.close()
            self._writer = None
        code = await process.wait()
        self._end()
        return f"code {code}" if code >= 0 else signal.Signals(-code).name

    def _take(self, message: Mapping[str, Any]) -> None:
        match message:
            case {"serving": facts}:
                self.facts, self._serving_since = facts, time.monotonic()
                self._up.set(1)
                self._on_serving()
            case {"problem": problem}:
                self._problem = problem
            case {"metrics": page}:
                self._page = page
                if self._reading is not None:
                    self._reading.set_result(page)
                    self._reading = None

    def _end(self) -> None:
        self.facts = None
        self._up.set(0)
        self._on_ended(counts(self._page))
        if self._reading is not None:
            self._reading.set_result(())  # its counts are among those of the ended ones
            self._reading = None

    def _ask(self, command: Command) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(f"{command}\n".encode())
