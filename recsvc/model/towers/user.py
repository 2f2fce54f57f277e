"""The user tower: maps a history and a profile to the user vector, and to user vectors with one thing left out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats
from recsvc.domain.shop import History
from recsvc.model.towers.blocks import BLOCKS, ITEM_ONLY_BLOCKS, FusionWeights, Layout
from recsvc.model.towers.collaborative import fold_in, fold_in_left_out
from recsvc.model.towers.confidence import ConfidenceConfig, WeightedHistory
from recsvc.model.towers.features import TextFeatures
from recsvc.model.towers.inference_transformer import InferenceTransformer
from recsvc.model.towers.sequence import SequenceTower
from recsvc.model.towers.text import TextTower
from recsvc.model.vectors import unit

# The lexical block reads the newest items only: with a typical decay, older ones count next to nothing.
LEXICAL_ITEMS = 20


@dataclass(frozen=True)
class ProfileText:
    """A profile as the tower reads it.

    Attributes:
        text: Of the profile; see `recsvc.model.text_encoder.profile_text`.
        embedding: Of that text, float32 (dim,).
    """

    text: str
    embedding: Floats


@dataclass(frozen=True)
class LeftOut:
    """User vectors with one thing left out.

    Attributes:
        complete: float32 (d,), the user vector.
        rows: int32 (m,), the items left out.
        vectors: float32 (m, d), the user vector without each of them.
        without_profile: float32 (d,), the user vector without the profile; None if there is no profile.
    """

    complete: Floats
    rows: NDArray[np.int32]
    vectors: Floats
    without_profile: Floats | None


@dataclass(frozen=True)
class Towers:
    """The trained parts that compute the blocks.

    Attributes:
        text: The text tower.
        features: Computes its input.
        sequence: The sequence tower; None without that block.
        gram: Y'Y of the collaborative block, float64 (f, f).
        regularization: Of the fold-in.
        lexical_decay: Factor by which each newer item lowers the weight of an item's lexical vector, 0 to 1.
    """

    text: TextTower
    features: TextFeatures
    sequence: SequenceTower | None
    gram: NDArray[np.float64]
    regularization: float
    lexical_decay: float


class UserTower:
    """Computes user vectors. It never changes; safe to call from several threads.

    Args:
        item_vectors: float32 (n, d).
        layout: Columns of the blocks.
        weights: Of the blocks.
        confidence: How events are weighted.
        towers: The trained parts.
    """

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
        # bool (n,): items that the sequence block can read. One that nobody bought has the zero vector there, and
        # training never saw such a gap.
        self._in_sequence: NDArray[np.bool_] = np.any(item_vectors[:, layout.sequence], axis=1)

    def user_vectors(self, histories: Sequence[History], profiles: Sequence[ProfileText | None]) -> Floats:
        """Computes the vectors of b users.

        Without history and profile, only the item-only blocks have values: the user gets popular items.

        Args:
            histories: Of each user.
            profiles: Of each user; None if there is none.

        Returns:
            float32 (b, d).
        """
        weighted = [WeightedHistory.of(history, self.confidence) for history in histories]
        collaborative = np.zeros((len(histories), self._towers.gram.shape[0]))
        if self._folds_in:
            for i, user in enumerate(weighted):
                if len(user.rows):
                    factors = self.item_vectors[user.rows, self.layout.collaborative]
                    collaborative[i] = fold_in(factors, self._towers.gram, self._towers.regularization, user.confidence)
        return self._fuse([user.sequence for user in weighted], profiles, collaborative)

    def left_out(self, history: History, profile: ProfileText | None, rows: NDArray[np.int32]) -> LeftOut:
        """Computes the user vector, and what it would be without each of some items, and without the profile.

        One batch has them all: a vector more costs a tenth of a vector alone.

        The age of every event is still counted from the last event, even if that event is left out.

        Args:
            history: Of the user.
            profile: Of the user; None if there is none.
            rows: Items to leave out, int32 (m,). Those without a positive confidence are ignored.
        """
        user = WeightedHistory.of(history, self.confidence)
        rows = rows[np.isin(rows, user.rows)]
        without = [user.sequence_without(row) for row in rows.tolist()]
        collaborative = np.zeros((len(without) + 2, self._towers.gram.shape[0]))
        if self._folds_in:
            factors = self.item_vectors[user.rows, self.layout.collaborative]
            places = np.searchsorted(user.rows, rows)
            full, left_out = fold_in_left_out(
                factors, self._towers.gram, self._towers.regularization, user.confidence, places
            )
            collaborative = np.vstack((full, left_out, full))
        vectors = self._fuse(
            [user.sequence, *without, user.sequence], [*([profile] * (1 + len(without))), None], collaborative
        )
        return LeftOut(vectors[0], rows, vectors[1:-1], vectors[-1] if profile is not None else None)

    @torch.inference_mode()
    def _fuse(
        self,
        sequences: Sequence[NDArray[np.int32]],
        profiles: Sequence[ProfileText | None],
        collaborative: NDArray[np.float64],
    ) -> Floats:
        weights_of = [self.weights.warm if len(sequence) else self.weights.cold for sequence in sequences]
        scale = np.array([tuple(weights) for weights in weights_of], np.float32)
        vectors = np.zeros((len(sequences), self.dim), np.float32)
        # A block with weight 0 for all users is not computed.
        used = {name: bool(scale[:, i].any()) for i, name in enumerate(BLOCKS)}
        if self._read_sequence is not None and used["sequence"]:
            vectors[:, self.layout.sequence] = self._sequence_block(self._read_sequence, sequences)
        if used["text"]:
            vectors[:, self.layout.text] = self._text_block(sequences, profiles)
        if self.layout.lexical.stop > self.layout.lexical.start and used["lexical"]:
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
        readable = [sequence[self._in_sequence[sequence]] for sequence in sequences]
        padded, lengths = self._padded(readable, self.layout.sequence, read.max_length)
        last = read(padded, torch.from_numpy(lengths)).numpy()
        # Without any item to read, the block must not change a score.
        last[lengths == 0] = 0.0
        return last

    def _text_block(self, sequences: Sequence[NDArray[np.int32]], profiles: Sequence[ProfileText | None]) -> Floats:
        padded, lengths = self._padded(sequences, self.layout.text, self._read_text.max_length)
        has_profile = np.array([profile is not None for profile in profiles])
        first = self._first_tokens(profiles, has_profile) if has_profile.any() else None
        last = self._read_text(padded, torch.from_numpy(lengths), first).numpy()
        last[(lengths == 0) & ~has_profile] = 0.0
        return last

    def _first_tokens(self, profiles: Sequence[ProfileText | None], has_profile: NDArray[np.bool_]) -> torch.Tensor:
        """The first token of each sequence, (b, width). Features of a profile that several share are computed once."""
        distinct = {id(profile): profile for profile in profiles if profile is not None}
        embeddings = np.stack([profile.embedding for profile in distinct.values()])
        known = self._towers.features.transform(embeddings, [profile.text for profile in distinct.values()])
        place_of = {key: place for place, key in enumerate(distinct)}
        features = known[[place_of.get(id(profile), 0) for profile in profiles]]
        return self._towers.text.first_token(torch.from_numpy(features), torch.from_numpy(has_profile))

    def _padded(
        self, sequences: Sequence[NDArray[np.int32]], columns: slice, max_length: int
    ) -> tuple[torch.Tensor, NDArray[np.int64]]:
        """The newest items of each sequence, with the block's columns: (b, longest, width), and their counts (b,)."""
        sequences = [sequence[-max_length:] for sequence in sequences]
        lengths = np.array([len(sequence) for sequence in sequences])
        padded = np.zeros((len(sequences), lengths.max(initial=0), columns.stop - columns.start), np.float32)
        for i, sequence in enumerate(sequences):
            padded[i, : len(sequence)] = self.item_vectors[sequence, columns]
        return torch.from_numpy(padded), lengths
