"""Which words of the shop's categories a profile mentions: what lets a reason say more of it than that it was read."""

from collections import Counter
from collections.abc import Iterator

from recsvc.model.catalogue import Catalogue
from recsvc.reasons import folded_words, is_vague

# A category's name has no more words than this, or Chinese characters, in any shop that has been seen.
_LONGEST_WORDS, _LONGEST_CHARACTERS = 5, 8
_SHORTEST_LETTERS, _SHORTEST_CHARACTERS = 4, 2

# A run of words, or of characters where the script has no spaces.
_Run = tuple[str, ...] | str


class CategoryTerms:
    """The words that category names are made of, as small ints. names: by code, as the catalogue writes them.

    A word is a whole name, or what several names begin or end with: of "Hiking Boots" and "Hiking Poles" there is
    "Hiking", and no dictionary is needed where a script has no spaces. Departments are left out, the first step of a
    path that has more: everybody mentions the home.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        paths = catalogue.paths
        self._path_of = paths.codes
        every = sorted({name for path in paths.names for name in path[1:] or path})
        written: dict[_Run, str] = {}
        counts: Counter[_Run] = Counter()
        for name in every:
            runs = dict(_ends(name))
            counts.update(runs.keys())
            written = runs | written
        whole = {_run(name) for name in every}
        # What only ever stands in one longer word is none, as the beginning of "自行车".
        torn = {part for run, n in counts.items() for part in (run[:-1], run[1:]) if counts[part] == n > 1}
        self._code_of: dict[_Run, int] = {}
        self.names: list[str] = []
        for run in sorted(counts, key=str):
            if (run in whole or (counts[run] > 1 and run not in torn)) and not _vague(run):
                self._code_of[run] = len(self.names)
                self.names.append(written[run])
        self._of_path = [self._codes(path[1:] or path) for path in paths.names]

    def mentioned(self, text: str) -> frozenset[int]:
        """The codes of the words that a text has."""
        folded, words = folded_words(text)
        found = {
            self._code_of.get(tuple(words[at : at + n]), -1)
            for n in range(1, _LONGEST_WORDS + 1)
            for at in range(len(words) - n + 1)
        }
        if not folded.isascii():
            found |= {
                self._code_of.get(folded[at : at + n], -1)
                for n in range(_SHORTEST_CHARACTERS, _LONGEST_CHARACTERS + 1)
                for at in range(len(folded) - n + 1)
            }
        return frozenset(found - {-1})

    def shared(self, row: int, mentioned: frozenset[int]) -> int:
        """The longest word of an item's categories that is among those mentioned; -1 where there is none."""
        path = int(self._path_of[row])
        return next((code for code in self._of_path[path] if code in mentioned), -1) if path >= 0 else -1

    def _codes(self, path: tuple[str, ...]) -> list[int]:
        """The words of a path's names, longest first."""
        runs = {run for name in path for run, _ in _ends(name)}
        codes = {self._code_of[run] for run in runs if run in self._code_of}
        return sorted(codes, key=lambda code: (-len(self.names[code]), code))


def _run(name: str) -> _Run:
    folded, words = folded_words(name)
    return tuple(words) if folded.isascii() else folded


def _ends(name: str) -> Iterator[tuple[_Run, str]]:
    """Each beginning and end of a name, the whole among them, and how the name writes it."""
    run, parts = _run(name), name.split()
    if isinstance(run, str):
        for n in range(_SHORTEST_CHARACTERS, len(run) + 1 if len(run) == len(name) else 0):
            yield run[:n], name[:n]
            yield run[-n:], name[-n:]
    elif len(parts) == len(run):  # otherwise it cannot be told which is which: "Food&Drink"
        for n in range(1, len(run) + 1):
            yield run[:n], " ".join(parts[:n])
            yield run[-n:], " ".join(parts[-n:])


def _vague(run: _Run) -> bool:
    if isinstance(run, str):
        return is_vague(run)
    return sum(map(len, run)) < _SHORTEST_LETTERS or is_vague(" ".join(run))
