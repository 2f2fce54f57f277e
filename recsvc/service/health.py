"""The health service of gRPC with one change: streams of Watch end when the server stops."""

import asyncio

import grpc
from grpc_health.v1 import health, health_pb2


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

    def end_watches(self) -> None:
        """Ends every stream with OK. Call it after the watchers have got the last status."""
        self._ended = True
        for task in self._watching:
            task.cancel()
