"""The last word on every sentence: deterministic, closed-world, and the same for whoever wrote it."""

import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence

from recsvc.domain.reason import REASON_RECIPE, Evidence
from recsvc.domain.shop import Item
from recsvc.errors import ReasonRejected
from recsvc.reasons.grammar.lexicon import JOINTS, STOP, is_licensed
from recsvc.reasons.grammar.pattern import Form
from recsvc.reasons.grammar.recipe import Recipe, recipes
from recsvc.reasons.licence import Licence, licence
from recsvc.reasons.seller_text.word_lists import forbidden_terms, negations, policy_digest

POLICY_VERSION = f"reason-policy.1-{policy_digest()}"

# Of a reason: at least and at most. Recipes have their own.
CHARACTERS = {"en": (1, 160), "zh": (6, 80)}
WORDS = {"en": (4, 30), "zh": (1, 80)}  # in Chinese there are no words to count
MAX_PLACES = 8  # occurrences of one value that are looked at

_CHINESE_FRAME = re.compile(r"[\u4e00-\u9fff，。]*")
_MARKUP = re.compile(r"[<>{}\[\]|\\^`~*_=#@]|://|www\.|\b\w+\.(?:com|net|org|cn|io|ru)\b", re.IGNORECASE)
_PHONE = re.compile(r"\d(?:[\s().-]{0,2}\d){7,}")
_SLOT = re.compile(r"\{\w+\}")


def verify(text: str, evidence: Evidence, item: Item, language: str) -> None:
    """Returns when `text` is one sentence of `language` that claims about `item` what `evidence` supports, no more.

    Raises ReasonRejected with the rule that it breaks: those of `licence`, and those of `check`.
    """
    check(text, licence(evidence, item, language))


def check_all(text: str, claims: Sequence[Licence]) -> None:
    """Returns when `text` says what its claims, one or two, allow, no more. Raises ReasonRejected as `check`."""
    if len(claims) == 1:
        check(text, *claims)
    else:
        check_both(text, *claims)


def check_both(text: str, first: Licence, second: Licence) -> None:
    """Returns when `text` is what `first` allows, and then, joined to it, what `second` allows, no more.

    The second says by itself which item it is about: "you bought X, and 38 people bought it" would be read of X.

    Raises ReasonRejected as `check`.
    """
    language = first.language
    _check_surface(text, language, CHARACTERS[language], WORDS[language])
    joint, stop = JOINTS[language], STOP[language]
    rejected = ReasonRejected("sentence", "not two claims in one sentence")
    at = text.find(joint)
    while at >= 0:
        rest = text[at + len(joint) :]
        try:
            check(text[:at] + stop, first)
            check(rest[:1].upper() + rest[1:], second._replace(form=Form.TAIL))
            return
        except ReasonRejected as problem:
            rejected = problem
        at = text.find(joint, at + 1)
    raise rejected


def check(text: str, licensed: Licence) -> None:
    """Returns when `text` says what `licensed` allows.

    It must have a reading: every value found exactly once, and what remains a frame that the lexicon licenses. So
    whatever is not a licensed value is a licensed phrase, and there is no third.
    Raises ReasonRejected: 'unicode', 'length', 'markup', 'contact', 'forbidden' for the whole text; 'slots' where a
    value is absent; 'number', 'language', 'polarity', 'sentence', 'licence' for what is wrong with the frame.
    """
    language = licensed.language
    characters, words = CHARACTERS[language], WORDS[language]
    if licensed.recipe != REASON_RECIPE:  # a part may be short: what is asked for is asked of the whole text
        wording = recipes()[licensed.recipe].wording(language)
        characters, words = (1, wording.characters[1]), (1, wording.words[1])
    _check_surface(text, language, characters, words)
    readings = list(_frames(text, licensed))
    if not readings:
        raise ReasonRejected("slots", "a value of the evidence is absent or altered")
    claim = (licensed.kind, licensed.strength, licensed.form, language, licensed.recipe)
    if not any(is_licensed(frame, *claim) for frame in readings):
        _explain(readings[0], language)


def check_text(parts: Sequence[tuple[str, Licence]], recipe: Recipe, language: str) -> str:
    """The text of copy that has these parts: each says what its licence allows, and the whole is fit to be shown, in
    its length, with nothing twice and nothing forbidden across the joints.

    Raises ReasonRejected: those of `check`, 'length' and 'repetition'.
    """
    for text, licensed in parts:
        if (licensed.recipe, licensed.language) != (recipe.id, language):
            raise ReasonRejected("recipe", "licensed for another recipe or language")
        check(text, licensed)
    if len({text for text, _ in parts}) < len(parts):
        raise ReasonRejected("repetition", "a part stands there twice")
    wording = recipe.wording(language)
    whole = wording.joint.join(text for text, _ in parts)
    _check_surface(whole.replace("\n", " "), language, wording.characters, wording.words)
    return whole


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


def _places(text: str, value: str) -> list[int]:
    places: list[int] = []
    at = text.find(value)
    while at >= 0 and len(places) < MAX_PLACES:
        places.append(at)
        at = text.find(value, at + 1)
    return places


def _frames(text: str, licensed: Licence) -> Iterator[str]:
    """Every way to take the values out of `text`: one may have letters that the frame, or another value, has too."""
    for places in itertools.product(*(_places(text, value) for _, value in licensed.slots)):
        spans = sorted((at, at + len(value), name) for at, (name, value) in zip(places, licensed.slots, strict=True))
        if any(left[1] > right[0] for left, right in itertools.pairwise(spans)):
            continue
        parts, done = [], 0
        for start, end, name in spans:
            parts += [text[done:start], "{", name, "}"]
            done = end
        yield "".join(parts) + text[done:]


def _explain(frame: str, language: str) -> None:
    """Raises ReasonRejected for a frame that is not licensed, by the most telling rule: they are counted by rule."""
    words = _SLOT.sub(" ", frame)
    if any(map(str.isdigit, words)):
        raise ReasonRejected("number", "a number that is not of the evidence")
    if not (words.isascii() if language == "en" else _CHINESE_FRAME.fullmatch(words.replace(" ", ""))):
        raise ReasonRejected("language", f"characters that a sentence in {language!r} has not")
    if negations(language).find(words) is not None:
        raise ReasonRejected("polarity", "a negation")
    stop = "." if language == "en" else "。"
    if not frame.endswith(stop) or frame.count(stop) != 1:
        raise ReasonRejected("sentence", "not exactly one sentence")
    raise ReasonRejected("licence", "words that the evidence does not license")
