"""A storefront with the items of `small_shop`, and a real service for it."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from tests.deploy.plain_browser import Browser
from tests.deploy.storefront_process import StorefrontProcess
from tests.integration.clients import Storefront
from tests.service_process import ServiceProcess
from training.synthetic.shop import SyntheticShop

REGULAR = "a regular"
HOSTILE = "i00000"  # the item with a hostile title
HOSTILE_TITLE = '<script>alert(1)</script> "><img src=x onerror=alert(1)> {{ 7 * 7 }}'


@pytest.fixture(scope="session")
def hostile_items(small_shop: SyntheticShop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The items table, with one item whose texts would be markup if they were not escaped."""
    hostile = pl.col("item_id") == HOSTILE
    items = small_shop.items.with_columns(
        title=pl.when(hostile).then(pl.lit(HOSTILE_TITLE)).otherwise("title"),
        brand=pl.when(hostile).then(pl.lit("<b>Bold</b>")).otherwise("brand"),
    )
    file = tmp_path_factory.mktemp("storefront") / "items.parquet"
    items.write_parquet(file)
    return file


@pytest.fixture(scope="module")
def service(small_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    process = ServiceProcess(small_bundle, tmp_path_factory.mktemp("service"), store_timeout=5)
    yield process
    process.kill()


@pytest.fixture(scope="module")
def regular(service: ServiceProcess, small_shop: SyntheticShop) -> list[str]:
    """The items that `REGULAR` bought, oldest first: those of the user with the most purchases."""
    purchases = small_shop.events.filter(pl.col("event_type") == "purchase")
    most_active = purchases["user_id"].mode().sort()[0]
    own = purchases.filter(pl.col("user_id") == most_active).with_columns(user_id=pl.lit(REGULAR))
    with service.channel() as channel:
        Storefront(channel).write_history(own)
    return own["item_id"].to_list()


@pytest.fixture(scope="module")
def storefront(
    service: ServiceProcess, regular: list[str], hostile_items: Path, small_shop: SyntheticShop
) -> Iterator[StorefrontProcess]:
    last = small_shop.events["timestamp"].max()
    assert isinstance(last, dt.datetime)
    clock = (last + dt.timedelta(hours=1)).isoformat()
    arguments = ("--shopper", f"{REGULAR}=The regular", "--clock", clock)
    process = StorefrontProcess(service.address, hostile_items, *arguments)
    yield process
    process.stop()


@pytest.fixture
def browse(storefront: StorefrontProcess) -> Iterator[Callable[..., Browser]]:
    """Opens the shop in a new browser, as a new visitor or as `REGULAR`."""
    opened: list[Browser] = []

    def open_shop(regular: bool = False, language: str = "en") -> Browser:
        browser = Browser(storefront.address, language)
        opened.append(browser)
        browser.open("/")
        if not regular:
            browser.press("A new visitor" if language == "en" else "新访客")
        return browser

    yield open_shop
    for browser in opened:
        browser.client.close()
