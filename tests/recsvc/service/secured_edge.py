"""A real server with TLS and keys on a real loopback port, over a stand-in backend."""

import asyncio
import importlib
import pkgutil
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import grpc

import recsvc.v1
from recsvc.access.metrics_page import serve_metrics
from recsvc.access.opening import Access, open_access
from recsvc.access.scopes import Scope
from recsvc.registry.backend import Backend
from recsvc.runtime.condition import ServiceCondition
from recsvc.server import listening
from recsvc.service import METHODS
from recsvc.v1 import access_pb2
from tests.recsvc.access.credentials import HOST, Certified, KeysFile
from tests.recsvc.service.edge import edge_settings

Metadata = list[tuple[str, str]]


def all_methods() -> Iterator[tuple[str, Scope, bool]]:
    """Each method of recsvc.v1 by its full name, with its scope and whether it answers with a stream.

    From the descriptors of all generated files, and not from the list that the server has.
    """
    for module in pkgutil.iter_modules(recsvc.v1.__path__):
        if module.name.endswith("_pb2"):
            file = importlib.import_module(f"recsvc.v1.{module.name}").DESCRIPTOR
            for service in file.services_by_name.values():
                for method in service.methods:
                    scope = access_pb2.Scope.Name(method.GetOptions().Extensions[access_pb2.scope])
                    name = f"/{service.full_name}/{method.name}"
                    yield name, Scope(scope.removeprefix("SCOPE_").lower()), method.server_streaming


class Untouchable:
    """A backend that notes whenever anything of it is looked up, once `is_serving`."""

    def __init__(self) -> None:
        self.touched: list[str] = []
        self.is_serving = False
        self.condition = ServiceCondition()  # health shows it, of `store` too

    def __getattr__(self, name: str) -> "Untouchable":
        if self.is_serving:
            self.touched.append(name)
        return self

    def __call__(self, *_: object) -> None:
        self.touched.append("a call")


@dataclass(frozen=True)
class SecuredEdge:
    """What a test needs of the server."""

    port: int
    metrics_port: int
    access: Access
    certified: Certified

    @asynccontextmanager
    async def channel(self, credentials: grpc.ChannelCredentials | None = None) -> AsyncIterator[grpc.aio.Channel]:
        """A connection of its own."""
        options = [("grpc.use_local_subchannel_pool", 1)]
        trusting = credentials or self.certified.channel()
        async with grpc.aio.secure_channel(f"{HOST}:{self.port}", trusting, options) as channel:
            yield channel


@asynccontextmanager
async def secured_edge(backend: object, certified: Certified, **settings: Any) -> AsyncIterator[SecuredEdge]:
    configured = edge_settings(**certified.settings(), **settings)
    async with (
        open_access(configured, METHODS) as access,
        listening(configured, cast("Backend", backend), asyncio.Event(), access) as port,
    ):
        metrics = ExitStack()  # it blocks at its start and end
        metrics_port = await asyncio.to_thread(metrics.enter_context, serve_metrics("127.0.0.1", 0, access))
        try:
            yield SecuredEdge(port, metrics_port, access, certified)
        finally:
            await asyncio.to_thread(metrics.close)


async def raw_call(
    channel: grpc.aio.Channel, method: str, request: bytes, metadata: Metadata, *, is_stream: bool = False
) -> list[bytes]:
    """Sends bytes as they are, and returns the answers."""
    call: Any = channel.unary_stream(method) if is_stream else channel.unary_unary(method)
    answers = call(request, metadata=metadata, timeout=20)
    return [answer async for answer in answers] if is_stream else [await answers]


async def code_of_call(*args: Any, **kwargs: Any) -> grpc.StatusCode:
    try:
        await raw_call(*args, **kwargs)
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def bearer(secret: str) -> Metadata:
    return [("authorization", f"Bearer {secret}")]


def key_of_every_scope(keys: KeysFile, scopes: Iterable[Scope] = Scope) -> dict[Scope, str]:
    return {scope: keys.add(f"only-{scope}", [scope]) for scope in scopes}
