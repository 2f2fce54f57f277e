"""Others than loopback are listened on only with TLS and keys, or if the operator says so in words."""

from urllib.parse import urlencode

import pytest

from recsvc.access.listening import check_addresses
from recsvc.errors import SettingsError
from recsvc.server import serve
from recsvc.settings import Settings, load_settings
from tests.recsvc.access.credentials import Certified

TLS = {"tls_cert": "c", "tls_key": "k"}
KEYS = {"keys_file": "f"}
TOKENS = {"jwks_file": "j", "jwt_issuer": "i", "jwt_audience": "a"}


def settings(**values: object) -> Settings:
    return load_settings({"bundle": "b", **values}, Settings)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "::ffff:127.0.0.1"])
def test_loopback_needs_nothing(host):
    check_addresses(settings(host=host))


@pytest.mark.parametrize("host", ["a..b", "0.0.0.0", "::", "10.1.2.3", "no-such-host.invalid", "::ffff:10.1.2.3", "0"])  # noqa: S104
@pytest.mark.parametrize("half", [{}, TLS, KEYS, TOKENS])
def test_another_address_is_refused_without_both_tls_and_keys(host, half):
    with pytest.raises(SettingsError, match=r"^host: .*insecure_off_loopback to yes-i-know$") as caught:
        check_addresses(settings(host=host, **half))
    assert ("tls_cert" in str(caught.value)) == (half is not TLS)
    assert ("keys_file" in str(caught.value)) == (half in ({}, TLS))


@pytest.mark.parametrize("who", [KEYS, TOKENS])
def test_another_address_is_taken_with_tls_and_keys(who):
    check_addresses(settings(host="0.0.0.0", **TLS, **who))  # noqa: S104


def test_another_address_is_taken_if_the_operator_says_so():
    check_addresses(settings(host="0.0.0.0", insecure_off_loopback="yes-i-know"))  # noqa: S104


@pytest.mark.parametrize("word", ["yes", "true", "1", "YES-I-KNOW"])
def test_nothing_else_is_taken_for_saying_so(word):
    with pytest.raises(SettingsError, match="insecure_off_loopback"):
        settings(insecure_off_loopback=word)


def test_metrics_have_an_address_of_their_own():
    with pytest.raises(SettingsError, match=r"^metrics_host: 0"):
        check_addresses(settings(metrics_host="0.0.0.0"))  # noqa: S104
    check_addresses(settings(metrics_host="0.0.0.0", metrics_port=-1))  # noqa: S104
    with pytest.raises(SettingsError, match=r"^host: "):
        check_addresses(settings(host="0.0.0.0", metrics_host="127.0.0.1"))  # noqa: S104


async def test_a_service_refuses_before_it_opens_anything(tmp_path):
    with pytest.raises(SettingsError, match=r"^host: 0.0.0.0 can be reached from other machines"):
        await serve(settings(bundle=tmp_path, data_dir=tmp_path / "data", host="0.0.0.0"))  # noqa: S104
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"tls_cert": "c"}, "tls_cert and tls_key need each other"),
        ({"tls_key": "k"}, "tls_cert and tls_key need each other"),
        ({"tls_client_ca": "c"}, "tls_client_ca needs tls_cert and tls_key"),
        ({"jwks_file": "j"}, "jwks_file, jwt_issuer and jwt_audience need each other"),
        ({"jwks_file": "j", "jwt_issuer": "i"}, "jwks_file, jwt_issuer and jwt_audience need each other"),
        ({"jwt_issuer": "i", "jwt_audience": "a"}, "jwks_file, jwt_issuer and jwt_audience need each other"),
        ({"redis_cert": "c", "redis_url": "rediss://h"}, "redis_cert and redis_key need each other"),
        ({"redis_ca": "c", "redis_url": "redis://h"}, "need a redis_url that begins with rediss"),
        ({"redis_ca": "c"}, "need a redis_url that begins with rediss"),
    ],
)
def test_settings_that_need_another_one_say_so(values, problem):
    with pytest.raises(SettingsError, match=problem):
        settings(**values)


def test_the_files_of_redis_go_into_its_address(tmp_path):
    own = Certified(tmp_path / "a b")
    files = {"redis_ca": own.ca_file, "redis_cert": own.chain, "redis_key": own.key}
    address = settings(redis_url="rediss://me:s3cret@h:1/0", **files).redis_address
    options = {"ssl_ca_certs": own.ca_file, "ssl_certfile": own.chain, "ssl_keyfile": own.key}
    assert address == f"rediss://me:s3cret@h:1/0?{urlencode(options)}"
    address = settings(redis_url="rediss://h/0?ssl_check_hostname=false", redis_ca=own.ca_file).redis_address
    assert address == f"rediss://h/0?ssl_check_hostname=false&{urlencode({'ssl_ca_certs': own.ca_file})}"
    assert settings(redis_url="redis://h").redis_address == "redis://h"
    assert settings().redis_address is None


def test_files_of_redis_that_cannot_be_used_stop_the_start(tmp_path):
    own, other = Certified(tmp_path / "own"), Certified(tmp_path / "other")
    for files, problem in (
        ({"redis_ca": tmp_path / "missing"}, r"redis_ca cannot be read \(No such file"),
        ({"redis_cert": own.chain, "redis_key": tmp_path}, r"redis_key cannot be read \(Is a directory"),
        ({"redis_ca": own.key}, "redis_ca must be a PEM file of a CA"),
        ({"redis_cert": own.chain, "redis_key": other.key}, "redis_key of this certificate"),
    ):
        with pytest.raises(SettingsError, match=problem):
            settings(redis_url="rediss://h", **files)
