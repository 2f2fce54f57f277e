"""What a history adds to the scores is kept for as long as it holds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsvc.domain.arrays import MICROSECONDS_AN_HOUR
from recsvc.domain.records import UserRecord
from recsvc.domain.shop import Event, EventType, Taste
from recsvc.model import bundle_files
from recsvc.model.bundle import Bundle
from recsvc.model.history_bonus import history_bonus
from recsvc.users.bonus_cache import BonusCache
from recsvc.users.user_state import UserState, state_of, with_session_events

WHEN = 480_000 * MICROSECONDS_AN_HOUR
NOW = WHEN + 400 * MICROSECONDS_AN_HOUR
NO_ROWS = np.empty(0, np.int32)


@pytest.fixture(scope="module")
def bundle(small_bundle: Path) -> Bundle:
    return bundle_files.load(small_bundle)


def state(bundle: Bundle, *rows: int, taste: Taste | None = None) -> UserState:
    events = tuple(
        Event(f"e{place}", "ann", f"i{row:05}", EventType.PURCHASE, WHEN + place) for place, row in enumerate(rows)
    )
    record = UserRecord("ann", version=1, events=events)
    return state_of(record if taste is None else replace(record, taste=taste), bundle)


def test_the_same_state_in_the_same_hour_is_not_computed_again(bundle: Bundle) -> None:
    cache, ann = BonusCache(bundle), state(bundle, 3, 8)
    first = cache.of(ann, NOW)
    assert len(first.neighbours.rows)
    assert len(first.repeats.rows)
    again = cache.of(ann, NOW + MICROSECONDS_AN_HOUR - 1)
    assert again.total is first.total
    assert cache.of(ann, NOW) is again
    assert cache.neighbours(ann).neighbours is first.neighbours


def test_neighbours_of_the_newest_items_are_given_once_and_not_kept(bundle: Bundle) -> None:
    for answer in (lambda cache, user: cache.of(user, NOW), lambda cache, user: cache.neighbours(user)):
        cache, ann = BonusCache(bundle), state(bundle, 3, 8)
        newest = answer(cache, ann).newest
        assert newest.rows.tolist() == [8, 3]
        assert answer(cache, ann).newest is None
        assert cache.of(ann, NOW + MICROSECONDS_AN_HOUR).newest is None


def test_the_next_hour_changes_the_repeat_bonus_and_keeps_the_gains(bundle: Bundle) -> None:
    cache, ann = BonusCache(bundle), state(bundle, 3, 8)
    first, later = cache.of(ann, NOW), cache.of(ann, NOW + 24 * MICROSECONDS_AN_HOUR)
    assert not np.array_equal(first.repeats.scores, later.repeats.scores)
    assert later.neighbours is first.neighbours


def test_another_history_has_other_gains(bundle: Bundle) -> None:
    cache = BonusCache(bundle)
    before, after = (cache.of(state(bundle, *rows), NOW) for rows in ((3, 8), (3, 8, 41)))
    assert not np.array_equal(before.neighbours.rows, after.neighbours.rows)
    for bonus, rows in ((before, (3, 8)), (after, (3, 8, 41))):
        expected = history_bonus(bundle, state(bundle, *rows).history, NOW)
        for part, expected_part in ((bonus.repeats, expected.repeats), (bonus.neighbours, expected.neighbours)):
            np.testing.assert_array_equal(part.rows, expected_part.rows)
            np.testing.assert_array_equal(part.scores, expected_part.scores)


def test_a_visit_changes_the_gains_and_not_the_repeat_bonus(bundle: Bundle) -> None:
    cache, ann = BonusCache(bundle), state(bundle, 3, 8)
    alone = cache.of(ann, NOW)
    for viewed, cart in (([41], []), ([], [41])):
        visit = with_session_events(ann, np.array(viewed, np.int32), np.array(cart, np.int32), NOW)
        during = cache.of(visit, NOW)
        assert during.repeats is alone.repeats
        assert set(bundle.neighbour_rows[41].tolist()) <= {*during.neighbours.rows.tolist(), -1}
        assert not np.array_equal(during.neighbours.rows, alone.neighbours.rows)


def test_disliked_items_and_gifts_gain_nothing(bundle: Bundle) -> None:
    plain = BonusCache(bundle).neighbours(state(bundle, 3, 8)).neighbours
    one, other = (bundle.catalogue.items[row].item_id for row in plain.rows[:2].tolist())
    taste = Taste(less_items=frozenset({one}), gifts=frozenset({other}))
    gains = BonusCache(bundle).neighbours(state(bundle, 3, 8, taste=taste)).neighbours
    assert gains.rows.tolist() == plain.rows[2:].tolist()
    assert gains.scores.tolist() == plain.scores[2:].tolist()


def test_the_total_adds_both_parts(bundle: Bundle) -> None:
    bought = (3, int(bundle.neighbour_rows[3, 0]))  # the second gains both ways
    bonus = BonusCache(bundle).of(state(bundle, *bought), NOW)
    expected: dict[int, float] = {}
    for part in (bonus.repeats, bonus.neighbours):
        for row, score in zip(part.rows.tolist(), part.scores.tolist(), strict=True):
            expected[row] = expected.get(row, 0.0) + score
    assert len(expected) < len(bonus.repeats.rows) + len(bonus.neighbours.rows)
    assert bonus.total.rows.tolist() == sorted(expected)
    assert bonus.total.scores.tolist() == pytest.approx([expected[row] for row in sorted(expected)])
