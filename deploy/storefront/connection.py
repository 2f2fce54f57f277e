"""The connection to the service: TLS, and the key of this shop. A client of recsvc in any language does the same."""

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import grpc

from deploy.storefront.tracing import client_interceptors

# How soon the service is called again after it was not available.
RECONNECT_MILLISECONDS = 1_000


class ConnectionFilesError(Exception):
    """A file of the connection cannot be used."""


@dataclass(frozen=True, slots=True)
class Connection:
    """How the service is reached.

    Attributes:
        target: Its address, host:port.
        credentials: For TLS and the key. None: a service without both.
    """

    target: str
    credentials: grpc.ChannelCredentials | None = None

    def open(self) -> grpc.aio.Channel:
        """Opens a channel in the running event loop.

        It connects on first use, and reconnects when the service is back.
        """
        options = [("grpc.max_reconnect_backoff_ms", RECONNECT_MILLISECONDS)]
        if self.credentials is None:
            return grpc.aio.insecure_channel(self.target, options, interceptors=client_interceptors())
        return grpc.aio.secure_channel(self.target, self.credentials, options, interceptors=client_interceptors())


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of the connection. The key has none: other users of the machine can see flags."""
    parser.add_argument("--service", default="127.0.0.1:50051", help="where recsvc listens [127.0.0.1:50051]")
    parser.add_argument("--tls-ca", type=Path, metavar="FILE", help="PEM file of the CA of recsvc; turns TLS on")
    parser.add_argument("--client-cert", type=Path, metavar="FILE", help="PEM file of the shop's own certificate")
    parser.add_argument("--client-key", type=Path, metavar="FILE", help="PEM file of its private key")
    parser.add_argument(
        "--api-key-file", type=Path, metavar="FILE", help="file with the key of this shop; or set RECSVC_API_KEY"
    )


def connection_of(options: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> Connection:
    """Makes the connection from the flags, and from variables for those that were not given.

    A key is never sent unencrypted to another machine: without TLS, such a channel does not connect.

    Raises:
        ConnectionFilesError: A file cannot be read, or one is missing.
    """

    def path(name: str) -> Path | None:
        value = getattr(options, name) or environment.get(f"RECSVC_{name.upper()}")
        return Path(value) if value else None

    ca, certificate, private = path("tls_ca"), path("client_cert"), path("client_key")
    if (certificate is None) != (private is None) or (certificate is not None and ca is None):
        raise ConnectionFilesError("--client-cert needs --client-key and --tls-ca")
    tls = None
    if ca is not None:
        own = _read("client-key", private), _read("client-cert", certificate)
        tls = grpc.ssl_channel_credentials(_read("tls-ca", ca), *own)
    key_file = path("api_key_file")
    content = _read("api-key-file", key_file)
    key = environment.get("RECSVC_API_KEY", "") if content is None else content.decode("ascii", "replace")
    if not key.strip():
        return Connection(options.service, tls)
    call = grpc.access_token_call_credentials(key.strip())
    credentials = grpc.composite_channel_credentials(tls or grpc.local_channel_credentials(), call)
    return Connection(options.service, credentials)


def _read(name: str, path: Path | None) -> bytes | None:
    try:
        return path.read_bytes() if path is not None else None
    except OSError as error:
        # The name is not repeated: somebody may have given the key itself in place of its file.
        raise ConnectionFilesError(f"cannot read the file of --{name}: {error.strerror}") from None
