"""The purchases that were not sent back: by hand, and against a stack of pieces for each item."""

import numpy as np
import pytest

from recsvc.domain.shop import EventType, History

BUY, BACK, SEE = EventType.PURCHASE, EventType.RETURN, EventType.VIEW


def history(*events: tuple[int, int, EventType, float]) -> History:
    """Events as (row, time, type, pieces)."""
    rows, times, types, pieces = zip(*events, strict=True)
    return History(np.array(rows, np.int32), np.array(times), np.array(types, np.int8), np.array(pieces, np.float32))


@pytest.mark.parametrize(
    ("events", "kept"),
    [
        ([(0, 1, BUY, 1), (0, 2, BACK, 1)], []),
        ([(0, 1, BUY, 1), (0, 2, BUY, 1), (0, 3, BACK, 1)], [0]),  # the newest goes back
        ([(0, 1, BUY, 1), (0, 2, BACK, 1), (0, 3, BUY, 1)], [2]),
        ([(0, 1, BACK, 1), (0, 2, BUY, 1)], [1]),  # of a purchase before the history
        ([(0, 1, BUY, 1), (0, 2, BACK, 5), (0, 3, BUY, 1)], [2]),
        ([(0, 1, BACK, 1), (0, 1, BUY, 1)], []),  # at one time, whatever the order of the file
        ([(0, 1, BUY, 3), (0, 2, BACK, 2)], [0]),  # a piece is left
        ([(0, 1, BUY, 3), (0, 2, BACK, 2), (0, 3, BACK, 1)], []),
        ([(0, 1, BUY, 1), (0, 2, BUY, 2), (0, 3, BACK, 3)], []),
        ([(0, 1, BUY, 2), (0, 2, BUY, 2), (0, 3, BACK, 3)], [0]),
        ([(0, 1, BUY, 0.3), (0, 2, BACK, 0.1), (0, 3, BACK, 0.2)], []),
        ([(0, 1, BUY, 1), (1, 2, BUY, 1), (0, 3, BACK, 1), (1, 4, SEE, 1)], [1]),
        ([(0, 1, BUY, 1), (0, 1, SEE, 1)], [0]),
    ],
)
def test_return_takes_back_the_newest_pieces_bought_before_it(events, kept) -> None:
    assert np.flatnonzero(history(*events).purchases).tolist() == kept


def test_pieces_are_those_left_on_a_stack() -> None:
    rng = np.random.default_rng(0)
    sent_back = 0
    for _ in range(300):
        n = int(rng.integers(0, 40))
        events = History(
            rng.integers(0, 4, n).astype(np.int32),
            np.sort(rng.integers(0, 30, n)),
            rng.choice([BUY, BACK, SEE], n).astype(np.int8),
            rng.integers(1, 4, n).astype(np.float32),
        )
        expected = _left_on_stacks(events)
        np.testing.assert_allclose(events.counted_pieces, expected, atol=1e-5)
        assert events.purchases.tolist() == (events.all_purchases & (expected > 0)).tolist()
        sent_back += int((events.all_purchases & ~events.purchases).sum())
    assert sent_back > 500


def _left_on_stacks(events: History) -> np.ndarray:
    left = np.where(events.returns, 0, events.quantities)
    stacks: dict[int, list[int]] = {}
    order = sorted(range(len(events)), key=lambda i: (events.timestamps[i], events.event_types[i] == BACK))
    for i in order:
        stack = stacks.setdefault(int(events.rows[i]), [])
        if events.event_types[i] == BUY:
            stack.append(i)
        pieces = float(events.quantities[i]) if events.event_types[i] == BACK else 0.0
        while pieces and stack:
            taken = min(pieces, left[stack[-1]])
            left[stack[-1]] -= taken
            pieces -= taken
            if not left[stack[-1]]:
                stack.pop()
    for i in np.flatnonzero(events.returns).tolist():
        left[i] = 0 if stacks[int(events.rows[i])] else events.quantities[i]
    return left
