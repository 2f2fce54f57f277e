"""Commands and the storefront connect to a service with TLS and keys, and say what is wrong if they cannot."""

import argparse
import asyncio

import grpc
import pytest

from deploy.storefront.connection import ConnectionFilesError, add_flags, connection_of
from recsvc.__main__ import main
from recsvc.access.keys import new_key
from recsvc.channel import channel_credentials, client_settings
from recsvc.errors import SettingsError
from recsvc.server import listening
from recsvc.v1.recommendation_pb2 import RecommendRequest
from recsvc.v1.recommendation_pb2_grpc import RecommendationServiceStub
from tests.recsvc.access.credentials import HOST, Certified
from tests.recsvc.service.edge import FixedAnswers, backend_of, edge_settings
from tests.recsvc.service.secured_edge import secured_edge


@pytest.fixture(autouse=True)
def no_key_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_KEY", "API_KEY_FILE", "TLS_CA", "CLIENT_CERT", "CLIENT_KEY"):
        monkeypatch.delenv(f"RECSVC_{name}", raising=False)


async def test_explain_calls_a_service_with_tls_and_keys(certified, keys, tmp_path, monkeypatch, capsys):
    key = keys.add("support", ["recommend"])
    (tmp_path / "key").write_text(f"{key}\n")
    async with secured_edge(FixedAnswers(), certified, keys_file=keys.path) as edge:
        target = ["explain", "ann", "--target", f"{HOST}:{edge.port}"]

        async def explain(*more: str) -> tuple[int, str]:
            code = await asyncio.to_thread(main, [*target, *more])
            printed = capsys.readouterr()
            assert key not in printed.out + printed.err
            return code, printed.out + printed.err

        ca = ["--tls-ca", str(certified.ca_file)]
        assert (await explain(*ca, "--api-key-file", str(tmp_path / "key")))[0] == 0
        code, text = await explain(*ca)
        assert (code, "UNAUTHENTICATED: the call has no key" in text) == (2, True)
        monkeypatch.setenv("RECSVC_API_KEY", key)
        monkeypatch.setenv("RECSVC_TLS_CA", str(certified.ca_file))
        assert (await explain())[0] == 0
        code, text = await explain("--item", "x")
        assert (code, "PERMISSION_DENIED: the key or token does not have the scope admin" in text) == (2, True)
        other = Certified(tmp_path / "other")
        code, text = await explain("--tls-ca", str(other.ca_file))
        assert (code, "does not answer" in text) == (2, True)


async def test_the_storefront_calls_a_service_with_tls_and_keys(certified, keys, tmp_path):
    key = keys.add("storefront", ["recommend"])
    (tmp_path / "key").write_text(key)
    parser = argparse.ArgumentParser()
    add_flags(parser)
    async with secured_edge(FixedAnswers(), certified, keys_file=keys.path) as edge:
        flags = ["--service", f"{HOST}:{edge.port}", "--tls-ca", str(certified.ca_file)]
        by_file = connection_of(parser.parse_args([*flags, "--api-key-file", str(tmp_path / "key")]), {})
        by_variable = connection_of(parser.parse_args(flags), {"RECSVC_API_KEY": key})
        for connection in (by_file, by_variable):
            async with connection.open() as channel:
                answer = await RecommendationServiceStub(channel).Recommend(RecommendRequest(user_id="u", k=1))
                assert answer.recommendations
        async with connection_of(parser.parse_args(flags), {}).open() as channel:
            with pytest.raises(grpc.aio.AioRpcError, match="UNAUTHENTICATED"):
                await RecommendationServiceStub(channel).Recommend(RecommendRequest(user_id="u", k=1))


async def test_a_key_is_sent_without_tls_on_the_same_machine_only():
    credentials = channel_credentials(client_settings({"api_key": "k"}))
    assert credentials is not None
    async with (
        listening(edge_settings(), backend_of(FixedAnswers()), asyncio.Event()) as port,
        grpc.aio.secure_channel(f"127.0.0.1:{port}", credentials) as channel,
    ):
        assert await RecommendationServiceStub(channel).Recommend(RecommendRequest(user_id="u", k=1))


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        ({"tls_ca": "missing.pem"}, "tls_ca: cannot read missing.pem"),
        ({"api_key_file": "missing"}, "api_key_file: cannot read the file"),
        ({"tls_ca": "ca", "client_cert": "c"}, "client_cert, client_key and tls_ca"),
        ({"client_cert": "c", "client_key": "k"}, "client_cert, client_key and tls_ca"),
        ({"api_key": "k", "api_key_file": "f"}, "api_key_file and RECSVC_API_KEY: set one of them"),
        ({"api_key": "two\nlines"}, "api_key: a key or token has one line"),
        ({"api_key": " "}, "api_key: a key or token has one line"),
        ({"api_key": "clé"}, "api_key: a key or token has one line"),
    ],
)
def test_settings_that_cannot_be_used_are_named(flags, problem):
    with pytest.raises(SettingsError) as caught:
        channel_credentials(client_settings(flags))
    assert problem in str(caught.value)
    assert "two" not in str(caught.value)


@pytest.mark.parametrize("flag", ["--api-key", "--api-key-file"])
def test_a_key_in_a_flag_is_refused_and_not_repeated(capsys, flag):
    key = new_key()
    assert main(["explain", "ann", flag, key]) == 2
    printed = capsys.readouterr()
    assert "api_key_file: cannot read the file" in printed.err
    assert key not in printed.out + printed.err
    parser = argparse.ArgumentParser()
    add_flags(parser)
    with pytest.raises(ConnectionFilesError) as caught:
        connection_of(parser.parse_args([flag, key]), {})
    assert key not in str(caught.value)


def test_the_help_says_where_a_key_goes(capsys):
    with pytest.raises(SystemExit):
        main(["explain", "--help"])
    assert "RECSVC_API_KEY" in capsys.readouterr().out


@pytest.mark.parametrize("flags", [["--tls-ca", "missing.pem"], ["--client-cert", "c"], ["--api-key-file", "missing"]])
def test_a_storefront_names_a_file_that_it_cannot_read(flags):
    parser = argparse.ArgumentParser()
    add_flags(parser)
    with pytest.raises(ConnectionFilesError):
        connection_of(parser.parse_args(flags), {})
