"""The user tower: a history and a profile to the user vector, and to what it would be with one thing left out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from recsvc.domain import History
from recsvc.towers.collaborative import fold_in, fold_in_left_out
from recsvc.towers.confidence import ConfidenceConfig, item_confidence, liked_sequence
from recsvc.towers.features import TextFeatures
from recsvc.towers.text import TextTower

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Layout:
    """Which columns of a vector belong to which block. The sequence block will be one more of these."""

    text: slice
    collaborative: slice
    prior: slice

    @staticmethod
    def of(text_dim: int, collaborative_dim: int) -> "Layout":
        end = text_dim + collaborative_dim
        return Layout(slice(0, text_dim), slice(text_dim, end), slice(end, end + 1))


@dataclass(frozen=True)
class BlockWeights:
    """What each block counts in the score, tuned on validation. They scale the user's side alone, so that tuning them
    again leaves the index as it is.
    """

    text: float = 1.0
    collaborative: float = 1.0
    prior: float = 0.1


@dataclass(frozen=True)
class FusionWeights:
    """warm: for a user with a history. cold: for one with a profile alone, whom what suits the many warm users in
    validation would leave with popularity.
    """

    warm: BlockWeights = BlockWeights()
    cold: BlockWeights = BlockWeights()

    @staticmethod
    def only(weights: BlockWeights) -> "FusionWeights":
        """The same for everybody."""
        return FusionWeights(weights, weights)


@dataclass(frozen=True)
class ProfileText:
    """A profile as the tower reads it: its text, and the language model's embedding of that text, float32 (dim,)."""

    text: str
    embedding: Floats


@dataclass(frozen=True)
class LeftOut:
    """User vectors with one thing left out.

    rows: int32 (m,) the items left out. vectors: float32 (m, d), one for each. without_profile: float32 (d,), or None
    when there is no profile.
    """

    rows: NDArray[np.int32]
    vectors: Floats
    without_profile: Floats | None


class UserTower:
    """Frozen once built; safe to call from several threads.

    item_vectors: float32 (n, d). gram: float64 (f, f), the collaborative block's Y'Y. regularization: that
    of the fold-in.
    """

    def __init__(
        self,
        item_vectors: Floats,
        layout: Layout,
        weights: FusionWeights,
        confidence: ConfidenceConfig,
        gram: NDArray[np.float64],
        regularization: float,
        features: TextFeatures,
        text_tower: TextTower,
    ) -> None:
        self.item_vectors = item_vectors
        self.layout = layout
        self.weights = weights
        self.confidence = confidence
        self._gram = gram
        self._regularization = regularization
        self._features = features
        self._text_tower = text_tower
        self.dim = item_vectors.shape[1]

    def user_vectors(self, histories: Sequence[History], profiles: Sequence[ProfileText | None]) -> Floats:
        """(b, d) float32. With neither history nor profile only the prior is left: the user gets what is popular."""
        sequences = [liked_sequence(history, self.confidence) for history in histories]
        collaborative = np.zeros((len(histories), self._gram.shape[0]))
        for i, history in enumerate(histories):
            rows, confidence = item_confidence(history, self.confidence)
            if len(rows):
                factors = self.item_vectors[rows, self.layout.collaborative]
                collaborative[i] = fold_in(factors, self._gram, self._regularization, confidence)
        return self._fuse(self._text_block(sequences, profiles), collaborative, sequences)

    def left_out(self, history: History, profile: ProfileText | None, rows: NDArray[np.int32]) -> LeftOut:
        """The user's vector without each item of `rows` (distinct rows of the history), and without the profile.

        The age of every event is still reckoned from the last one, even when that one is left out.
        """
        sequence = liked_sequence(history, self.confidence)
        held, confidence = item_confidence(history, self.confidence)
        rows = rows[np.isin(rows, held)]
        without = [sequence[sequence != row] for row in rows]
        blocks = self._text_block([*without, sequence], [*([profile] * len(without)), None])
        factors = self.item_vectors[held, self.layout.collaborative]
        whole, parts = fold_in_left_out(
            factors, self._gram, self._regularization, confidence, np.searchsorted(held, rows)
        )
        vectors = self._fuse(blocks, np.vstack((parts, whole)), [*without, sequence])
        return LeftOut(rows, vectors[:-1], vectors[-1] if profile is not None else None)

    @torch.inference_mode()
    def _text_block(self, sequences: Sequence[NDArray[np.int32]], profiles: Sequence[ProfileText | None]) -> Floats:
        config = self._text_tower.config
        sequences = [sequence[-config.max_length :] for sequence in sequences]
        lengths = torch.tensor([len(sequence) for sequence in sequences])
        longest = max(map(len, sequences), default=0)
        padded = np.zeros((len(sequences), longest, config.dim), np.float32)
        for i, sequence in enumerate(sequences):
            padded[i, : len(sequence)] = self.item_vectors[sequence, self.layout.text]
        has_profile = torch.tensor([profile is not None for profile in profiles])
        features = np.zeros((len(profiles), config.features), np.float32)
        if known := [i for i, profile in enumerate(profiles) if profile is not None]:
            read = [profile for profile in profiles if profile is not None]
            features[known] = self._features(np.stack([p.embedding for p in read]), [p.text for p in read])
        first = self._text_tower.first_token(torch.from_numpy(features), has_profile)
        states = self._text_tower(first, torch.from_numpy(padded))
        last = states[torch.arange(len(sequences)), lengths]
        # Nothing read, nothing said: an unknown user's text block must not push anything.
        last[(lengths == 0) & ~has_profile] = 0.0
        return np.asarray(last.numpy(), np.float32)

    def _fuse(self, text: Floats, collaborative: NDArray[np.float64], sequences: Sequence[NDArray[np.int32]]) -> Floats:
        norms = np.maximum(np.linalg.norm(collaborative, axis=1, keepdims=True), 1e-12)
        chosen = [self.weights.warm if len(sequence) else self.weights.cold for sequence in sequences]
        scale = np.array([(w.text, w.collaborative, w.prior) for w in chosen], np.float32)
        vectors = np.empty((len(text), self.dim), np.float32)
        vectors[:, self.layout.text] = scale[:, :1] * text
        vectors[:, self.layout.collaborative] = scale[:, 1:2] * collaborative / norms
        vectors[:, self.layout.prior] = scale[:, 2:]
        return vectors
