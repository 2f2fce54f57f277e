"""Parses a frame: a sentence in which slots such as `{item}` stand for the values."""

from collections.abc import Iterable, Mapping

_SEPARATORS = {"en": (" ", ", "), "zh": ("", "，")}  # between two phrases

Phrases = Mapping[str, tuple[tuple[str, bool], ...]]
"""Phrases by their first character, each with whether it makes a claim."""


def phrases_by_start(claims: Iterable[str], fillers: Iterable[str]) -> Phrases:
    """Indexes phrases by their first character.

    Args:
        claims: Phrases that make the claim; a frame must have at least one.
        fillers: Phrases that claim nothing and may stand beside them.
    """
    by_start: dict[str, list[tuple[str, bool]]] = {}
    for phrase, is_claim in (dict.fromkeys(fillers, False) | dict.fromkeys(claims, True)).items():
        by_start.setdefault(phrase[0], []).append((phrase, is_claim))
    return {start: tuple(phrases) for start, phrases in by_start.items()}


def parses(frame: str, phrases: Phrases, language: str, stop: str, *, capital: bool) -> bool:
    """Whether a frame is a sequence of phrases, at least one of them a claim.

    The time is linear in the frame's length times the number of phrases with the same first character. There is no
    backtracking, whatever the input.

    Args:
        frame: The sentence to parse.
        phrases: Its possible phrases, written without an initial capital.
        language: Decides what separates two phrases.
        stop: What the frame must end with.
        capital: Whether the frame must begin with a capital letter. Chinese has none.
    """
    body = _body(frame, language, stop, capital=capital)
    if body is None:
        return False
    starts = {(0, False)}  # positions where a phrase may start, with whether a claim came before
    for at in range(len(body)):
        for has_claim in (False, True):
            if (at, has_claim) not in starts:
                continue
            for phrase, is_claim in phrases.get(body[at], ()):
                if not body.startswith(phrase, at):
                    continue
                end = at + len(phrase)
                if end < len(body):
                    starts.update(
                        (end + len(separator), has_claim or is_claim)
                        for separator in _SEPARATORS[language]
                        if body.startswith(separator, end)
                    )
                elif has_claim or is_claim:
                    return True
    return False


def _body(frame: str, language: str, stop: str, *, capital: bool) -> str | None:
    """The frame without its stop and its initial capital; None if it lacks one that it must have."""
    if not frame.endswith(stop):
        return None
    body = frame[: len(frame) - len(stop)]
    if not capital or language != "en":
        return body
    return None if body[:1].islower() else body[:1].lower() + body[1:]
