"""Certificates are checked before they are used: at the start and when they change."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from prometheus_client import REGISTRY

from recsvc.access.certificates import read_certificates
from recsvc.errors import SettingsError
from tests.recsvc.access.credentials import Certified, private_key, replace


@pytest.fixture
def files(tmp_path: Path) -> Certified:
    return Certified(tmp_path / "tls")


def test_good_files_are_read_and_the_expiry_is_a_metric(files):
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
    files.write(files.ca, until=until)
    certificates = read_certificates(files.chain, files.key, files.ca_file)
    assert certificates.chain == files.chain.read_bytes()
    assert certificates.client_ca == files.ca_file.read_bytes()
    assert REGISTRY.get_sample_value("recsvc_certificate_expires_seconds") == until.timestamp()


def test_a_chain_with_an_intermediate_ca_is_read(files):
    files.write(trustme.CA(parent_cert=files.ca))
    read_certificates(files.chain, files.key, None)


def encrypted_key() -> bytes:
    secret = serialization.BestAvailableEncryption(b"secret")
    return private_key("P-256").private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret)


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (
            lambda files: replace(files.key, Certified(files.key.parent / "other").key.read_bytes()),
            "another certificate",
        ),
        (lambda files: replace(files.chain, b"no PEM"), "must be PEM files"),
        (lambda files: replace(files.key, b""), "must be PEM files"),
        (lambda files: replace(files.key, encrypted_key()), "the key without a password"),
        (lambda files: replace(files.key, files.chain.read_bytes()), "must be PEM files"),
        (lambda files: replace(files.ca_file, b"no PEM"), "has no CA certificate as PEM"),
        (lambda files: files.write(files.ca, until=datetime.now(UTC) - timedelta(days=1)), "has expired"),
    ],
)
def test_files_that_would_fail_at_the_first_call_are_refused(files, spoil, problem):
    spoil(files)
    with pytest.raises(SettingsError, match=problem) as caught:
        read_certificates(files.chain, files.key, files.ca_file)
    assert "PRIVATE" not in str(caught.value)


def test_the_private_key_is_not_shown(files):
    assert "PRIVATE" not in repr(read_certificates(files.chain, files.key, None))
