"""The transformer as serving runs it: it computes only the state after the last event of a sequence.

For one user it takes a third less time than the form that training uses. The last layer computes one position only, and
what is constant between calls is prepared once: the weights' layout, and the bias of every distance. For one user most
of the time would otherwise be the overhead of calls, not arithmetic.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsvc.model.towers.branches import Branches
from recsvc.model.towers.transformer import CausalTransformer, TransformerLayer


class InferenceTransformer:
    """A frozen copy of a transformer. Safe to call from several threads.

    Args:
        transformer: The trained transformer. Later changes to it have no effect.
        start: First token of a sequence that has none of its own, (dim,).

    Attributes:
        max_length: Items that it can read.
        start: See above.
    """

    def __init__(self, transformer: CausalTransformer, start: Tensor) -> None:
        self.max_length = transformer.config.max_length
        self.start = start.detach().clone()
        self._input_norm = _Norm.of(transformer.input_norm)
        layers = [_Layer.of(layer, self.max_length) for layer in transformer.layers]  # type: ignore[arg-type]  # torch types a member as Module
        self._full_layers, self._last_layer = layers[:-1], layers[-1]
        self._output_norm = _Norm.of(transformer.output_norm)

    def __call__(self, sequence: Tensor, lengths: Tensor, first: Tensor | None = None) -> Tensor:
        """The state after each sequence's last item, as the transformer's `forward` gives it there.

        Args:
            sequence: Item vectors, (b, length, dim), oldest first, padded at the end.
            lengths: Items in each sequence, without padding, (b,).
            first: First tokens, (b, dim); None for the start token.

        Returns:
            (b, dim), L2-normalised.
        """
        if first is None:
            first = self.start.expand(len(sequence), -1)
        x = self._input_norm(torch.cat((first[:, None], sequence), dim=1))
        for layer in self._full_layers:
            x = layer.at_all(x)
        return functional.normalize(self._output_norm(self._last_layer.at(x, lengths)), dim=-1)

    def at_ends(self, tokens: Tensor, branches: Branches) -> Tensor:
        """The state after each of b sequences, as `__call__` gives it.

        Args:
            tokens: Of `branches.packed`, first tokens among them, (t + m, dim).
            branches: The sequences.

        Returns:
            (b, dim), L2-normalised.
        """
        x = self._input_norm(tokens)
        for layer in self._full_layers:
            x = layer.at_all_packed(x, branches)
        return functional.normalize(self._output_norm(self._last_layer.at_ends(x, branches)), dim=-1)


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
    """A linear layer.

    Attributes:
        weight: (in, out), the transpose of torch's.
        bias: (out,).
    """

    weight: Tensor
    bias: Tensor

    @staticmethod
    def of(linear: nn.Linear) -> "_Linear":
        return _Linear(linear.weight.detach().T.contiguous(), linear.bias.detach().clone())

    def __call__(self, x: Tensor) -> Tensor:
        """Maps (rows, in) to (rows, out)."""
        return torch.addmm(self.bias, x, self.weight)

    def split(self, column: int) -> "tuple[_Linear, _Linear]":
        """Splits it into one layer for the outputs before `column`, and one for the others."""
        return (
            _Linear(self.weight[:, :column].contiguous(), self.bias[:column]),
            _Linear(self.weight[:, column:].contiguous(), self.bias[column:]),
        )


@dataclass(frozen=True)
class _Layer:
    """A transformer layer, with its weights laid out for serving.

    Attributes:
        distance_bias: (heads, 1 + max_length, 1 + max_length), from each position to each. It is minus infinity for
            later positions.
    """

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
            _Linear.of(layer.mlp[0]),  # type: ignore[arg-type]  # torch types a member as Module
            _Linear.of(layer.mlp[2]),  # type: ignore[arg-type]  # torch types a member as Module
        )

    def at_all(self, x: Tensor) -> Tensor:
        """The states at all positions, (b, positions, dim) to the same. None depends on later positions."""
        batch, positions, dim = x.shape
        normed = self.attention_norm(x).view(-1, dim)
        query = self.query(normed).view(batch, positions, self.heads, -1).transpose(1, 2)
        attended = self._attend(query, normed, batch, self.distance_bias[:, :positions, :positions])
        x = x.view(-1, dim) + self.out(attended.transpose(1, 2).reshape(-1, dim))
        return self._mlp(x).view(batch, positions, dim)

    def at(self, x: Tensor, position: Tensor) -> Tensor:
        """The state at one position (b,) of each sequence, as `at_all` gives it: (b, positions, dim) to (b, dim)."""
        batch, positions, dim = x.shape
        normed = self.attention_norm(x).view(-1, dim)
        chosen = position + positions * torch.arange(batch)
        query = self.query(normed[chosen]).view(batch, self.heads, 1, -1)
        bias = self.distance_bias[:, position, :positions].transpose(0, 1)[:, :, None]
        attended = self._attend(query, normed, batch, bias)
        return self._mlp(x.view(-1, dim)[chosen] + self.out(attended.reshape(batch, dim)))

    def at_all_packed(self, x: Tensor, branches: Branches) -> Tensor:
        """The states at all packed tokens, (t + m, dim) to the same."""
        normed = self.attention_norm(x)
        attended = branches.attend(self.query(normed), self.key_value(normed), self.distance_bias)
        return self._mlp(x + self.out(attended))

    def at_ends(self, x: Tensor, branches: Branches) -> Tensor:
        """The state at the end of each sequence, (t + m, dim) to (b, dim)."""
        normed, ends = self.attention_norm(x), branches.ends
        attended = branches.attend_at_ends(self.query(normed[ends]), self.key_value(normed), self.distance_bias)
        return self._mlp(x[ends] + self.out(attended))

    def _attend(self, query: Tensor, normed: Tensor, batch: int, bias: Tensor) -> Tensor:
        """Attends from each query to all positions.

        Args:
            query: (b, heads, queries, head_dim).
            normed: (b * positions, dim).
            batch: b.
            bias: Broadcasts to (b, heads, queries, positions).

        Returns:
            The shape of `query`.
        """
        key_value = self.key_value(normed).view(batch, -1, 2 * self.heads, query.shape[-1]).transpose(1, 2)
        key, value = key_value.chunk(2, dim=1)
        logits = query @ key.transpose(2, 3) * query.shape[-1] ** -0.5 + bias
        return torch.matmul(logits.softmax(dim=-1), value)

    def _mlp(self, x: Tensor) -> Tensor:
        """Maps (rows, dim) to the same."""
        return x + self.down(functional.gelu(self.up(self.mlp_norm(x))))
