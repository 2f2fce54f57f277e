"""Chooses the text encoder of a shop by its letters and its language, where the settings leave it to training.

The default encoder reads English alone. The multilingual one reads 16 languages, and is far better in all but English.
"""

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from recsvc.model.text_encoders import EMBEDDED, MULTILINGUAL

READ_TEXTS = 20_000  # from all over the catalogue; more would not change the shares
# From this share of the letters on, the other script decides: a Chinese or Japanese title still has Latin names in it.
MIN_OTHER_SCRIPT = 0.1
# With a smaller share of frequent words the language cannot be told from them.
MIN_FREQUENT_WORDS = 0.005
# English has fewer letters with marks, such as é, than this share.
MIN_MARKED = 0.01
# What unicodedata calls the scripts that the multilingual encoder reads, and that one language or few use.
SCRIPTS_READ = {"CJK": "Chinese", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean", "THAI": "Thai"}
LANGUAGES_FILE = Path(__file__).with_name("languages.toml")
REMEDY = "name a sentence-transformers model that reads it with --text-encoder"

_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class EncoderChoice:
    """An encoder and the reason for it.

    Attributes:
        name: "embedded" or "multilingual".
        reason: Ends the sentence "text encoder NAME: ...".
    """

    name: str
    reason: str


@dataclass(frozen=True)
class Language:
    """A language that frequent words tell.

    Attributes:
        name: In English.
        script: As unicodedata names it.
        multilingual: Whether the multilingual encoder reads it.
        words: Frequent ones, in lower case.
    """

    name: str
    script: str
    multilingual: bool
    words: frozenset[str]


@lru_cache
def languages() -> tuple[Language, ...]:
    """The languages of `languages.toml`."""
    with LANGUAGES_FILE.open("rb") as file:
        rows = tomllib.load(file)["language"]
    return tuple(Language(**row | {"words": frozenset(row["words"].split())}) for row in rows)


def choose_encoder(texts: Sequence[str]) -> EncoderChoice:
    """Chooses the encoder for a catalogue.

    Args:
        texts: Of the items. Single titles are too short to tell a language; all together they do.
    """
    text = "\n".join(texts[:: 1 + len(texts) // READ_TEXTS]).lower()
    scripts = _scripts(text)
    letters = sum(scripts.values())
    if not letters:
        return EncoderChoice(EMBEDDED, "the texts have no letters")
    others = {script: n for script, n in scripts.items() if script != "LATIN"}
    if sum(others.values()) < MIN_OTHER_SCRIPT * letters:
        return _by_words(text, "LATIN")
    # Japanese is written in Chinese characters too, so one kana in ten tells it.
    kana = others.get("HIRAGANA", 0) + others.get("KATAKANA", 0)
    script = "HIRAGANA" if kana > others.get("CJK", 0) / 10 else max(others, key=others.__getitem__)
    share = f"{sum(others.values()) / letters:.0%} of the letters are not Latin"
    if script in SCRIPTS_READ:
        return EncoderChoice(MULTILINGUAL, f"{share}, most of them {SCRIPTS_READ[script]}")
    if any(language.script == script for language in languages()):
        return _by_words(text, script)
    return _not_read(f"{share}, most of them {script.capitalize()}")


def _scripts(text: str) -> Counter[str]:
    """How many letters of the text each script has."""
    scripts: Counter[str] = Counter()
    for character, n in Counter(text).items():
        if character.isalpha():
            scripts[unicodedata.name(character, "?").split()[0]] += n
    return scripts


def _by_words(text: str, script: str) -> EncoderChoice:
    """Chooses by the language of this script that has the most frequent words in the text."""
    words = Counter(_WORD.findall(text))
    total = sum(words.values())
    counts = {
        language: sum(words[word] for word in language.words) for language in languages() if language.script == script
    }
    best = max(counts, key=counts.__getitem__)
    if counts[best] < MIN_FREQUENT_WORDS * total:
        return _by_marks(text, script)
    seen = f"{counts[best] / total:.0%} of the words are frequent words of {best.name}"
    if best.name == "English":
        return EncoderChoice(EMBEDDED, seen)
    return EncoderChoice(MULTILINGUAL, seen) if best.multilingual else _not_read(seen)


def _by_marks(text: str, script: str) -> EncoderChoice:
    """Chooses where words do not tell the language."""
    unknown = "few words of the texts tell a language"
    if script != "LATIN":
        return EncoderChoice(MULTILINGUAL, f"{unknown}, and their letters are {script.capitalize()}")
    letters = [character for character in text if character.isalpha()]
    marked = sum(not character.isascii() for character in letters) / len(letters)
    if marked >= MIN_MARKED:
        return EncoderChoice(
            MULTILINGUAL, f"{unknown}, and {marked:.0%} of their letters have marks that English lacks"
        )
    return EncoderChoice(EMBEDDED, f"{unknown}, so they are taken for English; if they are not, use --text-encoder")


def _not_read(seen: str) -> EncoderChoice:
    """The choice for a language that neither encoder reads; measured on a few, none is better there."""
    return EncoderChoice(EMBEDDED, f"{seen}, which neither built-in encoder reads; {REMEDY}")
