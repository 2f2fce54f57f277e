"""The user tower: maps a history and a profile to the user vector, and to user vectors with one thing left out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

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
from recsvc.model.towers.item_sequences import ItemSequences, SeparateSequences, SequenceParts
from recsvc.model.towers.sequence import SequenceTower
from recsvc.model.towers.text import TextTower
from recsvc.model.vectors import unit

# The lexical block reads the newest items only: with a typical decay, older ones count next to nothing.
LEXICAL_ITEMS = 20


@dataclass(frozen=True, eq=False)
class ProfileText:
    """A profile as the tower reads it. Compared by identity, so that what is read from it can be kept beside it.

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
        in_sequence: bool (n,), items that the sequence block can read. One that nobody bought has the zero vector
            there, and training never saw such a gap.
        regularization: Of the fold-in.
        lexical_decay: Factor by which each newer item lowers the weight of an item's lexical vector, 0 to 1.
    """

    text: TextTower
    features: TextFeatures
    sequence: SequenceTower | None
    gram: NDArray[np.float64]
    in_sequence: NDArray[np.bool_]
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
        # The whitening of one profile reads 7 MB, and takes longer than the history of most users.
        self._kept_tokens: WeakKeyDictionary[ProfileText, Floats] = WeakKeyDictionary()
        self._folds_in = bool(len(towers.gram) and (weights.warm.collaborative or weights.cold.collaborative))
        self.dim = item_vectors.shape[1]

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
        return self._fuse(SeparateSequences([user.sequence for user in weighted]), profiles, collaborative)

    @torch.inference_mode()
    def read_profiles(self, profiles: Iterable[ProfileText | None]) -> None:
        """Reads profiles together, at a fraction of what each costs alone, and keeps the result as long as they live.

        The other methods then need not read them.
        """
        self._profile_tokens(list({profile: None for profile in profiles if profile is not None}))

    def left_out(self, history: History, profile: ProfileText | None, rows: NDArray[np.int32]) -> LeftOut:
        """Computes the user vector, and what it would be without each of some items, and without the profile.

        One batch has them all, and reads what they share only once.

        The age of every event is still counted from the last event, even if that event is left out.

        Args:
            history: Of the user.
            profile: Of the user; None if there is none.
            rows: Items to leave out, int32 (m,). Those without a positive confidence are ignored.
        """
        user = WeightedHistory.of(history, self.confidence)
        rows = rows[np.isin(rows, user.rows)]
        m, complete = len(rows), np.ones((1, len(user.sequence)), np.bool_)
        kept = np.concatenate((complete, user.kept_without(rows), complete))
        collaborative = np.zeros((m + 2, self._towers.gram.shape[0]))
        if self._folds_in:
            factors = self.item_vectors[user.rows, self.layout.collaborative]
            places = np.searchsorted(user.rows, rows)
            full, left_out = fold_in_left_out(
                factors, self._towers.gram, self._towers.regularization, user.confidence, places
            )
            collaborative = np.vstack((full, left_out, full))
        profiles = [*([profile] * (1 + m)), None]
        if profile is None:  # the last one would be the first again
            kept, profiles, collaborative = kept[:-1], profiles[:-1], collaborative[:-1]
        vectors = self._fuse(SequenceParts(user.sequence, kept), profiles, collaborative)
        return LeftOut(vectors[0], rows, vectors[1 : 1 + m], vectors[-1] if profile is not None else None)

    @torch.inference_mode()
    def _fuse(
        self,
        sequences: ItemSequences,
        profiles: Sequence[ProfileText | None],
        collaborative: NDArray[np.float64],
    ) -> Floats:
        weights_of = [self.weights.warm if is_warm else self.weights.cold for is_warm in sequences.filled()]
        scale = np.array([tuple(weights) for weights in weights_of], np.float32)
        vectors = np.zeros((len(scale), self.dim), np.float32)
        # A block with weight 0 for all users is not computed.
        used = {name: bool(scale[:, i].any()) for i, name in enumerate(BLOCKS)}
        if self._read_sequence is not None and used["sequence"]:
            vectors[:, self.layout.sequence] = self._sequence_block(self._read_sequence, sequences)
        if used["text"]:
            vectors[:, self.layout.text] = self._text_block(sequences, profiles)
        if self.layout.lexical.stop > self.layout.lexical.start and used["lexical"]:
            vectors[:, self.layout.lexical] = self._lexical_block(sequences)
        vectors[:, self.layout.collaborative] = unit(collaborative)
        for name in ITEM_ONLY_BLOCKS:
            vectors[:, getattr(self.layout, name)] = 1.0
        for weight, columns in zip(scale.T, self.layout, strict=True):
            vectors[:, columns] *= weight[:, None]
        return vectors

    def _lexical_block(self, sequences: ItemSequences) -> Floats:
        vectors = self.item_vectors[:, self.layout.lexical]
        return unit(sequences.decayed_sums(vectors, self._towers.lexical_decay, LEXICAL_ITEMS))

    def _sequence_block(self, read: InferenceTransformer, sequences: ItemSequences) -> Floats:
        readable = sequences.only(self._towers.in_sequence)
        filled = readable.filled()
        vectors = self.item_vectors[:, self.layout.sequence]
        last = readable.last_states(read, vectors, read.start[None], np.zeros(len(filled), np.intp))
        # Without any item to read, the block must not change a score.
        last[~filled] = 0.0
        return last

    def _text_block(self, sequences: ItemSequences, profiles: Sequence[ProfileText | None]) -> Floats:
        # The sequences of one user share a profile.
        distinct = list({id(profile): profile for profile in profiles if profile is not None}.values())
        firsts = torch.from_numpy(np.stack((self._read_text.start.numpy(), *self._profile_tokens(distinct))))
        place_of = {id(None): 0} | {id(profile): place for place, profile in enumerate(distinct, 1)}
        places = np.array([place_of[id(profile)] for profile in profiles])
        last = sequences.last_states(self._read_text, self.item_vectors[:, self.layout.text], firsts, places)
        last[~sequences.filled() & (places == 0)] = 0.0
        return last

    def _profile_tokens(self, profiles: Sequence[ProfileText]) -> list[Floats]:
        """Returns the first token of each profile, float32 (width,)."""
        missing = [profile for profile in profiles if profile not in self._kept_tokens]
        computed: dict[ProfileText, Floats] = {}
        if missing:
            embeddings = np.stack([profile.embedding for profile in missing])
            features = self._towers.features.transform(embeddings, [profile.text for profile in missing])
            has_profile = torch.ones(len(missing), dtype=torch.bool)
            tokens = self._towers.text.first_token(torch.from_numpy(features), has_profile).numpy()
            # Copies: a row would keep the tokens of all profiles that were read with it.
            computed = {profile: token.copy() for profile, token in zip(missing, tokens, strict=True)}
            self._kept_tokens.update(computed)
        return [computed[profile] if profile in computed else self._kept_tokens[profile] for profile in profiles]
