"""The ways to have an endpoint hold its model to some sentences. Each is fields of the request."""

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Protocol

_FIELD = "sentence"  # of the object that a JSON answer is


class Constraint(Protocol):
    """A way to ask an endpoint for one of some sentences."""

    name: str

    def fields(self, sentences: Sequence[str]) -> dict[str, Any]:
        """The fields to add to a request."""
        ...

    def answer(self, content: str) -> str:
        """The sentence in an answer."""
        ...


class Extensions:
    """The fields that llama.cpp (grammar) and vLLM (structured_outputs, before 0.12 guided_choice) add to the API.

    Other servers ignore or refuse them.
    """

    name = "extensions"

    def fields(self, sentences: Sequence[str]) -> dict[str, Any]:
        """The fields to add to a request."""
        choice = list(sentences)
        return {"grammar": gbnf(sentences), "structured_outputs": {"choice": choice}, "guided_choice": choice}

    def answer(self, content: str) -> str:
        """The answer is the sentence."""
        return content


class JsonSchema:
    """Structured outputs as OpenAI defines them: an object with one field, which must be one of the sentences."""

    name = "json_schema"

    def fields(self, sentences: Sequence[str]) -> dict[str, Any]:
        """The fields to add to a request."""
        schema = {
            "type": "object",
            "properties": {_FIELD: {"type": "string", "enum": list(sentences)}},
            "required": [_FIELD],
            "additionalProperties": False,
        }
        named = {"name": _FIELD, "strict": True, "schema": schema}
        return {"response_format": {"type": "json_schema", "json_schema": named}}

    def answer(self, content: str) -> str:
        """The field of the object, or the answer as it is if it is no such object."""
        try:
            value = json.loads(content)[_FIELD]
        except (ValueError, KeyError, TypeError, RecursionError):
            return content
        return value if isinstance(value, str) else content


class FreeText:
    """No constraint. The verifier alone decides."""

    name = "free text"

    def fields(self, sentences: Sequence[str]) -> dict[str, Any]:  # noqa: ARG002  the protocol's
        """No fields."""
        return {}

    def answer(self, content: str) -> str:
        """The answer is the sentence."""
        return content


def gbnf(sentences: Sequence[str]) -> str:
    """A grammar of llama.cpp that allows these sentences and nothing else.

    Sentences with the same beginning share it, because llama.cpp follows all open alternatives at every token.
    """
    return f"root ::= {_alternatives(sorted(set(sentences)))}"


def _alternatives(sentences: Sequence[str]) -> str:
    """An expression for different, sorted texts."""
    parts = []
    for _, texts in groupby(sentences, key=lambda text: text[:1]):
        same_start = list(texts)
        start = _shared(same_start[0], same_start[-1])
        rests = [text[len(start) :] for text in same_start]
        parts.append(_literal(start) if len(rests) == 1 else f"{_literal(start)} ({_alternatives(rests)})")
    return " | ".join(parts)


def _shared(first: str, last: str) -> str:
    """What the first and the last of some sorted texts begin with, and so all of them."""
    differ = (at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other)
    return first[: next(differ, min(len(first), len(last)))]


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
