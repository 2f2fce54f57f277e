"""Reads the files of keys, tokens and certificates, and keeps up with their changes."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from recsvc.access.audit import open_audit_log
from recsvc.access.certificates import Certificates, read_certificates
from recsvc.access.gate import AccessGate
from recsvc.access.keys import Keys, read_keys
from recsvc.access.limits import CallerLimits
from recsvc.access.methods import MethodAccess
from recsvc.access.reloaded_file import ReloadedFile
from recsvc.access.tokens import TokenRules, TokenVerifier
from recsvc.settings import Settings

# A key that was removed can be used for this long.
RELOAD_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Access:
    """How callers are checked.

    Attributes:
        gate: Admits calls. None: anybody may call anything, and nothing is written.
        certificates: For TLS. None: nothing is encrypted.
    """

    gate: AccessGate | None
    certificates: ReloadedFile[Certificates] | None


def keys_of(settings: Settings) -> ReloadedFile[Keys] | None:
    """The file of keys, if there is one.

    Raises:
        SettingsError: It cannot be used.
    """
    path = settings.keys_file
    if path is None:
        return None
    return ReloadedFile("keys_file", [path], lambda: read_keys(path.read_bytes(), path.name))


def tokens_of(settings: Settings) -> ReloadedFile[TokenVerifier] | None:
    """The JWKS file, if there is one.

    Raises:
        SettingsError: It cannot be used.
    """
    path = settings.jwks_file
    if path is None:
        return None
    rules = TokenRules(settings.jwt_issuer, settings.jwt_audience, settings.jwt_scopes_claim)
    return ReloadedFile("jwks_file", [path], lambda: TokenVerifier(path.read_bytes(), path.name, rules))


def certificates_of(settings: Settings) -> ReloadedFile[Certificates] | None:
    """The files for TLS, if there are some.

    Raises:
        SettingsError: They cannot be used.
    """
    chain, key, client_ca = settings.tls_cert, settings.tls_key, settings.tls_client_ca
    if chain is None or key is None:
        return None
    paths: list[Path] = [chain, key, *([client_ca] if client_ca is not None else [])]
    return ReloadedFile("tls_cert", paths, lambda: read_certificates(chain, key, client_ca))


@asynccontextmanager
async def open_access(settings: Settings, methods: Mapping[str, MethodAccess]) -> AsyncIterator[Access]:
    """Reads all files, and again whenever they change.

    Args:
        settings: Name the files.
        methods: What each method asks of its callers.

    Raises:
        SettingsError: A file cannot be used.
    """
    keys, tokens, certificates = await asyncio.to_thread(
        lambda: (keys_of(settings), tokens_of(settings), certificates_of(settings))
    )
    limits = CallerLimits(settings.key_requests_per_second or None, settings.key_concurrent or None)
    async with AsyncExitStack() as stack:
        audit_log = ExitStack()
        audit = await asyncio.to_thread(audit_log.enter_context, open_audit_log(settings.audit_log))
        stack.push_async_callback(asyncio.to_thread, audit_log.close)
        is_needed = settings.checks_callers or settings.audit_log is not None
        gate = AccessGate(methods, audit, keys, tokens, limits) if is_needed else None
        files = [file for file in (keys, tokens, certificates) if file is not None]
        following = asyncio.create_task(_follow(files)) if files else None
        try:
            yield Access(gate, certificates)
        finally:
            if following is not None:
                following.cancel()
                await asyncio.wait([following])


async def _follow(files: "list[ReloadedFile[Keys] | ReloadedFile[TokenVerifier] | ReloadedFile[Certificates]]") -> None:
    while True:
        await asyncio.sleep(RELOAD_SECONDS)
        for file in files:
            await asyncio.to_thread(file.refresh)
