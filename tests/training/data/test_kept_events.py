"""Training, backfill and the service keep the same events of a user."""

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.history_rooms import ROOM_OF
from recsvc.store.history import Entry, merge
from training.data.interactions import Interactions, kept_events

user_events = st.lists(st.sampled_from(list(ROOM_OF)), min_size=1, max_size=40)


@given(st.lists(user_events, min_size=1, max_size=3), st.integers(1, 6))
def test_training_and_backfill_keep_the_events_that_the_service_keeps(users, limit):
    lines = [(f"u{user}", n, event_type) for user, types in enumerate(users) for n, event_type in enumerate(types)]
    interactions = Interactions(
        user_ids=np.array([f"u{user}" for user in range(len(users))], object),
        n_items=max(map(len, users)),
        offsets=np.cumsum([0, *map(len, users)]),
        rows=np.array([n for _, n, _ in lines], np.int32),
        timestamps=np.array([n for _, n, _ in lines], np.int64),
        event_types=np.array([event_type for *_, event_type in lines], np.int8),
        quantities=np.ones(len(lines), np.float32),
    )
    names = [(user_id, n, event_type.name.lower()) for user_id, n, event_type in lines]
    backfilled = kept_events(pl.DataFrame(names, ["user_id", "n", "event_type"], orient="row"), limit)
    for user, types in enumerate(users):
        served: list[Entry] = []
        for n, event_type in enumerate(types):
            served = merge(served, [Entry(n << 16, n, event_type, 1.0, "tea")], limit)
        expected = [entry.timestamp for entry in served]
        assert interactions.history(user, limit).rows.tolist() == expected
        assert backfilled.filter(pl.col("user_id") == f"u{user}")["n"].to_list() == expected
