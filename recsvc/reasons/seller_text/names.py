"""Seller text made fit to stand in a sentence: cleaned, in readable case, shortened; '' when nothing decent is left."""

import functools
import html
import re
import unicodedata

from recsvc.reasons.seller_text.letter_case import readable_case
from recsvc.reasons.seller_text.word_lists import fold, forbidden_terms, read_sections

MAX_WIDTH = 40  # columns of a name within a sentence; a Chinese character takes two
MAX_RAW = 500  # characters read of what the seller wrote

_NOT_FULL_WIDTH_STOPS = re.compile(r"[^，：；（）！？。]+")
# What a browser would run or apply and not show goes with what stands within; any other tag goes alone.
_TAG = re.compile(r"<(script|style)\b[^<>]{0,200}>[^<]{0,500}</\1\s*>|<[^<>]{0,200}>", re.IGNORECASE)
# What no honest name holds: slots, templates, the marks and roles of a model's chat, an id to be written to.
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
_SHOUT_BOX = re.compile(r"【[^】]{0,100}】")
_DOUBLE_QUOTES = re.compile(r"[\"“”„‟«»《》「」『』〝〞]")
_INCHES = re.compile(r"(?<=\d)\s?(?:\"|”|'')")
_SENTENCE_END = re.compile(r"[!?。！？;；…]|\.{2,}|(\b\w+)\.(?=\s+[^\Wa-z])")
_ABBREVIATIONS = frozenset(
    {"dr", "mr", "mrs", "ms", "st", "no", "vol", "co", "inc", "ltd", "jr", "sr", "oz", "fl", "misc"}
)
_BOUNDARY = re.compile(r"\s+[-–—/]+\s+|\s*[,，、:：(（]\s*|\s+(?:with|for|from|by|w/)\s+", re.IGNORECASE)
_LOOSE_ENDS = re.compile(r"^[\s\-–—.,，、:：/&+'’·)）]+|[\s\-–—.,，、:：/&+·(（]+$")
_DANGLING = re.compile(r"\s+(?:and|or|of|the|a|an|for|in|on|to|with|by|from|w)$", re.IGNORECASE)
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
_PLACEHOLDER_NAMES = frozenset(fold(name) for name in read_sections("placeholder_names")[""])


def _visible(text: str) -> str:
    """Without control, format, private and unassigned characters, emoji, signs, currency, and heaps of accents."""
    kept: list[str] = []
    marks, lettered = 0, False
    for c in text:
        category = unicodedata.category(c)
        if category in ("Mn", "Me", "Mc"):
            marks += 1
            # A mark without a letter of its own would settle on what the sentence puts before the name.
            if marks <= 2 and not "\ufe00" <= c <= "\ufe0f" and category != "Me" and lettered:
                kept.append(c)
            continue
        if category == "Cf":
            continue  # zero-width and bidi characters hide words from a search: the word closes up again
        marks, lettered = 0, category[0] == "L"
        kept.append(" " if category in _UNSEEN or category in ("So", "Sk", "Sc") else c)
    return "".join(kept)


def _mixes_scripts(text: str) -> bool:
    """Whether one word mixes Latin with Cyrillic or Greek letters: the usual way past a word list."""
    words = re.findall(r"\w+", text.casefold())
    return any(re.search(r"[a-z]", word) and re.search(r"[\u0370-\u052f]", word) for word in words)


def display_width(text: str) -> int:
    """Columns that `text` takes: two for a wide character, one for any other."""
    return len(text) if text.isascii() else sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _trim(text: str) -> str:
    text = _LOOSE_ENDS.sub("", text)
    if text.count("(") > text.count(")") or text.count("（") > text.count("）"):
        text = _LOOSE_ENDS.sub("", re.split(r"[(（]", text, maxsplit=1)[0])
    return text


def _first_sentence(text: str) -> str:
    """What stands before the first end of a sentence, if anything does; 'Dr.', 'J.' and 'No.' end none."""
    start = 0
    for end in _SENTENCE_END.finditer(text):
        word = end[1]
        if word is not None and ((len(word) == 1 and word.isalpha()) or word.lower() in _ABBREVIATIONS):
            continue
        sentence = _trim(text[start : end.end(1) if word is not None else end.start()])
        if sentence:
            return sentence
        start = end.end()
    return _trim(text[start:])


def _shorten(text: str, width: int) -> str:
    """`text` within `width`: up to the last comma, bracket, dash or 'with' that fits, else to a word and '…'."""
    if display_width(text) <= width:
        return text
    heads = (text[: boundary.start()] for boundary in _BOUNDARY.finditer(text))
    fitting = [head for head in heads if 8 <= display_width(head) <= width]
    if fitting:
        return _trim(fitting[-1])
    taken, cut = 0, 0
    for c in text:
        taken += display_width(c)
        if taken > width - 1:
            break
        cut += 1
    head = text[:cut]
    if " " in head and not text[cut].isspace() and display_width(head.rsplit(" ", 1)[0]) >= 8:
        head = head.rsplit(" ", 1)[0]
    return _trim(_DANGLING.sub("", head)) + "…"


def _decent(name: str) -> bool:
    """Whether there is a word in it, and nothing that must not be shown."""
    letters = sum(map(str.isalpha, name))
    if letters < 2 or 3 * letters < len(name.replace(" ", "")) or fold(name).rstrip(".…") in _PLACEHOLDER_NAMES:
        return False
    if _LINK.search(name) or _PHONE.search(name) or _MARKUP.search(name) or _mixes_scripts(name):
        return False
    return forbidden_terms().find(name) is None


@functools.lru_cache(maxsize=100_000)
def clean_name(text: str, width: int = MAX_WIDTH) -> str:
    """The name to show for a title, brand or category as a seller wrote it, or '' when there is none to show.

    The name is at most `width` columns, holds no markup, address, number to call, line break, invisible character
    or double quotation mark, ends no sentence, and has none of the policy's forbidden terms. It is a prefix of the text
    but for what was cleaned away and the case of capitals.
    """
    name = html.unescape(text[:MAX_RAW])
    # Chinese punctuation keeps its width; every other compatibility form is undone.
    name = _NOT_FULL_WIDTH_STOPS.sub(lambda part: unicodedata.normalize("NFKC", part.group()), name)[:MAX_RAW]
    if _NO_NAME.search(name):
        return ""
    name = _visible(_PRICE.sub(" ", _TAG.sub(" ", name)))
    name = _SHOUT_BOX.sub(" ", _PHONE.sub(" ", _LINK.sub(" ", name)))
    name = _DOUBLE_QUOTES.sub("", _INCHES.sub("″", name))
    name = unicodedata.normalize("NFC", _visible(_LONG_NUMBER.sub(" ", _MARKUP.sub(" ", name))))
    name = _shorten(readable_case(_first_sentence(" ".join(name.split()))), width)
    return name if _decent(name) else ""
