"""Repeat scores: what a history says of buying again, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from recsvc.domain.shop import EventType, History
from recsvc.model.repeat_purchase import (
    FEATURES,
    ItemRepeats,
    RepeatConfig,
    repeat_chances,
    repeat_features,
    repeat_scores,
)

DAY = 86_400_000_000
NOW = 1_000 * DAY
ITEMS = ItemRepeats(
    rates=np.array([1.0, 2.0, 0.5, 1.0], np.float32),
    intervals=np.array([10.0, 20.0, 30.0, 40.0], np.float32),
    popularity=np.array([0.1, 0.2, 0.3, 0.4], np.float32),
)
ELAPSED = RepeatConfig(1.0, 0.1, (*(-1.0 if name == "elapsed" else 0.0 for name in FEATURES), 0.0))


def history(*events: tuple[int, float, EventType]) -> History:
    """Events as (row, days before NOW, type)."""
    rows, ages, types = zip(*events, strict=True)
    times = NOW - (np.array(ages) * DAY).astype(np.int64)
    return History(np.array(rows, np.int32), times, np.array(types, np.int8), np.ones(len(rows), np.float32))


BOUGHT, SENT_BACK, SEEN = EventType.PURCHASE, EventType.RETURN, EventType.VIEW


def test_features_by_hand() -> None:
    # Twice on one day is one shopping day, as two lines of an order are.
    events = history((1, 40, BOUGHT), (0, 20, BOUGHT), (1, 20, BOUGHT), (1, 20, BOUGHT), (3, 2, SEEN))
    rows, found = repeat_features(events, NOW, ITEMS)
    assert rows.tolist() == [0, 1]
    by_name = dict(zip(FEATURES, found.T, strict=True))
    np.testing.assert_allclose(by_name["days"], np.log([1, 2]))
    np.testing.assert_allclose(
        by_name["recent"], np.log(np.array([2 ** (-20 / 365), 2 * 2 ** (-20 / 365) + 2 ** (-40 / 365)]) + 1e-3)
    )
    np.testing.assert_allclose(by_name["elapsed"], np.log([20.5, 20.5]))
    np.testing.assert_allclose(by_name["overdue"], np.log([2.05, 1.025]), rtol=1e-5)
    np.testing.assert_allclose(by_name["rate"], np.log([1, 2]), rtol=1e-5)
    np.testing.assert_allclose(by_name["popularity"], [0.1, 0.2], rtol=1e-5)
    np.testing.assert_allclose(by_name["shopping_days"], np.log([2, 2]))
    np.testing.assert_allclose(by_name["idle"], np.log([20.5, 20.5]))
    np.testing.assert_allclose(by_name["loyalty"], [1 - 2 / 3] * 2)


def test_what_was_sent_back_is_not_held() -> None:
    assert repeat_features(history((0, 9, BOUGHT), (1, 8, BOUGHT), (0, 7, SENT_BACK)), NOW, ITEMS)[0].tolist() == [1]
    for events in (history((0, 9, BOUGHT), (0, 7, SENT_BACK)), history((2, 1, SEEN)), History.empty()):
        rows, found = repeat_features(events, NOW, ITEMS)
        assert (len(rows), found.shape) == (0, (0, len(FEATURES)))
        assert len(repeat_scores(events, NOW, ITEMS, ELAPSED)[0]) == 0


def test_scores_are_never_below_nothing_and_follow_the_chance() -> None:
    events = history((0, 90, BOUGHT), (1, 30, BOUGHT), (2, 3, BOUGHT))
    rows, chances = repeat_chances(events, NOW, ITEMS, ELAPSED)
    np.testing.assert_allclose(chances, 1 / (1 + np.array([90.5, 30.5, 3.5])), rtol=1e-5)
    scored, gains = repeat_scores(events, NOW, ITEMS, ELAPSED)
    assert scored.tolist() == rows.tolist() == [0, 1, 2]
    np.testing.assert_allclose(gains, np.log1p(chances / 0.1), rtol=1e-5)
    assert (np.diff(gains) > 0).all()
    assert (gains > 0).all()


def test_the_page_stands_for_an_hour() -> None:
    events = history((0, 90, BOUGHT), (1, 30, BOUGHT))
    start = NOW - NOW % (DAY // 24)
    at = [repeat_scores(events, start + minutes * DAY // 1_440, ITEMS, ELAPSED)[1] for minutes in (0, 59, 60)]
    assert at[0].tolist() == at[1].tolist() != at[2].tolist()


@pytest.mark.parametrize("config", [replace(ELAPSED, weight=0.0), replace(ELAPSED, coefficients=())])
def test_where_nothing_was_learned_nothing_is_gained(config: RepeatConfig) -> None:
    assert not repeat_scores(history((0, 9, BOUGHT)), NOW, ITEMS, config)[1].any()


def test_an_event_from_the_future_counts_as_new() -> None:
    _, gains = repeat_scores(history((0, -3, BOUGHT), (1, 0, BOUGHT)), NOW, ITEMS, ELAPSED)
    assert gains[0] == pytest.approx(gains[1], rel=1e-2)
