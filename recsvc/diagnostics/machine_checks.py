"""The checks of `recsvc doctor` on this machine. Each returns what is good, or raises with the remedy."""

import os
import resource
import shutil
import socket

from recsvc.errors import SettingsError
from recsvc.settings import Settings

FREE_BYTES = 256 * 1024**2  # a private Redis writes its log again, beside the old one
FILE_DESCRIPTORS = 1_024  # one a connection; Redis alone takes up to 64


def check_data_folder(settings: Settings) -> str:
    """Checks that a private Redis can write its files."""
    if settings.redis_url is not None:
        return "not needed: a Redis is named"
    path = settings.data_dir.absolute()
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    if not existing.is_dir():
        raise SettingsError(f"{existing} is not a folder: set data_dir to another one")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise SettingsError(f"{existing} cannot be written to: change its owner, or set data_dir to another one")
    free = shutil.disk_usage(existing).free
    if free < FREE_BYTES:
        raise SettingsError(
            f"{existing} has {free / 1024**2:,.1f} MB free, less than {FREE_BYTES / 1024**2:.0f}: make room on its "
            "disk, or set data_dir to another one"
        )
    return f"{path} can be written to"


def check_file_descriptors() -> str:
    """Checks the limit of open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < FILE_DESCRIPTORS:
        raise SettingsError(
            f"this process may open {soft} files, and each connection is one: raise the limit to {FILE_DESCRIPTORS:,} "
            f"or more (ulimit -n, or LimitNOFILE of its unit; at most {hard} without root)"
        )
    return f"{soft} may be open"


def check_port(settings: Settings, name: str, port: int) -> str:
    """Checks that a port is free. name: of its setting."""
    if port < 0:
        return "off"
    if port == 0:
        return "any free port"
    try:
        family, kind, _, _, address = socket.getaddrinfo(settings.host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if settings.reuse_port and name == "port":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listener.bind(address)
    except (OSError, UnicodeError) as error:
        problem = error.strerror if isinstance(error, OSError) else error
        raise SettingsError(
            f"cannot listen on {settings.host}:{port} ({problem}): stop the other process, or set {name} or host"
        ) from None
    return f"{settings.host}:{port} is free"
