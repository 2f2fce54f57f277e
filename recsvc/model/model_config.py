"""The configuration of a trained model, as its bundle stores it."""

from dataclasses import dataclass

from recsvc.model.neighbours import NeighbourConfig
from recsvc.model.repeat_purchase import RepeatConfig
from recsvc.model.towers.blocks import FusionWeights
from recsvc.model.towers.confidence import ConfidenceConfig
from recsvc.model.towers.transformer import TransformerConfig


@dataclass(frozen=True)
class ModelConfig:
    """The configuration of towers and ranking. It is part of the bundle's identity.

    Attributes:
        text: Of the text tower's transformer.
        text_features: Width of the features that the text tower reads.
        sequence: Of the sequence tower's transformer; None without that block.
        fusion: Weights of the blocks.
        confidence: How events are weighted.
        repeats: How repeat purchases are scored.
        neighbours: How neighbours of the history are scored.
        lexical_dim: Width of the lexical block; 0 without it.
        lexical_decay: See `recsvc.model.towers.user.Towers`.
        collaborative_dim: Width of the collaborative block; 0 without it.
        regularization: Of the fold-in.
        history_length: Events of a user in each room that training used, the newest; see `recsvc.domain.history_rooms`.
        similar_from: Cosine of two items' `text_vectors` from which the items count as similar.
        popularity_days: Window of `Bundle.buyers`, in days.
        cohort_days: Window of `Bundle.cohorts`, in days.
        text_encoder: Name of the text encoder.
        text_encoder_fingerprint: sha256 of its weights.
    """

    text: TransformerConfig
    text_features: int
    sequence: TransformerConfig | None
    fusion: FusionWeights
    confidence: ConfidenceConfig
    repeats: RepeatConfig
    neighbours: NeighbourConfig
    lexical_dim: int
    lexical_decay: float
    collaborative_dim: int
    regularization: float
    history_length: int
    similar_from: float
    popularity_days: int
    cohort_days: int
    text_encoder: str
    text_encoder_fingerprint: str
