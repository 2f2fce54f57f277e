"""Loads a language model that writes patterns, and selects the answers that the grammar accepts."""

from collections.abc import Container, Sequence

from recsvc.errors import SettingsError
from recsvc.reasons.authors.prompts import pattern_of
from recsvc.reasons.grammar.pattern import PatternRequest
from recsvc.reasons.pattern_pool import Author
from recsvc.settings import WorkerSettings

CANDIDATES = 12  # answers requested for one claim


def new_patterns(answers: Sequence[str], request: PatternRequest, known: Container[str]) -> list[str]:
    """The accepted patterns of some answers, each once, without those that are known already."""
    return [pattern for pattern in dict.fromkeys(accepted_patterns(answers, request)) if pattern not in known]


def accepted_patterns(answers: Sequence[str], request: PatternRequest) -> list[str]:
    """The answers that the grammar accepts as patterns for a request.

    Args:
        answers: What the language model wrote.
        request: What it was asked to word.

    Returns:
        One pattern for each accepted answer; some may be equal, and some may be known.
    """
    return [pattern for answer in answers if (pattern := pattern_of(answer, request)) is not None]


def author_of(settings: WorkerSettings) -> Author:
    """Loads the language model of a worker, or opens its endpoint.

    Raises:
        SettingsError: The model or the endpoint cannot be used.
    """
    model, revision = settings.reason_model, settings.reason_revision
    if not model:
        raise SettingsError("reason_model: names the language model, and is required")
    timeout_seconds, batch = settings.reason_timeout, settings.reason_batch
    if settings.reason_generator == "openai":
        from recsvc.reasons.authors.openai_author import OpenAIAuthor  # noqa: PLC0415  loads only what is used

        key = settings.reason_api_key.get_secret_value() if settings.reason_api_key else ""
        return OpenAIAuthor(settings.reason_endpoint, model, key, revision, timeout_seconds, batch)
    from recsvc.reasons.authors.transformers_author import TransformersAuthor  # noqa: PLC0415  as above

    return TransformersAuthor(model, revision, timeout_seconds, batch)
