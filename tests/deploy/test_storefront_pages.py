"""The storefront over real HTTP with a real service: what it shows, and what its actions do."""

from collections.abc import Callable
from html import escape

import pytest

from recsvc.v1 import users_pb2
from recsvc.v1.users_pb2_grpc import UserServiceStub
from tests.deploy.conftest import HOSTILE, HOSTILE_TITLE
from tests.deploy.plain_browser import Browser, item_id, reason, title
from tests.deploy.storefront_process import StorefrontProcess
from tests.service_process import ServiceProcess

OpenShop = Callable[..., Browser]


def exported(service: ServiceProcess, user_id: str) -> list[tuple[str, str, str]]:
    """Item, type and list of every event that the service has of a user, oldest first."""
    with service.channel() as channel:
        exported_user = UserServiceStub(channel).ExportUser(users_pb2.ExportUserRequest(user_id=user_id), timeout=20)
    return [(event.item_id, event.event_type, event.recommendation_id) for event in exported_user.events]


def become(browser: Browser, user_id: str) -> None:
    browser.press("Go", user_id=user_id)


def test_home_has_every_row_and_no_item_twice(browse: OpenShop, regular: list[str]) -> None:
    page = browse(regular=True).page
    assert [len(page.shelf(name)) for name in ("for_you", "buy_again", "trending", "popular")] == [8, 4, 4, 4]
    assert len(set(page.item_ids)) == 20
    assert {item_id(card) for card in page.shelf("buy_again")} <= set(regular)
    assert not {item_id(card) for card in page.shelf("for_you")} & set(regular)
    assert all(reason(card) for card in page.shelf("for_you")[:4])
    assert page.quiet == ""


def test_new_visitor_sees_that_nothing_is_known(browse: OpenShop) -> None:
    page = browse().page
    assert not page.shelf("for_you")
    assert not page.shelf("buy_again")
    assert len(page.shelf("to_start")) == 8
    assert "do not know you yet" in page.text


def test_why_this_shows_the_facts_behind_a_reason(browse: OpenShop) -> None:
    page = browse(regular=True).page
    for card in page.shelf("buy_again"):
        facts = card.one("details", "why").all("li")
        assert facts
        assert any(fact.attributes["data-kind"].startswith("repeat_") for fact in facts)
        assert "You have bought this" in facts[0].text or "You bought this" in facts[0].text
        assert "phrase bank; no language model" in card.one("p", "source").text
        assert "Checked under rules reason-policy." in card.one("p", "source").text
    shares = [share.text for card in page.shelf("for_you") for share in card.all("p", "share")]
    assert shares
    assert all(0 < int(share.split("%")[0]) <= 100 for share in shares)


def test_opening_a_product_sends_a_view_event_with_its_list(browse: OpenShop, service: ServiceProcess) -> None:
    browser = browse()
    become(browser, "viewer")
    card = browser.page.cards[0]
    page = browser.follow(card)
    assert page.root.one("article", "product").one("h1").text == title(card)
    assert len(page.shelf("similar")) == 4
    assert item_id(card) not in page.item_ids
    [(viewed, kind, list_id)] = exported(service, "viewer")
    assert (viewed, kind) == (item_id(card), 2)
    assert list_id
    assert list_id in card.one("a", "look").attributes["href"]


def test_buying_changes_the_next_page(browse: OpenShop, service: ServiceProcess) -> None:
    browser = browse()
    become(browser, "buyer")
    card = browser.page.cards[2]
    browser.follow(card)
    page = browser.press("Buy now")
    assert page.notice.startswith(f"Bought: {title(card)}.")
    assert [item_id(bought) for bought in page.shelf("buy_again")] == [item_id(card)]
    assert len(page.shelf("for_you")) == 8  # it was "a good place to start" before
    assert page.quiet == ""  # the lists have seen it, by the token of the write
    events = exported(service, "buyer")
    assert [(item, kind) for item, kind, _ in events] == [(item_id(card), 2), (item_id(card), 1)]
    assert all(list_id for *_, list_id in events)


def test_the_cart_shows_what_goes_with_it_and_checks_out_once(browse: OpenShop, service: ServiceProcess) -> None:
    browser = browse()
    become(browser, "carter")
    first, second = browser.page.cards[:2]
    assert browser.press("Add to cart", first).notice == f"{title(first)} is in your cart."
    assert item_id(first) not in browser.page.item_ids
    browser.press("Add to cart", second)
    page = browser.open("/cart")
    assert len(page.root.one("ul", "lines").all("li")) == 2
    assert len(page.shelf("goes_with")) == 4
    page = browser.press("Check out")
    assert page.notice.startswith("Thank you.")
    assert {item_id(card) for card in page.shelf("buy_again")} == {item_id(first), item_id(second)}
    assert [kind for _, kind, _ in exported(service, "carter")] == [3, 3, 1, 1]
    assert "Nothing in it yet" in browser.open("/cart").text


def test_search_finds_words_and_shows_the_query_as_text(browse: OpenShop) -> None:
    browser = browse()
    page = browser.open("/search?q=notebook")
    assert any("Notebook" in title(card) for card in page.cards[:3])
    page = browser.open("/search?q=%3Cb%3Ebold%3C%2Fb%3E")
    assert "<b>bold" not in page.response.text
    assert escape("<b>bold</b>") in page.response.text
    assert browser.open(f"/search?q={'x' * 257}").response.status_code == 400


def test_a_category_is_in_the_shoppers_order(browse: OpenShop) -> None:
    known, unknown = browse(regular=True), browse()
    kitchen = [browser.open("/browse?category=Kitchen").item_ids for browser in (known, unknown)]
    assert sorted(kitchen[0]) == sorted(kitchen[1])
    assert kitchen[0] != kitchen[1]


def test_hidden_item_is_not_recommended_again(browse: OpenShop) -> None:
    browser = browse()
    card = browser.page.cards[0]
    page = browser.press("Not this one", card)
    assert page.notice == f"You will not see {title(card)} in your lists again."
    assert item_id(card) not in page.item_ids
    assert item_id(card) not in browser.open("/").item_ids


def test_taste_is_saved_shown_and_taken_back(browse: OpenShop) -> None:
    browser = browse(regular=True)
    card = browser.page.shelf("for_you")[0]
    brand = card.one("bdi", "brand").text
    browser.press(f"Less from {brand}", card)
    page = browser.open("/taste")
    assert f"Less from {brand}" in page.root.one("ul", "said").text
    assert "purchases. You can correct it." in page.text
    page = browser.press("Take back")
    assert page.notice == "Taken back."
    assert not page.root.all("ul", "said")


def test_language_switch_changes_interface_and_reasons(browse: OpenShop) -> None:
    browser = browse(regular=True)
    page = browser.press("中文")
    assert page.root.one("html").attributes["lang"] == "zh-Hans"
    assert "为你挑选" in page.text
    reasons = [reason(card) for card in page.cards if reason(card)]
    assert len(reasons) >= 10
    assert all(any("一" <= character <= "鿿" for character in text) for text in reasons)
    facts = page.shelf("buy_again")[0].one("details", "why")
    assert "你买过" in facts.text
    assert "Why" not in facts.text
    assert "为你挑选" not in browser.press("EN").text


def test_browser_in_chinese_gets_chinese(browse: OpenShop) -> None:
    assert "不妨从这里开始" in browse(language="zh-CN,zh;q=0.9").page.text


def test_seller_text_is_escaped_on_every_page(browse: OpenShop) -> None:
    browser = browse()
    page = browser.open(f"/product/{HOSTILE}")
    assert page.root.one("article", "product").one("h1").text == " ".join(HOSTILE_TITLE.split())
    browser.press("Add to cart")
    for path in ("/cart", f"/product/{HOSTILE}"):
        page = browser.open(path)
        assert not page.root.all("script")
        assert not page.root.all("img")
        assert all(bold.text.isdigit() or bold.text[0] == "£" for bold in page.root.all("b"))
        assert "{{ 7 * 7 }}" in page.text
    policy = page.response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert "unsafe" not in policy


def test_form_without_the_visits_token_is_refused(browse: OpenShop, service: ServiceProcess) -> None:
    browser = browse()
    become(browser, "victim")
    item = item_id(browser.page.cards[0])
    for token in ({}, {"token": ""}, {"token": "guessed"}, {"token": "ü"}):
        page = browser.post("/buy", {"item_id": item} | token)
        assert page.response.status_code == 403
        assert "has expired" in page.text
    other = Browser(str(browser.client.base_url))
    other.open("/")
    stolen = other.page.root.all("input")[1].attributes["value"]
    assert browser.post("/buy", {"item_id": item, "token": stolen}).response.status_code == 403
    other.client.close()
    assert exported(service, "victim") == []
    cookie = browse().client.get("/cart").request.headers["cookie"]
    assert len(cookie) > 40


def test_cookie_is_hidden_from_scripts_and_other_sites(storefront: StorefrontProcess) -> None:
    browser = Browser(storefront.address)
    cookie = browser.open("/").response.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    planted = {"cookie": "visit=planted"}
    assert "visit=planted" not in browser.client.get("/", headers=planted).headers.get("set-cookie", "visit=planted")
    assert browser.client.get("/", headers={"host": "evil.example"}).status_code == 400
    browser.client.close()


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_form_never_redirects_to_another_site(browse: OpenShop, back: str) -> None:
    browser = browse()
    token = browser.page.root.one("form", "languages").one("input").attributes["value"]
    answer = browser.client.post("/language", data={"token": token, "language": "zh", "back": back})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_too_large_or_unknown_values_get_an_error_page(browse: OpenShop) -> None:
    browser = browse()
    item = item_id(browser.page.cards[0])
    token = browser.page.root.one("form", "languages").one("input").attributes["value"]
    for path, data, status in (
        ("/buy", {"item_id": item, "list": "x" * 129}, 400),
        ("/buy", {"item_id": "unheard of"}, 404),
        ("/buy", {"item_id": "x" * 20_000}, 413),
        ("/shopper", {"user_id": "x" * 129}, 400),
        ("/shopper", {"user_id": "a\nb"}, 400),
        ("/language", {"language": "tlh"}, 400),
        ("/taste/say", {"sort": "everything", "value": "x"}, 400),
    ):
        page = browser.post(path, {"token": token} | data)
        assert (path, page.response.status_code) == (path, status)
        assert "Back to the shop" in page.text
    assert browser.open("/product/unheard%20of").response.status_code == 404
    assert browser.open("/nothing/here").response.status_code == 404
    assert browser.client.get("/buy").status_code == 405
