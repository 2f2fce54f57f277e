"""The TLS certificate of the service, its private key, and the CA of its clients: read and checked."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recsvc.errors import SettingsError
from recsvc.runtime.metrics import CERTIFICATE_EXPIRES_SECONDS

_REFUSALS = {  # by the code of OpenSSL
    9: "is not valid yet: let the clock of this machine be set by NTP, or wait",
    10: "has expired: renew it",
}


@dataclass(frozen=True, slots=True)
class Certificates:
    """What a server needs for TLS.

    Attributes:
        chain: The certificate, and those between it and its CA, as PEM.
        key: Its private key, as PEM.
        client_ca: The CA that signs the certificates of clients, as PEM. None: clients need no certificate.
        context: The same for Python's own sockets.
        expires: When the first certificate of the chain expires, in seconds since 1970.
        names: The names and addresses under which clients may call: its subjectAltName.
    """

    chain: bytes
    key: bytes = field(repr=False)
    client_ca: bytes | None
    context: ssl.SSLContext
    expires: float
    names: tuple[str, ...]


def read_certificates(chain: Path, key: Path, client_ca: Path | None) -> Certificates:
    """Reads and checks the files.

    Raises:
        SettingsError: A file cannot be used, the key is of another certificate, or the certificate has expired.
        OSError: A file cannot be read.
    """
    pems = chain.read_bytes(), key.read_bytes(), client_ca.read_bytes() if client_ca is not None else None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # A key with a password would wait for somebody to type it.
        context.load_cert_chain(chain, key, password=_no_password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise SettingsError(
                f"{key} is the key of another certificate than {chain}: name the two files that were made together"
            ) from None
        raise SettingsError(
            f"{chain} and {key} must be PEM files, and the key without a password: `openssl pkey -in KEY -out NEW` "
            "writes such a key"
        ) from None
    if client_ca is not None:
        try:
            context.load_verify_locations(client_ca)
        except ssl.SSLError:
            raise SettingsError(
                f"{client_ca} has no CA certificate as PEM: name the file of the CA that signs for clients"
            ) from None
        context.verify_mode = ssl.CERT_REQUIRED
    expires, names = _shown_to_clients(chain, key)
    CERTIFICATE_EXPIRES_SECONDS.set(expires)
    return Certificates(*pems, context, expires, names)


def _shown_to_clients(chain: Path, key: Path) -> tuple[float, tuple[str, ...]]:
    """Returns when the certificate expires, in seconds since 1970, and its names.

    Python shows the certificate of a peer only. So this shakes hands with itself, in memory.
    """
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(chain, key)
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context.check_hostname = False
    client_context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN  # the certificate vouches for itself
    client_context.load_verify_locations(chain)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    client = client_context.wrap_bio(to_client, to_server)
    try:
        for side in (client, server, client):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    except ssl.SSLCertVerificationError as error:
        problem = _REFUSALS.get(error.verify_code) or (
            f"cannot be the certificate of a server ({error.verify_message}): let your CA make another one"
        )
        raise SettingsError(f"{chain} {problem}") from None
    details: Mapping[str, Any] = client.getpeercert() or {}
    names = tuple(name for kind, name in details.get("subjectAltName", ()) if kind in ("DNS", "IP Address"))
    return min(_end_of(certificate) for certificate in (details, *client_context.get_ca_certs())), names


def _end_of(certificate: Mapping[str, Any]) -> float:
    return float(ssl.cert_time_to_seconds(str(certificate["notAfter"])))


def _no_password() -> str:
    return ""
