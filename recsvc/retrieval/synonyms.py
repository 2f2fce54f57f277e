"""The operator's synonyms: words that a search takes for each other."""

from collections.abc import Sequence
from pathlib import Path

from recsvc.errors import SettingsError
from recsvc.model.words import Words
from recsvc.retrieval.word_index import Terms

MAX_BYTES = 4_000_000
# A group keeps every expression beside every other one.
MAX_IN_A_GROUP, MAX_EXPRESSIONS = 50, 50_000
SEPARATOR, COMMENT = ",", "#"  # of the operator's file

Groups = tuple[tuple[str, ...], ...]


def read_synonyms(path: Path | None) -> Groups:
    """Reads a file with one group on each line: words or short phrases, separated by commas. None gives no group.

    Raises:
        SettingsError: The file cannot be read, or a line is no group of two or more different expressions.
    """
    if path is None:
        return ()
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SettingsError(f"synonyms: {path} has more than {MAX_BYTES:,} bytes")
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"synonyms: {path} cannot be read: {error}") from None
    groups = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith(COMMENT):
            continue
        group = tuple(dict.fromkeys(expression.strip().lower() for expression in line.split(SEPARATOR)))
        if len(group) < 2 or "" in group:  # noqa: PLR2004  a group has two
            raise SettingsError(
                f"synonyms: {path}, line {number}: must have two or more different words or phrases with commas between"
            )
        if len(group) > MAX_IN_A_GROUP:
            raise SettingsError(f"synonyms: {path}, line {number}: has more than {MAX_IN_A_GROUP} words or phrases")
        groups.append(group)
    if sum(map(len, groups)) > MAX_EXPRESSIONS:
        raise SettingsError(f"synonyms: {path} has more than {MAX_EXPRESSIONS:,} words and phrases")
    return tuple(groups)


def synonyms_of(name: str, groups: Groups) -> tuple[str, ...]:
    """Returns the other expressions of the groups that have a name, in any case, singular or plural."""
    lower = name.strip().lower()
    forms = {lower, f"{lower}s", f"{lower}es", lower.removesuffix("s"), lower.removesuffix("es")}
    of_groups = (group for group in groups if not forms.isdisjoint(group))
    return tuple(dict.fromkeys(expression for group in of_groups for expression in group if expression not in forms))


class Synonyms:
    """The groups as the terms of one language.

    Args:
        groups: Expressions that mean the same.
        words: Reads them.
    """

    def __init__(self, groups: Groups, words: Words) -> None:
        self._others: dict[Terms, tuple[Terms, ...]] = {}
        for group in groups:
            expressions = tuple(filter(None, (tuple(words.terms(expression)) for expression in group)))
            for terms in expressions:
                known = self._others.get(terms, ())
                self._others[terms] = tuple(dict.fromkeys((*known, *(t for t in expressions if t != terms))))
        self._longest = max(map(len, self._others), default=0)

    def __contains__(self, terms: Terms) -> bool:
        return terms in self._others

    def longest_at(self, terms: Sequence[str], start: int) -> tuple[Terms, ...]:
        """Returns the longest expression that begins at a term, followed by its synonyms; () if none begins there."""
        for length in range(min(self._longest, len(terms) - start), 0, -1):
            expression = tuple(terms[start : start + length])
            if expression in self._others:
                return (expression, *self._others[expression])
        return ()


NO_SYNONYMS = Synonyms((), Words())
