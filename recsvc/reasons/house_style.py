"""Checks how a reason reads: the shop's style rules of `policy/style_<language>.txt`. The verifier checks the truth."""

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from recsvc.reasons.seller_text.word_lists import read_sections

_NAME = "\N{OBJECT REPLACEMENT CHARACTER}"  # stands for a name or a slot
_QUOTED_OR_SLOT = re.compile(r"“[^“”]*”|\{\w+\}")
_STOP = re.compile(r"(?:\.(?=\s|$)|。)\s*")
_DAYS = re.compile(r"(\d[\d,]*)(?: days?\b|天)")
_UNITS = {"words": re.compile(rf"{_NAME}|[\w'’-]+"), "characters": re.compile(rf"{_NAME}|\w")}


@dataclass(frozen=True, slots=True)
class _Style:
    forbidden: re.Pattern[str] | None
    forbidden_anywhere: re.Pattern[str] | None
    forbidden_openings: re.Pattern[str] | None
    limits: Mapping[str, tuple[int, int]]
    pronouns: tuple[str, ...]


@functools.cache
def _style(language: str) -> _Style:
    sections = read_sections(f"style_{language}")
    limits = (line.split() for line in sections["limits"])
    return _Style(
        forbidden=_any_of(sections.get("forbidden", ())),
        forbidden_anywhere=_any_of(sections.get("forbidden_anywhere", ())),
        forbidden_openings=_any_of(sections.get("forbidden_openings", ())),
        limits={name: (int(least), int(most)) for name, least, most in limits},
        pronouns=sections.get("pronoun", ()),
    )


def _whole(term: str) -> str:
    """A regular expression for a term that is not part of a longer Latin word or number."""
    before = r"(?<![a-z0-9])" if term[:1].isascii() and term[:1].isalnum() else ""
    after = r"(?![a-z0-9])" if term[-1:].isascii() and term[-1:].isalnum() else ""
    return f"{before}{re.escape(term)}{after}"


def _any_of(terms: Iterable[str]) -> re.Pattern[str] | None:
    longest_first = sorted((term.lower() for term in terms), key=len, reverse=True)
    return re.compile("|".join(map(_whole, longest_first)), re.IGNORECASE) if longest_first else None


def problems(text: str, language: str, names: Iterable[str] = ()) -> list[str]:
    """Checks a finished reason, or a pattern with slots such as `{item}`, against the style rules of its language.

    Text in quotation marks, slots and `names` are not checked, except for `forbidden_anywhere`, and count as one word
    or character each.

    Args:
        text: One or two sentences. The line above a group of items has no full stop.
        language: One of `LANGUAGES`.
        names: Names in the text that have no quotation marks, such as a brand.

    Returns:
        One entry for each rule that is broken and each place; empty if the text reads well.
    """
    style = _style(language)
    broken = _matches("forbidden", style.forbidden_anywhere, text)
    masked = _QUOTED_OR_SLOT.sub(_NAME, text)
    for name in sorted(filter(None, names), key=len, reverse=True):
        masked = re.sub(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", _NAME, masked)
    broken += _matches("forbidden", style.forbidden, masked)
    sentences = [sentence for sentence in _STOP.split(masked) if sentence.strip()]
    for sentence in sentences:
        if style.forbidden_openings is not None and (opening := style.forbidden_openings.match(sentence)):
            broken.append(f"opening: {opening.group().lower()}")
        for unit, pattern in _UNITS.items():
            broken += _outside(unit, len(pattern.findall(sentence)), style)
    broken += _outside("sentences", len(sentences), style)
    for days in _DAYS.findall(masked):
        broken += _outside("days", int(days.replace(",", "")), style)
    used = [pronoun for pronoun in style.pronouns if pronoun in masked]
    if len(used) > 1:
        broken.append(f"pronouns: {', '.join(used)}")
    return broken


def _matches(rule: str, pattern: re.Pattern[str] | None, text: str) -> list[str]:
    return [f"{rule}: {match.lower()}" for match in pattern.findall(text)] if pattern is not None else []


def _outside(name: str, number: int, style: _Style) -> list[str]:
    """A problem if `number` is outside the limits called `name`; none if the language has no such limits."""
    least, most = style.limits.get(name, (number, number))
    return [] if least <= number <= most else [f"{name}: {number}, not {least} to {most}"]
