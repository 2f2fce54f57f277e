"""The cheap rows of the table of faults, for seconds."""

import json
from pathlib import Path

from tests.faults import bundle_spoilt, careless_clients, redis_killed


def test_no_acknowledged_event_is_lost_when_redis_is_killed_twice(small_bundle: Path) -> None:
    figures = redis_killed.measure(
        small_bundle, kills=2, events=1_500, batch=10, period_seconds=0.6, away_seconds=0.2, lists_per_second=20.0
    )
    assert not redis_killed.ROW.misses(figures), json.dumps(figures, indent=1)


def test_careless_clients_do_not_keep_others_from_their_lists(small_bundle: Path) -> None:
    figures = careless_clients.measure(small_bundle, times=20, lists_per_second=40.0)
    assert not careless_clients.ROW.misses(figures), json.dumps(figures, indent=1)


def test_a_spoilt_bundle_is_refused_and_the_others_are_listed(small_bundle: Path) -> None:
    figures = bundle_spoilt.measure(small_bundle, field_stride=40)
    assert not bundle_spoilt.ROW.misses(figures), json.dumps(figures, indent=1)
