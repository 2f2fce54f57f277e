"""Shortens a cleaned title to what people would call the thing: no size, no number in the pack, no list of extras."""

import re
import unicodedata
from collections.abc import Sequence

from recsvc.reasons.seller_text.word_order import as_said

MIN_WIDTH = 8  # columns that a shortened name keeps, if it is cut before a 'with' or a comma
_MIN_WORDS = 2  # a name of one word says too little, unless the title has no more
# A first part of at most two words may be a brand. The next part then names the thing, if it has at least two.
_MAX_BRAND_WORDS, _MIN_WORDS_OF_THING = 2, 2
_MIN_CHINESE_WIDTH = 6  # columns of a name that is cut out of a title without spaces

_BRACKETS = re.compile(r"\s*[(（\[][^()（）\[\]]*[)）\]]")
_SEPARATOR = re.compile(r"(\s+[-–—/]\s+|\s*-{2,}\s*|\s*(?<!\d)[,，、;；:：](?!\d)\s*|\s*[,，、](?=\s)\s*)")
_MARK = re.compile(r"[-–—/,，、;；:：]")  # every separator has one, and most titles have none
_LOOSE = " -–—.,，、:：/&+·"
_LOOSE_AT_START, _LOOSE_AT_END = f"{_LOOSE}'’)）", f"{_LOOSE}(（"
_ADDITION = re.compile(r"\s+(?:with|for|from|by|w/|\+)\s+", re.IGNORECASE)
_SMALL_WORDS = frozenset(
    {"a", "an", "and", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with", "w/", "&", "+"}
)
_WIDE_MARK = re.compile(r"[，、；：]")

_NUMBER = r"(?:\d+[.,/]\d+|[.,]?\d+)"
_WEIGHT = r"g|gr|grams?|kg|lbs?|pounds?|mg|千克|公斤|克|斤"
_VOLUME = rf"(?:fl(?:uid)?\.?[ -]?)?(?:oz|ounces?)|ml|cl|l|lit(?:re|er)s?|毫升|升|{_WEIGHT}"
_LENGTH = r"cm|mm|m|in|inch(?:es)?|ft|feet|″|yards?|sq ft|厘米|毫米|米|寸"
_PIECES = (
    r"(?:-?\s?)(?:count|ct|pk|packs?|pcs?|pieces?|units?|bags?|pots?|pouches|sheets?|rolls?|pairs?|tablets?"
    r"|capsules?|bars?)"
)
_PIECES_ZH = r"[支包条片颗枚瓶个袋盒套双只张粒件卷罐杯本](?:装|入)?"
# A volume or a weight is left out anywhere; a length only at the end: a "35 mm Film Camera" is called so.
_AMOUNT = re.compile(rf"(?<![\w./])(?<!in-)-?(?:{_NUMBER}\s?-?(?:{_VOLUME}))(?![\w″])\.?", re.IGNORECASE)
_BEFORE_DETAIL = r"(?:^|(?<=[\s\-])(?<!in-)|(?<=[㐀-鿿]))"
_WITHOUT_NUMBER = (
    r"(?:extra |x-?)?(?:small|medium|large)(?: size)?|(?:travel|full|family) size(?: tube)?"
    r"|assorted(?: colou?rs?| designs?)?|new(?: colou?rs?| packaging)?|(?:model )?no\.?"
)
_LAST_DETAIL_WITHOUT_NUMBER = re.compile(rf"{_BEFORE_DETAIL}(?:{_WITHOUT_NUMBER})$", re.IGNORECASE)
_LAST_DETAIL = re.compile(
    rf"{_BEFORE_DETAIL}(?:{_NUMBER}(?:(?:\s?(?:{_VOLUME}|{_LENGTH}))?\s?[x×]\s?{_NUMBER})*\s?-?(?:{_VOLUME}|{_LENGTH})\.?"
    rf"|{_NUMBER}{_PIECES}"
    rf"|(?:value |travel |jumbo )?(?:packs?|packages?|sets?|box|bag) of {_NUMBER}(?:\s\w+)?"
    rf"|(?:pack|set) {_NUMBER}"
    rf"|(?:{_NUMBER} )?assorted(?: colou?rs?| designs?)?|{_WITHOUT_NUMBER}"
    rf"|all {_NUMBER} colou?rs|{_NUMBER} kit"
    rf"|{_NUMBER}\s?(?:{_PIECES_ZH}))$",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")
_FIRST_COUNT = re.compile(
    rf"^(?:(?:(?:set|pack|box|lot) of {_NUMBER}|{_NUMBER}\s?(?:x|pcs?|pieces?|pack|colou?rs?|mm|cm)?)\s+)+",
    re.IGNORECASE,
)
_FACTOR = re.compile(r"\s+SPF\s?\d+\+?$")  # "Sun Cream SPF 50": a noun stands before it
_LOOSE_NUMBER = re.compile(rf"\s+{_NUMBER}(?:\s?[x×])?$")  # left where a name was cut: "Eskdale Bed 4"
_CODE = re.compile(r"(?<=\s)(?!SPF|SPF\d|(?:19|20)\d\d\b)(?:[A-Z]{1,4}-?\d{2,}[A-Z]*|\d{4,})(?=\s|$)")
_REPEATED = re.compile(r"\b(\w+)\s+\1(?!\w)", re.IGNORECASE)
# The last part of a Chinese title that says which one it is: a colour, a size, an edition, who or what it is for.
_CHINESE_DETAIL = re.compile(
    r"(?:.*(?:系列|适用|附.{1,4}|专用|[大中小特加]号|[大中小]袋|.{2}版|[X\dSML]+码|\d+码|第.{1,2}[版册]|混合装|入门装|.{2,}款|.{1,3}色)"
    rf"|.{{0,2}}[黑白红黄蓝绿紫灰褐青]|.{{1,5}}用|{_NUMBER}(?:-{_NUMBER})?\s?(?:{_VOLUME}|{_LENGTH}|{_PIECES_ZH}|人份).{{0,2}})"
)
# Characters that end Chinese nouns of things and seldom begin another word.
_ENDS_OF_NOUNS = frozenset("巾杯鞋靴袜裤裙衫帽膏霜皂垫罩椅柜架伞锅盒壶瓶碗盘毯帘刷器仪箱包灯膜液乳套装")
_WIDE = re.compile(r"[㐀-鿿豈-﫿]")


def display_width(text: str) -> int:
    """Columns that `text` takes: two for a wide character, one for any other."""
    return len(text) if text.isascii() else sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def trimmed(text: str) -> str:
    """The text without loose punctuation at its ends, and without a bracket that is not closed."""
    text = text.lstrip(_LOOSE_AT_START).rstrip(_LOOSE_AT_END)
    if "(" not in text and "（" not in text:
        return text
    if text.count("(") > text.count(")") or text.count("（") > text.count("）"):
        text = re.split(r"[(（]", text, maxsplit=1)[0].lstrip(_LOOSE_AT_START).rstrip(_LOOSE_AT_END)
    return text


def short_name(title: str, width: int, brand: str = "") -> str:
    """What people would call the thing: the words that name it, in the title's order, or with the design in front.

    Args:
        title: A cleaned title.
        width: Columns that the name may take.
        brand: Of the item. Many titles begin with it, and alone it does not name a thing.

    Returns:
        The name; '' if none fits.
    """
    plain = trimmed(" ".join(_BRACKETS.sub(" ", title).split())) or title
    parts = _SEPARATOR.split(plain) if _MARK.search(plain) else [plain]
    return fitted(as_said(_head(parts, brand) or title), width, brand)


def fitted(text: str, width: int, brand: str = "") -> str:
    """Leaves out words until a text is not wider than `width`: additions, or words between the first and the last.

    Args:
        text: A cleaned text.
        width: Columns that the result may take.
        brand: See `short_name`.

    Returns:
        Words of the text, in order; '' if none fit.
    """
    if display_width(text) <= width:
        return text
    text = trimmed(_FACTOR.sub("", _FIRST_COUNT.sub("", text)))
    if display_width(text) <= width:
        return text
    for pattern in (_SEPARATOR, _ADDITION):
        heads = [trimmed(_LOOSE_NUMBER.sub("", text[: cut.start()])) for cut in pattern.finditer(text)]
        heads = [head for head in heads if _count(head) > _MAX_BRAND_WORDS and not _is_brand(head, brand)]
        fitting = [head for head in heads if MIN_WIDTH <= display_width(head) <= width]
        if fitting:
            return fitting[-1]
        text = heads[0] if heads else text
    return _ends(text.split(), width, brand) or _chinese_head(text.split()[-1], width)


def _head(pieces: Sequence[str], brand: str) -> str:
    """The first parts of a title, up to the one that names the thing.

    Args:
        pieces: The parts, with the separators between them.
        brand: See `short_name`.
    """
    name = last = ""
    separator = ""
    for part, next_separator in zip(map(_without_details, pieces[::2]), [*pieces[1::2], ""], strict=True):
        is_named = _count(last) >= _MIN_WORDS and not _is_brand(name, brand)
        if is_named and (brand or _count(name) > _MAX_BRAND_WORDS or _count(part) < _MIN_WORDS_OF_THING):
            break
        if part:
            name, last = (f"{name}{_shown(separator)}{part}" if name else part), part
        separator = next_separator
    return name


def _without_details(part: str) -> str:
    """A part of a title without sizes, numbers of pieces and codes; '' if it is nothing else."""
    last_detail = _LAST_DETAIL if _DIGIT.search(part) else _LAST_DETAIL_WITHOUT_NUMBER
    part = _REPEATED.sub(r"\1", _CODE.sub("", trimmed(part)))
    part = trimmed(" ".join(_AMOUNT.sub(" ", part).split()))
    while (shorter := trimmed(last_detail.sub("", part))) != part and _count(shorter) != 1:
        part = shorter
    if not _WIDE.search(part):
        return part
    words = part.split()
    while len(words) > 1 and _CHINESE_DETAIL.fullmatch(words[-1]):
        words.pop()
    kept = [word for word in words if not word.endswith("系列")]
    return " ".join(kept if len(kept) > 1 else words)


def _ends(words: Sequence[str], width: int, brand: str) -> str:
    """The brand, if a title begins with it, and the last words: a title ends with the noun. '' if they do not fit."""
    n_first = len(brand.split()) if brand and " ".join(words).casefold().startswith(f"{brand.casefold()} ") else 0
    first = " ".join(words[:n_first])
    for start in dict.fromkeys((first, "")):
        left = width - display_width(start) - bool(start)
        tails = (_tail(words[taken:]) for taken in range(n_first, len(words)))
        tail = next((tail for tail in tails if display_width(tail) <= left), "")
        if _count(tail) >= (_MIN_WORDS if start else 1):
            return f"{start} {tail}".strip()
    return ""


def _tail(words: Sequence[str]) -> str:
    while words and words[0].casefold() in _SMALL_WORDS:
        words = words[1:]
    return trimmed(" ".join(words))


def _chinese_head(text: str, width: int) -> str:
    """A title without spaces, up to the last character that fits and seems to end a noun; '' if there is none."""
    ends = [at for at, c in enumerate(text, 1) if c in _ENDS_OF_NOUNS and display_width(text[:at]) <= width]
    return text[: ends[-1]] if ends and display_width(text[: ends[-1]]) >= _MIN_CHINESE_WIDTH else ""


def _shown(separator: str) -> str:
    """A separator as a sentence shows it."""
    mark = separator.strip()
    return f" {mark} " if separator[:1].isspace() else mark if _WIDE_MARK.fullmatch(mark) else f"{mark} "


def _is_brand(name: str, brand: str) -> bool:
    return bool(brand) and name.casefold() in brand.casefold()


def _count(text: str) -> int:
    """Words of a text. Two Chinese characters count as a word."""
    n_wide = len(_WIDE.findall(text))
    return len(_WIDE.sub(" ", text).split()) + (n_wide + 1) // 2
