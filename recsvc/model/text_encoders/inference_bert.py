"""BERT as serving runs it, the architecture of most small sentence-embedding models: the same result in half the time.

Of one short text, half of the time would otherwise be the overhead of calls and of laying out weights.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsvc.model.text_encoders.packed_linear import PackedLinear


class InferenceBert:
    """A frozen copy of a BERT of transformers. Safe to call from several threads.

    Args:
        model: A model that `can_copy` accepts.
    """

    def __init__(self, model: Any) -> None:  # noqa: ANN401  untyped library
        embeddings = model.embeddings
        self._words = embeddings.word_embeddings.weight.detach()
        # Every text is of one segment, whose embedding is the same at every position.
        types = embeddings.token_type_embeddings.weight[0]
        self._positions = (embeddings.position_embeddings.weight + types).detach()
        self._norm = embeddings.LayerNorm
        self._layers = [_Layer.of(layer, model.config.num_attention_heads) for layer in model.encoder.layer]

    @staticmethod
    def can_copy(model: Any) -> bool:  # noqa: ANN401  untyped library
        """Whether a model of transformers computes what this class does."""
        config = model.config
        return bool(
            config.model_type == "bert"
            and config.hidden_act == "gelu"
            and getattr(config, "position_embedding_type", "absolute") == "absolute"
            and not config.is_decoder
        )

    def __call__(self, ids: Tensor, mask: Tensor) -> Tensor:
        """The last hidden state, (b, t, d), of tokens (b, t). mask: (b, t), 1 for a token and 0 for padding."""
        x: Tensor = self._norm(functional.embedding(ids, self._words) + self._positions[: ids.shape[1]])
        attended = None if bool(mask.all()) else mask.bool()[:, None, None]
        for layer in self._layers:
            x = layer(x, attended)
        return x


@dataclass(frozen=True)
class _Layer:
    heads: int
    query_key_value: PackedLinear
    attention_out: PackedLinear
    attention_norm: nn.LayerNorm
    mlp_in: PackedLinear
    mlp_out: PackedLinear
    mlp_norm: nn.LayerNorm

    @staticmethod
    def of(layer: Any, heads: int) -> "_Layer":  # noqa: ANN401  untyped library
        own, output = layer.attention.self, layer.attention.output
        parts = (own.query, own.key, own.value)
        return _Layer(
            heads,
            PackedLinear(torch.cat([part.weight for part in parts]), torch.cat([part.bias for part in parts])),
            PackedLinear.of(output.dense),
            output.LayerNorm,
            PackedLinear.of(layer.intermediate.dense),
            PackedLinear.of(layer.output.dense),
            layer.output.LayerNorm,
        )

    def __call__(self, x: Tensor, attended: Tensor | None) -> Tensor:
        b, t, d = x.shape
        q, k, v = self.query_key_value(x).view(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=attended).transpose(1, 2).reshape(b, t, d)
        x = self.attention_norm(self.attention_out(mixed) + x)
        return self.mlp_norm(self.mlp_out(self.mlp_in.with_gelu(x)) + x)  # type: ignore[no-any-return]  # torch types a call as Any
