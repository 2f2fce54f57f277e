"""The health service of gRPC: each rung of the degradation ladder is a service, and watches end with the server."""

import asyncio
from typing import NoReturn

import grpc
from grpc_health.v1 import health, health_pb2

from recsvc.runtime.condition import ServiceCondition
from recsvc.runtime.rungs import Rung

CONDITION_PREFIX = "recsvc.condition."


class HealthService(health.aio.HealthServicer):  # type: ignore[misc]  # published without types
    """Ends watches on request. Otherwise a stopping server would wait its whole grace period for them."""

    def __init__(self) -> None:
        super().__init__()
        self._watching: set[asyncio.Task[object]] = set()
        self._ended = False

    async def Watch(
        self,
        request: health_pb2.HealthCheckRequest,
        context: "grpc.aio.ServicerContext[health_pb2.HealthCheckRequest, health_pb2.HealthCheckResponse]",
    ) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for the type checker: a coroutine always runs in a task
        self._watching.add(task)
        try:
            await super().Watch(request, context)
        except asyncio.CancelledError:
            if not self._ended:  # the caller cancelled
                raise
        finally:
            self._watching.discard(task)

    async def List(
        self,
        request: health_pb2.HealthListRequest,
        context: "grpc.aio.ServicerContext[health_pb2.HealthListRequest, health_pb2.HealthListResponse]",
    ) -> NoReturn:
        """Refuses: the library does not implement it, and would log a traceback for each call."""
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "use Check or Watch")

    async def show(self, condition: ServiceCondition) -> None:
        """Shows each rung as the service `recsvc.condition.<name>`: NOT_SERVING while the process is on it.

        The service "" stays SERVING: a balancer must not take away a process that still makes lists.
        """
        for rung in Rung:
            status = health_pb2.HealthCheckResponse
            await self.set(CONDITION_PREFIX + rung, status.NOT_SERVING if condition.is_on(rung) else status.SERVING)

    async def follow(self, condition: ServiceCondition) -> NoReturn:
        """Shows the condition again after each change, until it is cancelled."""
        while True:
            changed = condition.changed  # before the state is read: no change may be missed
            await self.show(condition)
            await changed.wait()

    def end_watches(self) -> None:
        """Ends every stream with OK. Call it after the watchers have got the last status."""
        self._ended = True
        for task in self._watching:
            task.cancel()
