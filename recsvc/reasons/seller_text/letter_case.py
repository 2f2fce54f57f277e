"""Capitals made readable: 'WHITE HANGING HEART T-LIGHT HOLDER' to 'White Hanging Heart T-Light Holder'."""

import re

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_SMALL_WORDS = frozenset(
    {"a", "an", "and", "as", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with"}
)
# Read as letters, not as words, in the titles of most shops.
_LETTERS = frozenset({"tv", "dvd", "cd", "usb", "led", "lcd", "uv", "uk", "usa", "us", "eu", "hd", "diy", "bbq", "pvc"})


# Adjectives that keep their capital within a sentence.
_PROPER = frozenset(
    {"african", "american", "arabian", "asian", "bohemian", "british", "celtic", "chinese", "christmas"}
    | {"danish", "dutch", "english", "french", "georgian", "german", "greek", "indian", "irish", "italian"}
    | {"japanese", "korean", "mediterranean", "mexican", "moroccan", "nordic", "norwegian", "persian"}
    | {"scandinavian", "scottish", "spanish", "swedish", "swiss", "turkish", "victorian", "welsh", "easter"}
)


def _readable_word(match: re.Match[str]) -> str:
    word = match.group()
    lower = word.lower()
    if lower in _LETTERS or (len(word) <= 3 and any(map(str.isdigit, word))):
        return word
    if lower in _SMALL_WORDS and match.start() > 0:
        return lower
    head, mark, tail = lower.partition("'")
    if mark and len(head) == 1 and len(tail) > 2:  # L'Oreal and D'Arcy, but Children's
        return f"{head.upper()}'{tail.capitalize()}"
    return lower.capitalize()


def readable_case(text: str) -> str:
    """`text` with capitals for the first letters of words, where four in five of six or more letters are capitals.

    Short names in capitals are names: 'OPI' and 'IKEA' stay.
    """
    capitals = sum(map(str.isupper, text))
    cased = capitals + sum(map(str.islower, text))
    if cased < 6 or capitals < 0.8 * cased:
        return text
    return _WORD.sub(_readable_word, text)


def within_a_sentence(name: str) -> str:
    """A name in which every word has a capital, as words of a sentence: 'navy blue', but 'Scandinavian' and 'PVC'."""
    if not name.istitle():
        return name
    return _WORD.sub(lambda word: word.group() if word.group().lower() in _PROPER else word.group().lower(), name)
