"""Weights the events of a history by how much they say about the user's taste. Training and serving share it."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import MICROSECONDS_A_DAY
from recsvc.domain.shop import EventType, History


@dataclass(frozen=True)
class ConfidenceConfig:
    """How events are weighted.

    Attributes:
        alpha: Scale of confidence above the 1 of an unseen item (Hu, Koren, Volinsky 2008, form of equation 5).
        half_life_days: Age at which an event counts half. Ages are counted back from the user's own last event, so
            that a user vector depends only on the history and can be cached.
        event_weights: By name of the event type. Returns and hides are negative and cancel other events. A return also
            takes back the purchase itself, whatever its weight (`recsvc.domain.purchases`).
    """

    alpha: float = 20.0
    half_life_days: float = 180.0
    event_weights: dict[str, float] = field(
        default_factory=lambda: {"purchase": 1.0, "view": 0.1, "add_to_cart": 0.3, "return": -1.0, "hide": -1.0}
    )

    @cached_property
    def weight_by_type(self) -> NDArray[np.float32]:
        """Weights indexed by the values of `EventType`, float32 (types,). A type that is not listed has weight 0."""
        weights = np.zeros(max(EventType) + 1, np.float32)
        for event_type in EventType:
            weights[event_type] = self.event_weights.get(event_type.name.lower(), 0.0)
        return weights


def event_confidence(
    event_types: NDArray[np.int8], quantities: NDArray[np.float32], ages: NDArray[np.int64], config: ConfidenceConfig
) -> NDArray[np.float32]:
    """The confidence of each of n events: alpha * weight * log2(1 + quantity) * 2^(-age / half-life).

    Args:
        event_types: (n,), values of `EventType`.
        quantities: (n,), pieces that count after the returns.
        ages: (n,), microseconds.
        config: How events are weighted.

    Returns:
        float32 (n,).
    """
    decay = np.exp2(-(ages / (config.half_life_days * MICROSECONDS_A_DAY)))
    weights = config.weight_by_type[event_types]
    return np.asarray(config.alpha * weights * np.log2(1.0 + quantities) * decay, np.float32)


@dataclass(frozen=True)
class WeightedHistory:
    """A history as the towers read it.

    Attributes:
        rows: int32 (m,), distinct items with a positive confidence, ascending.
        confidence: float32 (m,), sums over the events of each item, above 0.
        sequence: int32 (n,), rows of the positive events of these items, oldest first. Consecutive events of the same
            item, such as a view, an add to cart and a purchase, are one entry.
    """

    rows: NDArray[np.int32]
    confidence: NDArray[np.float32]
    sequence: NDArray[np.int32]

    @staticmethod
    def of(history: History, config: ConfidenceConfig) -> "WeightedHistory":
        """Weights the events of a history."""
        if not len(history):
            return WeightedHistory(history.rows, np.empty(0, np.float32), history.rows)
        ages = history.timestamps[-1] - history.timestamps
        pieces = history.counted_pieces
        values = event_confidence(history.event_types, pieces, ages, config)
        rows, inverse = np.unique(history.rows, return_inverse=True)
        totals = np.bincount(inverse, weights=values).astype(np.float32)
        is_kept = totals > 0
        sequence = history.rows[(config.weight_by_type[history.event_types] > 0) & (pieces > 0) & is_kept[inverse]]
        return WeightedHistory(rows[is_kept], totals[is_kept], _without_runs(sequence))

    def kept_without(self, rows: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Which entries of the sequence are left without each of m items, bool (m, n).

        Entries on both sides of an item may become one.
        """
        kept = self.sequence != rows[:, None]
        # The sequence has no runs: equal entries meet where a single one between them goes.
        meets = np.zeros(len(self.sequence), np.bool_)
        meets[2:] = self.sequence[2:] == self.sequence[:-2]
        kept[:, 2:] &= kept[:, 1:-1] | ~meets[2:]
        return np.asarray(kept)


def _without_runs(sequence: NDArray[np.int32]) -> NDArray[np.int32]:
    """The sequence with runs of equal entries reduced to one entry."""
    changes = np.ones(len(sequence), np.bool_)
    changes[1:] = sequence[1:] != sequence[:-1]
    return np.asarray(sequence[changes])
