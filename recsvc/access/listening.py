"""Refuses addresses that others can reach, if they could call without TLS or without a key."""

import ipaddress
import socket

from recsvc.errors import SettingsError
from recsvc.settings import Settings


def check_addresses(settings: Settings) -> None:
    """Checks the addresses of gRPC and metrics.

    Raises:
        SettingsError: One is not loopback, and TLS or keys are missing, and `insecure_off_loopback` does not allow it.
    """
    missing = [
        names
        for names, is_set in (
            ("tls_cert and tls_key", settings.tls_cert is not None),
            ("keys_file or jwks_file", settings.checks_callers),
        )
        if not is_set
    ]
    if not missing or settings.insecure_off_loopback == "yes-i-know":
        return
    hosts = {"host": settings.host}
    if settings.metrics_port >= 0:
        hosts["metrics_host"] = settings.metrics_host or settings.host
    for name, host in hosts.items():
        if not _is_loopback(host):
            raise SettingsError(
                f"{name}: {host} can be reached from other machines, and anybody could read and erase users: set "
                f"{' and '.join(missing)}, or listen on 127.0.0.1. If a mesh or proxy encrypts and checks callers, "
                "set insecure_off_loopback to yes-i-know"
            )


def _is_loopback(host: str) -> bool:
    try:
        addresses = {str(info[4][0]).partition("%")[0] for info in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):  # no such host
        return False
    return bool(addresses) and all(_is_loopback_address(ipaddress.ip_address(address)) for address in addresses)


def _is_loopback_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
