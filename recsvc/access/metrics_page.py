"""The page of metrics over HTTP, with the TLS of gRPC, and for keys with the scope `metrics`."""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import REGISTRY, CollectorRegistry, make_wsgi_app

from recsvc.access.certificates import Certificates
from recsvc.access.gate import AccessGate
from recsvc.access.opening import Access
from recsvc.access.reloaded_file import ReloadedFile
from recsvc.errors import AccessRefused, PermissionDenied, RateLimited, SettingsError
from recsvc.settings import Settings

# A client that sends nothing keeps a thread for this long.
_SILENT_SECONDS = 10.0
_MAX_REQUESTS = 16  # at the same time; Prometheus sends one

_WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@contextmanager
def open_metrics_page(
    settings: Settings, access: Access, registry: CollectorRegistry = REGISTRY
) -> Iterator[int | None]:
    """Serves the page where the settings say. Yields the port; None if metrics are off. See `serve_metrics`.

    Raises:
        SettingsError: The port cannot be listened on.
    """
    if settings.metrics_port < 0:
        yield None
        return
    with ExitStack() as stack:
        try:
            serving = serve_metrics(settings.metrics_host or settings.host, settings.metrics_port, access, registry)
            port = stack.enter_context(serving)
        except OSError as error:
            problem = f"cannot listen on port {settings.metrics_port}: {error.strerror}"
            raise SettingsError(f"metrics_port: {problem}") from None
        yield port


@contextmanager
def serve_metrics(host: str, port: int, access: Access, registry: CollectorRegistry = REGISTRY) -> Iterator[int]:
    """Serves the page from threads of its own. Yields the port.

    Args:
        host: Address to listen on.
        port: 0 for any free one.
        access: How callers are checked, and TLS.
        registry: What the page shows; by default the metrics of this process.

    Raises:
        OSError: The port cannot be listened on.
    """
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    app: _WsgiApp = make_wsgi_app(registry)
    if access.gate is not None:
        app = _guarded(app, access.gate)

    class Server(_Server):
        address_family = family
        certificates = access.certificates

    http_server = make_server(str(address[0]), port, app, Server, _SilentHandler)
    thread = threading.Thread(target=http_server.serve_forever, daemon=True)
    thread.start()
    try:
        yield http_server.server_port
    finally:
        http_server.shutdown()
        http_server.server_close()
        thread.join()


def _guarded(app: _WsgiApp, gate: AccessGate) -> _WsgiApp:
    """Answers no path without a key or token."""

    def guarded(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        authorization = environ.get("HTTP_AUTHORIZATION")
        headers = [] if authorization is None else [("authorization", authorization)]
        try:
            admission = gate.admit_metrics(headers)
        except AccessRefused as error:
            status, more = _refusal(error)
            start_response(status, [("Content-Type", "text/plain; charset=utf-8"), *more])
            return [f"{error}\n".encode()]
        try:
            return app(environ, start_response)
        finally:
            admission.end("OK")

    return guarded


def _refusal(error: AccessRefused) -> tuple[str, list[tuple[str, str]]]:
    match error:
        case RateLimited():
            return "429 Too Many Requests", [("Retry-After", str(int(error.retry_after_seconds) + 1))]
        case PermissionDenied():
            return "403 Forbidden", []
        case _:
            return "401 Unauthorized", [("WWW-Authenticate", "Bearer")]


class _Server(ThreadingMixIn, WSGIServer):
    """One thread for each request. It also shakes hands: a slow client does not keep others waiting.

    With too many requests the oldest is hung up: clients that send nothing, or a letter now and then, keep nobody out.
    """

    daemon_threads = True
    request_queue_size = 128  # connections that wait to be accepted: with fewer, a burst waits for a second
    certificates: ReloadedFile[Certificates] | None = None

    def __init__(self, *args: Any) -> None:  # noqa: ANN401 - as the library has them
        self._lines: dict[socket.socket, socket.socket] = {}  # by request, the oldest first: its socket once more
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as above
        if len(self._lines) >= _MAX_REQUESTS:
            self._hang_up(next(iter(list(self._lines)), request))
        self._lines[request] = request.dup()  # TLS puts another object in place of the socket
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as above
        accepted = request
        try:
            request.settimeout(_SILENT_SECONDS)
            if self.certificates is not None:
                try:
                    request = self.certificates.value.context.wrap_socket(request, server_side=True)
                except OSError:  # SSLError is one: no TLS, or no certificate that is accepted
                    self.shutdown_request(request)
                    return
            super().process_request_thread(request, client_address)
        finally:
            self._hang_up(accepted)

    def _hang_up(self, request: socket.socket) -> None:
        line = self._lines.pop(request, None)  # a dict's own operations need no lock
        if line is not None:
            with line, suppress(OSError):  # the client has hung up
                line.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as above
        """Says nothing: a client that hangs up is no fault of the service."""

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - as above
        with suppress(OSError):
            super().shutdown_request(request)


class _SilentHandler(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:  # noqa: ANN401 - as the library has it
        """Logs nothing: a line for each request of Prometheus helps nobody."""
