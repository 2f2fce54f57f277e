"""The user tower: a history and a profile to the user vector, and to what it would be with one thing left out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats
from recsvc.domain.shop import History
from recsvc.model.towers.collaborative import fold_in, fold_in_left_out
from recsvc.model.towers.confidence import ConfidenceConfig, WeightedHistory
from recsvc.model.towers.features import TextFeatures
from recsvc.model.towers.inference_transformer import InferenceTransformer
from recsvc.model.towers.sequence import SequenceTower
from recsvc.model.towers.text import TextTower
from recsvc.model.vectors import unit

# The lexical block reads the newest items alone: with a typical decay the older ones count next to nothing.
LEXICAL_ITEMS = 20


# What knows users; and what is said of an item alone, the same for everybody, in one column each.
PERSONAL_BLOCKS = ("sequence", "text", "lexical", "collaborative")
ITEM_ONLY_BLOCKS = ("prior", "newness", "unseen")
BLOCKS = (*PERSONAL_BLOCKS, *ITEM_ONLY_BLOCKS)


@dataclass(frozen=True)
class Layout:
    """Which columns of a vector belong to which block; a block that a bundle does without has none."""

    sequence: slice
    text: slice
    lexical: slice
    collaborative: slice
    prior: slice
    newness: slice
    unseen: slice

    @staticmethod
    def of(sequence: int, text: int, lexical: int, collaborative: int) -> "Layout":
        """From the widths of the learned blocks."""
        ends = np.cumsum((sequence, text, lexical, collaborative, *(1 for _ in ITEM_ONLY_BLOCKS))).tolist()
        return Layout(*(slice(start, end) for start, end in zip((0, *ends), ends, strict=False)))

    def __iter__(self) -> Iterator[slice]:
        """The columns of each block, in the order of `BLOCKS`."""
        return (getattr(self, name) for name in BLOCKS)


@dataclass(frozen=True)
class BlockWeights:
    """What each block counts in the score, tuned on validation. They scale the user's side alone, so that tuning them
    again leaves the index as it is.
    """

    sequence: float = 0.0
    text: float = 0.0
    lexical: float = 0.0
    collaborative: float = 0.0
    prior: float = 0.0
    newness: float = 0.0
    unseen: float = 0.0

    @staticmethod
    def all(weight: float) -> "BlockWeights":
        """The same for every block."""
        return BlockWeights(*(weight for _ in BLOCKS))

    def __iter__(self) -> Iterator[float]:
        """In the order of `BLOCKS`."""
        return (getattr(self, name) for name in BLOCKS)


@dataclass(frozen=True)
class FusionWeights:
    """warm: for a user with a history. cold: for one with a profile alone, whom what suits the many warm users in
    validation would leave with popularity.
    """

    warm: BlockWeights
    cold: BlockWeights

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


@dataclass(frozen=True)
class Towers:
    """The trained parts that turn a history and a profile into blocks.

    sequence: None where the layout has no such block. gram: float64 (f, f), the collaborative block's Y'Y, and
    regularization: that of the fold-in. lexical_decay: what an item's lexical vector counts for each newer one.
    """

    text: TextTower
    features: TextFeatures
    sequence: SequenceTower | None
    gram: NDArray[np.float64]
    regularization: float
    lexical_decay: float


class UserTower:
    """Frozen once built; safe to call from several threads. item_vectors: float32 (n, d)."""

    def __init__(
        self,
        item_vectors: Floats,
        layout: Layout,
        weights: FusionWeights,
        confidence: ConfidenceConfig,
        towers: Towers,
    ) -> None:
        self.item_vectors = item_vectors
        self.layout = layout
        self.weights = weights
        self.confidence = confidence
        self._towers = towers
        self._read_text = InferenceTransformer(towers.text.transformer, towers.text.no_profile_token)
        self._read_sequence = (
            InferenceTransformer(towers.sequence.transformer, towers.sequence.start_token)
            if towers.sequence is not None
            else None
        )
        self._folds_in = bool(len(towers.gram) and (weights.warm.collaborative or weights.cold.collaborative))
        self.dim = item_vectors.shape[1]
        # bool (n,): what the sequence block can read. An item that nobody had bought says nothing there, and training
        # never saw a gap.
        self._in_sequence: NDArray[np.bool_] = np.any(item_vectors[:, layout.sequence], axis=1)

    def user_vectors(self, histories: Sequence[History], profiles: Sequence[ProfileText | None]) -> Floats:
        """(b, d) float32. With neither history nor profile only the prior is left: the user gets what is popular."""
        liked = [WeightedHistory.of(history, self.confidence) for history in histories]
        collaborative = np.zeros((len(histories), self._towers.gram.shape[0]))
        if self._folds_in:
            for i, user in enumerate(liked):
                if len(user.rows):
                    factors = self.item_vectors[user.rows, self.layout.collaborative]
                    collaborative[i] = fold_in(factors, self._towers.gram, self._towers.regularization, user.confidence)
        return self._fuse([user.sequence for user in liked], profiles, collaborative)

    def left_out(self, history: History, profile: ProfileText | None, rows: NDArray[np.int32]) -> LeftOut:
        """The user's vector without each item of `rows` (distinct rows of the history), and without the profile.

        The age of every event is still reckoned from the last one, even when that one is left out.
        """
        liked = WeightedHistory.of(history, self.confidence)
        rows = rows[np.isin(rows, liked.rows)]
        without = [liked.sequence_without(row) for row in rows.tolist()]
        collaborative = np.zeros((len(without) + 1, self._towers.gram.shape[0]))
        if self._folds_in:
            factors = self.item_vectors[liked.rows, self.layout.collaborative]
            places = np.searchsorted(liked.rows, rows)
            whole, parts = fold_in_left_out(
                factors, self._towers.gram, self._towers.regularization, liked.confidence, places
            )
            collaborative = np.vstack((parts, whole))
        vectors = self._fuse([*without, liked.sequence], [*([profile] * len(without)), None], collaborative)
        return LeftOut(rows, vectors[:-1], vectors[-1] if profile is not None else None)

    @torch.inference_mode()
    def _fuse(
        self,
        sequences: Sequence[NDArray[np.int32]],
        profiles: Sequence[ProfileText | None],
        collaborative: NDArray[np.float64],
    ) -> Floats:
        chosen = [self.weights.warm if len(sequence) else self.weights.cold for sequence in sequences]
        scale = np.array([tuple(weights) for weights in chosen], np.float32)
        vectors = np.zeros((len(sequences), self.dim), np.float32)
        # What weighs nothing for anybody is not worked out.
        used = {name: bool(scale[:, i].any()) for i, name in enumerate(BLOCKS)}
        if self._read_sequence is not None and used["sequence"]:
            vectors[:, self.layout.sequence] = self._sequence_block(self._read_sequence, sequences)
        if used["text"]:
            vectors[:, self.layout.text] = self._text_block(sequences, profiles)
        if self._width(self.layout.lexical) and used["lexical"]:
            for i, sequence in enumerate(sequences):
                vectors[i, self.layout.lexical] = self._lexical_block(sequence)
        vectors[:, self.layout.collaborative] = unit(collaborative)
        for name in ITEM_ONLY_BLOCKS:
            vectors[:, getattr(self.layout, name)] = 1.0
        for weight, columns in zip(scale.T, self.layout, strict=True):
            vectors[:, columns] *= weight[:, None]
        return vectors

    def _lexical_block(self, sequence: NDArray[np.int32]) -> Floats:
        latest = sequence[: -LEXICAL_ITEMS - 1 : -1]
        decay = self._towers.lexical_decay ** np.arange(len(latest), dtype=np.float32)
        return unit(decay @ self.item_vectors[latest, self.layout.lexical])

    def _sequence_block(self, read: InferenceTransformer, sequences: Sequence[NDArray[np.int32]]) -> Floats:
        known = [sequence[self._in_sequence[sequence]] for sequence in sequences]
        padded, lengths = self._padded(known, self.layout.sequence, read.max_length)
        last = read(padded, torch.from_numpy(lengths)).numpy()
        # Nothing read, nothing said: an unknown user's block must not push anything.
        last[lengths == 0] = 0.0
        return last

    def _text_block(self, sequences: Sequence[NDArray[np.int32]], profiles: Sequence[ProfileText | None]) -> Floats:
        padded, lengths = self._padded(sequences, self.layout.text, self._read_text.max_length)
        has_profile = np.array([profile is not None for profile in profiles])
        first = None
        if shown := [profile for profile in profiles if profile is not None]:
            features = np.zeros((len(profiles), self._towers.text.features), np.float32)
            features[has_profile] = self._towers.features(
                np.stack([p.embedding for p in shown]), [p.text for p in shown]
            )
            first = self._towers.text.first_token(torch.from_numpy(features), torch.from_numpy(has_profile))
        last = self._read_text(padded, torch.from_numpy(lengths), first).numpy()
        last[(lengths == 0) & ~has_profile] = 0.0
        return last

    def _padded(
        self, sequences: Sequence[NDArray[np.int32]], columns: slice, max_length: int
    ) -> tuple[torch.Tensor, NDArray[np.int64]]:
        """The newest items of each sequence as a block sees them, (b, longest, width), and how many they are, (b,)."""
        sequences = [sequence[-max_length:] for sequence in sequences]
        lengths = np.array([len(sequence) for sequence in sequences])
        padded = np.zeros((len(sequences), max(lengths, default=0), self._width(columns)), np.float32)
        for i, sequence in enumerate(sequences):
            padded[i, : len(sequence)] = self.item_vectors[sequence, columns]
        return torch.from_numpy(padded), lengths

    @staticmethod
    def _width(columns: slice) -> int:
        return int(columns.stop - columns.start)
