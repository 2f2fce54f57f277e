"""The cheapest row of the table of faults, for seconds."""

import json
from pathlib import Path

from tests.faults import redis_killed


def test_no_acknowledged_event_is_lost_when_redis_is_killed_twice(small_bundle: Path) -> None:
    figures = redis_killed.measure(
        small_bundle, kills=2, events=1_500, batch=10, period_seconds=0.6, away_seconds=0.2, lists_per_second=20.0
    )
    assert not redis_killed.ROW.misses(figures), json.dumps(figures, indent=1)
