"""Checks every sentence before it is shown. Deterministic, closed-world, and the same for every generator."""

import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NoReturn

from recsvc.domain.reason import REASON_RECIPE
from recsvc.errors import ReasonRejected
from recsvc.reasons.claim import Claim
from recsvc.reasons.grammar.lexicon import SENTENCE_SEPARATORS, STOP, matches_grammar, stop_of
from recsvc.reasons.grammar.recipe import Recipe, recipes
from recsvc.reasons.seller_text.word_lists import forbidden_terms, negations, policy_digest

POLICY_VERSION = f"reason-policy.1-{policy_digest()}"

# Limits of a reason, least and most. Recipes have their own.
CHARACTERS = {"en": (1, 160), "zh": (4, 80)}
WORDS = {"en": (3, 30), "zh": (1, 80)}  # words are only counted in English
MAX_OCCURRENCES = 8  # of one value in a text that are examined

_CHINESE_FRAME = re.compile(r"[\u4e00-\u9fff，。]*")
_MARKUP = re.compile(r"[<>{}\[\]|\\^`~*_=#@]|://|www\.|\b\w+\.(?:com|net|org|cn|io|ru)\b", re.IGNORECASE)
_PHONE = re.compile(r"\d(?:[\s().-]{0,2}\d){7,}")
_SLOT = re.compile(r"\{\w+\}")


def check_all(text: str, claims: Sequence[Claim]) -> None:
    """Returns if `text` states its claims, one or two, and no more. Raises ReasonRejected as `check` does."""
    if len(claims) == 1:
        check(text, *claims)
    else:
        check_both(text, *claims)


def check_both(text: str, first: Claim, second: Claim) -> None:
    """Returns if `text` is two sentences, one that states `first` and one that states `second`.

    Raises:
        ReasonRejected: By the rules of `check`.
    """
    language = first.language
    _check_surface(text, language, CHARACTERS[language], WORDS[language])
    end = STOP[language] + SENTENCE_SEPARATORS[language]
    rejected = ReasonRejected("sentence", "not two sentences")
    at = text.find(end)
    while at >= 0:  # a value may hold a full stop too, so every place is tried
        try:
            check(text[:at] + STOP[language], first)
            check(text[at + len(end) :], second)
            return
        except ReasonRejected as problem:
            rejected = problem
        at = text.find(end, at + 1)
    raise rejected


def check(text: str, claim: Claim) -> None:
    """Returns if `text` states `claim` and no more.

    There must be a way to take every value of the claim out of the text exactly once, so that the frame that remains is
    a complete sentence of the lexicon. So each word is either part of a value or part of that sentence.

    Raises:
        ReasonRejected: By rule.
            'unicode', 'length', 'markup', 'contact', 'forbidden': the text as a whole.
            'slots': a value is missing.
            'number', 'language', 'polarity', 'sentence', 'licence': the frame; 'licence' if no other rule applies.
    """
    language = claim.language
    characters, words = CHARACTERS[language], WORDS[language]
    if claim.recipe != REASON_RECIPE:  # one part may be short: the lower limits are those of the whole text
        wording = recipes()[claim.recipe].wording(language)
        characters, words = (1, wording.characters[1]), (1, wording.words[1])
    _check_surface(text, language, characters, words)
    frames = list(_frames(text, claim))
    if not frames:
        raise ReasonRejected("slots", "a value of the evidence is absent or altered")
    key = (claim.kind, claim.strength, claim.form, language, claim.recipe, claim.number)
    if not any(matches_grammar(frame, *key) for frame in frames):
        _reject_frame(frames[0], claim)


def check_text(parts: Sequence[tuple[str, Claim]], recipe: Recipe, language: str) -> str:
    """Joins the parts of a piece of copy, after checking each part and the whole.

    Args:
        parts: Sentences or points, each with the claim that it states.
        recipe: The recipe that wrote them.
        language: One of `LANGUAGES`.

    Returns:
        The text.

    Raises:
        ReasonRejected: By the rules of `check` for a part, and by the same rules for the whole text.
            'recipe': a claim is of another recipe or language.
            'repetition': two parts are the same.
    """
    for text, claim in parts:
        if (claim.recipe, claim.language) != (recipe.id, language):
            raise ReasonRejected("recipe", "the claim is of another recipe or language")
        check(text, claim)
    if len({text for text, _ in parts}) < len(parts):
        raise ReasonRejected("repetition", "two parts are the same")
    wording = recipe.wording(language)
    joined = wording.part_separator.join(text for text, _ in parts)
    _check_surface(joined.replace("\n", " "), language, wording.characters, wording.words)
    return joined


def _check_surface(text: str, language: str, characters: tuple[int, int], words: tuple[int, int]) -> None:
    if not text.isprintable() or unicodedata.normalize("NFC", text) != text:
        raise ReasonRejected("unicode", "unprintable or decomposed characters")
    if not characters[0] <= len(text) <= characters[1]:
        raise ReasonRejected("length", f"{len(text)} characters")
    if language == "en" and not words[0] <= len(text.split()) <= words[1]:
        raise ReasonRejected("length", f"{len(text.split())} words")
    if _MARKUP.search(text):
        raise ReasonRejected("markup", "markup or an address")
    if _PHONE.search(text):
        raise ReasonRejected("contact", "a number to call")
    term = forbidden_terms().find(text)
    if term is not None:
        raise ReasonRejected("forbidden", term)


def _occurrences(text: str, value: str) -> list[int]:
    """Where `value` starts in `text`, at most `MAX_OCCURRENCES` times."""
    starts: list[int] = []
    at = text.find(value)
    while at >= 0 and len(starts) < MAX_OCCURRENCES:
        starts.append(at)
        at = text.find(value, at + 1)
    return starts


def _frames(text: str, claim: Claim) -> Iterator[str]:
    """The frame that remains for every way to take the values out of `text`.

    There may be several ways, because the letters of a value may also occur in the frame or in another value.
    """
    for starts in itertools.product(*(_occurrences(text, value) for _, value in claim.slots)):
        spans = sorted((at, at + len(value), slot) for at, (slot, value) in zip(starts, claim.slots, strict=True))
        if any(left[1] > right[0] for left, right in itertools.pairwise(spans)):
            continue
        pieces, done = [], 0
        for start, end, slot in spans:
            pieces += [text[done:start], "{", slot, "}"]
            done = end
        yield "".join(pieces) + text[done:]


def _reject_frame(frame: str, claim: Claim) -> NoReturn:
    """Raises ReasonRejected with the most specific rule that the frame breaks: rejections are counted by rule."""
    language = claim.language
    words = _SLOT.sub(" ", frame)
    if any(map(str.isdigit, words)):
        raise ReasonRejected("number", "a number that the evidence does not have")
    if not (words.isascii() if language == "en" else _CHINESE_FRAME.fullmatch(words.replace(" ", ""))):
        raise ReasonRejected("language", f"characters that {language!r} does not use")
    if negations(language).find(words) is not None:
        raise ReasonRejected("polarity", "a negation")
    stop = stop_of(claim.form, language)
    if not frame.endswith(stop) or frame.count(STOP[language]) != len(stop):
        raise ReasonRejected("sentence", "not exactly one sentence")
    raise ReasonRejected("licence", "a sentence that the grammar does not have for the claim")
