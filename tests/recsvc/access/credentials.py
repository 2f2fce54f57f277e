"""Certificates, keys and tokens for tests, made as an operator and an identity provider make them."""

import json
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import grpc
import jwt
import trustme
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

from recsvc.access.keys import key_lines, new_key

ISSUER, AUDIENCE = "https://login.shop.example", "recsvc"
HOST = "localhost"


class Certified:
    """A CA, and the files of a server that it certifies."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.ca = trustme.CA()
        self.chain, self.key, self.ca_file = folder / "cert.pem", folder / "key.pem", folder / "ca.pem"
        self.write(self.ca)
        self.ca.cert_pem.write_to_path(self.ca_file)

    def write(self, ca: trustme.CA, *, until: datetime | None = None) -> None:
        """Puts other files in the place of the old ones, as `mv` does."""
        certificate = ca.issue_cert(HOST, "127.0.0.1", not_after=until)
        replace(self.key, certificate.private_key_pem.bytes())
        replace(self.chain, b"".join(pem.bytes() for pem in certificate.cert_chain_pems))

    def settings(self) -> dict[str, Any]:
        return {"tls_cert": self.chain, "tls_key": self.key}

    def channel(self, *, client: trustme.LeafCert | None = None, ca: trustme.CA | None = None) -> Any:
        """Credentials of a client that trusts the CA."""
        own = (client.private_key_pem.bytes(), client.cert_chain_pems[0].bytes()) if client else (None, None)
        return grpc.ssl_channel_credentials((ca or self.ca).cert_pem.bytes(), *own)


def replace(path: Path, content: bytes) -> None:
    beside = path.with_suffix(".new")
    beside.write_bytes(content)
    beside.replace(path)


class KeysFile:
    """A file of keys, and the keys by their ids."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.keys: dict[str, str] = {}
        self._lines: dict[str, str] = {}

    def add(self, key_id: str, scopes: Iterable[str], **limits: Any) -> str:
        """Adds a key. One that `is_expired` expired a minute ago."""
        is_expired = limits.pop("is_expired", False)
        if is_expired:
            limits["expires"] = datetime.now(UTC) - timedelta(minutes=1)
        self.keys[key_id] = new_key()
        self._lines[key_id] = key_lines(self.keys[key_id], key_id, scopes, **limits)
        self._write()
        return self.keys[key_id]

    def remove(self, key_id: str) -> None:
        del self._lines[key_id]
        self._write()

    def _write(self) -> None:
        replace(self.path, "\n".join(self._lines.values()).encode())


@cache
def private_key(kind: str, number: int = 0) -> Any:
    """A private key: the same in all tests, because RSA keys take a while."""
    match kind:
        case "RSA":
            return rsa.generate_private_key(65_537, 2_048)
        case "RSA-1024":
            return rsa.generate_private_key(65_537, 1_024)  # noqa: S505 - it is refused
        case "P-256":
            return ec.generate_private_key(ec.SECP256R1())
        case "P-384":
            return ec.generate_private_key(ec.SECP384R1())
        case _:
            return ed25519.Ed25519PrivateKey.generate()


ALGORITHM_OF = {"RSA": "RS256", "RSA-1024": "RS256", "P-256": "ES256", "P-384": "ES384", "Ed25519": "EdDSA"}


def jwk(kind: str, kid: str, number: int = 0, **more: Any) -> dict[str, Any]:
    """The public key as an identity provider publishes it."""
    algorithm: Any = get_default_algorithms()[ALGORITHM_OF[kind]]
    return {**algorithm.to_jwk(private_key(kind, number).public_key(), as_dict=True), "kid": kid, "use": "sig", **more}


def jwks(*keys: Mapping[str, Any]) -> bytes:
    return json.dumps({"keys": keys}).encode()


def token(
    kind: str = "P-256",
    kid: str | None = "one",
    number: int = 0,
    *,
    algorithm: str | None = None,
    without: str = "",
    **claims: Any,
) -> str:
    """A signed token, good for five minutes unless its claims say otherwise."""
    now = time.time()
    values = {"iss": ISSUER, "aud": AUDIENCE, "exp": now + 300, "iat": now, "client_id": "shop", "scope": "recommend"}
    values |= claims
    values.pop(without, None)
    headers = {} if kid is None else {"kid": kid}
    return jwt.encode(values, private_key(kind, number), algorithm or ALGORITHM_OF[kind], headers)
