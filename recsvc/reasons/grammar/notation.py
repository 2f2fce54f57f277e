"""The notation of permitted sentences.

`(a|b|c)` are alternatives, `(a|)` are words that may be left out, and `<this/these>` agrees with the item shown.
"""

import itertools
import math
import re

from recsvc.reasons.grammar.pattern import SLOT, Number

MAX_DEPTH = 2  # alternatives may stand within alternatives, but no deeper
MAX_SENTENCES = 20_000  # of one claim

_AGREEING = re.compile(r"<([^<>/]*)/([^<>/]*)>")
_MARK = re.compile(r"[(|)]")
_LOOSE_SPACE = re.compile(r" +(?=[,.;:，。；：])")

# One row of words and choices. A choice is a list of rows.
_Row = list["str | list[_Row]"]


def expand(line: str, number: Number = Number.ONE) -> list[str]:
    """Writes out every sentence that a line stands for, where the item shown has a grammatical number.

    Spaces that are left over where words were left out are removed.

    Raises:
        ValueError: The line breaks the notation, or stands for more than `MAX_SENTENCES` sentences.
    """
    line = _AGREEING.sub(r"\1" if number is Number.ONE else r"\2", line)
    if "<" in line or ">" in line:
        raise ValueError("'<' and '>' must hold two forms: '<this/these>'")
    rows, end = _rows(line, 0, 0)
    if end < len(line):
        raise ValueError("')' without '('")
    if len(rows) > 1:
        raise ValueError("'|' outside of '( )'")
    if (n_sentences := _count(rows[0])) > MAX_SENTENCES:
        raise ValueError(f"stands for {n_sentences:,} sentences; at most {MAX_SENTENCES:,}")
    return [_LOOSE_SPACE.sub("", " ".join(sentence.split())) for sentence in _written_out(rows[0])]


def check_slots(sentence: str, slots: frozenset[str]) -> None:
    """Returns if a sentence has each slot exactly once, no other, and no number of its own.

    Raises:
        ValueError: It does not.
    """
    if sorted(SLOT.findall(sentence)) != sorted(slots):
        needed = " ".join(f"{{{slot}}}" for slot in sorted(slots)) or "no slot"
        raise ValueError(f"{sentence!r} must have each of its claim's slots once: {needed}")
    words = SLOT.sub(" ", sentence)
    if "{" in words or "}" in words or any(map(str.isdigit, words)):
        raise ValueError(f"{sentence!r} has a number, or a slot that there is not")


def sentence_of(line: str, stop: str, language: str, *, capital: bool) -> str:
    """A written-out line with its initial capital, if it must have one, and its stop."""
    if capital and language == "en":
        line = line[:1].upper() + line[1:]
    return line + stop


def _rows(line: str, at: int, depth: int) -> tuple[list[_Row], int]:
    """Reads alternatives from `at` to the bracket that closes them, or to the end of the line."""
    if depth > MAX_DEPTH:
        raise ValueError(f"'(' within more than {MAX_DEPTH - 1} other '('")
    rows: list[_Row] = [[]]
    while (mark := _MARK.search(line, at)) is not None:
        rows[-1].append(line[at : mark.start()])
        if mark.group() == ")" and depth:
            return rows, mark.end()
        if mark.group() == ")":
            return rows, mark.start()
        at = mark.end()
        if mark.group() == "|":
            rows.append([])
        else:
            choice, at = _rows(line, at, depth + 1)
            rows[-1].append(choice)
    if depth:
        raise ValueError("'(' without ')'")
    rows[-1].append(line[at:])
    return rows, len(line)


def _count(row: _Row) -> int:
    return math.prod(sum(map(_count, part)) for part in row if not isinstance(part, str))


def _written_out(row: _Row) -> list[str]:
    parts = [[part] if isinstance(part, str) else [text for r in part for text in _written_out(r)] for part in row]
    return ["".join(texts) for texts in itertools.product(*parts)]
