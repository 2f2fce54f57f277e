"""Wraps the methods of gRPC's own services: health, which anybody may call, and reflection, which needs a key."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from recsvc.access.gate import AccessGate
from recsvc.service.core_calls import Handler
from recsvc.service.refusals import Context, admit, fail, not_a_message

_HEALTH = "/grpc.health.v1.Health/"  # probes have no key


def guarded(method: str, handler: Handler, gate: AccessGate | None) -> Handler | None:
    """Returns the handler of a method, wrapped. None: a further method of another shape is not offered at all.

    Args:
        method: Such as "/package.Service/Method".
        handler: Of the library.
        gate: Admits calls by their key or token. None: anybody may call.
    """
    decode, encode = handler.request_deserializer, handler.response_serializer

    async def call(raw: bytes, context: Context) -> Any:  # noqa: ANN401 - its messages have no common type
        return await (handler.unary_unary or handler.unary_stream)(
            await _decoded(method, decode, raw, context), context
        )

    async def stream(raws: AsyncIterator[bytes], context: Context) -> AsyncIterator[Any]:
        admission = None if gate is None else await admit(gate, method, context)
        try:
            requests = (await _decoded(method, decode, raw, context) async for raw in raws)
            async for response in handler.stream_stream(requests, context):
                yield response
        finally:
            if admission is not None:
                admission.end(grpc.StatusCode.OK.name)

    if handler.stream_stream is not None:
        return grpc.stream_stream_rpc_method_handler(stream, None, encode)
    is_stream = handler.unary_stream is not None
    make = grpc.unary_stream_rpc_method_handler if is_stream else grpc.unary_unary_rpc_method_handler
    return make(call, None, encode) if method.startswith(_HEALTH) else None


async def _decoded(method: str, decode: Callable[[bytes], Any], raw: bytes, context: Context) -> Any:  # noqa: ANN401
    try:
        return decode(raw)
    except DecodeError:
        await fail(method, not_a_message(), context)
