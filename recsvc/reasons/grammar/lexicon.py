"""The closed world of words: which frames a claim may have, by kind and strength, as the lexicons list them."""

import functools
from collections.abc import Mapping

from recsvc.domain.reason import REASON_RECIPE, EvidenceKind, Strength
from recsvc.reasons.grammar.frames import Phrases, phrases_by_start, reads
from recsvc.reasons.grammar.pattern import Form
from recsvc.reasons.grammar.recipe import recipe_phrases, recipes
from recsvc.reasons.seller_text.word_lists import read_sections

STOP = {"en": ".", "zh": "。"}
# Forms that a cell's phrases are for; any other form has a cell of its own.
_SHARED = (Form.PLAIN, Form.MANY, Form.UNNAMED)
# Between the two claims of one sentence.
JOINTS = {"en": ", and ", "zh": "，"}


@functools.cache
def _phrases(language: str) -> Mapping[str, tuple[str, ...]]:
    """The phrases of `policy/lexicon_<language>.txt` by cell; a heading may name several cells."""
    cells: dict[str, tuple[str, ...]] = {}
    for heading, phrases in read_sections(f"lexicon_{language}").items():
        for cell in heading.split():
            cells[cell] = cells.get(cell, ()) + phrases
    return cells


@functools.cache
def _licensed(kind: EvidenceKind, strength: Strength, form: Form, language: str, recipe: str) -> Phrases:
    if recipe != REASON_RECIPE:
        return recipe_phrases(recipe, kind, strength, form, language)
    cells = _phrases(language)
    cell = f"{kind}.{strength}" if form in _SHARED else f"{kind}.{strength}.{form}"
    claims = cells.get(cell, ()) + (cells.get(f"{cell}.many", ()) if form is Form.MANY else ())
    return phrases_by_start(claims, cells["carrier"] + cells.get(f"{cell}.links", ()))


def phrases_of(
    kind: EvidenceKind, strength: Strength, form: Form, language: str, recipe: str = REASON_RECIPE
) -> tuple[str, ...]:
    """All that a frame may be made of, claims first."""
    licensed = [pair for phrases in _licensed(kind, strength, form, language, recipe).values() for pair in phrases]
    return tuple(phrase for phrase, is_claim in sorted(licensed, key=lambda pair: (not pair[1], pair[0])))


@functools.lru_cache(maxsize=20_000)
def is_licensed(
    frame: str, kind: EvidenceKind, strength: Strength, form: Form, language: str, recipe: str = REASON_RECIPE
) -> bool:
    """Whether `frame`, a sentence with its slots as `{item}` and so on, reads as a row of licensed phrases, at least
    one of them a claim, joined and ended as the language does, begun with a capital where it has capitals; of a recipe,
    as the recipe says.
    """
    stop, capital = STOP[language], True
    if recipe != REASON_RECIPE:
        if recipe not in recipes():
            return False
        wording = recipes()[recipe].wording(language)
        stop, capital = wording.stop, wording.capital
    return reads(frame, _licensed(kind, strength, form, language, recipe), language, stop, capital)
