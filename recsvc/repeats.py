"""Buying again: what an item of the history gains over its inner product, which knows nothing of personal counts.

Half of real purchases repeat earlier ones, and no low-rank vector can hold who buys what again (Hu et al., "Modeling
Personalized Item Frequency Information for Next-basket Recommendation", SIGIR 2020). So the count is added after the
search: a user's own decayed purchases of an item, times how often people buy that item again.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsvc.domain import EventType, History
from recsvc.towers.confidence import MICROSECONDS_A_DAY

MICROSECONDS_AN_HOUR = MICROSECONDS_A_DAY // 24


@dataclass(frozen=True)
class RepeatConfig:
    """weight: in score units, tuned on validation; 0 where nobody buys again. half_life_days: of a purchase's count."""

    weight: float = 0.0
    half_life_days: float = 90.0


def repeat_counts(history: History, time: int, half_life_days: float) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The distinct rows that the user holds (bought and not sent back), and the decayed count of their purchases.

    time: microseconds since 1970 UTC, when the list is shown, taken to the hour: so a page and its reasons stay as they
    are for an hour, and can be kept. Later events count as if they were new.
    """
    time -= time % MICROSECONDS_AN_HOUR
    bought = history.event_types == EventType.PURCHASE
    returned = history.event_types == EventType.RETURN
    rows, inverse = np.unique(history.rows, return_inverse=True)
    held = np.bincount(inverse, history.quantities * (bought * 1.0 - returned), len(rows)) > 0
    ages = np.maximum(time - history.timestamps, 0) / (half_life_days * MICROSECONDS_A_DAY)
    counts = np.bincount(inverse, bought * np.exp2(-ages), len(rows))
    return rows[held], counts[held].astype(np.float32)


def repeat_scores(
    history: History, time: int, repeat_rates: NDArray[np.float32], config: RepeatConfig
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Rows of the history and what each gains: weight * repeat rate * log2(1 + decayed count). All 0 or more.

    repeat_rates: float32 (n,), for every item how much likelier than the average item it is to be bought again.
    """
    rows, counts = repeat_counts(history, time, config.half_life_days)
    if not config.weight:
        return rows[:0], counts[:0]
    return rows, np.asarray(config.weight * repeat_rates[rows] * np.log2(1.0 + counts), np.float32)
