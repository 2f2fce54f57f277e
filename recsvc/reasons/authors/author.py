"""Loads a language model that writes patterns, and selects the answers that the grammar accepts."""

from collections.abc import Sequence

from recsvc.errors import SettingsError
from recsvc.reasons.authors.prompts import pattern_of
from recsvc.reasons.grammar.pattern import SLOT, PatternRequest
from recsvc.reasons.pattern_pool import Author

CANDIDATES = 12  # answers requested for one claim


def new_patterns(answers: Sequence[str], request: PatternRequest, known: Sequence[str]) -> list[str]:
    """The accepted patterns of some answers, each once, without those that are known already."""
    accepted = accepted_patterns(answers, request, known)
    return [pattern for pattern in dict.fromkeys(accepted) if pattern not in known]


def accepted_patterns(answers: Sequence[str], request: PatternRequest, known: Sequence[str]) -> list[str]:
    """The answers that the grammar accepts as patterns for a request.

    A pattern must have each slot of the claim exactly once, as the known ones do. With a slot more or less, the
    verifier would reject every sentence made from it.

    Args:
        answers: What the language model wrote.
        request: What it was asked to word.
        known: Patterns that exist already. They show which slots the claim has.

    Returns:
        One pattern for each accepted answer; some may be equal, and some may be known.
    """
    slots = sorted(SLOT.findall(known[0])) if known else None
    patterns = [pattern for answer in answers if (pattern := pattern_of(answer, request)) is not None]
    return [pattern for pattern in patterns if slots is None or sorted(SLOT.findall(pattern)) == slots]


def author_of(generator: str, model: str, *, revision: str = "", endpoint: str = "", api_key: str = "") -> Author:
    """Loads a language model, or opens its endpoint.

    Args:
        generator: "openai" for an endpoint of chat completions, "transformers" for a model in this process.
        model: Name of the model, or its folder.
        revision: Revision of the model, which pins it.
        endpoint: Address of the server, for "openai".
        api_key: Key for that server; empty if it needs none.

    Raises:
        SettingsError: The model or the endpoint cannot be used.
    """
    if not model:
        raise SettingsError("reason_model: names the language model, and is required")
    if generator == "openai":
        from recsvc.reasons.authors.openai_author import OpenAIAuthor  # noqa: PLC0415  loads only what is used

        return OpenAIAuthor(endpoint, model, api_key, revision)
    from recsvc.reasons.authors.transformers_author import TransformersAuthor  # noqa: PLC0415  as above

    return TransformersAuthor(model, revision)
