"""Reads what a phrase of a profile says that somebody likes, and whether it can be quoted."""

import functools
import re

from recsvc.reasons.seller_text.nouns import names_activity_or_things
from recsvc.reasons.seller_text.word_lists import fold, read_sections

# A longer piece of Chinese free text is a sentence, and quoting it back reads like surveillance.
MAX_CHINESE_QUOTE = 6  # characters
_ARTICLE = re.compile(r"^(?:an?|the|his|her|their|my)\s+", re.IGNORECASE)


@functools.lru_cache(maxsize=1_000)
def is_liking(name: str) -> bool:
    """Whether the attribute `name` of a profile states what the user likes."""
    return fold(name).strip() in map(fold, read_sections("liking_names")[""])


@functools.lru_cache(maxsize=20_000)
def liked_thing(text: str) -> str:
    """The thing that a piece of free text says is liked: "loves a face mask" gives "face mask"; '' if it does not."""
    match = _beginnings().match(text)
    return _ARTICLE.sub("", text[match.end() :]).strip() if match else ""


def can_be_shown(name: str, phrase: str) -> bool:
    """Whether a phrase of the attribute `name` states a liking, or can be quoted. `name` is '' for the free text."""
    return bool(liked_thing(phrase)) or is_liking(name) or is_quotable(phrase)


def states_aversion(text: str) -> bool:
    """Whether a text says that somebody does not like, have or do something, in any language of the policy."""
    return _aversions().search(text.replace("’", "'")) is not None


@functools.lru_cache(maxsize=20_000)
def is_quotable(phrase: str) -> bool:
    """Whether a phrase can stand in "Your profile mentions": an activity or things, but no sentence of its own."""
    if not phrase.isascii():
        return len(phrase) <= MAX_CHINESE_QUOTE
    first, *others = phrase.split()
    # "Knits socks" begins with a verb of the third person; "knitting socks" and "socks" do not.
    begins_with_verb = bool(others) and first.endswith("s") and not first.endswith(("'s", "ss"))
    return not begins_with_verb and names_activity_or_things(phrase, "en")


@functools.cache
def _aversions() -> re.Pattern[str]:
    words = read_sections("aversion_words")
    english = "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in words["en"])
    return re.compile(rf"\b(?:{english})\b|{'|'.join(map(re.escape, words['zh']))}", re.IGNORECASE)


@functools.cache
def _beginnings() -> re.Pattern[str]:
    verbs = sorted(read_sections("liking_names")["verbs"], key=len, reverse=True)
    words = (rf"{re.escape(verb)}\s+" if verb.isascii() else re.escape(verb) for verb in verbs)
    return re.compile("(?:" + "|".join(words) + ")", re.IGNORECASE)
