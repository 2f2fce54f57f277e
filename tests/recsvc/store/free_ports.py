"""Ports that nobody listens on."""

import socket
from contextlib import ExitStack


def free_ports(count: int, highest: int = 65_535) -> list[int]:
    """That many different free ports on loopback, none above `highest`."""
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < count:
            listener = held.enter_context(socket.socket())
            listener.bind(("127.0.0.1", 0))
            if (port := listener.getsockname()[1]) <= highest:
                found.append(port)
    return found
