"""Parts of one sequence, laid out so that a causal transformer computes only the states in which they differ.

A part is the sequence without some of its items. The state after an item depends on earlier items alone, so parts that
begin with the same items share the states there. In the first layer an item has the same query, key and value in every
part.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class Branches:
    """The newest items of b parts of one sequence, each behind a first token. The parts have r different states.

    Tokens are f first tokens, and then the n items that any part has.

    Attributes:
        items: Places of the n items in the sequence, ascending, intp (n,).
        tokens: Of each state, int64 (r,).
        distances: How many tokens of its part lie between each state's token and each token, and 1 more; `max_length`
            + 1 where the token comes later, or is not in the part. int64 (r, f + n).
        states: Of each part, first token first, padded with any, int64 (b, places).
        last: The place of the last token of each part, int64 (b,).
    """

    items: NDArray[np.intp]
    tokens: Tensor
    distances: Tensor
    states: Tensor
    last: Tensor

    @staticmethod
    def of(kept: NDArray[np.bool_], first: NDArray[np.intp], max_length: int) -> "Branches":
        """Compares the parts.

        Args:
            kept: Which items of the sequence each part has, bool (b, sequence).
            first: The first token of each part, 0 to f - 1, (b,).
            max_length: Of each part's items, the newest that are read.
        """
        read = kept & (kept[:, ::-1].cumsum(axis=1)[:, ::-1] <= max_length)
        items = np.flatnonzero(read.any(axis=0))
        b, f = len(read), int(first.max()) + 1
        # Column 0 is the first token.
        read = np.concatenate((np.ones((b, 1), np.bool_), read[:, items]), axis=1)
        places = read.cumsum(axis=1) - 1
        leader, shared = _shared(read, first)
        own = read & (~shared | (leader == np.arange(b))[:, None])
        part, column = np.nonzero(own)
        state_at = np.zeros(own.shape, np.intp)
        state_at[own] = np.arange(len(part))
        state_at = np.where(shared, state_at[leader], state_at)
        states = np.zeros((b, places.max() + 1), np.intp)
        part_read, column_read = np.nonzero(read)
        states[part_read, places[part_read, column_read]] = state_at[part_read, column_read]
        # Places of all tokens in each part; behind every place where the part does not have the token.
        place_of = np.full((b, f + len(items)), max_length + 1)
        place_of[np.arange(b), first] = 0
        place_of[:, f:][read[:, 1:]] = places[:, 1:][read[:, 1:]]
        distances = places[part, column][:, None] - place_of[part]
        distances[distances < 0] = max_length + 1
        return Branches(
            items,
            torch.from_numpy(np.where(column > 0, f - 1 + column, first[part])),
            torch.from_numpy(distances),
            torch.from_numpy(states),
            torch.from_numpy(places[:, -1]),
        )


def _shared(read: NDArray[np.bool_], first: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Finds for each part the one that shares the longest beginning with it, and where the two are equal.

    Parts with the same first token and the same oldest item are equal up to where the first of them lacks an item.

    Args:
        read: Which tokens each part has, the first token among them, (b, 1 + n).
        first: See `Branches.of`.

    Returns:
        The leader of each part, (b,), and bool (b, 1 + n).
    """
    columns = np.arange(read.shape[1])
    start = 1 + (read[:, 1:].cumsum(axis=1) == 0).sum(axis=1)
    lacking = ~read & (columns >= start[:, None])
    end = np.where(lacking.any(axis=1), lacking.argmax(axis=1), len(columns))
    _, group = np.unique(first * (len(columns) + 1) + start, return_inverse=True)
    order = np.argsort(end, kind="stable")
    leader_of_group = np.empty(group.max() + 1, np.intp)
    leader_of_group[group[order]] = order  # the last one assigned has the longest beginning
    return leader_of_group[group], read & (columns < end[:, None])
