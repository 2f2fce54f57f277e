"""The lexicon: which frames may word a claim. A frame is a sentence with slots in place of its values.

It is a closed world: words that no list contains are rejected.
"""

import functools
from collections.abc import Mapping

from recsvc.domain.reason import REASON_RECIPE, EvidenceKind, Strength
from recsvc.reasons.grammar.frames import Phrases, parses, phrases_by_start
from recsvc.reasons.grammar.pattern import Form
from recsvc.reasons.grammar.recipe import FILLER, recipe_phrases, recipes
from recsvc.reasons.seller_text.word_lists import read_sections

STOP = {"en": ".", "zh": "。"}
CONNECTIVES = {"en": ", and ", "zh": "，"}  # between the two claims of one sentence
# Forms that use the phrases of the plain form. Any other form has phrases of its own.
_SHARED_FORMS = (Form.PLAIN, Form.MANY, Form.UNNAMED)


@functools.cache
def _sections(language: str) -> Mapping[str, tuple[str, ...]]:
    """The phrases of `policy/lexicon_<language>.txt` by claim key. A heading may list several keys."""
    sections: dict[str, tuple[str, ...]] = {}
    for heading, phrases in read_sections(f"lexicon_{language}").items():
        for key in heading.split():
            sections[key] = sections.get(key, ()) + phrases
    return sections


@functools.cache
def _phrases(kind: EvidenceKind, strength: Strength, form: Form, language: str, recipe: str) -> Phrases:
    if recipe != REASON_RECIPE:
        return recipe_phrases(recipe, kind, strength, form, language)
    sections = _sections(language)
    key = f"{kind}.{strength}" if form in _SHARED_FORMS else f"{kind}.{strength}.{form}"
    claims = sections.get(key, ()) + (sections.get(f"{key}.many", ()) if form is Form.MANY else ())
    return phrases_by_start(claims, sections[FILLER] + sections.get(f"{key}.links", ()))


def phrases_of(
    kind: EvidenceKind, strength: Strength, form: Form, language: str, recipe: str = REASON_RECIPE
) -> tuple[str, ...]:
    """All phrases that a frame of this claim may be made of. Those that make the claim come first."""
    pairs = [pair for phrases in _phrases(kind, strength, form, language, recipe).values() for pair in phrases]
    return tuple(phrase for phrase, is_claim in sorted(pairs, key=lambda pair: (not pair[1], pair[0])))


@functools.lru_cache(maxsize=20_000)
def matches_grammar(
    frame: str, kind: EvidenceKind, strength: Strength, form: Form, language: str, recipe: str = REASON_RECIPE
) -> bool:
    """Whether a frame is a sequence of the claim's phrases, at least one of which makes the claim.

    A reason begins with a capital letter in English, and ends with a full stop. A recipe has its own rules for both.

    Args:
        frame: A sentence with slots such as `{item}` for the values.
        kind: Of the claim.
        strength: Of the claim.
        form: Of the claim.
        language: One of `LANGUAGES`.
        recipe: Whose phrases and rules apply.
    """
    stop, capital = STOP[language], True
    if recipe != REASON_RECIPE:
        if recipe not in recipes():
            return False
        wording = recipes()[recipe].wording(language)
        stop, capital = wording.stop, wording.capital
    return parses(frame, _phrases(kind, strength, form, language, recipe), language, stop, capital=capital)
