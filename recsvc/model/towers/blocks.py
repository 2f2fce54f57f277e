"""The blocks of a vector: their columns, and the weight of each in the score."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import Floats

# Blocks that score an item differently for each user.
PERSONAL_BLOCKS = ("sequence", "text", "lexical", "collaborative")
# Blocks of one column each that score an item the same for every user.
ITEM_ONLY_BLOCKS = ("prior", "newness", "unseen")
BLOCKS = (*PERSONAL_BLOCKS, *ITEM_ONLY_BLOCKS)


@dataclass(frozen=True)
class Layout:
    """The columns of each block in a vector. A block that a bundle does not have is an empty slice."""

    sequence: slice
    text: slice
    lexical: slice
    collaborative: slice
    prior: slice
    newness: slice
    unseen: slice

    @staticmethod
    def of(sequence: int, text: int, lexical: int, collaborative: int) -> "Layout":
        """The layout for some widths of the personal blocks."""
        ends = np.cumsum((sequence, text, lexical, collaborative, *(1 for _ in ITEM_ONLY_BLOCKS))).tolist()
        return Layout(*(slice(start, end) for start, end in zip((0, *ends), ends, strict=False)))

    def without_item_only(self, vectors: Floats) -> Floats:
        """Returns a copy of vectors, (d,) or (m, d), in which the item-only blocks are 0."""
        personal = vectors.copy()
        for name in ITEM_ONLY_BLOCKS:
            personal[..., getattr(self, name)] = 0.0
        return personal

    def __iter__(self) -> Iterator[slice]:
        """The columns of each block, in the order of `BLOCKS`."""
        return (getattr(self, name) for name in BLOCKS)


@dataclass(frozen=True)
class BlockWeights:
    """The weight of each block in the score, tuned on validation.

    The weights scale only the user vector, so tuning them again does not change the index of item vectors.
    """

    sequence: float = 0.0
    text: float = 0.0
    lexical: float = 0.0
    collaborative: float = 0.0
    prior: float = 0.0
    newness: float = 0.0
    unseen: float = 0.0

    @staticmethod
    def all(weight: float) -> "BlockWeights":
        """The same weight for every block."""
        return BlockWeights(*(weight for _ in BLOCKS))

    def __iter__(self) -> Iterator[float]:
        """The weights, in the order of `BLOCKS`."""
        return (getattr(self, name) for name in BLOCKS)


@dataclass(frozen=True)
class FusionWeights:
    """The weights for two kinds of users. Weights that suit warm users would give cold ones nearly popularity alone.

    Attributes:
        warm: For users with a history.
        cold: For users without one, who may have a profile.
    """

    warm: BlockWeights
    cold: BlockWeights

    @staticmethod
    def only(weights: BlockWeights) -> "FusionWeights":
        """The same weights for all users."""
        return FusionWeights(weights, weights)
