"""Sequences that begin as another one does, so that a causal transformer reads what they share only once.

The state after an item depends on earlier items alone. So if one item of a history is left out, the states before it
stay as they are, and only what follows it is read again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Tokens = NDArray[np.int64]


@dataclass(frozen=True)
class Branches:
    """A trunk of t tokens, and b sequences. Each shares its first tokens with the trunk, and has others of its own.

    Attributes:
        packed: The trunk, and then the own tokens of all sequences, (t + m,). Each sequence has at least one.
        trunk: t.
        shared: How many tokens of the trunk each sequence begins with, (b,).
        branch: The sequence of each own token, (m,).
        place: The place of each own token among those of its sequence, (m,).
        last: The largest place of each sequence, (b,).
    """

    packed: Tokens
    trunk: int
    shared: Tensor
    branch: Tensor
    place: Tensor
    last: Tensor

    @staticmethod
    def of(trunk: Tokens, sequences: Sequence[Tokens]) -> "Branches":
        """Compares sequences, none of them empty, with the trunk. Equal numbers mean equal tokens.

        The last token of a sequence is always its own: its state is asked for.
        """
        shared = np.array([min(_common(trunk, sequence), len(sequence) - 1) for sequence in sequences], np.int64)
        own = [sequence[n:] for n, sequence in zip(shared.tolist(), sequences, strict=True)]
        counts = np.array([len(tokens) for tokens in own], np.int64)
        branch = np.repeat(np.arange(len(counts)), counts)
        place = np.arange(len(branch)) - (np.cumsum(counts) - counts)[branch]
        return Branches(
            np.concatenate((trunk, *own)),
            len(trunk),
            torch.from_numpy(shared),
            torch.from_numpy(branch),
            torch.from_numpy(place),
            torch.from_numpy(counts - 1),
        )

    @property
    def saved(self) -> int:
        """How many tokens fewer are read than one by one. First tokens do not count: strangers share them too."""
        return int((self.shared - 1).sum()) - self.trunk

    @property
    def ends(self) -> Tensor:
        """The place of each sequence's last token in `packed`, (b,)."""
        return self.trunk + torch.cumsum(self.last + 1, 0) - 1

    def attend(self, query: Tensor, key_value: Tensor, distance_bias: Tensor) -> Tensor:
        """Attends from each packed token to the tokens before it, in the trunk or in its own sequence.

        Args:
            query: (t + m, dim).
            key_value: Keys and then values, (t + m, 2 dim).
            distance_bias: (heads, positions, positions), from each position to each, minus infinity for later ones.

        Returns:
            (t + m, dim).
        """
        heads, t = len(distance_bias), self.trunk
        longest = int(self.last.max()) + 1
        places = torch.arange(longest).expand(len(self.shared), -1)
        own = self._attend_own(self._padded(query[t:], longest), places, key_value, distance_bias)
        key, value = _by_head(key_value[:t], 2 * heads).chunk(2)
        logits = _by_head(query[:t], heads) @ key.transpose(1, 2)
        weights = (logits * key.shape[2] ** -0.5 + distance_bias[:, :t, :t]).softmax(dim=-1)
        trunk = (weights @ value).transpose(0, 1).reshape(t, -1)
        return torch.cat((trunk, own[self.branch, self.place]))

    def attend_at_ends(self, query: Tensor, key_value: Tensor, distance_bias: Tensor) -> Tensor:
        """Returns what `attend` has for the last token of each sequence, (b, dim). query: of these, (b, dim)."""
        return self._attend_own(query[:, None], self.last[:, None], key_value, distance_bias)[:, 0]

    def _attend_own(self, query: Tensor, places: Tensor, key_value: Tensor, distance_bias: Tensor) -> Tensor:
        """Attends from q own tokens of each sequence.

        Args:
            query: (b, q, dim).
            places: Of these tokens among those of their sequence, (b, q).
            key_value: See `attend`.
            distance_bias: See `attend`.

        Returns:
            (b, q, dim).
        """
        heads, t, (b, q, dim) = len(distance_bias), self.trunk, query.shape
        longest = int(self.last.max()) + 1
        trunk_key, trunk_value = _by_head(key_value[:t], 2 * heads).chunk(2)
        key, value = _by_head(self._padded(key_value[t:], longest), 2 * heads).chunk(2, dim=1)
        query = _by_head(query, heads)
        logits = torch.cat((query @ trunk_key.transpose(1, 2), query @ key.transpose(2, 3)), dim=3)
        # A sequence continues where it leaves the trunk. Places past its end ask nothing, and may have any position.
        positions = (self.shared[:, None] + places).clamp(max=distance_bias.shape[1] - 1)
        to_trunk = distance_bias[:, positions, :t].masked_fill(
            torch.arange(t) >= self.shared[:, None, None], float("-inf")
        )
        bias = torch.cat((to_trunk, distance_bias[:, places, :longest]), dim=3).transpose(0, 1)
        weights = (logits * (dim // heads) ** -0.5 + bias).softmax(dim=-1)
        attended: Tensor = weights[..., :t] @ trunk_value + weights[..., t:] @ value
        return attended.transpose(1, 2).reshape(b, q, dim)

    def _padded(self, own: Tensor, longest: int) -> Tensor:
        """Lays out the own tokens by sequence, padded at the end, (m, w) to (b, longest, w)."""
        padded = own.new_zeros(len(self.shared), longest, own.shape[1])
        padded[self.branch, self.place] = own
        return padded


def _by_head(x: Tensor, heads: int) -> Tensor:
    """Splits the last axis by head: (..., n, width) to (..., heads, n, width / heads)."""
    return x.view(*x.shape[:-1], heads, -1).transpose(-2, -3)


def _common(trunk: Tokens, sequence: Tokens) -> int:
    """Returns how many first tokens are equal."""
    n = min(len(trunk), len(sequence))
    differs = trunk[:n] != sequence[:n]
    return int(differs.argmax()) if differs.any() else n
