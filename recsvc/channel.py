"""How commands connect to a running service: TLS, and the key that they send."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, SecretStr

from recsvc.errors import SettingsError
from recsvc.settings import CommonSettings, load_settings

if TYPE_CHECKING:
    import grpc  # takes a moment to load, and --help does not need it

_SYSTEM = Path("system")
_MAX_FILE_BYTES = 1_000_000  # the CAs of a whole system have 200 KB


class ClientSettings(CommonSettings):
    """What a client needs. The descriptions are also the help of the flags."""

    tls_ca: Path | None = Field(
        None,
        description="PEM file of the CA of the service: turns TLS on; `system` for a certificate of a public CA",
    )
    client_cert: Path | None = Field(
        None, description="PEM file of the certificate of this client, if the service asks for one (mTLS)"
    )
    client_key: Path | None = Field(None, description="PEM file of the private key of client_cert")
    api_key: SecretStr | None = Field(None, description="key or token")
    api_key_file: Path | None = Field(None, description="file with the key or token and nothing else")


def add_client_flags(parser: argparse.ArgumentParser) -> None:
    """Adds a flag for each setting but the key: other users of the machine can see flags."""
    for name, field in ClientSettings.model_fields.items():
        if name != "api_key":
            also = "; or set RECSVC_API_KEY" if name == "api_key_file" else ""
            text = f"{field.description}{also}"
            parser.add_argument(f"--{name.replace('_', '-')}", dest=name, metavar="FILE", help=text)


def client_settings(flags: Mapping[str, Any]) -> ClientSettings:
    """Takes the settings out of the flags of a command, and those without a flag from the environment.

    Raises:
        SettingsError: A setting cannot be used.
    """
    chosen = {name: flags[name] for name in ClientSettings.model_fields if flags.get(name) is not None}
    return load_settings(chosen, ClientSettings)


def open_channel(target: str, settings: ClientSettings) -> "grpc.Channel":
    """Opens a channel to a service, host:port. Raises SettingsError as `channel_credentials` does."""
    import grpc  # noqa: PLC0415 - see above

    credentials = channel_credentials(settings)
    return grpc.secure_channel(target, credentials) if credentials else grpc.insecure_channel(target)


def channel_credentials(settings: ClientSettings) -> "grpc.ChannelCredentials | None":
    """Returns credentials for `grpc.secure_channel`; None for a service without TLS and keys.

    A key is never sent unencrypted to another machine: without TLS, such a channel does not connect.

    Raises:
        SettingsError: A file cannot be read, or TLS is not complete.
    """
    import grpc  # noqa: PLC0415 - see above

    base = _tls(settings)
    key = _api_key(settings)
    if key is None:
        return base
    call = grpc.access_token_call_credentials(key)
    return grpc.composite_channel_credentials(base or grpc.local_channel_credentials(), call)


def _tls(settings: ClientSettings) -> "grpc.ChannelCredentials | None":
    import grpc  # noqa: PLC0415 - see above

    ca, certificate, key = settings.tls_ca, settings.client_cert, settings.client_key
    if (certificate is None) != (key is None) or (certificate is not None and ca is None):
        raise SettingsError("client_cert, client_key and tls_ca: a client's certificate needs all three")
    if ca is None:
        return None
    roots = None if ca == _SYSTEM else _read("tls_ca", ca)
    if certificate is None or key is None:
        return grpc.ssl_channel_credentials(roots)
    return grpc.ssl_channel_credentials(roots, _read("client_key", key), _read("client_cert", certificate))


def _api_key(settings: ClientSettings) -> str | None:
    if settings.api_key is not None and settings.api_key_file is not None:
        raise SettingsError("api_key_file and RECSVC_API_KEY: set one of them")
    if settings.api_key is not None:
        text = settings.api_key.get_secret_value()
    elif settings.api_key_file is not None:
        text = _read("api_key_file", settings.api_key_file).decode("ascii", "replace")
    else:
        return None
    key = text.strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise SettingsError("api_key: a key or token has one line, and no spaces")
    return key


def _read(setting: str, path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_FILE_BYTES)
    except OSError as error:
        # Somebody may have given the key itself in place of its file.
        shown = "the file" if setting == "api_key_file" else path
        raise SettingsError(f"{setting}: cannot read {shown}: {error.strerror}") from None
