"""Reads interactions as the towers do: a sequence of item rows a user, and a confidence for each type of event."""

from recsvc.domain.arrays import Rows
from recsvc.model.towers.confidence import ConfidenceConfig, WeightedHistory
from training.config import TrainConfig
from training.data.interactions import Interactions

EventSequences = list[Rows]  # for each user the item rows of the events that count, oldest first

# The settings that the sequences depend on. Not alpha: a tower weighs all events alike.
SEQUENCE_HYPERPARAMETERS = ("half_life_days", "event_weights")


def confidence_config(config: TrainConfig) -> ConfidenceConfig:
    """How much each type of event says, and how fast that fades."""
    return ConfidenceConfig(config.alpha, config.half_life_days, config.event_weights)


def event_sequences(interactions: Interactions, config: TrainConfig) -> EventSequences:
    """The sequence of every user; empty for a user without an event that counts."""
    confidence = confidence_config(config)
    return [WeightedHistory.of(history, confidence).sequence for history in interactions.histories()]
