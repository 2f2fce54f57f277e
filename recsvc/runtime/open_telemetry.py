"""The spans of OpenTelemetry, by its semantic conventions 1.45 for gRPC servers and for Redis clients.

Only `recsvc.runtime.tracing` imports this module: it needs the extra `tracing`.
"""

import threading
from asyncio import CancelledError
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType

from opentelemetry.context import Context, attach, detach
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, get_current_span, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from recsvc.runtime.process_name import process_name
from recsvc.runtime.tracing import Attribute, CallContext

# The statuses that are a server's fault, by the semantic conventions. A refusal such as INVALID_ARGUMENT or
# RESOURCE_EXHAUSTED is no error of the server: its status stays unset.
_ERROR_CODES = frozenset({"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"})
_TRACEPARENT = "traceparent"
_EXPORT_SECONDS = 5.0  # of one request to the collector; spans wait meanwhile, calls do not
_LEFT = (CancelledError, GeneratorExit)  # the caller left, or its deadline passed

_NOTHING: AbstractContextManager[None] = nullcontext()
_PROPAGATOR = TraceContextTextMapPropagator()


class OpenTelemetry:
    """Makes spans and exports them; see `recsvc.runtime.tracing.Tracer`.

    Args:
        endpoint: Of the collector.
        share: Of the calls without a sampled parent that are traced, 0 to 1.
        version: Of recsvc.
    """

    def __init__(self, endpoint: str, share: float, version: str) -> None:
        resource = Resource.create(
            {
                "service.name": "recsvc",
                "service.version": version,
                "service.instance.id": process_name(),
            }
        )
        sampler = ParentBased(TraceIdRatioBased(share))
        self._provider = TracerProvider(sampler=sampler, resource=resource, shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint, timeout=_EXPORT_SECONDS)
        self._processor = BatchSpanProcessor(exporter)
        self._provider.add_span_processor(self._processor)
        self._tracer = self._provider.get_tracer("recsvc", version)

    def call_span(self, method: str, context: CallContext) -> "_CallSpan":
        """See `recsvc.runtime.tracing.call_span`."""
        name = method[1:]
        span = self._tracer.start_span(
            name,
            context=_context_of_caller(context),
            kind=SpanKind.SERVER,
            attributes={"rpc.system.name": "grpc", "rpc.method": name},
        )
        return _CallSpan(span, context)

    def redis_span(self, operation: str) -> AbstractContextManager[object]:
        """See `recsvc.runtime.tracing.redis_span`."""
        if not get_current_span().is_recording():
            return _NOTHING
        attributes = {"db.system.name": "redis", "db.operation.name": operation}
        return _StepSpan(self._tracer.start_span(operation, kind=SpanKind.CLIENT, attributes=attributes))

    def span(self, name: str, attributes: Mapping[str, Attribute]) -> AbstractContextManager[object]:
        """See `recsvc.runtime.tracing.span`."""
        if not get_current_span().is_recording():
            return _NOTHING
        named = {f"recsvc.{key}": value for key, value in attributes.items()}
        return _StepSpan(self._tracer.start_span(name, attributes=named))

    def trace_ids(self) -> dict[str, str]:
        """See `recsvc.runtime.tracing.trace_ids`."""
        context = get_current_span().get_span_context()
        if not context.is_valid:
            return {}
        return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}

    def close(self, seconds: float) -> None:
        """See `recsvc.runtime.tracing.stop_tracing`."""
        # Its own time limit cannot be set through the provider, and a collector that is away takes all of it.
        closing = threading.Thread(target=self._provider.shutdown, name="close_traces", daemon=True)
        closing.start()
        closing.join(seconds)


class _CallSpan:
    """The span of a call; its status is the one of the call."""

    def __init__(self, span: Span, context: CallContext) -> None:
        self._span = span
        self._context = context

    def __enter__(self) -> None:
        # Not detached: the context is the one of the call's own task. A stream may be closed in another one.
        attach(set_span_in_context(self._span))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        span = self._span
        if span.is_recording():
            code = self._code(error)
            span.set_attribute("rpc.response.status_code", code)
            if code in _ERROR_CODES:
                span.set_attribute("error.type", code)
                span.set_status(Status(StatusCode.ERROR))
                _add_exception(span, error)
        span.end()

    def _code(self, error: BaseException | None) -> str:
        if error is None:
            return "OK"
        if isinstance(error, _LEFT):
            return "CANCELLED"
        code = getattr(self._context.code(), "name", "UNKNOWN")
        return "UNKNOWN" if code == "OK" else str(code)


class _StepSpan:
    """The span of a step within a call; an exception that leaves it makes it an error."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def __enter__(self) -> None:
        self._token = attach(set_span_in_context(self._span))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        detach(self._token)
        span = self._span
        if error is not None and not isinstance(error, _LEFT) and span.is_recording():
            span.set_attribute("error.type", _cause(error))
            span.set_status(Status(StatusCode.ERROR))
        span.end()


def _context_of_caller(context: CallContext) -> Context:
    """Returns the context of a new call: that of its caller's span, if it sent a `traceparent`.

    `tracestate` and `baggage` are not read: callers put words of their own there, and spans would export them.
    """
    for key, value in context.invocation_metadata() or ():
        if key == _TRACEPARENT and isinstance(value, str):
            return _PROPAGATOR.extract({_TRACEPARENT: value}, Context())
    return Context()


def _add_exception(span: Span, error: BaseException | None) -> None:
    """Adds the class of the exception behind an error. Its text and traceback stay in the log: they may hold data."""
    if error is not None:
        span.add_event("exception", {"exception.type": _cause(error)})


def _cause(error: BaseException) -> str:
    """Returns the class of the error that was handled when this one was raised; else of this one."""
    return type(error.__context__ or error).__qualname__
