"""Arrays and mappings that grow without a copy of what they have."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

SPARE_ROWS = 8_192  # that a growing matrix can add before it is copied
# New values of a mapping that are copied for each change. With more of them, all values are copied once.
RECENT_VALUES = 256

Number = TypeVar("Number", bound=np.number[Any] | np.bool_)
Key = TypeVar("Key")
Value = TypeVar("Value")


class GrowingMatrix(Generic[Number]):
    """An array to which rows are added without a copy for each: 100,000 vectors are 100 MB. For one thread.

    Args:
        array: (n, ...), of any number type; it is copied once.
        memory: (n + spare, ...), which has the n rows already, so that nothing is copied; None to make it.
    """

    def __init__(self, array: NDArray[Number], memory: NDArray[Number] | None = None) -> None:
        self._memory = _with_room(array, SPARE_ROWS) if memory is None else memory

    def holds(self, array: NDArray[Number]) -> bool:
        """Returns whether the rows of an array are in this memory, so that it can be extended here."""
        memory = self._memory
        at, start = (a.__array_interface__["data"][0] for a in (array, memory))
        return bool(at == start and array.shape[1:] == memory.shape[1:] and array.dtype == memory.dtype)

    def extended(self, n: int, more: int, fill: float = 0) -> NDArray[Number]:
        """The first `n` rows, with `more` rows at the end that have `fill` everywhere, (n + more, ...).

        The result shares memory with earlier results, unless the spare rows were used up. So only the owner of the
        longest result may extend it; to extend it again from the same `n` is allowed.
        """
        if n + more > len(self._memory):
            self._memory = _with_room(self._memory[:n], more + max(SPARE_ROWS, n // 8))
        self._memory[n : n + more] = fill
        return self._memory[: n + more]


def _with_room(array: NDArray[Number], more: int) -> NDArray[Number]:
    memory = np.zeros((len(array) + more, *array.shape[1:]), array.dtype)
    memory[: len(array)] = array
    return memory


class GrowingMapping(Mapping[Key, Value]):
    """A mapping that never changes. A copy with more values costs as much as the new values, on average.

    Args:
        settled: Values that copies share.
        recent: Newer values, at most `RECENT_VALUES`.
    """

    def __init__(self, settled: Mapping[Key, Value] = {}, recent: Mapping[Key, Value] = {}) -> None:
        self._settled, self._recent = settled, recent

    def with_values(
        self, values: Mapping[Key, Value], keep: Callable[[Value], bool] | None = None
    ) -> "GrowingMapping[Key, Value]":
        """Returns a copy with more values, or with others.

        Args:
            values: To add.
            keep: Whether a value is worth its memory: the others are dropped when all values are copied.
        """
        if len(self._recent) + len(values) > RECENT_VALUES:
            every = {**self._settled, **self._recent, **values}
            return GrowingMapping(every if keep is None else {k: v for k, v in every.items() if keep(v)})
        return GrowingMapping(self._settled, {**self._recent, **values})

    def __getitem__(self, key: Key) -> Value:
        recent = self._recent
        return recent[key] if key in recent else self._settled[key]

    def get(self, key: Key, default: Any = None) -> Any:  # noqa: ANN401  of any type, as for every mapping
        """Returns the value of a key, or the default."""
        recent = self._recent
        return recent[key] if key in recent else self._settled.get(key, default)

    def __bool__(self) -> bool:
        return bool(self._recent or self._settled)

    def __contains__(self, key: object) -> bool:
        return key in self._recent or key in self._settled

    def __iter__(self) -> Iterator[Key]:
        yield from self._settled
        yield from (key for key in self._recent if key not in self._settled)

    def __len__(self) -> int:
        return len(self._settled) + sum(key not in self._settled for key in self._recent)
