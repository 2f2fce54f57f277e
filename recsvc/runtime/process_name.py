"""The name of this process, as people see it in ListBundles and in traces."""

import os
import socket

_worker = ""  # of a worker: its part of the name


def name_worker(number: int) -> None:
    """Makes this process worker `number` of its supervisor."""
    global _worker  # noqa: PLW0603 - a process has one name, and gets it when it starts
    _worker = f":worker-{number}"


def process_name() -> str:
    """Returns the host and the number of the process, and of a worker its number too."""
    return f"{socket.gethostname()}:{os.getpid()}{_worker}"
