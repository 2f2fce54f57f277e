"""The closed world of words: which frames a claim may have, by kind and strength, as the lexicons list them."""

import functools
from collections.abc import Mapping

from recsvc.domain import EvidenceKind, Strength
from recsvc.reasons.pattern import Form
from recsvc.reasons.word_lists import read_sections

STOP = {"en": ".", "zh": "。"}
# Forms that a cell's phrases are for; any other form has a cell of its own.
_SHARED = (Form.PLAIN, Form.MANY, Form.UNNAMED)
_JOINTS = {"en": (" ", ", "), "zh": ("", "，")}
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
def _licensed(
    kind: EvidenceKind, strength: Strength, form: Form, language: str
) -> Mapping[str, tuple[tuple[str, bool], ...]]:
    """Licensed phrases by their first character, each with whether it claims something."""
    cells = _phrases(language)
    cell = f"{kind}.{strength}" if form in _SHARED else f"{kind}.{strength}.{form}"
    licensed = dict.fromkeys(cells["carrier"] + cells.get(f"{cell}.links", ()), False)
    licensed |= dict.fromkeys(cells.get(cell, ()), True)
    if form is Form.MANY:
        licensed |= dict.fromkeys(cells.get(f"{cell}.many", ()), True)
    by_start: dict[str, list[tuple[str, bool]]] = {}
    for phrase, is_claim in licensed.items():
        by_start.setdefault(phrase[0], []).append((phrase, is_claim))
    return {start: tuple(phrases) for start, phrases in by_start.items()}


def phrases_of(kind: EvidenceKind, strength: Strength, form: Form, language: str) -> tuple[str, ...]:
    """All that a frame may be made of, claims first."""
    licensed = [pair for phrases in _licensed(kind, strength, form, language).values() for pair in phrases]
    return tuple(phrase for phrase, is_claim in sorted(licensed, key=lambda pair: (not pair[1], pair[0])))


@functools.lru_cache(maxsize=20_000)
def is_licensed(frame: str, kind: EvidenceKind, strength: Strength, form: Form, language: str) -> bool:
    """Whether `frame`, a sentence with its slots as `{item}` and so on, reads as a row of licensed phrases, at least
    one of them a claim, joined and ended as the language does, begun with a capital where it has capitals.

    Linear in the frame's length times the phrases that start alike: no backtracking, whatever is fed to it.
    """
    stop = STOP[language]
    if not frame.endswith(stop):
        return False
    body = frame[: -len(stop)]
    if language == "en":
        if body[:1].islower():
            return False
        body = body[:1].lower() + body[1:]
    phrases = _licensed(kind, strength, form, language)
    starts = {(0, False)}  # places where a phrase may start, and whether a claim came before
    for at in range(len(body)):
        for claimed in (False, True):
            if (at, claimed) not in starts:
                continue
            for phrase, is_claim in phrases.get(body[at], ()):
                if not body.startswith(phrase, at):
                    continue
                end = at + len(phrase)
                if end == len(body):
                    if claimed or is_claim:
                        return True
                    continue
                for joint in _JOINTS[language]:
                    if body.startswith(joint, end):
                        starts.add((end + len(joint), claimed or is_claim))
    return False
