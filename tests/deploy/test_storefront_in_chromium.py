"""The storefront in a real browser, a Chromium on PATH (Debian: apt-get install chromium)."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect, sync_playwright

from tests.deploy.conftest import HOSTILE, HOSTILE_TITLE
from tests.deploy.storefront_process import StorefrontProcess

pytestmark = pytest.mark.slow

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATHS = ("/", f"/product/{HOSTILE}", "/cart", "/search?q=notebook", "/browse?category=Kitchen", "/taste", "/nothing")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.fail(f"needs one of {', '.join(PROGRAMS)} on PATH; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        # Chromium has no sandbox for root, as in a container.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, storefront: StorefrontProcess) -> Iterator[Page]:
    """The shop as `REGULAR`, in English. Fails if the browser logs a complaint, such as a blocked style."""
    context = chromium.new_context(base_url=storefront.address, locale="en-GB", viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))

    def dismiss(dialog: Dialog) -> None:
        complaints.append(dialog.message)
        dialog.dismiss()

    opened.on("dialog", dismiss)
    opened.goto("/")
    yield opened
    context.close()
    assert [text for text in complaints if "404" not in text] == []  # a test opens "/nothing" on purpose


def test_why_this_opens_the_facts(page: Page) -> None:
    card = page.locator(".card").first
    facts = card.locator(".why li")
    assert not facts.first.is_visible()
    card.get_by_text("Why this?").click()
    assert facts.first.is_visible()
    assert "Checked under rules" in card.locator(".source").inner_text()
    card.get_by_text("Why this?").click()
    assert not facts.first.is_visible()


def test_buying_through_the_cart_changes_the_home_page(page: Page) -> None:
    page.locator(".who summary").click()
    page.get_by_role("button", name="A new visitor").click()
    expect(page.locator(".to_start .card")).to_have_count(8)
    chosen = page.locator(".card h3").nth(3).inner_text()
    page.locator(".card .look").nth(3).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(chosen)
    page.get_by_role("button", name="Add to cart").first.click()
    page.get_by_role("link", name="Cart 1").click()
    expect(page.locator(".goes_with .card")).to_have_count(4)
    page.get_by_role("button", name="Check out").click()
    expect(page.get_by_role("status")).to_contain_text("Thank you.")
    expect(page.locator(".for_you .card")).to_have_count(8)
    assert page.locator(".buy_again h3").all_inner_texts() == [chosen]


def test_pictures_are_drawn_and_pages_styled(page: Page) -> None:
    """The content security policy allows the shop's own files."""
    assert page.locator(".card .drawing").first.evaluate("drawing => drawing.getBBox().width") > 40
    assert page.locator(".card").first.evaluate("card => getComputedStyle(card).borderRadius") == "16px"
    dark = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    page.emulate_media(color_scheme="dark")
    assert page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor") != dark


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_no_page_is_wider_than_the_screen(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for language in ("EN", "中文"):
        page.get_by_role("button", name=language).click()
        expect(page.locator(".languages [aria-current]")).to_have_text(language)
        for path in PATHS:
            page.goto(path)
            for summary in page.locator("main .card:first-child summary").all():
                summary.click()
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, language)


def test_hostile_title_is_shown_as_text(page: Page) -> None:
    page.goto(f"/product/{HOSTILE}")
    assert page.get_by_role("heading", level=1).inner_text() == HOSTILE_TITLE
    assert page.title().startswith(HOSTILE_TITLE)
    assert page.locator("main script, main img").count() == 0


def test_everything_works_without_script(chromium: Browser, storefront: StorefrontProcess, tmp_path: Path) -> None:
    with chromium.new_context(base_url=storefront.address, java_script_enabled=False, locale="zh-CN") as context:
        page = context.new_page()
        page.goto("/")
        page.get_by_text("少推荐这类").first.click()
        first = page.locator(".card h3").first.inner_text()
        page.get_by_role("button", name="不再显示这件").first.click()
        expect(page.get_by_role("status")).to_contain_text(first)
        assert first not in page.locator(".card h3").all_inner_texts()
