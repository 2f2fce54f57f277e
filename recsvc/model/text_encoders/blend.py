"""Several text encoders as one: their vectors side by side, so that a cosine is the mean of their cosines.

Encoders that were trained on different texts make different mistakes. Their mean finds more than the best of them.
The encoder "english" blends the two built-in ones.
"""

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from recsvc.model.text_encoder import BATCH_SIZE, TextEncoder
from recsvc.model.text_encoders.multilingual import load_multilingual
from recsvc.model.text_encoders.sentence_transformer import load_embedded
from recsvc.model.vectors import unit


class BlendedEncoder:
    """See `recsvc.model.text_encoder.TextEncoder`.

    Args:
        encoders: At least one.
    """

    def __init__(self, encoders: Sequence[TextEncoder]) -> None:
        self._encoders = tuple(encoders)
        self.dim = sum(encoder.dim for encoder in encoders)
        parts = (f"{encoder.fingerprint}*1" for encoder in encoders)  # "*1" is in the fingerprints of stored bundles
        self.fingerprint = hashlib.sha256(" ".join(parts).encode()).hexdigest()

    def encode(
        self, texts: Sequence[str], batch_size: int = BATCH_SIZE, progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """See `TextEncoder.encode`."""
        embeddings = np.zeros((len(texts), self.dim), np.float32)
        not_empty = [i for i, text in enumerate(texts) if text.strip()]
        for start in range(0, len(not_empty), batch_size):
            batch = not_empty[start : start + batch_size]
            batch_texts = [texts[i] for i in batch]
            parts = [encoder.encode(batch_texts) for encoder in self._encoders]
            embeddings[batch] = unit(np.concatenate(parts, axis=1))
            if progress is not None:
                progress(len(batch))
        return embeddings

    def has_word(self, word: str) -> bool:
        """See `TextEncoder.has_word`. The first encoder's vocabulary decides."""
        return self._encoders[0].has_word(word)


def load_english() -> BlendedEncoder:
    """Loads the encoder "english".

    Raises:
        TextEncoderError: A package is not installed, or its weights are not the published ones.
    """
    return BlendedEncoder((load_embedded(), load_multilingual()))
