"""The lexicon: which sentences may word a claim. A sentence has slots in place of its values.

It is a closed world of complete sentences: one that no line of the files stands for is rejected.
"""

import functools
from collections.abc import Iterator, Mapping

from recsvc.domain.reason import LANGUAGES, REASON_RECIPE, EvidenceKind, Strength
from recsvc.errors import SettingsError
from recsvc.reasons.grammar.claim_keys import CLAIM_BY_KEY, GROUP_OF, REASON_SLOTS, Claimed, key_of
from recsvc.reasons.grammar.notation import MAX_SENTENCES, check_slots, expand, sentence_of
from recsvc.reasons.grammar.pattern import Form, Number
from recsvc.reasons.grammar.recipe import recipe_sentences
from recsvc.reasons.seller_text.word_lists import Line, numbered_lines

STOP = {"en": ".", "zh": "。"}
SENTENCE_SEPARATORS = {"en": " ", "zh": ""}  # between the two sentences of a reason
WRITTEN_PRONOUN, OTHER_PRONOUN = "您", "你"  # the lexicon is written with the first; a shop may choose the second


def stop_of(form: Form, language: str) -> str:
    """How a reason of this form ends. The line above a group of items is a heading, without a stop."""
    return "" if form in GROUP_OF.values() else STOP[language]


def read_lexicon(lines: tuple[Line, ...], file: str, language: str) -> dict[tuple[Claimed, Number], frozenset[str]]:
    """Writes out the sentences of every claim, for one thing and for a plural.

    Args:
        lines: The lines of the file. A heading names the claims that all its lines are for.
        file: Name of the file, for the error.
        language: One of `LANGUAGES`.

    Raises:
        SettingsError: A heading is not a claim, a line breaks the notation, or a sentence lacks a slot.
    """
    read: dict[tuple[Claimed, Number], set[str]] = {}
    for line in lines:
        try:
            for number in Number:
                for claim, written_out in _sentences_of(line, language, number):
                    read.setdefault((claim, number), set()).update(written_out)
        except ValueError as problem:
            raise SettingsError(f"{file}: [{line.heading}], line {line.number}: {problem}") from None
    for (claim, _), of_claim in read.items():
        if len(of_claim) > MAX_SENTENCES:
            raise SettingsError(f"{file}: {key_of(*claim)}: more than {MAX_SENTENCES:,} sentences")
    return {key: frozenset(of_claim) for key, of_claim in read.items()}


def _sentences_of(line: Line, language: str, number: Number) -> Iterator[tuple[Claimed, list[str]]]:
    """The sentences that a line stands for, for each claim of its heading. Raises ValueError as `read_lexicon` says."""
    written_out = expand(line.text, number)
    for key in line.heading.split():
        claim = CLAIM_BY_KEY.get(key)
        if claim is None:
            raise ValueError(f"no claim {key!r}; there are: {', '.join(sorted(CLAIM_BY_KEY))}")
        stop = stop_of(claim[2], language)
        of_claim = [sentence_of(text, stop, language, capital=True) for text in written_out]
        for sentence in of_claim:
            check_slots(sentence, REASON_SLOTS[claim])
        yield claim, of_claim


@functools.cache
def _lexicon(language: str) -> Mapping[tuple[Claimed, Number], frozenset[str]]:
    name = f"lexicon_{language}"
    return read_lexicon(numbered_lines(name), f"{name}.txt", language)


def load() -> None:
    """Reads the lexicon of every language, so that no request waits for it.

    Raises:
        SettingsError: By the rules of `read_lexicon`.
    """
    for language in LANGUAGES:
        _lexicon(language)


@functools.cache
def sentences(
    kind: EvidenceKind,
    strength: Strength,
    form: Form,
    language: str,
    recipe: str = REASON_RECIPE,
    number: Number = Number.ONE,
) -> frozenset[str]:
    """Every sentence that may word a claim, with slots such as `{item}`; empty for a claim that nothing may word.

    A reason begins with a capital letter in English, and ends with a full stop. A recipe has its own rules for both.

    Args:
        kind: Of the claim.
        strength: Of the claim.
        form: Of the claim.
        language: One of `LANGUAGES`.
        recipe: Whose words and rules apply.
        number: Of the item shown; a recipe's sentences do not depend on it.
    """
    if recipe != REASON_RECIPE:
        return recipe_sentences(recipe, kind, strength, form, language)
    return _lexicon(language).get(((kind, strength, form), number), frozenset())


def matches_grammar(  # noqa: PLR0917  the parts of a claim, in their order
    frame: str,
    kind: EvidenceKind,
    strength: Strength,
    form: Form,
    language: str,
    recipe: str = REASON_RECIPE,
    number: Number = Number.ONE,
) -> bool:
    """Whether a frame, a sentence with slots for the values, may word a claim. Arguments as for `sentences`.

    A Chinese frame may say 你 throughout in place of 您, but not both.
    """
    permitted = sentences(kind, strength, form, language, recipe, number)
    if frame in permitted:
        return True
    if language != "zh" or OTHER_PRONOUN not in frame or WRITTEN_PRONOUN in frame:
        return False
    return frame.replace(OTHER_PRONOUN, WRITTEN_PRONOUN) in permitted


def with_pronoun(pattern: str, pronoun: str) -> str:
    """A Chinese pattern with one word for "you" throughout: 您 or 你."""
    return pattern.replace(WRITTEN_PRONOUN, pronoun).replace(OTHER_PRONOUN, pronoun)
