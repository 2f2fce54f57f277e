"""Computes the frozen text features that the text tower reads: two embeddings, concatenated and whitened.

The embeddings are the language model's and the lexical one. Whitening with a softened exponent (all singular values to
the power `exponent` instead of 1) reduces the anisotropy of sentence embeddings, in which a few directions have nearly
all of the variance (Su et al., 2021).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import Floats
from recsvc.model.lexical import LexicalEncoder
from recsvc.model.vectors import unit


@dataclass(frozen=True)
class TextFeatures:
    """The whitening. Let d be the sum of both embeddings' widths.

    Attributes:
        lexical: The lexical encoder.
        mean: float32 (d,).
        projection: float32 (d, features).
    """

    lexical: LexicalEncoder
    mean: Floats
    projection: Floats

    def transform(self, text_embeddings: Floats, texts: Sequence[str]) -> Floats:
        """Computes the features of texts.

        Args:
            text_embeddings: Of the language model, float32 (n, dim).
            texts: n texts.

        Returns:
            float32 (n, features), L2-normalised; zeros for a text without embedding and without a known term.
        """
        joined = np.concatenate((text_embeddings, self.lexical.encode(texts)), axis=1)
        return self.whiten(joined)

    def whiten(self, joined: Floats) -> Floats:
        """Whitens concatenated embeddings, (n, d) to (n, features), L2-normalised; zeros stay zeros."""
        is_known = np.abs(joined).sum(axis=1, keepdims=True) > 0
        features = np.where(is_known, (joined - self.mean) @ self.projection, 0.0)
        return unit(features)
