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
from recsvc.model.towers.transformer import CausalAttention, CausalTransformer, TransformerLayer

# Rows on which the feed-forward network runs at a time: its hidden values then stay in the processor's cache.
MLP_ROWS = 256


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
        *full, last = transformer.layers
        self._full_layers = [_Layer.of(layer, self.max_length) for layer in full]  # type: ignore[arg-type]  # torch types a member as Module
        self._last_layer = _LastLayer.of(last, self.max_length)  # type: ignore[arg-type]  # torch types a member as Module
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
        return self._output(x, lengths)

    def at_ends(self, tokens: Tensor, branches: Branches) -> Tensor:
        """The state after each of b parts of a sequence, as `__call__` gives it.

        Args:
            tokens: First tokens, and then the items of `branches`, (f + n, dim).
            branches: The parts.

        Returns:
            (b, dim), L2-normalised.
        """
        x = self._input_norm(tokens)
        if not self._full_layers:
            return self._output(x[branches.tokens][branches.states], branches.last)
        first, *others = self._full_layers
        x = first.at_branches(x, branches)[branches.states]
        for layer in others:
            x = layer.at_all(x)
        return self._output(x, branches.last)

    def _output(self, x: Tensor, position: Tensor) -> Tensor:
        return functional.normalize(self._output_norm(self._last_layer.at(x, position)), dim=-1)


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
class _Mlp:
    """The feed-forward network of a layer."""

    norm: _Norm
    up: _Linear
    down: _Linear

    @staticmethod
    def of(layer: TransformerLayer) -> "_Mlp":
        up, _, down = layer.mlp
        return _Mlp(_Norm.of(layer.mlp_norm), _Linear.of(up), _Linear.of(down))  # type: ignore[arg-type]  # torch types a member as Module

    def __call__(self, x: Tensor) -> Tensor:
        """Maps (rows, dim) to the same."""
        if len(x) <= MLP_ROWS:
            return x + self.down(functional.gelu(self.up(self.norm(x))))
        return torch.cat([self(rows) for rows in torch.split(x, MLP_ROWS)])


@dataclass(frozen=True)
class _Layer:
    """A layer that computes all states, with its weights laid out for serving.

    Attributes:
        distance_bias: (heads, 1 + max_length, 1 + max_length), from each position to each. It is minus infinity for
            later positions.
        bias_at: By distance, (heads, 2 + max_length). It is minus infinity at the last place.
    """

    heads: int
    norm: _Norm
    query: _Linear
    key_value: _Linear
    distance_bias: Tensor
    bias_at: Tensor
    out: _Linear
    mlp: _Mlp

    @staticmethod
    def of(layer: TransformerLayer, max_length: int) -> "_Layer":
        attention = layer.attention
        query, key_value = _Linear.of(attention.qkv).split(attention.out.in_features)
        return _Layer(
            attention.heads,
            _Norm.of(layer.attention_norm),
            query,
            key_value,
            _distance_bias(attention, max_length),
            functional.pad(attention.distance_bias.detach(), (0, 1), value=float("-inf")),
            _Linear.of(attention.out),
            _Mlp.of(layer),
        )

    def at_all(self, x: Tensor) -> Tensor:
        """The states at all positions, (b, positions, dim) to the same. None depends on later positions."""
        batch, positions, dim = x.shape
        query, key, value = self._by_head(x)
        logits = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
        weights = (logits + self.distance_bias[:, :positions, :positions]).softmax(dim=-1)
        attended = (weights @ value).transpose(1, 2).reshape(-1, dim)
        return self.mlp(x.view(-1, dim) + self.out(attended)).view(batch, positions, dim)

    def at_branches(self, x: Tensor, branches: Branches) -> Tensor:
        """The states of branches, (f + n, dim) to (r, dim), if this layer is the first."""
        tokens, dim = x.shape
        (query,), (key,), (value,) = self._by_head(x[None])
        # One product for all states: what a token's value becomes behind `out` is the same wherever it is attended to.
        mixed = (value @ self.out.weight.view(self.heads, -1, dim)).view(-1, dim)
        logits = (query @ key.transpose(1, 2) * query.shape[2] ** -0.5).transpose(0, 1).reshape(tokens, -1)
        weights = logits[branches.tokens].view(-1, self.heads, tokens)
        for head, bias_at in enumerate(self.bias_at):
            weights[:, head] += bias_at[branches.distances]
        weights = weights.softmax(dim=-1).view(-1, self.heads * tokens)
        return self.mlp(torch.addmm((x + self.out.bias)[branches.tokens], weights, mixed))

    def _by_head(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, (b, positions, dim) to (b, heads, positions, dim / heads) each."""
        batch, positions, dim = x.shape
        normed = self.norm(x).view(-1, dim)
        query = self.query(normed).view(batch, positions, self.heads, -1).transpose(1, 2)
        key, value = self.key_value(normed).view(batch, positions, 2 * self.heads, -1).transpose(1, 2).chunk(2, dim=1)
        return query, key, value


@dataclass(frozen=True)
class _LastLayer:
    """A layer that computes one state of each sequence.

    It needs no key and no value of any item: `compare` takes a state to what its heads compare normed states with, and
    `mix` takes the sums that they find to the output. Both are products of the trained weights, made once. A key's bias
    adds the same to all logits of a query, so it is left out.

    Attributes:
        compare: dim to heads * dim.
        mix: heads * dim to dim.
        distance_bias: As in `_Layer`.
    """

    heads: int
    norm: _Norm
    compare: _Linear
    mix: _Linear
    distance_bias: Tensor
    mlp: _Mlp

    @staticmethod
    def of(layer: TransformerLayer, max_length: int) -> "_LastLayer":
        attention, heads = layer.attention, layer.attention.heads
        query, key, value = attention.qkv.weight.detach().double().view(3, heads, -1, attention.out.in_features)
        query_bias, _, value_bias = attention.qkv.bias.detach().double().view(3, heads, -1)
        out = attention.out.weight.detach().double()
        scale = query.shape[1] ** -0.5
        out_of_head = out.view(len(out), heads, -1).permute(1, 2, 0)
        return _LastLayer(
            heads,
            _Norm.of(layer.attention_norm),
            _Linear(
                (scale * query.transpose(1, 2) @ key).transpose(0, 1).flatten(1).float(),
                (scale * query_bias[:, None] @ key).flatten().float(),
            ),
            _Linear(
                (value.transpose(1, 2) @ out_of_head).flatten(0, 1).float(),
                (attention.out.bias.detach().double() + out @ value_bias.flatten()).float(),
            ),
            _distance_bias(attention, max_length),
            _Mlp.of(layer),
        )

    def at(self, x: Tensor, position: Tensor) -> Tensor:
        """The state at one position (b,) of each sequence: (b, positions, dim) to (b, dim)."""
        batch, positions, dim = x.shape
        normed = self.norm(x)
        chosen = position + positions * torch.arange(batch)
        compared = self.compare(normed.view(-1, dim)[chosen]).view(batch, self.heads, dim)
        bias = self.distance_bias[:, position, :positions].transpose(0, 1)
        weights = torch.baddbmm(bias, compared, normed.transpose(1, 2)).softmax(dim=-1)
        return self.mlp(x.view(-1, dim)[chosen] + self.mix((weights @ normed).view(batch, -1)))


def _distance_bias(attention: CausalAttention, max_length: int) -> Tensor:
    return attention.bias_between(torch.arange(1 + max_length)).detach()
