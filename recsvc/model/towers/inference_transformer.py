"""The transformer as serving runs it: the state after the whole of a sequence, at a third less time than the training
form asks for one user.

The last layer works on one place alone, and what does not change between calls is laid out once: weights, and the bias
of every distance. Of a vector for one user most is otherwise the cost of calling, not of arithmetic.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsvc.model.towers.transformer import CausalTransformer, TransformerLayer


class InferenceTransformer:
    """Frozen once built: later changes of the transformer are not seen. Safe to call from several threads.

    start: (dim,) the first token of a sequence that has none of its own.
    """

    def __init__(self, transformer: CausalTransformer, start: Tensor) -> None:
        self.max_length = transformer.config.max_length
        self._start = start.detach().clone()
        self._input_norm = _Norm.of(transformer.input_norm)
        layers = [_Layer.of(layer, self.max_length) for layer in transformer.layers]  # type: ignore[arg-type]
        self._whole, self._last = layers[:-1], layers[-1]
        self._output_norm = _Norm.of(transformer.output_norm)

    def __call__(self, sequence: Tensor, lengths: Tensor, first: Tensor | None = None) -> Tensor:
        """sequence: (b, length, dim), oldest first, padded at the end. lengths: (b,), of each sequence how many are
        its own. first: (b, dim) or None. Returns (b, dim): what the transformer's `forward` gives at that place.
        """
        if first is None:
            first = self._start.expand(len(sequence), -1)
        x = self._input_norm(torch.cat((first[:, None], sequence), dim=1))
        for layer in self._whole:
            x = layer.everywhere(x)
        return functional.normalize(self._output_norm(self._last.at(x, lengths)), dim=-1)


@dataclass(frozen=True)
class _Norm:
    weight: Tensor
    bias: Tensor

    @staticmethod
    def of(norm: nn.LayerNorm) -> "_Norm":
        return _Norm(norm.weight.detach().clone(), norm.bias.detach().clone())

    def __call__(self, x: Tensor) -> Tensor:
        return torch.layer_norm(x, self.weight.shape, self.weight, self.bias)


@dataclass(frozen=True)
class _Linear:
    """weight: (in, out), the transpose of torch's."""

    weight: Tensor
    bias: Tensor

    @staticmethod
    def of(linear: nn.Linear) -> "_Linear":
        return _Linear(linear.weight.detach().T.contiguous(), linear.bias.detach().clone())

    def __call__(self, x: Tensor) -> Tensor:
        """(rows, in) to (rows, out)."""
        return torch.addmm(self.bias, x, self.weight)

    def split(self, column: int) -> "tuple[_Linear, _Linear]":
        """One for the outputs before `column` and one for the others."""
        return (
            _Linear(self.weight[:, :column].contiguous(), self.bias[:column]),
            _Linear(self.weight[:, column:].contiguous(), self.bias[column:]),
        )


@dataclass(frozen=True)
class _Layer:
    """distance_bias: (heads, 1 + max_length, 1 + max_length), from each place to each; minus infinity to the future."""

    heads: int
    attention_norm: _Norm
    query: _Linear
    key_value: _Linear
    distance_bias: Tensor
    out: _Linear
    mlp_norm: _Norm
    up: _Linear
    down: _Linear

    @staticmethod
    def of(layer: TransformerLayer, max_length: int) -> "_Layer":
        attention = layer.attention
        query, key_value = _Linear.of(attention.qkv).split(attention.out.in_features)
        return _Layer(
            attention.heads,
            _Norm.of(layer.attention_norm),
            query,
            key_value,
            attention.bias_between(torch.arange(1 + max_length)).detach(),
            _Linear.of(attention.out),
            _Norm.of(layer.mlp_norm),
            _Linear.of(layer.mlp[0]),  # type: ignore[arg-type]
            _Linear.of(layer.mlp[2]),  # type: ignore[arg-type]
        )

    def everywhere(self, x: Tensor) -> Tensor:
        """(b, places, dim) to the same: each place sees those before it."""
        batch, places, dim = x.shape
        normed = self.attention_norm(x).view(-1, dim)
        query = self.query(normed).view(batch, places, self.heads, -1).transpose(1, 2)
        seen = self._attend(query, normed, batch, self.distance_bias[:, :places, :places])
        x = x.view(-1, dim) + self.out(seen.transpose(1, 2).reshape(-1, dim))
        return self._mlp(x).view(batch, places, dim)

    def at(self, x: Tensor, place: Tensor) -> Tensor:
        """(b, dim): what `everywhere` gives at one place, (b,), of each sequence."""
        batch, places, dim = x.shape
        normed = self.attention_norm(x).view(-1, dim)
        chosen = place + places * torch.arange(batch)
        query = self.query(normed[chosen]).view(batch, self.heads, 1, -1)
        bias = self.distance_bias[:, place, :places].transpose(0, 1)[:, :, None]
        seen = self._attend(query, normed, batch, bias)
        return self._mlp(x.view(-1, dim)[chosen] + self.out(seen.reshape(batch, dim)))

    def _attend(self, query: Tensor, normed: Tensor, batch: int, bias: Tensor) -> Tensor:
        """query: (b, heads, asking, head dim) over all places of `normed`, (b * places, dim). Returns query's shape."""
        key_value = self.key_value(normed).view(batch, -1, 2 * self.heads, query.shape[-1]).transpose(1, 2)
        key, value = key_value.chunk(2, dim=1)
        looks = query @ key.transpose(2, 3) * query.shape[-1] ** -0.5 + bias
        return torch.matmul(looks.softmax(dim=-1), value)

    def _mlp(self, x: Tensor) -> Tensor:
        """(rows, dim) to the same."""
        return x + self.down(functional.gelu(self.up(self.mlp_norm(x))))
