"""Finds the terms of the shop's categories that a profile mentions, so that a reason can name one of them."""

import re
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from recsvc.model.catalogue import Catalogue
from recsvc.model.codes import Vocabulary
from recsvc.reasons import folded_words, is_vague

# No shop that has been seen has a category name with more words, or more Chinese characters.
_MAX_WORDS, _MAX_CHARACTERS = 5, 8
_MIN_LETTERS, _MIN_CHARACTERS = 4, 2

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")

# A run of words, or of characters if the script has no spaces.
_Run = tuple[str, ...] | str


class CategoryTerms:
    """The terms that category names are made of, as small ints.

    A term is a complete name, or a run of words that several names begin or end with: "Hiking Boots" and "Hiking Poles"
    give "Hiking". No dictionary is needed for a script without spaces. The first step of a longer path, the
    department, gives no terms: every profile mentions the home.

    Attributes:
        names: Each term as the catalogue writes it, by code.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        paths = catalogue.paths
        self._path_of = paths.codes
        terms = _KEPT.get(paths.vocabulary)
        if terms is None:
            terms = _KEPT[paths.vocabulary] = _Terms.of(paths.names)
        self.names, self._code_of, self._codes_of_path = terms.names, terms.code_of, terms.codes_of_path

    def mentioned(self, text: str) -> frozenset[int]:
        """Returns the codes of the terms that a text has."""
        folded, words = folded_words(text)
        codes = {
            self._code_of.get(tuple(words[at : at + n]), -1)
            for n in range(1, _MAX_WORDS + 1)
            for at in range(len(words) - n + 1)
        }
        if not folded.isascii():
            codes |= {
                self._code_of.get(folded[at : at + n], -1)
                for n in range(_MIN_CHARACTERS, _MAX_CHARACTERS + 1)
                for at in range(len(folded) - n + 1)
            }
        return frozenset(codes - {-1})

    def shared(self, row: int, mentioned: Container[int]) -> int:
        """Returns the longest term of an item's categories that is mentioned; -1 if there is none."""
        path = int(self._path_of[row])
        return next((code for code in self._codes_of_path[path] if code in mentioned), -1) if path >= 0 else -1

    def written(self, code: int, text: str) -> str:
        """Returns a term as a text writes it; '' if the text does not have it as a run of words or characters."""
        folded, words = folded_words(self.names[code])
        if not folded.isascii():
            at = text.find(self.names[code])
            return text[at : at + len(self.names[code])] if at >= 0 else ""
        spans = [word.span() for word in _WORD.finditer(text)]
        runs = (text[first[0] : last[1]] for first, last in zip(spans, spans[len(words) - 1 :], strict=False))
        return next((run for run in runs if folded_words(run)[1] == words), "")


@dataclass(frozen=True)
class _Terms:
    """The terms of a shop's paths. See `CategoryTerms` for what they are.

    Attributes:
        names: Each as the catalogue writes it, by code.
        code_of: Their codes, by the run.
        codes_of_path: For each path, the terms of its names, longest first.
    """

    names: Sequence[str]
    code_of: Mapping[_Run, int]
    codes_of_path: Sequence[Sequence[int]]

    @staticmethod
    def of(paths: Sequence[tuple[str, ...]]) -> "_Terms":
        """Reads paths, by code."""
        category_names = sorted({name for path in paths for name in path[1:] or path})
        written: dict[_Run, str] = {}
        counts: Counter[_Run] = Counter()
        for name in category_names:
            runs = dict(_ends(name))
            counts.update(runs.keys())
            written = runs | written
        complete = {_run(name) for name in category_names}
        # A run that only ever appears in one longer run is no word, as the beginning of "自行车".
        fragments = {part for run, n in counts.items() for part in (run[:-1], run[1:]) if counts[part] == n > 1}
        code_of: dict[_Run, int] = {}
        names: list[str] = []
        for run in sorted(counts, key=str):
            if (run in complete or (counts[run] > 1 and run not in fragments)) and not _is_vague(run):
                code_of[run] = len(names)
                names.append(written[run])

        def codes(path: tuple[str, ...]) -> list[int]:
            runs = {run for name in path for run, _ in _ends(name)}
            return sorted({code_of[run] for run in runs if run in code_of}, key=lambda code: (-len(names[code]), code))

        return _Terms(names, code_of, [codes(path[1:] or path) for path in paths])


# By the paths of a shop, for as long as these are in use: upserts seldom bring another path.
_KEPT: WeakKeyDictionary[Vocabulary[tuple[str, ...]], _Terms] = WeakKeyDictionary()


def _run(name: str) -> _Run:
    folded, words = folded_words(name)
    return tuple(words) if folded.isascii() else folded


def _ends(name: str) -> Iterator[tuple[_Run, str]]:
    """Yields each beginning and end of a name, the complete name included, and how the name writes it."""
    run, parts = _run(name), name.split()
    if isinstance(run, str):
        for n in range(_MIN_CHARACTERS, len(run) + 1 if len(run) == len(name) else 0):
            yield run[:n], name[:n]
            yield run[-n:], name[-n:]
    elif len(parts) == len(run):  # otherwise words and parts cannot be matched: "Food&Drink"
        for n in range(1, len(run) + 1):
            yield run[:n], " ".join(parts[:n])
            yield run[-n:], " ".join(parts[-n:])


def _is_vague(run: _Run) -> bool:
    if isinstance(run, str):
        return is_vague(run)
    return sum(map(len, run)) < _MIN_LETTERS or is_vague(" ".join(run))
