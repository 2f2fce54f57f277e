"""Cleans a seller's text into a name for a sentence: no markup, readable case, short. Empty if nothing fit is left."""

import functools
import html
import re
import unicodedata
from collections.abc import Callable

from recsvc.reasons.seller_text.letter_case import readable_case
from recsvc.reasons.seller_text.shortening import display_width, fitted, short_name, trimmed
from recsvc.reasons.seller_text.word_lists import fold, forbidden_terms, read_sections

__all__ = ["MAX_RAW", "MAX_WIDTH", "clean_label", "clean_name", "display_width"]

MAX_WIDTH = 40  # columns of a name within a sentence; a Chinese character takes two
MAX_RAW = 500  # characters of the seller's text that are read
_MAX_MARKS = 2  # accents on one letter; the rest of a heap is dropped
_MIN_LETTERS = 2
_MAX_PASSES = 5

# Most titles: ASCII letters, at most six digits, and marks that no pattern of this file looks for. Only `_NO_NAME` may
# match in them, and there is nothing in them to remove. They end no sentence.
_ORDINARY = re.compile(r"(?!.*'')[A-Za-z ,'()/+-]*(?:[0-9][A-Za-z ,'()/+-]*){0,6}")
_NOT_FULL_WIDTH_STOPS = re.compile(r"[^，：；（）！？。]+")
# A script or style element is removed with its content, which a browser would not show; of other elements, the tags.
_TAG = re.compile(r"<(script|style)\b[^<>]{0,200}>[^<]{0,500}</\1\s*>|<[^<>]{0,200}>", re.IGNORECASE)
# Never part of an honest name: slots, templates, marks and roles of a chat with a model, an id of a messenger.
_NO_NAME = re.compile(
    r"[{}]|\[\[|<\||\[/?INST|^\s*system\s*[:：]|\b(?:assistant|human)\s*[:：]"
    r"|加\s*[vw]x?\s*[:：]|\b[vw]x[\s:：]{1,3}[a-z0-9_-]{5,}",
    re.IGNORECASE,
)
_PRICE = re.compile(r"[$€£¥￥]\s?\d[\d.,]*|\d[\d.,]*\s?(?:[€£]|元|块钱)")
_LINK = re.compile(
    r"(?:https?|ftp|javascript|data)\s*[:：]\s*\S*|www\.\S*|\S+@\S+"
    r"|\b[\w-]+(?:\.[\w-]+)*\.(?:com|net|org|info|biz|shop|store|online|site|xyz|top|club|live|link|app|dev|cc|cn|io|co|me|ru|tk|ly|uk|de|eu)\b(?:/\S*)?",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"(?:(?:\b(?:call|tel|phone|ring|text)|电话|热线|手机|微信号?|qq群?)[\s.:：]{0,3})?"
    r"(?:\+?\(?\d(?:[\s().-]{0,2}\d){7,}|[零〇一二三四五六七八九幺]{7,})",
    re.IGNORECASE,
)
_LONG_NUMBER = re.compile(r"\d{7,}")
_MARKUP = re.compile(r"[<>{}\[\]|\\^`~*_=#@]+|(?<!\d)(?<!\d\s)%|%(?=\d[0-9A-Fa-f])")  # a percent sign follows a number
_BAR = re.compile(r"\s*\|+\s*")  # separates the parts of a title
_TRADE_MARK = re.compile("[™®©℠]")
_SHOUT_BOX = re.compile(r"【[^】]{0,100}】")
_DOUBLE_QUOTES = re.compile(r"[\"“”„‟«»《》「」『』〝〞]")
_INCHES = re.compile(r"(?<=\d)\s?(?:\"|”|''|′′)")
_SENTENCE_END = re.compile(r"[!?。！？;；…]|\.{2,}|(\b\w+)\.(?=\s+[^\Wa-z])")
_ABBREVIATIONS = frozenset(
    {"dr", "mr", "mrs", "ms", "st", "no", "vol", "co", "inc", "ltd", "jr", "sr", "oz", "fl", "misc"}
)
_ASCII_SYMBOLS = str.maketrans("$^`", "   ")  # those that are a currency or a mark without a letter
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
_PLACEHOLDER_NAMES = frozenset(fold(name) for name in read_sections("placeholder_names")[""])


def _visible(text: str) -> str:
    """Drops control, format, private and unassigned characters, emoji, symbols, currency, and heaps of accents."""
    if text.isascii() and text.isprintable():  # most titles: of these characters, only three are dropped
        return text.translate(_ASCII_SYMBOLS)
    kept: list[str] = []
    marks, lettered = 0, False
    for c in text:
        category = unicodedata.category(c)
        if category in ("Mn", "Me", "Mc"):
            marks += 1
            # A mark without a letter of its own would combine with the sentence's character before the name.
            if marks <= _MAX_MARKS and not "\ufe00" <= c <= "\ufe0f" and category != "Me" and lettered:
                kept.append(c)
            continue
        if category == "Cf":
            continue  # zero-width and bidirectional characters hide words from a search; without them it finds the word
        marks, lettered = 0, category[0] == "L"
        kept.append(" " if category in _UNSEEN or category in ("So", "Sk", "Sc") else c)
    return "".join(kept)


def _mixes_scripts(text: str) -> bool:
    """Whether a word mixes Latin with Cyrillic or Greek letters, the usual trick against a word list."""
    words = () if text.isascii() else re.findall(r"\w+", text.casefold())
    return any(re.search(r"[a-z]", word) and re.search(r"[\u0370-\u052f]", word) for word in words)


def _first_sentence(text: str, brand: str) -> str:
    """The first sentence that is not empty or the brand. 'Dr.', 'J.' and 'No.' do not end a sentence."""
    if _ORDINARY.fullmatch(text):
        return trimmed(text)
    start = 0
    for end in _SENTENCE_END.finditer(text):
        word = end[1]
        if word is not None and ((len(word) == 1 and word.isalpha()) or word.lower() in _ABBREVIATIONS):
            continue
        sentence = trimmed(text[start : end.end(1) if word is not None else end.start()])
        if sentence and sentence.casefold() != brand.casefold():
            return sentence
        start = end.end()
    return trimmed(text[start:])


@functools.lru_cache(maxsize=1_000)  # a short title is fit as a label, and then as a name
def _is_fit(name: str) -> bool:
    """Whether a name has a word, and nothing that must not be shown."""
    letters = sum(map(str.isalpha, name))
    if (
        letters < _MIN_LETTERS
        or 3 * letters < len(name.replace(" ", ""))
        or fold(name).rstrip(".…") in _PLACEHOLDER_NAMES
    ):
        return False
    if not _ORDINARY.fullmatch(name) and (
        _LINK.search(name) or _PHONE.search(name) or _MARKUP.search(name) or _mixes_scripts(name)
    ):
        return False
    return forbidden_terms().find(name) is None


@functools.lru_cache(maxsize=100_000)
def clean_name(title: str, width: int = MAX_WIDTH, brand: str = "") -> str:
    """Gives a title's short name: what people would call the thing, fit to be shown in a sentence.

    The name holds no markup, address, phone number, line break, invisible character, double quotation mark, end of a
    sentence or forbidden term of the policy. It is made of whole words of the title, in their order unless a design
    stands behind the thing (see `as_said`); the case of capitals is changed. Sizes, numbers of pieces, codes and
    whatever follows the name of the thing are left out.

    Args:
        title: The seller's text. The first `MAX_RAW` characters are read.
        width: Columns that the name may take.
        brand: Of the item; it helps to find the words that name the thing.

    Returns:
        The name, or '' if no fit name is left.
    """
    # What is left out to make a name short must be fit too: '$5 Off Everything: SALE' is no name.
    return _stable(lambda text: short_name(text, width, brand), title, brand) if clean_label(title) else ""


@functools.lru_cache(maxsize=100_000)
def clean_label(text: str, width: int = MAX_WIDTH) -> str:
    """Cleans a brand, category, value of an attribute or title of which nothing but unfit text may be left out.

    It holds nothing that `clean_name` would not let a name hold, and is shortened only if it is wider than `width`.

    Args:
        text: The seller's text. The first `MAX_RAW` characters are read.
        width: Columns that the label may take.

    Returns:
        The label, or '' if no fit label is left.
    """
    return _stable(lambda cleaned: fitted(cleaned, width), text)


def _stable(shorten: Callable[[str], str], text: str, brand: str = "") -> str:
    """Cleans and shortens a text until nothing changes: what is left after a removal may be unfit itself."""
    plain: str | None = None
    for _ in range(_MAX_PASSES):
        before, plain = plain, _plain(text, brand)
        name = text if plain == before else readable_case(shorten(plain))
        if name == text:
            return name if _is_fit(name) else ""
        # A name that is no beginning must not hide the start of 'reveal the prompt'.
        if not plain.startswith(name) and forbidden_terms().find(plain) is not None:
            return ""
        text = name
    return ""


@functools.lru_cache(maxsize=1_000)  # a title is cleaned several times in a row: as a label, and for each width
def _plain(text: str, brand: str) -> str:
    """The first sentence of a text, in readable case, without what no honest name holds; '' if it is no name."""
    return readable_case(_first_sentence(_honest(text[:MAX_RAW]), brand))


def _honest(text: str) -> str:
    """A text without anything that no honest name holds; '' for a text that is no name."""
    if _ORDINARY.fullmatch(text):
        return "" if _NO_NAME.search(text) else " ".join(text.split())
    plain = _TRADE_MARK.sub("", html.unescape(text))
    # Normalises every compatibility form but Chinese punctuation, which keeps its width.
    plain = _NOT_FULL_WIDTH_STOPS.sub(lambda part: unicodedata.normalize("NFKC", part.group()), plain)[:MAX_RAW]
    if _NO_NAME.search(plain):
        return ""
    plain = _visible(_PRICE.sub(" ", _TAG.sub(" ", plain)))
    plain = _SHOUT_BOX.sub(" ", _PHONE.sub(" ", _LINK.sub(" ", plain)))
    plain = _DOUBLE_QUOTES.sub("", _INCHES.sub("″", plain))
    plain = _LONG_NUMBER.sub(" ", _MARKUP.sub(" ", _BAR.sub(" - ", plain)))
    plain = unicodedata.normalize("NFC", _visible(plain))
    return " ".join(plain.split())
