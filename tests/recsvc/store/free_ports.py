"""Finds ports that no process listens on."""

import random
import socket
from contextlib import ExitStack

# Below the range that the system assigns to clients, which could take a port before the server does.
LOWEST, HIGHEST = 10_000, 22_000
BUS = 10_000  # a node of a cluster also listens this far above its port
# Not the generator that Hypothesis seeds: two test processes would get the same ports at the same time.
_RANDOM = random.SystemRandom()


def free_ports(count: int) -> list[int]:
    """Free ports on loopback. The port `BUS` above each is free too."""
    ports: list[int] = []
    with ExitStack() as held:
        while len(ports) < count:
            port = _RANDOM.randrange(LOWEST, HIGHEST)
            try:
                for candidate in (port, port + BUS):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", candidate))
            except OSError:
                continue
            ports.append(port)
    return ports
