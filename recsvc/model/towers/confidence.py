"""How much each event says about a user's taste: the one place where training and serving weigh a history."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import MICROSECONDS_A_DAY
from recsvc.domain.shop import EventType, History


@dataclass(frozen=True)
class ConfidenceConfig:
    """alpha: the scale of confidence over the 1 of an unseen item (Hu, Koren, Volinsky 2008, equation 5's form).
    half_life_days: after how long an event counts half, reckoned back from the user's own last event, so that a
    user vector depends on the history alone and can be cached.
    event_weights: by event type name; a return is negative and takes away.
    """

    alpha: float = 20.0
    half_life_days: float = 180.0
    event_weights: dict[str, float] = field(
        default_factory=lambda: {"purchase": 1.0, "view": 0.1, "add_to_cart": 0.3, "return": -1.0, "hide": -1.0}
    )

    @cached_property
    def weight_by_type(self) -> NDArray[np.float32]:
        """float32 (types,), indexed by the values of `EventType`; a type without a weight counts nothing."""
        weights = np.zeros(max(EventType) + 1, np.float32)
        for event_type in EventType:
            weights[event_type] = self.event_weights.get(event_type.name.lower(), 0.0)
        return weights


def event_confidence(
    event_types: NDArray[np.int8], quantities: NDArray[np.float32], ages: NDArray[np.int64], config: ConfidenceConfig
) -> NDArray[np.float32]:
    """Elementwise: alpha * weight * log2(1 + quantity) * 2^(-age / half-life). `ages` are in microseconds."""
    decay = np.exp2(-(ages / (config.half_life_days * MICROSECONDS_A_DAY)))
    weights = config.weight_by_type[event_types]
    return np.asarray(config.alpha * weights * np.log2(1.0 + quantities) * decay, np.float32)


@dataclass(frozen=True)
class WeightedHistory:
    """What a history says of its user's taste.

    rows: int32 (m,) the distinct items that stay after returns are taken away, ascending. confidence: float32 (m,),
    theirs, all over 0. sequence: int32 (n,) the rows of the events that count, oldest to newest: no returns, nothing
    that was sent back, and a view, a cart and a purchase of one item in a row as one.
    """

    rows: NDArray[np.int32]
    confidence: NDArray[np.float32]
    sequence: NDArray[np.int32]

    @staticmethod
    def of(history: History, config: ConfidenceConfig) -> "WeightedHistory":
        if not len(history):
            return WeightedHistory(history.rows, np.empty(0, np.float32), history.rows)
        ages = history.timestamps[-1] - history.timestamps
        values = event_confidence(history.event_types, history.quantities, ages, config)
        rows, inverse = np.unique(history.rows, return_inverse=True)
        totals = np.bincount(inverse, weights=values).astype(np.float32)
        stays = totals > 0
        sequence = history.rows[(config.weight_by_type[history.event_types] > 0) & stays[inverse]]
        return WeightedHistory(rows[stays], totals[stays], _each_once(sequence))

    def sequence_without(self, row: int) -> NDArray[np.int32]:
        """The sequence had the item never been there: what stood on both sides of it may be one now."""
        return _each_once(self.sequence[self.sequence != row])


def _each_once(sequence: NDArray[np.int32]) -> NDArray[np.int32]:
    """Rows in a row that are the same as one."""
    changes = np.ones(len(sequence), np.bool_)
    changes[1:] = sequence[1:] != sequence[:-1]
    return np.asarray(sequence[changes])
