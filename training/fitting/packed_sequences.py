"""Runs a causal transformer over sequences of different lengths without padding.

Histories are short, and some are long: padded to the longest of a batch, two of three tokens are padding. All but the
attention works on each token alone, so the tokens of a batch are one long list. Attention reads groups of sequences of
similar length.

Sizes are rounded up to a few, because oneDNN compiles a kernel for each shape that it has not seen: with the exact
sizes of each batch that takes longer than the products.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from recsvc.model.towers.transformer import CausalAttention, CausalTransformer, TransformerLayer

TOKENS_STEP = 128  # the list of tokens is as long as a multiple of this
# A group has sequences of up to SHORTEST, twice SHORTEST, ... tokens, and as many rows as make a multiple of this.
SHORTEST = 4
GROUP_STEP = 64


@dataclass(frozen=True)
class _Group:
    """Sequences of a batch that are next to each other.

    Attributes:
        tokens: The tokens of these sequences, in the list of all.
        shape: How many sequences, some of them empty, and how many tokens each has with its padding.
        places: int64, the place of each token in the padded (b * length) rows.
    """

    tokens: slice
    shape: tuple[int, int]
    places: Tensor


class _Spread(torch.autograd.Function):
    """Rows put at distinct places of a longer list of zeros. index_copy's own gradient costs several times as much."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, places: Tensor, n: int) -> Tensor:  # noqa: ANN401 - torch gives its type no name
        """The longer list."""
        ctx.save_for_backward(places)
        return x.new_zeros(n, x.shape[1]).index_copy_(0, places, x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:  # noqa: ANN401 - torch gives its type no name
        """The gradients of the rows."""
        (places,) = ctx.saved_tensors
        return gradient.index_select(0, places), None, None


def packed_states(transformer: CausalTransformer, first: Tensor, items: Tensor, lengths: NDArray[np.intp]) -> Tensor:
    """The states after each event of b sequences.

    Args:
        transformer: Reads them.
        first: First tokens, (b, dim).
        items: The item vectors of all sequences after each other, (events, dim), the oldest of each first.
        lengths: int (b,), how many items each sequence has; 0 is allowed. Ascending lengths cost least.

    Returns:
        (events + b, dim), L2-normalised: for each sequence the states after 0, 1, ... items.
    """
    tokens = lengths + 1
    starts = np.cumsum(tokens) - tokens
    order = np.empty(tokens.sum(), np.int64)
    is_first = np.zeros(len(order), np.bool_)
    is_first[starts] = True
    order[is_first], order[~is_first] = np.arange(len(tokens)), np.arange(len(tokens), len(order))
    groups = _groups(tokens, transformer.config.max_length + 1)
    x = torch.cat((first, items)).index_select(0, torch.from_numpy(order))
    x = functional.pad(x, (0, 0, 0, -len(order) % TOKENS_STEP))
    x = transformer.input_dropout(transformer.input_norm(x))
    for layer in cast(Iterable[TransformerLayer], transformer.layers):
        x = x + layer.dropout(_attended(layer.attention, layer.attention_norm(x), groups))
        x = x + layer.dropout(layer.mlp(layer.mlp_norm(x)))
    return functional.normalize(transformer.output_norm(x[: len(order)]), dim=-1)


def last_states(states: Tensor, lengths: NDArray[np.intp]) -> Tensor:
    """The state of each sequence after all its items, (b, dim), of what `packed_states` returned."""
    return states.index_select(0, torch.from_numpy(np.cumsum(lengths + 1) - 1))


def _groups(tokens: NDArray[np.intp], longest: int) -> list[_Group]:
    """Groups of neighbours with about as many tokens. tokens: int (b,), of each sequence. longest: that is possible."""
    sizes = np.append(SHORTEST * 2 ** np.arange(np.ceil(np.log2(max(1, longest / SHORTEST)))), longest).astype(np.intp)
    size = sizes[np.searchsorted(sizes, tokens)]
    ends = np.cumsum(tokens)
    groups = []
    for part in np.split(np.arange(len(tokens)), np.flatnonzero(np.diff(size)) + 1):
        length = int(size[part[0]])
        rows = len(part) + -len(part) % max(1, GROUP_STEP // length)
        places = np.flatnonzero(np.arange(length) < tokens[part][:, None])
        span = slice(int(ends[part[0]] - tokens[part[0]]), int(ends[part[-1]]))
        groups.append(_Group(span, (rows, length), torch.from_numpy(places)))
    return groups


def _attended(attention: CausalAttention, x: Tensor, groups: list[_Group]) -> Tensor:
    """What `attention` gives for tokens (t, dim), in groups."""
    qkv = attention.qkv(x)
    dim = x.shape[1]
    parts = []
    for group in groups:
        batch, length = group.shape
        q, k, v = (
            _Spread.apply(qkv[group.tokens], group.places, batch * length)  # type: ignore[no-untyped-call]  # torch has no type for it
            .view(batch, length, 3, attention.heads, dim // attention.heads)
            .permute(2, 0, 3, 1, 4)
        )
        bias = attention.bias_between(torch.arange(length))
        weights = (q @ k.transpose(2, 3) * (dim // attention.heads) ** -0.5 + bias).softmax(dim=-1)
        mixed = attention.dropout(weights).to(v.dtype) @ v
        parts.append(mixed.transpose(1, 2).reshape(batch * length, dim).index_select(0, group.places))
    parts.append(x.new_zeros(len(x) - groups[-1].tokens.stop, dim, dtype=qkv.dtype))
    return attention.out(torch.cat(parts))  # type: ignore[no-any-return]  # torch types a call as Any
