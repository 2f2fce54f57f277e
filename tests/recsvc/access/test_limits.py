"""Limits of a caller: how many calls a second, and how many at the same time."""

import math
import threading

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from recsvc.access import limits
from recsvc.access.caller import Caller
from recsvc.access.limits import CallerLimits
from recsvc.access.scopes import Scope
from recsvc.errors import RateLimited


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def caller(name="shop", rate=None, concurrent=None):
    return Caller(name, frozenset(Scope), math.inf, rate, concurrent)


def test_a_caller_may_make_the_calls_of_one_second_at_once_and_then_one_at_a_time():
    clock = Clock()
    limit = CallerLimits(clock=clock)
    shop = caller(rate=4)
    for _ in range(4):
        limit.enter(shop)
    with pytest.raises(RateLimited) as caught:
        limit.enter(shop)
    assert (caught.value.cause, caught.value.retry_after_seconds) == ("rate", pytest.approx(0.25))
    clock.now += caught.value.retry_after_seconds
    limit.enter(shop)
    with pytest.raises(RateLimited):
        limit.enter(shop)


def test_a_rate_below_one_a_second_lets_one_call_through_at_a_time():
    clock = Clock()
    limit = CallerLimits(clock=clock)
    limit.enter(caller(rate=0.1))
    with pytest.raises(RateLimited) as caught:
        limit.enter(caller(rate=0.1))
    assert caught.value.retry_after_seconds == pytest.approx(10)


@settings(max_examples=40)
@given(st.floats(0.1, 50), st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_no_sequence_of_calls_gets_more_than_the_rate_and_one_second_of_it(rate, waits):
    clock = Clock()
    limit = CallerLimits(clock=clock)
    admitted = 0
    for wait in waits:
        clock.now += wait
        try:
            limit.enter(caller(rate=rate))
            admitted += 1
        except RateLimited as error:
            clock.now += error.retry_after_seconds
            limit.enter(caller(rate=rate))  # the time that a caller is told is enough
            admitted += 1
    assert admitted <= rate * (clock.now - 1000) + max(rate, 1) + 1e-6


def test_calls_at_the_same_time_are_counted_until_they_end():
    limit = CallerLimits()
    shop = caller(concurrent=2)
    first, second = limit.enter(shop), limit.enter(shop)
    assert first is not None
    assert second is not None
    with pytest.raises(RateLimited) as caught:
        limit.enter(shop)
    assert (caught.value.cause, caught.value.retry_after_seconds > 0) == ("concurrency", True)
    first()
    limit.enter(shop)


def test_callers_do_not_share_a_limit():
    limit = CallerLimits(concurrent=1)
    limit.enter(caller("a"))
    limit.enter(caller("b"))
    with pytest.raises(RateLimited):
        limit.enter(caller("a"))


def test_the_limit_of_a_caller_goes_before_the_one_of_all():
    limit = CallerLimits(requests_per_second=1, concurrent=1)
    generous = caller(rate=100, concurrent=100)
    for _ in range(50):
        limit.enter(generous)


def test_a_caller_without_limits_is_not_counted():
    assert CallerLimits().enter(caller()) is None


def test_a_refused_call_takes_no_part_of_the_rate():
    clock = Clock()
    limit = CallerLimits(clock=clock)
    shop = caller(rate=2, concurrent=1)
    leave = limit.enter(shop)
    for _ in range(5):
        with pytest.raises(RateLimited, match="1 calls of this key are running"):
            limit.enter(shop)
    assert leave is not None
    leave()
    assert limit.enter(shop) is not None


def test_any_number_of_callers_needs_no_more_memory_and_running_ones_are_kept(monkeypatch):
    monkeypatch.setattr(limits, "MAX_CALLERS", 5)
    limit = CallerLimits(concurrent=1)
    limit.enter(caller("running"))
    for number in range(100):
        leave = limit.enter(caller(str(number)))
        assert leave is not None
        leave()
    assert len(limit._uses) == 5  # noqa: SLF001 - memory has no other face
    with pytest.raises(RateLimited):
        limit.enter(caller("running"))


def test_threads_do_not_lose_count():
    limit = CallerLimits()
    shop = caller(concurrent=10)

    def calls():
        for _ in range(2_000):
            leave = limit.enter(shop)
            assert leave is not None
            leave()

    threads = [threading.Thread(target=calls) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    places = [limit.enter(shop) for _ in range(10)]
    assert len(places) == 10
