"""Checks everything that `recsvc serve` needs, one thing after another: `recsvc doctor`."""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from recsvc.errors import RecsvcError, SettingsError, StoreUnavailable
from recsvc.model import bundle_files, text_encoders
from recsvc.model.bundle import Bundle
from recsvc.model.bundle_folder import bundles_in
from recsvc.pipeline.placements import Placements
from recsvc.registry.backend import load_encoder, pattern_pool
from recsvc.settings import Settings, load_settings
from recsvc.store.connection import check_access, connected
from recsvc.store.embedded import embedded_redis
from recsvc.store.eviction import KEEP_ALL_KEYS, Eviction, read_eviction


def examine(flags: Mapping[str, object], write: Callable[[str], object]) -> bool:
    """Runs all checks and writes a line for each: OK, or PROBLEM with the remedy.

    Args:
        flags: Settings from the command line, by name.
        write: Takes each line, with its line end.

    Returns:
        Whether there was no problem.
    """
    report = _Report(write)
    settings: Settings | None = None
    with report.line("settings") as finding:
        settings = load_settings(flags, Settings)
        finding.text = "all values can be used"
    if settings is None:
        return False  # nothing else can be checked
    with report.line("reason model") as finding:
        finding.text = _check_reason_model(settings)
    bundle: Bundle | None = None
    with report.line("bundle") as finding:
        bundle = bundle_files.load(settings.bundle)
        finding.text = f"{bundle.bundle_id} with {len(bundle.catalogue):,} items, unaltered"
    with report.line("text encoder") as finding:
        finding.text = _check_text_encoder(settings, bundle)
    with report.line("placements") as finding:
        finding.text = _check_placements(settings)
    with report.line("data folder") as finding:
        finding.text = _check_data_folder(settings)
    with report.line("redis") as finding:
        finding.text = asyncio.run(_check_redis(settings))
    for name, port in (("port", settings.port), ("metrics_port", settings.metrics_port)):
        with report.line(name) as finding:
            finding.text = _check_port(settings, name, port)
    return report.healthy


@dataclass
class _Finding:
    text: str = ""


class _Report:
    """Writes a line for each check, and remembers whether there was a problem."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self.healthy = True

    @contextmanager
    def line(self, name: str) -> Iterator[_Finding]:
        """Writes what the check found, or the error that it raised."""
        finding = _Finding()
        try:
            yield finding
        except RecsvcError as error:
            self.healthy = False
            self._write(f"PROBLEM  {name}: {' '.join(str(error).split())}\n")
        else:
            self._write(f"OK       {name}: {finding.text}\n")


def _check_reason_model(settings: Settings) -> str:
    pool = pattern_pool(settings.serving_config())
    return "none: the phrase bank words all reasons" if pool is None else f"patterns of {pool.author}"


def _check_text_encoder(settings: Settings, bundle: Bundle | None) -> str:
    name = settings.text_encoder
    if bundle is not None:
        load_encoder(name, bundle)
        named = bundle.model.text_encoder if name == text_encoders.AUTO else name
        return f"{named} is the one that the bundle was trained with"
    if name == text_encoders.AUTO:
        return "not checked: a bundle names it"
    text_encoders.load(name)
    return f"{name} can be loaded; not compared, for lack of a bundle"


def _check_placements(settings: Settings) -> str:
    if settings.placements is None:
        return "no file is set"
    placements = Placements.load(settings.placements)
    folder = settings.bundle.resolve().parent
    missing = placements.bundle_ids - {info.bundle_id for info in bundles_in(folder)}
    if missing:
        raise SettingsError(f"no bundle in {folder} has the id {', '.join(sorted(missing))}: copy it there")
    return f"{settings.placements} can be used"


def _check_data_folder(settings: Settings) -> str:
    if settings.redis_url is not None:
        return "not needed: a Redis is named"
    path = settings.data_dir.absolute()
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    if not existing.is_dir():
        raise SettingsError(f"{existing} is not a folder: set data_dir to another one")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise SettingsError(f"{existing} cannot be written to: change its owner, or set data_dir to another one")
    return f"{path} can be written to"


async def _check_redis(settings: Settings) -> str:
    if settings.redis_address is not None:
        eviction = await _eviction(settings.redis_address, settings.store_timeout)
        kind = "the named Redis"
    else:
        async with embedded_redis(settings.data_dir) as url:
            eviction = await _eviction(url, settings.store_timeout)
        kind = "a private Redis"
    if eviction.may_evict:
        raise SettingsError(
            f"{kind} deletes keys when its memory is full (maxmemory-policy {eviction.policy}), and with them "
            f"histories: set it to {KEEP_ALL_KEYS}"
        )
    return f"{kind} answers; maxmemory-policy {eviction.policy or 'is not shown'}"


async def _eviction(url: str, timeout_seconds: float) -> Eviction:
    async with connected(url, timeout_seconds) as client:
        try:
            await check_access(client)
            return await read_eviction(client)
        except StoreUnavailable as error:
            raise StoreUnavailable(
                f"no answer within {timeout_seconds:g} s: start it, correct redis_url, or raise store_timeout ({error})"
            ) from None


def _check_port(settings: Settings, name: str, port: int) -> str:
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
