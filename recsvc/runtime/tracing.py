"""Traces calls as OpenTelemetry defines it. Off until `start_tracing`: until then each function here does nothing.

The package opentelemetry is the extra `tracing`. It is imported when tracing starts, and not before.

Names and attributes of spans hold no ids, no keys and no words of users: they are constants of this code and numbers.
"""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from recsvc.errors import SettingsError

Attribute = str | int | float


class CallContext(Protocol):
    """The parts of a gRPC context that a trace needs."""

    def invocation_metadata(self) -> Iterable[Any] | None:
        """The metadata that the caller sent: pairs of a key and a value."""

    def code(self) -> object:
        """The status of a call that was aborted: an enum."""


class Tracer(Protocol):
    """Makes spans; see the functions of this module."""

    def call_span(self, method: str, context: CallContext) -> AbstractContextManager[object]:
        """See `call_span`."""

    def redis_span(self, operation: str) -> AbstractContextManager[object]:
        """See `redis_span`."""

    def span(self, name: str, attributes: Mapping[str, Attribute]) -> AbstractContextManager[object]:
        """See `span`."""

    def trace_ids(self) -> dict[str, str]:
        """See `trace_ids`."""

    def close(self, seconds: float) -> None:
        """See `stop_tracing`."""


_NOTHING: AbstractContextManager[None] = nullcontext()

_tracer: Tracer | None = None


def start_tracing(endpoint: str, share: float, *, version: str) -> None:
    """Traces calls from now on, and sends the spans to a collector from a thread of its own.

    Args:
        endpoint: Address of the collector for OTLP over HTTP, such as "http://collector:4318/v1/traces".
        share: The part of the calls that is traced, 0 to 1. A caller that sends a `traceparent` decides for its calls.
        version: Of recsvc.

    Raises:
        SettingsError: The extra `tracing` is not installed.
    """
    global _tracer  # noqa: PLW0603  one process has one tracer, and each span asks for it
    check_installed()
    from recsvc.runtime.open_telemetry import OpenTelemetry  # noqa: PLC0415  an extra that few processes load

    _tracer = OpenTelemetry(endpoint, share, version)


def check_installed() -> None:
    """Raises SettingsError if the extra `tracing` is not installed."""
    try:
        import recsvc.runtime.open_telemetry  # noqa: F401, PLC0415  as above
    except ModuleNotFoundError as missing:
        raise SettingsError(
            f"trace_endpoint: tracing needs {missing.name}; pip install 'recsvc[tracing]' brings it"
        ) from None


def stop_tracing(seconds: float) -> None:
    """Sends the spans that are waiting, and traces no further calls. Blocks.

    Args:
        seconds: To wait for the collector at most; then the spans are lost.
    """
    global _tracer
    tracer, _tracer = _tracer, None
    if tracer is not None:
        tracer.close(seconds)


def call_span(method: str, context: CallContext) -> AbstractContextManager[object]:
    """Covers one call. It goes on with the trace of its caller. A status that is the service's fault is an error.

    The call must run in a task of its own: the span stays the current one until the task ends.

    Args:
        method: Full name, such as "/recsvc.v1.RecommendationService/Recommend".
        context: Of the call. An exception that leaves the span has set its status, or means that the caller left.
    """
    return _NOTHING if _tracer is None else _tracer.call_span(method, context)


def redis_span(operation: str) -> AbstractContextManager[object]:
    """Covers one operation on Redis within a traced call. Outside of one it does nothing.

    Args:
        operation: A name of this code, never a key.
    """
    return _NOTHING if _tracer is None else _tracer.redis_span(operation)


def span(name: str, **attributes: Attribute) -> AbstractContextManager[object]:
    """Covers one step within a traced call. Outside of one it does nothing.

    Args:
        name: Of the step.
        attributes: Each becomes an attribute `recsvc.NAME` of the span. Never data of users.
    """
    return _NOTHING if _tracer is None else _tracer.span(name, attributes)


def trace_ids() -> dict[str, str]:
    """Returns `trace_id` and `span_id` of the running call in hexadecimal; nothing outside of a trace."""
    return {} if _tracer is None else _tracer.trace_ids()
