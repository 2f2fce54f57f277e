"""Traces the calls of the shop, so that a trace goes from the page through the service to Redis.

On if OTEL_EXPORTER_OTLP_ENDPOINT names a collector, as OpenTelemetry's own tools have it. Needs the extra `tracing`.
"""

import os
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import grpc

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

Request = TypeVar("Request")
Response = TypeVar("Response")

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


def client_interceptors() -> list[grpc.aio.ClientInterceptor]:
    """Returns what a channel needs to trace its calls; nothing if no collector is named."""
    if not os.environ.get(ENDPOINT):
        return []
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  an extra
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        sys.exit(f"error: {ENDPOINT} is set, and tracing needs {missing.name}; pip install 'recsvc[tracing]' brings it")
    provider = TracerProvider(resource=Resource.create({"service.name": "storefront"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return [TracedCalls(provider.get_tracer("storefront"))]


class TracedCalls(grpc.aio.UnaryUnaryClientInterceptor):
    """Makes a span of each call, and sends its `traceparent` along.

    Args:
        tracer: Of OpenTelemetry.
    """

    def __init__(self, tracer: "Tracer") -> None:
        self._tracer = tracer

    async def intercept_unary_unary(
        self,
        continuation: Callable[
            [grpc.aio.ClientCallDetails, Request], Awaitable[grpc.aio.UnaryUnaryCall[Request, Response]]
        ],
        client_call_details: grpc.aio.ClientCallDetails,
        request: Request,
    ) -> grpc.aio.UnaryUnaryCall[Request, Response]:
        """Sends the call within a span. Any status but OK is an error of a client's span."""
        from opentelemetry.trace import SpanKind, Status, StatusCode  # noqa: PLC0415  an extra
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        sent = client_call_details
        method = sent.method
        name = (method.decode() if isinstance(method, bytes) else method).removeprefix("/")
        attributes = {"rpc.system.name": "grpc", "rpc.method": name}
        with self._tracer.start_as_current_span(name, kind=SpanKind.CLIENT, attributes=attributes) as span:
            carrier: dict[str, str] = {}
            TraceContextTextMapPropagator().inject(carrier)
            metadata = grpc.aio.Metadata(*(sent.metadata or ()), *carrier.items())
            traced = grpc.aio.ClientCallDetails(method, sent.timeout, metadata, sent.credentials, sent.wait_for_ready)
            call = await continuation(traced, request)
            code = await call.code()
            span.set_attribute("rpc.response.status_code", code.name)
            if code is not grpc.StatusCode.OK:
                span.set_attribute("error.type", code.name)
                span.set_status(Status(StatusCode.ERROR))
            return call
