"""Two kinds of item sequences that the user tower reads: of different users, and parts of one user's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats, Rows
from recsvc.model.towers.branches import Branches
from recsvc.model.towers.inference_transformer import InferenceTransformer


class ItemSequences(Protocol):
    """b sequences of item rows, the oldest first."""

    def filled(self) -> NDArray[np.bool_]:
        """Returns which sequences have any item, bool (b,)."""

    def only(self, readable: NDArray[np.bool_]) -> "ItemSequences":
        """Returns the sequences with the readable items alone. readable: of all n items, bool (n,)."""

    def last_states(
        self, read: InferenceTransformer, item_vectors: Floats, firsts: torch.Tensor, places: NDArray[np.intp]
    ) -> Floats:
        """Returns the state after the newest items of each sequence, float32 (b, width).

        Args:
            read: The transformer.
            item_vectors: Of all items, float32 (n, width).
            firsts: First tokens, (f, width).
            places: The first token of each sequence, (b,).
        """

    def decayed_sums(self, item_vectors: Floats, decay: float, newest: int) -> Floats:
        """Returns the sums of the vectors of each sequence's newest items, float32 (b, width).

        Args:
            item_vectors: As in `last_states`.
            decay: The factor by which each newer item lowers the weight of an item.
            newest: How many items count.
        """


@dataclass(frozen=True)
class SeparateSequences(ItemSequences):
    """The sequences of b users."""

    rows: Sequence[Rows]

    def filled(self) -> NDArray[np.bool_]:
        """See `ItemSequences`."""
        return np.array([len(rows) > 0 for rows in self.rows], np.bool_)

    def only(self, readable: NDArray[np.bool_]) -> "SeparateSequences":
        """See `ItemSequences`."""
        return SeparateSequences([rows[readable[rows]] for rows in self.rows])

    def last_states(
        self, read: InferenceTransformer, item_vectors: Floats, firsts: torch.Tensor, places: NDArray[np.intp]
    ) -> Floats:
        """See `ItemSequences`."""
        newest = [rows[-read.max_length :] for rows in self.rows]
        lengths = np.array([len(rows) for rows in newest])
        padded = np.zeros((len(newest), lengths.max(), item_vectors.shape[1]), np.float32)
        for i, rows in enumerate(newest):
            padded[i, : len(rows)] = item_vectors[rows]
        return np.asarray(read(torch.from_numpy(padded), torch.from_numpy(lengths), firsts[places]))

    def decayed_sums(self, item_vectors: Floats, decay: float, newest: int) -> Floats:
        """See `ItemSequences`."""
        sums = np.zeros((len(self.rows), item_vectors.shape[1]), np.float32)
        for i, rows in enumerate(self.rows):
            latest = rows[: -newest - 1 : -1]
            sums[i] = decay ** np.arange(len(latest), dtype=np.float32) @ item_vectors[latest]
        return sums


@dataclass(frozen=True)
class SequenceParts(ItemSequences):
    """b parts of one sequence. They share most of their items, and are read together.

    Attributes:
        rows: The sequence, (s,).
        kept: Which of its entries each part has, bool (b, s).
    """

    rows: Rows
    kept: NDArray[np.bool_]

    def filled(self) -> NDArray[np.bool_]:
        """See `ItemSequences`."""
        return np.asarray(self.kept.any(axis=1))

    def only(self, readable: NDArray[np.bool_]) -> "SequenceParts":
        """See `ItemSequences`."""
        return SequenceParts(self.rows, self.kept & readable[self.rows])

    def last_states(
        self, read: InferenceTransformer, item_vectors: Floats, firsts: torch.Tensor, places: NDArray[np.intp]
    ) -> Floats:
        """See `ItemSequences`."""
        branches = Branches.of(self.kept, places, read.max_length)
        items = torch.from_numpy(item_vectors[self.rows[branches.items]])
        return np.asarray(read.at_ends(torch.cat((firsts, items)), branches))

    def decayed_sums(self, item_vectors: Floats, decay: float, newest: int) -> Floats:
        """See `ItemSequences`."""
        ages = self.kept[:, ::-1].cumsum(axis=1)[:, ::-1] - 1
        counts = self.kept & (ages < newest)
        columns = np.flatnonzero(counts.any(axis=0))
        weights = np.where(counts[:, columns], np.float32(decay) ** ages[:, columns], np.float32(0)).astype(np.float32)
        return weights @ item_vectors[self.rows[columns]]
