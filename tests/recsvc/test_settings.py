"""Settings: flags go before the environment, and that before defaults; bad ones are named, without their values."""

from dataclasses import fields

import pytest

from recsvc.domain.serving_config import ServingConfig
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
        ("reason_pronoun", "妳"),
        ("namespace", "{a}"),
        ("namespace", "a b"),
        ("host", "a/b"),
        ("text_encoder", ""),
    ],
)
def test_a_bad_setting_is_named_with_its_variable(name, value):
    with pytest.raises(SettingsError, match=rf"^{name} \(RECSVC_{name.upper()}\): [a-z]") as caught:
        load_settings({"bundle": "b", name: value}, Settings)
    assert ";" not in str(caught.value)


def test_all_bad_settings_are_named_without_their_values(monkeypatch):
    monkeypatch.setenv("RECSVC_REDIS_URL", "redis://me:s3cret@host")
    monkeypatch.setenv("RECSVC_HOST", "redis://me:s3cret@host")
    monkeypatch.setenv("RECSVC_PORT", "s3cret")
    with pytest.raises(SettingsError) as caught:
        load_settings({}, Settings)
    message = str(caught.value)
    assert all(f"RECSVC_{name}" in message for name in ("BUNDLE", "HOST", "PORT"))
    assert "s3cret" not in message
    assert caught.value.__suppress_context__


def test_the_redis_url_is_not_printed():
    settings = load_settings({"bundle": "b", "redis_url": "rediss://me:s3cret@host:6379/0"}, Settings)
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in settings.model_dump_json()
    assert settings.redis_url is not None
    assert settings.redis_url.get_secret_value() == "rediss://me:s3cret@host:6379/0"


def test_the_port_variable_that_kubernetes_sets_for_a_service_named_recsvc_is_ignored(monkeypatch):
    monkeypatch.setenv("RECSVC_PORT", "tcp://10.0.0.1:50051")
    assert load_settings({"bundle": "b"}, Settings).port == 50051


def test_every_setting_has_a_description():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_serving_config_has_the_values_of_the_settings():
    values = {
        "bundle": "b",
        "text_encoder": "e",
        "placements": "p.toml",
        "cache_size": 7,
        "unknown_is_private": True,
        "reason_pronoun": "你",
        "synonyms": "s.txt",
        "log_searches": True,
        "reason_generator": "openai",
        "reason_model": "m",
        "reason_revision": "r",
    }
    settings = load_settings(values, Settings)
    config = settings.serving_config()
    assert {field.name for field in fields(config)} == set(values)
    for name in values:
        assert getattr(config, name) == getattr(settings, name)


def test_the_defaults_of_the_serving_config_are_those_of_the_settings():
    settings = load_settings({"bundle": "b"}, Settings)
    assert settings.serving_config() == ServingConfig(bundle=settings.bundle)
