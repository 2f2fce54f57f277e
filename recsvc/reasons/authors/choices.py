"""The sentences that a language model may choose among, written as the prompt writes them."""

from collections.abc import Container

from recsvc.reasons.authors.prompts import marked
from recsvc.reasons.grammar.lexicon import sentences
from recsvc.reasons.grammar.pattern import PatternRequest
from recsvc.reasons.pattern_pool import is_pattern


def choices(request: PatternRequest, known: Container[str]) -> list[str]:
    """The licensed sentences for a claim and a tone that are not known yet, sorted.

    A model that is held to them can write no false sentence, and none that exists already.

    Args:
        request: The claim to word.
        known: Patterns that exist already.

    Returns:
        Sentences with slots such as `[[item]]`. Empty if all licensed sentences are known.
    """
    claim = (request.kind, request.strength, request.form, request.language)
    licensed = sentences(*claim, request.recipe, request.number)
    return sorted(marked(pattern) for pattern in licensed if pattern not in known and is_pattern(pattern, request))
