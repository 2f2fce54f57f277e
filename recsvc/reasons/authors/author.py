"""Loads the language model that writes patterns, and keeps those of its answers that the grammar accepts."""

from collections.abc import Sequence

from recsvc.errors import SettingsError
from recsvc.reasons.authors.prompts import pattern_of
from recsvc.reasons.grammar.pattern import SLOT, PatternRequest
from recsvc.reasons.pattern_pool import Author

CANDIDATES = 12  # answers that are asked for of one claim


def accepted(answers: Sequence[str], request: PatternRequest, known: Sequence[str]) -> list[str]:
    """The patterns that the verifier lets pass, each once, without those that there were."""
    return [pattern for pattern in dict.fromkeys(licensed(answers, request, known)) if pattern not in known]


def licensed(answers: Sequence[str], request: PatternRequest, known: Sequence[str]) -> list[str]:
    """The patterns among the answers, with those that there were. A licensed one says each value of the claim once, as
    all that are known do; with one more or less no sentence that it makes would pass.
    """
    values = sorted(SLOT.findall(known[0])) if known else None
    found = [pattern for answer in answers if (pattern := pattern_of(answer, request)) is not None]
    return [pattern for pattern in found if values is None or sorted(SLOT.findall(pattern)) == values]


def author_of(generator: str, model: str, *, revision: str = "", endpoint: str = "", api_key: str = "") -> Author:
    """Loads a language model, or opens its endpoint.

    Args:
        generator: "openai" for an endpoint of chat completions, "transformers" for a model in this process.
        model: Its name, or its folder.
        revision: Of the model, so that it stays the same one.
        endpoint: Address of the server, for "openai".
        api_key: Key of that server; empty if it needs none.

    Raises:
        SettingsError: The model or the endpoint cannot be used.
    """
    if not model:
        raise SettingsError("reason_model: names the language model, and is required")
    if generator == "openai":
        from recsvc.reasons.authors.openai_author import OpenAIAuthor  # noqa: PLC0415 - each only where it is asked for

        return OpenAIAuthor(endpoint, model, api_key, revision)
    from recsvc.reasons.authors.transformers_author import TransformersAuthor  # noqa: PLC0415

    return TransformersAuthor(model, revision)
