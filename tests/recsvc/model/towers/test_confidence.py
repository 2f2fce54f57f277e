"""The weight of each event, against closed forms."""

import numpy as np
import pytest

from recsvc.domain.arrays import MICROSECONDS_A_DAY
from recsvc.domain.shop import EventType, History
from recsvc.model.towers.confidence import ConfidenceConfig, WeightedHistory

CONFIG = ConfidenceConfig(alpha=10.0, half_life_days=30.0)


def history(*events: tuple[int, EventType, float, float]) -> History:
    """Events as (row, type, quantity, day)."""
    rows, types, quantities, days = zip(*events, strict=True)
    times = np.array([day * MICROSECONDS_A_DAY for day in days], np.int64)
    return History(np.array(rows, np.int32), times, np.array(types, np.int8), np.array(quantities, np.float32))


def test_confidence_is_the_product_of_weight_quantity_and_decay() -> None:
    weighted = WeightedHistory.of(
        history((7, EventType.PURCHASE, 3, 0), (4, EventType.VIEW, 1, 0), (5, EventType.PURCHASE, 1, 30)), CONFIG
    )
    assert weighted.rows.tolist() == [4, 5, 7]
    # A view counts 0.1, three pieces count log2(4), and an event 30 days before the last one counts half.
    assert weighted.confidence.tolist() == pytest.approx([10 * 0.1 * 0.5, 10 * 1.0, 10 * 2 * 0.5])


def test_return_cancels_the_purchase() -> None:
    bought = (7, EventType.PURCHASE, 2, 0)
    returned = (7, EventType.RETURN, 2, 1)
    assert WeightedHistory.of(history(bought, returned), CONFIG).rows.tolist() == []
    weighted = WeightedHistory.of(history(bought, (7, EventType.RETURN, 1, 0)), CONFIG)
    assert weighted.rows.tolist() == [7]
    assert weighted.confidence.tolist() == pytest.approx([10 * np.log2(1 + 1)])


def test_sequence_has_the_kept_items_in_order_without_runs() -> None:
    events = history(
        (1, EventType.VIEW, 1, 0),
        (1, EventType.ADD_TO_CART, 1, 0.1),
        (1, EventType.PURCHASE, 1, 0.2),
        (2, EventType.PURCHASE, 1, 1),
        (3, EventType.PURCHASE, 1, 2),
        (2, EventType.RETURN, 1, 3),
        (1, EventType.PURCHASE, 1, 4),
    )
    assert WeightedHistory.of(events, CONFIG).sequence.tolist() == [1, 3, 1]


def test_empty_history_gives_empty_arrays() -> None:
    weighted = WeightedHistory.of(History.empty(), CONFIG)
    assert (len(weighted.rows), len(weighted.confidence), len(weighted.sequence)) == (0, 0, 0)


def test_entries_kept_without_an_item_are_the_sequence_without_it_and_without_runs() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        rows = rng.integers(0, 4, 12).astype(np.int32)
        sequence = rows[np.append(True, rows[1:] != rows[:-1])]
        weighted = WeightedHistory(np.unique(rows), np.ones(4, np.float32), sequence)
        left_out = np.unique(rows)
        for row, kept in zip(left_out, weighted.kept_without(left_out), strict=True):
            rest = sequence[sequence != row]
            expected = rest[np.append(True, rest[1:] != rest[:-1])] if len(rest) else rest
            assert sequence[kept].tolist() == expected.tolist()


@pytest.mark.parametrize("n", [0, 1, 2])
def test_short_sequences_have_nothing_left_without_their_items(n: int) -> None:
    rows = np.arange(n, dtype=np.int32)
    kept = WeightedHistory(rows, np.ones(n, np.float32), rows).kept_without(rows)
    assert kept.tolist() == (~np.eye(n, dtype=np.bool_)).tolist()
