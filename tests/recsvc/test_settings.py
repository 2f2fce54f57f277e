"""Settings: flags before environment before defaults; every bad one is named, and no value is told."""

import pytest

from recsvc.errors import SettingsError
from recsvc.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(f"RECSVC_{name.upper()}", raising=False)


def test_only_the_bundle_is_required():
    settings = load_settings({"bundle": "b"}, Settings)
    required = {name for name, field in Settings.model_fields.items() if field.is_required()}
    assert required == {"bundle"}
    assert (settings.host, settings.port, settings.metrics_port) == ("127.0.0.1", 50051, 9464)
    assert settings.redis_url is None


def test_a_flag_goes_before_the_environment_and_that_before_the_default(monkeypatch):
    monkeypatch.setenv("RECSVC_BUNDLE", "of-environment")
    monkeypatch.setenv("RECSVC_PORT", "1234")
    monkeypatch.setenv("RECSVC_REUSE_PORT", "true")
    monkeypatch.setenv("RECSVC_NAMESPACE", "")
    settings = load_settings({"port": "4321"}, Settings)
    assert (str(settings.bundle), settings.port, settings.reuse_port) == ("of-environment", 4321, True)
    assert settings.namespace == "recsvc"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "x"),
        ("port", "65536"),
        ("port", "-1"),
        ("metrics_port", "-2"),
        ("store_timeout", "0"),
        ("store_timeout", "nan"),
        ("store_timeout", "inf"),
        ("history_limit", "0"),
        ("max_concurrent_requests", "0"),
        ("search_threads", "0"),
        ("cache_size", "-1"),
        ("drain_seconds", "-1"),
        ("grace_seconds", "-1"),
        ("log_level", "loud"),
        ("log_format", "xml"),
        ("reason_generator", "oracle"),
        ("namespace", "{a}"),
        ("namespace", "a b"),
        ("host", "a/b"),
        ("text_encoder", ""),
    ],
)
def test_a_bad_value_is_named_with_its_variable(name, value):
    with pytest.raises(SettingsError, match=rf"^{name} \(RECSVC_{name.upper()}\): [a-z]") as caught:
        load_settings({"bundle": "b", name: value}, Settings)
    assert ";" not in str(caught.value)


def test_all_bad_ones_are_listed_and_no_value_is_told(monkeypatch):
    monkeypatch.setenv("RECSVC_REDIS_URL", "redis://me:s3cret@host")
    monkeypatch.setenv("RECSVC_HOST", "redis://me:s3cret@host")
    monkeypatch.setenv("RECSVC_PORT", "s3cret")
    with pytest.raises(SettingsError) as caught:
        load_settings({}, Settings)
    message = str(caught.value)
    assert all(f"RECSVC_{name}" in message for name in ("BUNDLE", "HOST", "PORT"))
    assert "s3cret" not in message
    assert caught.value.__suppress_context__


def test_the_redis_url_is_not_shown():
    settings = load_settings({"bundle": "b", "redis_url": "rediss://me:s3cret@host:6379/0"}, Settings)
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in settings.model_dump_json()
    assert settings.redis_url is not None
    assert settings.redis_url.get_secret_value() == "rediss://me:s3cret@host:6379/0"


def test_the_variable_that_kubernetes_makes_of_a_service_named_recsvc_is_no_port(monkeypatch):
    monkeypatch.setenv("RECSVC_PORT", "tcp://10.0.0.1:50051")
    assert load_settings({"bundle": "b"}, Settings).port == 50051


def test_every_setting_is_described():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
