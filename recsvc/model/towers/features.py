"""Text to the frozen features that the text tower reads: language model beside lexical embedding, whitened.

Whitening with a softened exponent (all singular values to the power `exponent` instead of 1) undoes the anisotropy of
sentence embeddings, in which a few directions hold nearly all of the variance (Su et al., 2021).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import Floats
from recsvc.model.lexical import LexicalEncoder
from recsvc.model.vectors import unit


@dataclass(frozen=True)
class TextFeatures:
    """lexical: the lexical encoder. mean: (d,), projection: (d, features), with d the two embeddings' widths added."""

    lexical: LexicalEncoder
    mean: Floats
    projection: Floats

    def __call__(self, text_embeddings: Floats, texts: Sequence[str]) -> Floats:
        """(n, dim) embeddings of the language model and the n texts to (n, features), L2-normalised; a text of which
        nothing is known gives zeros.
        """
        joined = np.concatenate((text_embeddings, self.lexical.encode(texts)), axis=1)
        return self.whiten(joined)

    def whiten(self, joined: Floats) -> Floats:
        known = np.abs(joined).sum(axis=1, keepdims=True) > 0
        features = np.where(known, (joined - self.mean) @ self.projection, 0.0)
        return unit(features)
