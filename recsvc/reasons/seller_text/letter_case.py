"""Turns capitals into readable case: 'WHITE HANGING HEART HOLDER' gives 'White Hanging Heart Holder'."""

import re

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_SMALL_WORDS = frozenset(
    {"a", "an", "and", "as", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with"}
)
# Abbreviations in the titles of most shops; they stay in capitals.
_ABBREVIATIONS = frozenset(
    {"tv", "dvd", "cd", "usb", "led", "lcd", "uv", "uk", "usa", "us", "eu", "hd", "diy", "bbq", "pvc"}
)
_MAX_CODE_LENGTH = 3  # a word with a digit that is not longer stays as it is
_MIN_TAIL_LENGTH = 3  # letters after the apostrophe of a name such as L'Oreal; "I'll" has fewer
_MIN_CASED_LETTERS = 6  # a shorter text in capitals is a name, such as OPI or IKEA
_CAPITAL_SHARE = 0.8  # of the cased letters, from which a text is in capitals
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
    if lower in _ABBREVIATIONS or (len(word) <= _MAX_CODE_LENGTH and any(map(str.isdigit, word))):
        return word
    if lower in _SMALL_WORDS and match.start() > 0 and not (lower == "a" and _is_letter(match)):
        return lower
    head, mark, tail = lower.partition("'")
    if mark and len(head) == 1 and len(tail) >= _MIN_TAIL_LENGTH:  # L'Oreal and D'Arcy, but Children's
        return f"{head.upper()}'{tail.capitalize()}"
    return lower.capitalize()


def _is_letter(match: re.Match[str]) -> bool:
    """Whether an 'A' is a letter, as in 'Vitamin A and C', and no article: no word that it could belong to follows."""
    following = _WORD.search(match.string, match.end())
    return following is None or following.group().lower() in _SMALL_WORDS


def readable_case(text: str) -> str:
    """Lowers all but the first letter of each word, if at least four in five of six or more letters are capitals.

    Shorter texts stay as they are: 'OPI' and 'IKEA' are names.
    """
    capitals = sum(map(str.isupper, text))
    cased = capitals + sum(map(str.islower, text))
    if cased < _MIN_CASED_LETTERS or capitals < _CAPITAL_SHARE * cased:
        return text
    return _WORD.sub(_readable_word, text)


def within_a_sentence(name: str) -> str:
    """Lowers a name that is written as a title or as the start of a sentence: 'navy blue', 'food for cats'.

    'Scandinavian' and 'PVC' keep their capitals. A name with capitals of another kind stays as it is.
    """
    first, *others = _WORD.findall(name) or [""]
    others = [word for word in others if word.lower() not in _SMALL_WORDS]
    is_plain = all(map(_is_capitalised, others)) or not any(map(_has_capital, others))
    if not _is_capitalised(first) or not is_plain:
        return name
    return _WORD.sub(lambda word: word.group() if word.group().lower() in _PROPER else word.group().lower(), name)


def _is_capitalised(word: str) -> bool:
    return word[:1].isupper() and not _has_capital(word[1:])


def _has_capital(word: str) -> bool:
    return any(map(str.isupper, word))
