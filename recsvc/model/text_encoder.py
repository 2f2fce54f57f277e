"""The interface of text encoders, and which text of an item and of a profile they read.

Training and serving share both, so their vectors agree. `recsvc.model.text_encoders` holds the encoders.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.shop import CATEGORY_SEPARATOR, Item, Profile

BATCH_SIZE = 64  # texts


class TextEncoder(Protocol):
    """A frozen model that turns texts into vectors, so that texts of similar meaning have similar vectors."""

    @property
    def dim(self) -> int:
        """Width of the vectors."""

    @property
    def fingerprint(self) -> str:
        """sha256 of the weights. A bundle stores the one that it was trained with."""

    def encode(
        self, texts: Sequence[str], batch_size: int = BATCH_SIZE, progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """Encodes texts. The vector of a text does not depend on the others.

        Args:
            texts: n texts.
            batch_size: Texts in one batch.
            progress: Called after each batch with the number of texts in it; empty texts are not counted.

        Returns:
            float32 (n, dim), L2-normalised. An empty text, or one of spaces, is the zero vector.
        """

    def has_word(self, word: str) -> bool:
        """Whether the vocabulary has a word in one piece. Such a word is seldom a typing error. Any thread may ask.

        Args:
            word: Letters alone, in lower case.
        """


def item_text(item: Item) -> str:
    """The text of an item for the encoder: title, brand, category path."""
    return ". ".join(part for part in (item.title, item.brand, CATEGORY_SEPARATOR.join(item.categories)) if part)


def category_text(path: tuple[str, ...]) -> str:
    """The text of a category path for the encoder: the most specific name first, since its meaning counts most."""
    return ", ".join(reversed(path))


def profile_text(profile: Profile) -> str:
    """The text of a profile for the encoder: the free text, then the attributes in the shop's order."""
    named = (f"{name.replace('_', ' ')}: {value}" for name, value in profile.attributes if value)
    return ". ".join(part for part in (profile.text, *named) if part)
