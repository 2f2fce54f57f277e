"""Ports that nobody listens on."""

import random
import socket
from contextlib import ExitStack

# Below those that the system hands out to clients, which may take any of its own between this look and the server's.
LOWEST, HIGHEST = 10_000, 22_000
BUS = 10_000  # a cluster's node also listens so far above


def free_ports(count: int) -> list[int]:
    """That many different free ports on loopback, those so far above them being free too."""
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < count:
            port = random.randrange(LOWEST, HIGHEST)
            try:
                for each in (port, port + BUS):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", each))
            except OSError:
                continue
            found.append(port)
    return found
