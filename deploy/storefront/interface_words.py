"""What the shop's own interface says, in each language: words/*.toml. What the service says comes from the service."""

import tomllib
from functools import cache
from pathlib import Path

from markupsafe import Markup

from deploy.storefront.visits import LANGUAGES

_FOLDER = Path(__file__).parent / "words"
_SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$", "CNY": "¥", "JPY": "¥"}
_LOCALES = {"en": "en", "zh": "zh-Hans"}


class Words:
    """One language. Called with a key it gives the words, with values escaped and put in; a key.one goes before the key
    where `count` is 1.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self.locale = _LOCALES[language]
        self._words: dict[str, str] = tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))

    def __call__(self, key: str, **values: object) -> Markup:
        if values.get("count") == 1 and f"{key}_one" in self._words:
            key += "_one"
        return Markup(self._words[key]).format(**values)  # noqa: S704  the words are ours; format escapes the values

    def __contains__(self, key: str) -> bool:
        return key in self._words

    def price(self, price: float | None, currency: str) -> str:
        return "" if price is None else f"{_SYMBOLS.get(currency, f'{currency} ' if currency else '')}{price:,.2f}"


@cache
def words_in(language: str) -> Words:
    """Of the languages of the interface, which are those of the reasons. KeyError for any other."""
    return {each: Words(each) for each in LANGUAGES}[language]


def sellers(text: str) -> Markup:
    """A seller's words inside a sentence of ours: escaped, and in a direction of their own."""
    return Markup("<bdi>{}</bdi>").format(text)
