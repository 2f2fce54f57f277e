"""The checks of `recsvc doctor` on this machine. Each returns what is good, or raises with the remedy."""

import errno
import os
import resource
import shutil
import socket
from pathlib import Path

from recsvc.diagnostics.access_checks import Warned
from recsvc.errors import SettingsError
from recsvc.settings import Settings

FREE_BYTES = 256 * 1024**2  # a private Redis writes its log again, beside the old one
FILE_DESCRIPTORS = 1_024  # one a connection; Redis alone takes up to 64

# A process with a small bundle has 490 MB. It keeps a second bundle while another one is activated.
PROCESS_BYTES = 450 * 1024**2
BUNDLES = 2
_CONTROL_GROUPS = Path("/sys/fs/cgroup")

_EVERY_ADDRESS = {"0.0.0.0", "::"}  # noqa: S104 - compared, not listened on


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


def check_memory(settings: Settings, control_groups: Path = _CONTROL_GROUPS) -> str:
    """Checks that the limit of a container leaves room for the process and its bundles."""
    limit = _memory_limit(control_groups)
    if limit is None:
        return "no limit is set"
    files = settings.bundle.rglob("*") if settings.bundle.is_dir() else ()
    needed = settings.workers * PROCESS_BYTES + BUNDLES * sum(file.stat().st_size for file in files if file.is_file())
    if limit < needed:
        raise SettingsError(
            f"this container may use {limit / 1024**2:,.0f} MB, and the service needs {needed / 1024**2:,.0f} or more: "
            "raise its limit, or the kernel ends the process without a word in its log"
        )
    return f"{limit / 1024**2:,.0f} MB are allowed, and {needed / 1024**2:,.0f} are needed at least"


def check_workers(settings: Settings, control_groups: Path = _CONTROL_GROUPS) -> str:
    """Checks that there is a core for each thread that searches."""
    cores = _cores(control_groups)
    threads = settings.workers * settings.search_threads
    if threads > max(cores, 1):
        return Warned(
            f"{settings.workers} x {settings.search_threads} (workers x search_threads) is more than the {cores:g} "
            "cores that the service may use: answers are late under load; set fewer"
        )
    return f"{settings.workers}, on {cores:g} cores"


def _cores(control_groups: Path) -> float:
    """Returns how many cores this process may use: a container can have two and a half."""
    cores = float(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    try:
        quota, period = (control_groups / "cpu.max").read_text(encoding="ascii").split()
        return min(cores, int(quota) / int(period))
    except (OSError, ValueError):  # no control group of version 2, or "max"
        return cores


def _memory_limit(control_groups: Path) -> int | None:
    """Returns bytes. Inside a container its own control group is the root that it sees."""
    limits = []
    for name in ("memory.max", "memory/memory.limit_in_bytes"):  # of version 2 and 1
        try:
            text = (control_groups / name).read_text(encoding="ascii").strip()
        except OSError:
            continue
        limits += [int(text)] if text.isdigit() else []  # else "max"
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [limit for limit in limits if limit < physical]  # version 1 writes a huge number for none
    return min(limits, default=None)


def check_file_descriptors() -> str:
    """Checks the limit of open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < FILE_DESCRIPTORS:
        raise SettingsError(
            f"this process may open {soft} files, and each connection is one: raise the limit to {FILE_DESCRIPTORS:,} "
            f"or more (ulimit -n, or LimitNOFILE of its unit; at most {hard} without root)"
        )
    return f"{soft} may be open"


def check_port(settings: Settings) -> str:
    """Checks that the port of gRPC is free."""
    return _check_free("port", "host", settings.host, settings.port, can_be_shared=settings.reuse_port)


def check_metrics_port(settings: Settings) -> str:
    """Checks that the port of metrics is free, and that gRPC does not take it."""
    host, port = settings.metrics_host or settings.host, settings.metrics_port
    if port < 0:
        return "off"
    if port == settings.port != 0 and _may_meet(host, settings.host):
        raise SettingsError(f"{port} is also the port of gRPC: set metrics_port to another number, or to -1")
    name = "metrics_host" if settings.metrics_host else "host"
    return _check_free("metrics_port", name, host, port, can_be_shared=False)


def _may_meet(first: str, second: str) -> bool:
    return first == second or not {first, second}.isdisjoint(_EVERY_ADDRESS)


def _check_free(name: str, host_name: str, host: str, port: int, *, can_be_shared: bool) -> str:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if can_be_shared:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listener.bind(address)
            listener.listen(1)  # two sockets with SO_REUSEADDR may be bound, and one of them may listen
    except (OSError, UnicodeError) as error:
        raise SettingsError(f"cannot listen on {host}:{port} ({_remedy(error, name, host_name)}") from None
    return f"{host} can be used, on any free port" if port == 0 else f"{host}:{port} is free"


def _remedy(error: OSError | UnicodeError, name: str, host_name: str) -> str:
    """Returns the problem, a bracket, and what to do."""
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"{error.strerror}): stop the other process, or set {name} to another number"
    if isinstance(error, OSError) and error.errno == errno.EACCES:
        return f"{error.strerror}): set {name} to 1024 or more"
    problem = error.strerror if isinstance(error, OSError) else error
    return f"{problem}): set {host_name} to an address of this machine"
