"""A browser without scripts, over real HTTP. It reads pages, follows links and sends the forms of a page."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx2

_EMPTY = {"area", "base", "br", "circle", "hr", "img", "input", "link", "meta", "path", "rect", "use"}
_INLINE = {"a", "b", "bdi", "small", "span"}


@dataclass
class Element:
    """A node of a page."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Element | str"] = field(default_factory=list)

    def all(self, tag: str, css_class: str = "") -> list["Element"]:
        """The matching elements inside this one, in the order of the page."""
        matches = []
        for child in self.children:
            if isinstance(child, Element):
                if child.tag == tag and (not css_class or css_class in child.attributes.get("class", "").split()):
                    matches.append(child)
                matches += child.all(tag, css_class)
        return matches

    def one(self, tag: str, css_class: str = "") -> "Element":
        return self.all(tag, css_class)[0]

    @property
    def text(self) -> str:
        return " ".join(self.words().split())

    def words(self) -> str:
        words = "".join(child if isinstance(child, str) else child.words() for child in self.children)
        return words if self.tag in _INLINE else f" {words} "


class Page(HTMLParser):
    """A page that the server answered with."""

    def __init__(self, response: httpx2.Response) -> None:
        super().__init__()
        self.response = response
        self.root = Element("page")
        self._open = [self.root]
        self.feed(response.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in _EMPTY:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag, f"</{tag}> closes no open element"

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)

    @property
    def text(self) -> str:
        return self.root.one("main").text

    @property
    def notice(self) -> str:
        return " ".join(paragraph.text for paragraph in self.root.all("p", "notice"))

    @property
    def quiet(self) -> str:
        return " ".join(paragraph.text for paragraph in self.root.all("p", "quiet"))

    def shelf(self, name: str) -> list[Element]:
        """The cards of a row. Empty if the page has no such row."""
        return [card for shelf in self.root.all("section", name) for card in shelf.all("article", "card")]

    @property
    def cards(self) -> list[Element]:
        return self.root.all("article", "card")

    @property
    def item_ids(self) -> list[str]:
        return [item_id(card) for card in self.cards]


def item_id(card: Element) -> str:
    return urlsplit(card.one("a", "look").attributes["href"]).path.removeprefix("/product/")


def title(card: Element) -> str:
    return card.one("h3").text


def reason(card: Element) -> str:
    """The reason on a card. Empty if it has none."""
    return " ".join(box.one("p").text for box in card.all("div", "reason"))


class Browser:
    """The browser of one shopper, with its own cookies."""

    def __init__(self, address: str, language: str = "en") -> None:
        self.client = httpx2.Client(base_url=address, timeout=30, headers={"accept-language": language})
        self.page: Page

    def open(self, path: str) -> Page:
        self.page = Page(self.client.get(path, follow_redirects=True))
        return self.page

    def follow(self, card: Element) -> Page:
        return self.open(card.one("a", "look").attributes["href"])

    def press(self, button: str, within: Element | None = None, **fields: str) -> Page:
        """Sends the form that has this button, and follows the redirect."""
        forms = (within or self.page.root).all("form")
        form, pressed = next((f, b) for f in forms for b in f.all("button") if b.text == button)
        data = {field.attributes["name"]: field.attributes.get("value", "") for field in form.all("input")}
        if "name" in pressed.attributes:
            data[pressed.attributes["name"]] = pressed.attributes["value"]
        assert form.attributes["method"] == "post"
        return self.post(form.attributes["action"], data | fields)

    def post(self, path: str, data: dict[str, str]) -> Page:
        here = str(self.page.response.url)
        self.page = Page(self.client.post(urljoin(here, path), data=data, follow_redirects=True))
        return self.page
