"""Certificates, keys and tokens are replaced while calls go on: no call fails, and the old ones end."""

import asyncio
import http.client
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
import trustme

from recsvc.access import opening
from recsvc.access.scopes import Scope
from tests.recsvc.access.credentials import AUDIENCE, HOST, ISSUER, jwk, jwks, replace, token
from tests.recsvc.service.edge import FixedAnswers
from tests.recsvc.service.request_tables import GOOD_REQUESTS
from tests.recsvc.service.secured_edge import Metadata, SecuredEdge, bearer, code_of_call, secured_edge

METHOD = "/recsvc.v1.RecommendationService/Recommend"
MESSAGE = GOOD_REQUESTS["RecommendationService/Recommend"].SerializeToString()
OK, UNAUTHENTICATED, UNAVAILABLE = grpc.StatusCode.OK, grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNAVAILABLE


@pytest.fixture(autouse=True)
def files_are_looked_at_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "RELOAD_SECONDS", 0.02)


async def call(edge: SecuredEdge, metadata: Metadata, credentials: grpc.ChannelCredentials | None = None) -> object:
    """One call on a connection of its own."""
    async with edge.channel(credentials) as channel:
        return await code_of_call(channel, METHOD, MESSAGE, metadata)


async def until(code: grpc.StatusCode, calling: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(20):
        while await calling() != code:  # noqa: ASYNC110 - it is on a socket
            await asyncio.sleep(0.01)


@asynccontextmanager
async def steady_calls(calling: Callable[[], Awaitable[object]]) -> AsyncIterator[list[object]]:
    """Makes calls all the time, some at once, and yields their codes so far."""
    codes: list[object] = []

    async def caller() -> None:
        while True:
            codes.append(await calling())

    callers = [asyncio.ensure_future(caller()) for _ in range(3)]
    try:
        yield codes
    finally:
        for running in callers:
            running.cancel()
        await asyncio.wait(callers)


async def test_a_certificate_is_replaced_and_no_call_fails(certified, keys):
    key, newer = keys.add("shop", Scope), trustme.CA()
    both = grpc.ssl_channel_credentials(certified.ca.cert_pem.bytes() + newer.cert_pem.bytes())
    async with secured_edge(FixedAnswers(), certified, keys_file=keys.path) as edge:
        certificate = newer.issue_cert(HOST)
        async with steady_calls(lambda: call(edge, bearer(key), both)) as codes:
            replace(certified.key, certificate.private_key_pem.bytes())  # for a moment the key does not fit
            await until(OK, lambda: call(edge, bearer(key), both))
            replace(certified.chain, certificate.cert_chain_pems[0].bytes())
            await until(OK, lambda: call(edge, bearer(key), certified.channel(ca=newer)))
        assert await call(edge, bearer(key), certified.channel()) == UNAVAILABLE  # it trusts the old CA alone
    assert set(codes) == {OK}
    assert len(codes) > 5


async def test_the_metrics_use_the_new_certificate_too(certified):
    newer = trustme.CA()
    async with secured_edge(FixedAnswers(), certified) as edge:

        def status() -> int:
            context = ssl.create_default_context(cadata=newer.cert_pem.bytes().decode())
            connection = http.client.HTTPSConnection(HOST, edge.metrics_port, context=context, timeout=20)
            try:
                connection.request("GET", "/metrics")
                return connection.getresponse().status
            except ssl.SSLCertVerificationError:
                return 0
            finally:
                connection.close()

        assert await asyncio.to_thread(status) == 0
        certified.write(newer)
        async with asyncio.timeout(20):
            while await asyncio.to_thread(status) != 200:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)


async def test_a_key_is_replaced_and_no_call_fails(certified, keys):
    old = keys.add("shop", Scope)
    async with secured_edge(FixedAnswers(), certified, keys_file=keys.path) as edge, edge.channel() as channel:

        async def with_key(key: str) -> object:
            return await code_of_call(channel, METHOD, MESSAGE, bearer(key))

        newest = [old]
        async with steady_calls(lambda: with_key(newest[0])) as codes:
            for number in range(3):
                previous, added = newest[0], keys.add(f"shop-{number}", Scope)
                await until(OK, lambda added=added: with_key(added))
                newest[0] = added
                await asyncio.gather(*(with_key(added) for _ in range(3)))  # the callers have taken it
                keys.remove(f"shop-{number - 1}" if number else "shop")
                await until(UNAUTHENTICATED, lambda previous=previous: with_key(previous))
        assert await with_key(old) == UNAUTHENTICATED
    assert set(codes) == {OK}


async def test_a_spoilt_file_of_keys_changes_nothing(certified, keys):
    key = keys.add("shop", Scope)
    async with secured_edge(FixedAnswers(), certified, keys_file=keys.path) as edge, edge.channel() as channel:
        good = keys.path.read_bytes()
        for spoilt in (b"", b"\xff", good[:-5], good + good):
            replace(keys.path, spoilt)
            await asyncio.sleep(0.05)
            assert await code_of_call(channel, METHOD, MESSAGE, bearer(key)) == OK
        keys.path.unlink()
        await asyncio.sleep(0.05)
        assert await code_of_call(channel, METHOD, MESSAGE, bearer(key)) == OK
        later = keys.add("later", Scope)
        await until(OK, lambda: code_of_call(channel, METHOD, MESSAGE, bearer(later)))


async def test_a_public_key_of_tokens_is_replaced(certified, tmp_path):
    path = tmp_path / "jwks.json"
    path.write_bytes(jwks(jwk("P-256", "one")))
    settings = {"jwks_file": path, "jwt_issuer": ISSUER, "jwt_audience": AUDIENCE}
    async with secured_edge(FixedAnswers(), certified, **settings) as edge, edge.channel() as channel:
        old, newer = token(), token(kid="two", number=2)
        assert await code_of_call(channel, METHOD, MESSAGE, bearer(old)) == OK
        assert await code_of_call(channel, METHOD, MESSAGE, bearer(newer)) == UNAUTHENTICATED
        replace(path, jwks(jwk("P-256", "one"), jwk("P-256", "two", 2)))
        await until(OK, lambda: code_of_call(channel, METHOD, MESSAGE, bearer(newer)))
        assert await code_of_call(channel, METHOD, MESSAGE, bearer(old)) == OK
        replace(path, jwks(jwk("P-256", "two", 2)))
        await until(UNAUTHENTICATED, lambda: code_of_call(channel, METHOD, MESSAGE, bearer(old)))


async def test_clients_need_a_certificate_of_their_ca_and_it_can_be_replaced(certified, keys, tmp_path):
    key, clients, later = keys.add("shop", Scope), trustme.CA(), trustme.CA()
    ca = tmp_path / "clients.pem"
    replace(ca, clients.cert_pem.bytes())
    async with secured_edge(FixedAnswers(), certified, keys_file=keys.path, tls_client_ca=ca) as edge:
        client, other = clients.issue_cert("shop"), later.issue_cert("shop")
        for bad in (None, other):
            assert await call(edge, bearer(key), certified.channel(client=bad)) == UNAVAILABLE
        assert await call(edge, bearer(key), certified.channel(client=client)) == OK
        assert await call(edge, [], certified.channel(client=client)) == UNAUTHENTICATED
        replace(ca, clients.cert_pem.bytes() + later.cert_pem.bytes())
        await until(OK, lambda: call(edge, bearer(key), certified.channel(client=other)))
        assert await call(edge, bearer(key), certified.channel(client=client)) == OK
        replace(ca, later.cert_pem.bytes())
        await until(UNAVAILABLE, lambda: call(edge, bearer(key), certified.channel(client=client)))


async def test_metrics_ask_for_the_certificate_of_a_client_too(certified, tmp_path):
    clients = trustme.CA()
    replace(tmp_path / "clients.pem", clients.cert_pem.bytes())
    certificate = clients.issue_cert("prometheus")
    (tmp_path / "own.pem").write_bytes(certificate.private_key_and_cert_chain_pem.bytes())

    def status(edge: SecuredEdge, own: Path | None) -> int:
        context = ssl.create_default_context(cadata=certified.ca_file.read_text())
        if own is not None:
            context.load_cert_chain(own)
        connection = http.client.HTTPSConnection(HOST, edge.metrics_port, context=context, timeout=20)
        try:
            connection.request("GET", "/metrics")
            return connection.getresponse().status
        except (ssl.SSLError, ConnectionError):
            return 0
        finally:
            connection.close()

    async with secured_edge(FixedAnswers(), certified, tls_client_ca=tmp_path / "clients.pem") as edge:
        assert await asyncio.to_thread(status, edge, None) == 0
        assert await asyncio.to_thread(status, edge, tmp_path / "own.pem") == 200


async def test_a_silent_connection_keeps_no_one_from_the_metrics(certified):
    async with secured_edge(FixedAnswers(), certified) as edge:
        silent = [await asyncio.open_connection(HOST, edge.metrics_port) for _ in range(3)]

        def status() -> int:
            context = ssl.create_default_context(cadata=certified.ca_file.read_text())
            connection = http.client.HTTPSConnection(HOST, edge.metrics_port, context=context, timeout=5)
            connection.request("GET", "/metrics")
            code = connection.getresponse().status
            connection.close()
            return code

        assert await asyncio.to_thread(status) == 200
        for _, writer in silent:
            writer.close()
