"""The texts of the shop's own interface, by language, from words/*.toml. Reasons come from the service instead."""

import tomllib
from functools import cache
from pathlib import Path

from markupsafe import Markup

from deploy.storefront.visits import LANGUAGES

_FOLDER = Path(__file__).parent / "words"
_SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$", "CNY": "¥", "JPY": "¥"}
_LOCALES = {"en": "en", "zh": "zh-Hans"}


class Words:
    """The texts of one language. Called with a key, as templates do, it gives the text."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.locale = _LOCALES[language]
        self._words: dict[str, str] = tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))

    def __call__(self, key: str, **values: object) -> Markup:
        """The text with escaped values filled in. If `count` is 1, a key with the suffix "_one" goes first."""
        if values.get("count") == 1 and f"{key}_one" in self._words:
            key += "_one"
        return Markup(self._words[key]).format(**values)  # noqa: S704  our own text; format escapes the values

    def __contains__(self, key: str) -> bool:
        return key in self._words

    def price(self, price: float | None, currency: str) -> str:
        """A price with its currency. Empty without a price."""
        return "" if price is None else f"{_SYMBOLS.get(currency, f'{currency} ' if currency else '')}{price:,.2f}"


@cache
def words_in(language: str) -> Words:
    """The texts of a language. The interface has the same languages as the reasons; KeyError for any other."""
    return {name: Words(name) for name in LANGUAGES}[language]


def sellers(text: str) -> Markup:
    """Marks a seller's text inside a sentence of ours: escaped, and with its own text direction."""
    return Markup("<bdi>{}</bdi>").format(text)
