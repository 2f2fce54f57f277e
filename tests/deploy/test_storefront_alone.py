"""The storefront while the service is not available, and after it comes back."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from deploy.storefront import app
from deploy.storefront.catalogue import Catalogue, Product
from deploy.storefront.connection import Connection
from tests.conftest import RedisServer
from tests.deploy.plain_browser import Browser, title
from tests.deploy.storefront_process import ROOT, StorefrontProcess
from tests.integration.clients import eventually
from tests.recsvc.store.free_ports import free_ports
from tests.service_process import ServiceProcess


@pytest.fixture
def address() -> str:
    """An address where nothing listens yet."""
    return f"127.0.0.1:{free_ports(1)[0]}"


@pytest.fixture
def browser(address: str, hostile_items: Path) -> Iterator[Browser]:
    storefront = StorefrontProcess(address, hostile_items)
    opened = Browser(storefront.address)
    yield opened
    opened.client.close()
    assert storefront.stop() == 0
    log = "".join(storefront.log)
    assert "Traceback" not in log
    assert "UNAVAILABLE" in log


def all_pages_without_the_service(browser: Browser) -> None:
    for path in ("/", "/search?q=notebook", "/browse?category=Kitchen", "/product/i00001"):
        page = browser.open(path)
        assert page.response.status_code == 200
        assert page.cards, path
        assert not page.root.all("div", "reason")
        assert "not available at the moment" in page.quiet
    assert "Notebook" in title(browser.open("/search?q=notebook").cards[0])
    assert "not available at the moment" in browser.open("/taste").text


def test_shop_works_without_the_service_and_sends_events_later(
    trained_bundle: Path, browser: Browser, address: str, redis_server: RedisServer, tmp_path: Path
) -> None:
    all_pages_without_the_service(browser)
    item = browser.open("/").cards[0]
    browser.follow(item)
    assert "will include this when they are back" in browser.press("Buy now").notice

    service = ServiceProcess(trained_bundle, tmp_path, redis_server.url, int(address.split(":")[1]), store_timeout=5)
    try:
        # The next event also sends those that wait: so the purchase is known, although it was made without the service.
        eventually(lambda: browser.open("/product/i00002").quiet == "")
        page = browser.open("/")
        assert [title(card) for card in page.shelf("buy_again")] == [title(item)]
        assert page.quiet == ""

        redis_server.kill()
        page = browser.open("/")
        assert page.cards
        assert "may be slightly out of date" in page.quiet
    finally:
        service.kill()
    all_pages_without_the_service(browser)


async def test_unexpected_error_gives_a_page_and_a_log_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setitem(app.PAGES, "/cart", fail)
    shop = app.make_app(Connection("127.0.0.1:1"), Catalogue([Product("a", "A lamp")]))
    transport = httpx2.ASGITransport(shop)
    async with shop.router.lifespan_context(shop), httpx2.AsyncClient(transport=transport) as client:
        answer = await client.get("http://localhost/cart")
    assert answer.status_code == 500
    assert "That did not work" in answer.text
    assert "secret" not in answer.text
    assert "content-security-policy" in answer.headers
    assert "RuntimeError: secret" in caplog.text


def test_missing_library_is_named_with_its_extra() -> None:
    without = "import runpy, sys; sys.modules['starlette'] = None"
    start = "runpy.run_module('deploy.storefront', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", f"{without}; {start}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == "error: the shop needs starlette; pip install 'recsvc[storefront]' brings it\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--items", "nowhere.csv"], "there is no nowhere.csv; --items names the shop's items table"),
        (["--items", "pyproject.toml"], "has an item_id that does not have 1 to 128 characters"),
        (["--items", "README.md", "--clock", "teatime"], "teatime"),
        (["--items", "README.md", "--shopper", "x" * 129], "an id has 1 to 128 characters"),
    ],
)
def test_wrong_arguments_give_an_error_without_a_traceback(arguments: list[str], says: str) -> None:
    command = [sys.executable, "-m", "deploy.storefront", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert says in done.stderr
    assert "Traceback" not in done.stderr
