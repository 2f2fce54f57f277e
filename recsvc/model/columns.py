"""Columns of texts and of lists, as plain arrays that a process can map from a file and read without a copy.

A column is a name, a type and a few arrays: its arrays are named after it, such as "title.bytes" and "title.starts". So
a bundle can have further columns without another format.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Self, overload

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Rows

Arrays = Mapping[str, NDArray[Any]]
"""Arrays by name."""


class Texts(Sequence[str]):
    """Texts as UTF-8.

    Args:
        data: uint8 (b,), all texts one after the other.
        starts: int64 (n + 1,), where each text begins; the last one is b.
    """

    ARRAYS: tuple[str, ...] = ("bytes", "starts")

    def __init__(self, data: NDArray[np.uint8], starts: NDArray[np.int64]) -> None:
        # An element of a memoryview is read in a third of the time of an array's.
        self._data: memoryview[int] = _view(data)
        self._starts: memoryview[int] = _view(starts)

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """Makes the column of some texts."""
        encoded = [text.encode() for text in texts]
        return cls(*_joined(encoded))

    @classmethod
    def read(cls, name: str, arrays: Arrays) -> Self:
        """Takes a column from the arrays of a bundle."""
        return cls(*(arrays[f"{name}.{part}"] for part in cls.ARRAYS))

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """Returns the arrays of this column, under the name of the column."""
        return {f"{name}.bytes": np.asarray(self._data), f"{name}.starts": np.asarray(self._starts)}

    def __len__(self) -> int:
        return len(self._starts) - 1

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...

    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(len(self)))]
        if place < 0:
            place += len(self)
        return str(self._data[self._starts[place] : self._starts[place + 1]], "utf-8")

    def __iter__(self) -> Iterator[str]:
        for start, end in pairwise(self._starts):
            yield str(self._data[start:end], "utf-8")


class DistinctTexts(Texts):
    """Distinct texts that are looked up by a hash table: the hashes in ascending order, and the place of each.

    Args:
        data: As in `Texts`.
        starts: As in `Texts`.
        hashes: uint64 (n,), ascending.
        places: int32 (n,), the place of the text with each hash.
    """

    ARRAYS = (*Texts.ARRAYS, "hashes", "places")

    def __init__(
        self,
        data: NDArray[np.uint8],
        starts: NDArray[np.int64],
        hashes: NDArray[np.uint64],
        places: NDArray[np.int32],
    ) -> None:
        super().__init__(data, starts)
        self._hashes: memoryview[int] = _view(hashes)
        self._places: memoryview[int] = _view(places)

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """Makes the column of some distinct texts."""
        encoded = [text.encode() for text in texts]
        hashes = np.fromiter(map(_hash, encoded), np.uint64, len(encoded))
        places = np.argsort(hashes, kind="stable").astype(np.int32)
        return cls(*_joined(encoded), hashes[places], places)

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """See `Texts.arrays`."""
        table = {f"{name}.hashes": np.asarray(self._hashes), f"{name}.places": np.asarray(self._places)}
        return super().arrays(name) | table

    def find(self, text: str) -> int | None:
        """Returns the place of a text; None if it is not there."""
        try:
            encoded = text.encode()
        except UnicodeEncodeError:  # half a character, which no stored text has
            return None
        hashed = _hash(encoded)
        at = bisect_left(self._hashes, hashed)
        while at < len(self._hashes) and self._hashes[at] == hashed:
            place = self._places[at]
            if self._data[self._starts[place] : self._starts[place + 1]] == encoded:
                return int(place)
            at += 1
        return None


class Lists:
    """A list of ints for each of n places.

    Args:
        starts: int64 (n + 1,), where each list begins in `values`.
        values: int32 (m,), all lists one after the other.
    """

    ARRAYS = ("starts", "values")

    def __init__(self, starts: NDArray[np.int64], values: Rows) -> None:
        self.starts, self.values = starts, values

    @classmethod
    def of(cls, lists: Iterable[Sequence[int]]) -> Self:
        """Makes the column of some lists."""
        every = list(lists)
        starts = np.zeros(len(every) + 1, np.int64)
        np.cumsum([len(values) for values in every], out=starts[1:])
        return cls(starts, np.fromiter((value for values in every for value in values), np.int32, starts[-1]))

    @classmethod
    def read(cls, name: str, arrays: Arrays) -> Self:
        """Takes a column from the arrays of a bundle."""
        return cls(*(arrays[f"{name}.{part}"] for part in cls.ARRAYS))

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """Returns the arrays of this column, under the name of the column."""
        return {f"{name}.starts": self.starts, f"{name}.values": self.values}

    def inverted(self, n: int) -> "Lists":
        """Returns for each of n values the places whose lists have it, ascending, each once."""
        places = np.repeat(np.arange(len(self.starts) - 1, dtype=np.int32), np.diff(self.starts))
        pairs = np.unique(np.stack((self.values, places)), axis=1)
        starts = np.zeros(n + 1, np.int64)
        np.cumsum(np.bincount(pairs[0], minlength=n), out=starts[1:])
        return Lists(starts, np.ascontiguousarray(pairs[1], np.int32))

    def __getitem__(self, place: int) -> Rows:
        return self.values[self.starts[place] : self.starts[place + 1]]


def _view(array: Any) -> "memoryview[int]":  # noqa: ANN401  mypy does not know that an array is a buffer
    return memoryview(array)


def _joined(encoded: Sequence[bytes]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    starts = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum([len(text) for text in encoded], out=starts[1:])
    return np.frombuffer(b"".join(encoded), np.uint8), starts


def _hash(encoded: bytes) -> int:
    # The same in every process, and nobody can choose ids so that many of them have one hash.
    return int.from_bytes(hashlib.blake2b(encoded, digest_size=8).digest(), "little")
