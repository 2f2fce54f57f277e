"""Reserves the port that worker processes will share, before they are started.

The socket is bound and never listens, so it gets no connection. While it is bound, port 0 has become a number, and no
process that does not share its port can take it.
"""

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from recsvc.errors import SettingsError

_NOT_HERE = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}  # such as ::1 of localhost, where IPv6 is off


@contextmanager
def reserved_port(host: str, port: int, *, shared: bool) -> Iterator[int]:
    """Reserves a port for processes of this user that set SO_REUSEPORT, and yields its number.

    Args:
        host: Name or address, without brackets.
        port: 0 for any free one.
        shared: Whether processes that were started apart may listen on it already.

    Raises:
        SettingsError: The port is in use, the host is not of this machine, or the system cannot share ports.
    """
    if not hasattr(socket, "SO_REUSEPORT"):
        raise SettingsError("workers: this system cannot share a port: set workers to 1")
    problem = f"port: cannot listen on {f'[{host}]' if ':' in host else host}:{port}"
    with ExitStack() as stack:
        reserved = 0
        try:
            for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE):
                family, (address, *_) = info[0], info[4]
                try:
                    if port and not shared:
                        _check_free(family, str(address), port)
                    listener = stack.enter_context(_bound(family, str(address), reserved or port))
                except OSError as error:
                    if error.errno in _NOT_HERE:
                        continue
                    raise
                reserved = listener.getsockname()[1]
        except (OSError, UnicodeError) as error:
            in_use = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
            reason = "is it in use?" if in_use else getattr(error, "strerror", None) or error
            raise SettingsError(f"{problem}; {reason}") from None
        if not reserved:
            raise SettingsError(f"{problem}; no such address on this machine")
        yield reserved


def _check_free(family: int, address: str, port: int) -> None:
    """Raises OSError if a socket listens on the port, or has reserved it as `_bound` does first."""
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _only_its_family(probe)
        probe.bind((address, port))
        probe.listen(1)


def _bound(family: int, address: str, port: int) -> socket.socket:
    """Returns a socket that is bound and shares its port.

    Without SO_REUSEADDR another supervisor sees it. That fails while closed connections of a process that did not
    share the port are remembered: then it is bound with it.
    """
    for reuse_address in (0, 1):
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse_address)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            _only_its_family(listener)
            listener.bind((address, port))
        except OSError as error:
            listener.close()
            if reuse_address or error.errno != errno.EADDRINUSE:
                raise
        else:
            return listener
    raise AssertionError  # the loop returns or raises


def _only_its_family(listener: socket.socket) -> None:
    if listener.family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
