"""Names of rows as integer codes: the brand and the category path of each item."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Rows
from recsvc.model.columns import DistinctTexts
from recsvc.model.growing import GrowingMapping, GrowingMatrix
from recsvc.model.item_columns import NO_CODE, read_name, written

Name = TypeVar("Name", str, tuple[str, ...])


class Vocabulary(Generic[Name]):
    """The names of some codes. It never changes. Two are equal only if they are the same object.

    Args:
        stored: The names of the bundle, by code.
        read: Returns the name that a text stands for.
        added: The codes of the names that came later.
    """

    def __init__(self, stored: DistinctTexts, read: Callable[[str], Name], added: GrowingMapping[Name, int]) -> None:
        self.stored = stored
        self.added: GrowingMapping[Name, int] = added
        self._read: Callable[[str], Name] = read

    def __len__(self) -> int:
        return len(self.stored) + len(self.added)

    @cached_property
    def later_names(self) -> tuple[Name, ...]:
        """The names that came later, by code."""
        return tuple(sorted(self.added, key=self.added.__getitem__))

    @property
    def names(self) -> list[Name]:
        """All names by code. Reads every one of them."""
        return [self._read(text) for text in self.stored] + list(self.later_names)


class Codes(Generic[Name]):
    """One name for each row, as an integer code. Immutable.

    Args:
        codes: int32 (n,), NO_CODE for an empty name.
        stored: The names of the bundle, by code.
        read: Returns the name that a text stands for.
        write: Returns the text that stands for a name.

    Attributes:
        codes: int32 (n,), NO_CODE for an empty name.
        vocabulary: The names. Copies share it until one has another name.
    """

    def __init__(
        self, codes: Rows, stored: DistinctTexts, read: Callable[[str], Name], write: Callable[[Name], str]
    ) -> None:
        self.codes = codes
        self._stored = stored
        self._read: Callable[[str], Name] = read
        self._write: Callable[[Name], str] = write
        self.vocabulary: Vocabulary[Name] = Vocabulary(stored, read, GrowingMapping())
        self._memory: GrowingMatrix[np.int32] | None = None

    @classmethod
    def growing(
        cls,
        memory: GrowingMatrix[np.int32] | None,
        codes: Rows,
        stored: DistinctTexts,
        read: Callable[[str], Name],
        write: Callable[[Name], str],
    ) -> "Codes[Name]":
        """As the constructor. memory: of the codes; None to make it when a row is added."""
        made = cls(codes, stored, read, write)
        made._memory = memory
        return made

    def with_values(self, values: Mapping[int, Name], n: int) -> "Codes[Name]":
        """A copy for n rows.

        Rows are added in memory that both share. Only if an earlier row gets another name are all codes copied:
        requests may still read the codes as they were.

        Args:
            values: Names by row, of all new rows and of any others that change.
            n: How many rows the copy has.
        """
        other = Codes(self.codes, self._stored, self._read, self._write)
        new_names: dict[Name, int] = {}
        for name in values.values():
            if name and name not in new_names and self.code(name) is None:
                new_names[name] = len(self) + len(new_names)
        other.vocabulary = self.vocabulary
        if new_names:
            added = self.vocabulary.added.with_values(new_names)
            other.vocabulary = Vocabulary(self._stored, self._read, added)
        codes = {row: NO_CODE if not name else other._code(name) for row, name in values.items()}
        before = len(self.codes)
        memory = self._memory
        if (
            memory is None
            or not memory.holds(self.codes)
            or any(row < before and self.codes[row] != code for row, code in codes.items())
        ):
            memory = GrowingMatrix(self.codes)
        other._memory, other.codes = memory, memory.extended(before, n - before, NO_CODE)
        for row, code in codes.items():
            if other.codes[row] != code:
                other.codes[row] = code
        return other

    def __len__(self) -> int:
        """How many names there are."""
        return len(self.vocabulary)

    def code(self, name: Name) -> int | None:
        """Returns the code of a name; None if no row has ever had it."""
        code = self.vocabulary.added.get(name)
        return self._stored.find(self._write(name)) if code is None else code

    def name(self, code: int) -> Name:
        """Returns the name of a code."""
        if code < len(self._stored):
            return self._read(self._stored[code])
        return self.vocabulary.later_names[code - len(self._stored)]

    @property
    def names(self) -> Sequence[Name]:
        """All names by code. Reads every one of them: `name` is for a few."""
        return self.vocabulary.names

    def mask(self, matches: Callable[[Name], bool]) -> NDArray[np.bool_]:
        """Returns which rows have a name that matches, bool (n,). A row without a name never does."""
        # The last place is for NO_CODE, -1.
        return np.array([*map(matches, self.names), False], np.bool_)[self.codes]

    def having(self, names: Iterable[Name]) -> NDArray[np.bool_]:
        """Returns which rows have one of some names, bool (n,)."""
        codes = [code for name in names if name and (code := self.code(name)) is not None]
        if len(codes) == 1:
            return np.asarray(self.codes == codes[0])
        matching = np.zeros(len(self) + 1, np.bool_)
        matching[codes] = True
        return matching[self.codes]

    def _code(self, name: Name) -> int:
        code = self.code(name)
        assert code is not None  # noqa: S101  with_values has added it
        return code


def codes_of(values: Iterable[tuple[str, ...]]) -> Codes[tuple[str, ...]]:
    """Returns the codes of some paths, in the order of their first row."""
    code_of: dict[tuple[str, ...], int] = {}
    codes = [code_of.setdefault(value, len(code_of)) if value else NO_CODE for value in values]
    return Codes(np.array(codes, np.int32), DistinctTexts.of(map(written, code_of)), read_name, written)
