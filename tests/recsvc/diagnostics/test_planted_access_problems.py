"""`recsvc doctor` finds each of these faults in who may call, and names the remedy."""

import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from recsvc.diagnostics.doctor import examine
from tests.conftest import RedisServer
from tests.recsvc.access.credentials import AUDIENCE, HOST, ISSUER, Certified, KeysFile, jwk, jwks, private_key
from tests.recsvc.store.free_ports import free_ports
from tests.recsvc.stored_bundle import STORED_BUNDLE

OFF_LOOPBACK = "0.0.0.0"  # noqa: S104 - nothing listens there
Flags = dict[str, object]


@dataclass(frozen=True)
class Site:
    """Sound files, in which problems are planted. ends: undoes what a folder that is thrown away does not undo."""

    folder: Path
    tls: Certified
    keys: KeysFile
    jwks: Path
    ends: ExitStack


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    tls, keys, tokens = Certified(tmp_path / "tls"), KeysFile(tmp_path / "keys.toml"), tmp_path / "jwks.json"
    keys.add("shop", ["recommend", "write"])
    tokens.write_bytes(jwks(jwk("P-256", "one")))
    for secret in (tls.key, keys.path):
        secret.chmod(0o600)
    with ExitStack() as ends:
        yield Site(tmp_path, tls, keys, tokens, ends)


@pytest.fixture
def flags(site: Site, shared_redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> Flags:
    """A set-up with everything turned on, and nothing wrong with it."""
    for name in ("RECSVC_BUNDLE", "RECSVC_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    collector = site.ends.enter_context(socket.create_server(("127.0.0.1", 0)))
    return {
        "bundle": STORED_BUNDLE,
        "redis_url": shared_redis.url,
        "store_timeout": 5,
        "host": OFF_LOOPBACK,
        "port": 0,
        "metrics_port": 0,
        "tls_client_ca": site.tls.ca_file,
        "keys_file": site.keys.path,
        "jwks_file": site.jwks,
        "jwt_issuer": ISSUER,
        "jwt_audience": AUDIENCE,
        "audit_log": site.folder / "audit.jsonl",
        "trace_endpoint": f"http://127.0.0.1:{collector.getsockname()[1]}/v1/traces",
    } | site.tls.settings()


def days(number: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=number)


def certified_until(number: float) -> Callable[[Site], Flags]:
    def plant(site: Site) -> Flags:
        site.tls.write(site.tls.ca, until=days(number))
        site.tls.key.chmod(0o600)
        return {}

    return plant


def not_yet_valid(site: Site) -> Flags:
    certificate = site.tls.ca.issue_cert(HOST, not_before=days(1), not_after=days(300))
    site.tls.key.write_bytes(certificate.private_key_pem.bytes())
    site.tls.chain.write_bytes(certificate.cert_chain_pems[0].bytes())
    return {}


def spoilt(setting: str, content: bytes | None) -> Callable[[Site], Flags]:
    """Names a file with this content; with none, a file that is not there."""

    def plant(site: Site) -> Flags:
        path = site.folder / "spoilt"
        if content is not None:
            path.write_bytes(content)
            path.chmod(0o600)
        return {setting: path}

    return plant


def a_folder_as(setting: str) -> Callable[[Site], Flags]:
    return lambda site: {setting: site.folder}


def key_of_another_certificate(site: Site) -> Flags:
    other = Certified(site.folder / "other")
    other.key.chmod(0o600)
    return {"tls_key": other.key}


def key_with_a_password(site: Site) -> Flags:
    secret = serialization.BestAvailableEncryption(b"hunter2")
    pem = private_key("P-256").private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret)
    site.tls.key.write_bytes(pem)
    return {}


def for_everybody(name: str, mode: int) -> Callable[[Site], Flags]:
    def plant(site: Site) -> Flags:
        (site.folder / name).chmod(mode)
        return {}

    return plant


def expired_client_ca(site: Site) -> Flags:
    key, name = private_key("P-256"), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "old")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(days(-30)).not_valid_after(days(-1))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return spoilt("tls_client_ca", pem)(site)


def client_as_its_ca(site: Site) -> Flags:
    return spoilt("tls_client_ca", site.tls.ca.issue_cert("client").cert_chain_pems[0].bytes())(site)


def keys_that_end(number: float) -> Callable[[Site], Flags]:
    def plant(site: Site) -> Flags:
        keys = KeysFile(site.folder / "ending.toml")
        keys.add("storefront", ["recommend"], expires=days(number))
        keys.path.chmod(0o600)
        return {"keys_file": keys.path}

    return plant


def without_names(site: Site) -> Flags:
    key, name = private_key("P-256"), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(days(-1)).not_valid_after(days(90))
    site.tls.chain.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    secret = serialization.NoEncryption()
    site.tls.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret))
    return {}


def variables(*names: str) -> Callable[[Site], Flags]:
    def plant(site: Site) -> Flags:
        patch = site.ends.enter_context(pytest.MonkeyPatch.context())
        for name in names:
            patch.setenv(name, "1")
        return {}

    return plant


def without(*settings: str) -> Callable[[Site], Flags]:
    return lambda _: dict.fromkeys(settings)


def tracing_not_installed(site: Site) -> Flags:
    patch = site.ends.enter_context(pytest.MonkeyPatch.context())
    patch.delitem(sys.modules, "recsvc.runtime.open_telemetry", raising=False)
    patch.setitem(sys.modules, "opentelemetry.context", None)
    return {}


def tokens_not_installed(site: Site) -> Flags:
    site.ends.enter_context(pytest.MonkeyPatch.context()).setitem(sys.modules, "jwt", None)
    return {}


def metrics_port_in_use(site: Site) -> Flags:
    """The port is taken at the address of metrics alone."""
    listener = site.ends.enter_context(socket.create_server(("127.0.0.2", 0)))
    return {"host": "127.0.0.1", "metrics_host": "127.0.0.2", "metrics_port": listener.getsockname()[1]}


def one_port_for_both(_: Site) -> Flags:
    [port] = free_ports(1)
    return {"port": port, "metrics_port": port}


def lost_audit_folder(site: Site) -> Flags:
    return {"audit_log": site.folder / "gone" / "audit.jsonl"}


TOKENS = ("jwks_file", "jwt_issuer", "jwt_audience")
PLANTED: dict[str, tuple[Callable[[Site], Flags], str, str]] = {
    "certificate missing": (spoilt("tls_cert", None), "certificates", "No such file or directory): correct its path"),
    "certificate unreadable": (a_folder_as("tls_cert"), "certificates", "let the user of the service read it"),
    "certificate is no PEM": (spoilt("tls_cert", b"no PEM"), "certificates", "must be PEM files"),
    "certificate expired": (certified_until(-1), "certificates", "has expired: renew it"),
    "certificate not valid yet": (not_yet_valid, "certificates", "let the clock of this machine be set by NTP"),
    "key missing": (spoilt("tls_key", None), "certificates", "correct its path"),
    "key of another certificate": (key_of_another_certificate, "certificates", "name the two files that were made"),
    "key with a password": (key_with_a_password, "certificates", "openssl pkey -in KEY -out NEW"),
    "key for everybody": (for_everybody("tls/key.pem", 0o644), "certificates", "tls/key.pem`"),
    "certificate without its key": (without("tls_key"), "settings", "tls_cert and tls_key need each other"),
    "client CA missing": (spoilt("tls_client_ca", None), "certificates", "correct its path"),
    "client CA is no PEM": (spoilt("tls_client_ca", b"no PEM"), "certificates", "the CA that signs"),
    "client CA is a client": (client_as_its_ca, "certificates", "not that of a client"),
    "client CA expired": (expired_client_ca, "certificates", "renew it, and those that it has signed"),
    "keys missing": (spoilt("keys_file", None), "keys", "correct its path"),
    "keys unreadable": (a_folder_as("keys_file"), "keys", "let the user of the service read it"),
    "keys are no TOML": (spoilt("keys_file", b"s3cret ="), "keys", "is not a TOML file"),
    "no keys": (spoilt("keys_file", b""), "keys", "make one with `recsvc key new`"),
    "keys expired": (keys_that_end(-1), "keys", "has expired: make one with `recsvc key new`"),
    "keys for everybody to read": (for_everybody("keys.toml", 0o604), "keys", "run `chmod 600"),
    "keys for everybody to write": (for_everybody("keys.toml", 0o602), "keys", "run `chmod 600"),
    "JWKS missing": (spoilt("jwks_file", None), "tokens", "correct its path"),
    "JWKS is no JSON": (spoilt("jwks_file", b"{"), "tokens", "must be JSON with a list of keys"),
    "JWKS with a shared secret": (spoilt("jwks_file", jwks({"kty": "oct", "k": "aaaa"})), "tokens", "EdDSA signatures"),
    "JWKS without an issuer": (without("jwt_issuer"), "settings", "jwks_file, jwt_issuer and jwt_audience need each"),
    "issuer without JWKS": (without("jwks_file"), "settings", "jwks_file, jwt_issuer and jwt_audience need each"),
    "extra jwt not installed": (tokens_not_installed, "tokens", "pip install 'recsvc[jwt]'"),
    "off loopback without TLS": (
        without("tls_cert", "tls_key", "tls_client_ca"),
        "addresses",
        "set tls_cert and tls_key",
    ),
    "off loopback without keys": (
        without("keys_file", *TOKENS),
        "addresses",
        "set keys_file or jwks_file, or listen on",
    ),
    "extra tracing not installed": (tracing_not_installed, "tracing", "pip install 'recsvc[tracing]'"),
    "metrics port in use": (metrics_port_in_use, "metrics_port", "stop the other process, or set metrics_port"),
    "metrics host of nobody": (
        lambda _: {"metrics_host": "192.0.2.1"},
        "metrics_port",
        "set metrics_host to an address of this machine",
    ),
    "one port for both": (one_port_for_both, "metrics_port", "is also the port of gRPC"),
    "audit log in no folder": (lost_audit_folder, "audit log", "make this folder"),
    "audit log is a folder": (a_folder_as("audit_log"), "audit log", "set audit_log to a file"),
    "audit log of nobody": (
        lambda _: {"audit_log": "/proc/audit.jsonl"},
        "audit log",
        "let the user of the service own",
    ),
}


def lines_but_ok(flags: Flags) -> list[str]:
    lines: list[str] = []
    healthy = examine(flags, lines.append)
    assert healthy == (not any(line.startswith("PROBLEM") for line in lines))
    return [line for line in lines if not line.startswith("OK")]


@pytest.mark.parametrize("problem", PLANTED)
def test_planted_access_problem_is_named_with_its_remedy(problem: str, site: Site, flags: Flags) -> None:
    plant, check, remedy = PLANTED[problem]
    [line] = lines_but_ok({name: value for name, value in (flags | plant(site)).items() if value is not None})
    assert line.startswith(f"PROBLEM  {check}: ")
    assert remedy in line
    assert "hunter2" not in line
    assert "s3cret" not in line


def test_a_set_up_with_all_of_access_passes_and_makes_no_audit_log(site: Site, flags: Flags) -> None:
    assert lines_but_ok(flags) == []
    assert not (site.folder / "audit.jsonl").exists()


@pytest.mark.parametrize(
    ("plant", "check", "remedy"),
    [
        (certified_until(13), "certificates", "cert.pem is valid until 20"),
        (keys_that_end(13), "keys", "storefront of "),
    ],
)
def test_what_ends_within_two_weeks_is_a_warning_and_no_problem(
    plant: Callable[[Site], Flags], check: str, remedy: str, site: Site, flags: Flags
) -> None:
    [line] = lines_but_ok(flags | plant(site))
    assert line.startswith(f"WARNING  {check}: ")
    assert remedy in line


@pytest.mark.parametrize(
    ("plant", "check", "remedy"),
    [
        (
            lambda _: {"trace_endpoint": "http://127.0.0.1:1"},
            "tracing",
            "start the collector, or correct trace_endpoint",
        ),
        (without_names, "certificates", "has no subjectAltName"),
        (lambda _: {"host": "127.0.0.1.nip.example"}, "certificates", "callers of that address refuse it"),
        (variables("RECSVC_REDIS_ULR"), "variables", "did you mean RECSVC_REDIS_URL?"),
        (variables("RECSVC_KEYFILE"), "variables", "did you mean RECSVC_KEYS_FILE?"),
    ],
)
def test_what_harms_later_is_a_warning_with_its_remedy(
    plant: Callable[[Site], Flags], check: str, remedy: str, site: Site, flags: Flags
) -> None:
    [line] = [line for line in lines_but_ok(flags | plant(site)) if " port" not in line and "metrics_port" not in line]
    assert line.startswith(f"WARNING  {check}: ")
    assert remedy in line


def test_variables_of_others_and_of_clients_are_no_warning(site: Site, flags: Flags) -> None:
    assert lines_but_ok(flags | variables("RECSVC_API_KEY", "RECSVC_GRPC_PORT", "RECSVC_SERVICE_HOST")(site)) == []


def test_what_ends_after_two_weeks_is_no_warning(site: Site, flags: Flags) -> None:
    assert lines_but_ok(flags | certified_until(15)(site) | keys_that_end(15)(site)) == []
