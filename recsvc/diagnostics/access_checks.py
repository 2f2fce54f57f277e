"""The checks of `recsvc doctor` on access: certificates, keys, tokens, addresses and the audit log.

They read the files as `recsvc serve` does. Each returns what is good, or raises with the remedy.
"""

import ipaddress
import socket
import ssl
import stat
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from recsvc.access.listening import check_addresses
from recsvc.access.opening import certificates_of, keys_of, tokens_of
from recsvc.errors import SettingsError
from recsvc.runtime import tracing
from recsvc.settings import Settings

WARNING_DAYS = 14  # before the expiry of a certificate or key
CONNECT_SECONDS = 2.0
_DAY_SECONDS = 86_400
_TRACE_PORTS = {"http": 80, "https": 443}
_OF_OTHERS = stat.S_IROTH | stat.S_IWOTH


class Warned(str):
    """What a check found: the service works now, and somebody must act soon."""

    __slots__ = ()


def check_certificates(settings: Settings) -> str:
    """Checks the certificate of the service, its names, its private key, and the CA of clients."""
    file = certificates_of(settings)
    if file is None or settings.tls_cert is None or settings.tls_key is None:
        return "none: connections are not encrypted"
    _check_private(settings.tls_key)
    ends = [_check_names(settings, file.value.names), _check_end(settings.tls_cert, file.value.expires)]
    if settings.tls_client_ca is not None:
        ends.append(_check_client_ca(settings.tls_client_ca))
    warnings = [end for end in ends if isinstance(end, Warned)]
    return Warned("; ".join(warnings)) if warnings else "; ".join(ends)


def check_keys(settings: Settings) -> str:
    """Checks the file of API keys."""
    file = keys_of(settings)
    if file is None or settings.keys_file is None:
        return "no file is set"
    _check_private(settings.keys_file)
    now = time.time()
    callers = list(file.value.values())
    usable = [caller for caller in callers if caller.expires > now]
    if not usable:
        raise SettingsError(f"every key of {settings.keys_file} has expired: make one with `recsvc key new`")
    ending = sorted(caller.caller_id for caller in usable if not _is_far(caller.expires))
    if ending:
        return Warned(
            f"{', '.join(ending)} of {settings.keys_file} will expire within {WARNING_DAYS} days: make a new key with "
            "`recsvc key new` and give it to its caller"
        )
    return f"{len(usable)} of {len(callers)} keys can be used"


def check_tokens(settings: Settings) -> str:
    """Checks the JWKS file."""
    if tokens_of(settings) is None:
        return "no JWKS file is set"
    return f"{settings.jwks_file} can be used, for tokens of {settings.jwt_issuer} to {settings.jwt_audience}"


def check_listening(settings: Settings) -> str:
    """Checks that nobody can call from another machine without TLS and a key."""
    check_addresses(settings)
    has_both = settings.tls_cert is not None and settings.checks_callers
    if has_both:
        return "callers need TLS, and a key or token"
    if settings.insecure_off_loopback == "yes-i-know":
        return "insecure_off_loopback is yes-i-know: a mesh or proxy must encrypt and check callers"
    return "loopback only"


def check_audit_log(settings: Settings) -> str:
    """Checks that the audit log can be written. Does not make it: its owner must be the user of the service."""
    path = settings.audit_log
    if path is None:
        return "no file is set: its lines are in the log"
    if path.is_dir():
        raise SettingsError(f"{path} is a folder: set audit_log to a file")
    folder = path.absolute().parent
    if not folder.is_dir():
        raise SettingsError(f"{folder} is not there: make this folder, or set audit_log to another file")
    try:
        with path.open("ab") if path.exists() else tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be written ({error.strerror}): let the user of the service own it and its folder, or set "
            "audit_log to another file"
        ) from None
    return f"{path} can be written"


def check_tracing(settings: Settings) -> str:
    """Checks that the packages of tracing are installed, and that something listens at its endpoint."""
    if not settings.trace_endpoint:
        return "off"
    tracing.check_installed()
    url = urlsplit(settings.trace_endpoint)
    try:
        socket.create_connection((url.hostname, url.port or _TRACE_PORTS[url.scheme]), CONNECT_SECONDS).close()
    except OSError as error:
        return Warned(
            f"nothing answers at {url.hostname}:{url.port or _TRACE_PORTS[url.scheme]} ({error.strerror or error}), so "
            "spans would be lost: start the collector, or correct trace_endpoint"
        )
    return "its packages are installed, and the collector can be reached"


def check_redis_files(settings: Settings) -> str:
    """Checks who can read the private key for Redis. The settings check the files, and `redis` what Redis says."""
    if settings.redis_key is not None:
        _check_private(settings.redis_key)
    files = (settings.redis_ca, settings.redis_cert, settings.redis_key)
    return ", ".join(str(path) for path in files if path is not None) or "no files are set"


def _check_names(settings: Settings, names: Sequence[str]) -> str:
    """Returns the names of the certificate. Callers compare them with the address that they call."""
    if not names:
        return Warned(
            f"{settings.tls_cert} has no subjectAltName, so most callers refuse it: make one with the names and "
            "addresses that they call"
        )
    text = f"{settings.tls_cert} is for {', '.join(names)}"
    if _is_far_host(settings.host) and not {settings.host, f"*.{settings.host.partition('.')[2]}"} & set(names):
        return Warned(f"{text}, and not for {settings.host}: callers of that address refuse it, so add it to the names")
    return text


def _is_far_host(host: str) -> bool:
    """Whether a host stands for one address that is not of loopback."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host != "localhost"
    return not (address.is_loopback or address.is_unspecified)


def _check_private(path: Path) -> None:
    """Raises SettingsError if other users of the machine may read or change a file."""
    if path.stat().st_mode & _OF_OTHERS:
        raise SettingsError(
            f"{path} can be read or changed by every user of this machine: let the user of the service own it, and run "
            f"`chmod 600 {path}`"
        )


def _check_client_ca(path: Path) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_verify_locations(path)  # as `certificates_of` has done
    ends = [float(ssl.cert_time_to_seconds(str(certificate["notAfter"]))) for certificate in context.get_ca_certs()]
    if not ends:
        raise SettingsError(
            f"{path} has no certificate of a CA: name the file of the CA that signs the certificates of clients, not "
            "that of a client"
        )
    return _check_end(path, max(ends))


def _check_end(path: Path, expires: float) -> str:
    """Returns until when a file can be used. Raises SettingsError if that is over."""
    day = datetime.fromtimestamp(expires, UTC).strftime("%Y-%m-%d %H:%M UTC")
    if expires <= time.time():
        raise SettingsError(f"{path}: a certificate in it expired on {day}: renew it, and those that it has signed")
    text = f"{path} is valid until {day}"
    return text if _is_far(expires) else Warned(f"{text}: renew it now, and put the new files in the place of the old")


def _is_far(expires: float) -> bool:
    return expires - time.time() > WARNING_DAYS * _DAY_SECONDS


CHECKS: Mapping[str, Callable[[Settings], str]] = {
    "certificates": check_certificates,
    "keys": check_keys,
    "tokens": check_tokens,
    "addresses": check_listening,
    "audit log": check_audit_log,
    "tracing": check_tracing,
    "redis certificates": check_redis_files,
}
