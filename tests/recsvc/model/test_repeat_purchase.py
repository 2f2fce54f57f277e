"""Repeat scores, against values computed by hand."""

from dataclasses import replace

import numpy as np
import pytest

from recsvc.domain.shop import EventType, History
from recsvc.model.repeat_purchase import (
    FEATURES,
    ItemRepeats,
    RepeatConfig,
    repeat_features,
    repeat_probabilities,
    repeat_scores,
    repeat_scores_without,
)
from recsvc.ranking import values_of

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
    # Two purchases on one day are one shopping day, such as two lines of an order.
    events = history((1, 40, BOUGHT), (0, 20, BOUGHT), (1, 20, BOUGHT), (1, 20, BOUGHT), (3, 2, SEEN))
    rows, features = repeat_features(events, NOW, ITEMS)
    assert rows.tolist() == [0, 1]
    by_name = dict(zip(FEATURES, features.T, strict=True))
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


def test_returned_item_has_no_features() -> None:
    assert repeat_features(history((0, 9, BOUGHT), (1, 8, BOUGHT), (0, 7, SENT_BACK)), NOW, ITEMS)[0].tolist() == [1]
    for events in (history((0, 9, BOUGHT), (0, 7, SENT_BACK)), history((2, 1, SEEN)), History.empty()):
        rows, features = repeat_features(events, NOW, ITEMS)
        assert (len(rows), features.shape) == (0, (0, len(FEATURES)))
        assert len(repeat_scores(events, NOW, ITEMS, ELAPSED)[0]) == 0


def test_bonus_is_positive_and_grows_with_the_probability() -> None:
    events = history((0, 90, BOUGHT), (1, 30, BOUGHT), (2, 3, BOUGHT))
    rows, probabilities = repeat_probabilities(events, NOW, ITEMS, ELAPSED)
    np.testing.assert_allclose(probabilities, 1 / (1 + np.array([90.5, 30.5, 3.5])), rtol=1e-5)
    scored, bonus = repeat_scores(events, NOW, ITEMS, ELAPSED)
    assert scored.tolist() == rows.tolist() == [0, 1, 2]
    np.testing.assert_allclose(bonus, np.log1p(probabilities / 0.1), rtol=1e-5)
    assert (np.diff(bonus) > 0).all()
    assert (bonus > 0).all()


def test_bonus_is_the_same_within_an_hour() -> None:
    events = history((0, 90, BOUGHT), (1, 30, BOUGHT))
    start = NOW - NOW % (DAY // 24)
    at = [repeat_scores(events, start + minutes * DAY // 1_440, ITEMS, ELAPSED)[1] for minutes in (0, 59, 60)]
    assert at[0].tolist() == at[1].tolist() != at[2].tolist()


@pytest.mark.parametrize("config", [replace(ELAPSED, weight=0.0), replace(ELAPSED, coefficients=())])
def test_no_weight_or_no_coefficients_give_no_bonus(config: RepeatConfig) -> None:
    assert not repeat_scores(history((0, 9, BOUGHT)), NOW, ITEMS, config)[1].any()


def test_event_after_now_counts_as_new() -> None:
    _, bonus = repeat_scores(history((0, -3, BOUGHT), (1, 0, BOUGHT)), NOW, ITEMS, ELAPSED)
    assert bonus[0] == pytest.approx(bonus[1], rel=1e-2)


def test_scores_without_an_item_are_those_of_the_shorter_history() -> None:
    rng, changed = np.random.default_rng(0), 0
    for _ in range(100):
        n = int(rng.integers(1, 12))
        ages = np.sort(rng.integers(0, 30, n))[::-1] + 0.5 * rng.integers(0, 2, n)
        types = rng.choice([BOUGHT, BOUGHT, BOUGHT, SENT_BACK, SEEN], n)
        events = history(*zip(rng.integers(0, 4, n).tolist(), ages.tolist(), map(EventType, types), strict=True))
        config = RepeatConfig(1.5, 0.1, tuple(rng.standard_normal(len(FEATURES) + 1).tolist()))
        left_out, rows = np.array([2, 0, 1], np.int32), np.array([3, 1, 0, 2, 1], np.int32)
        bonuses = repeat_scores_without(events, NOW, ITEMS, config, left_out, rows)
        for row, of_rows in zip(left_out, bonuses, strict=True):
            shorter = repeat_scores(events.select(events.rows != row), NOW, ITEMS, config)
            np.testing.assert_allclose(of_rows, values_of(rows, *shorter), rtol=1e-5, atol=1e-7)
            changed += not np.allclose(of_rows, values_of(rows, *repeat_scores(events, NOW, ITEMS, config)))
        for nothing in (replace(config, weight=0.0), replace(config, coefficients=())):
            assert not repeat_scores_without(events, NOW, ITEMS, nothing, left_out, rows).any()
    assert changed > 100
