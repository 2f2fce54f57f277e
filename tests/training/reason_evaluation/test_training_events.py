"""The events that a bundle learned from, on a shop worked out by hand."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from training.reason_evaluation.training_events import learned_events

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Trained:
    """Stands for a bundle, of which only the provenance is read."""

    protocol: str
    refit: str = "validation"
    until: int = 100
    provenance: dict = field(init=False)

    def __post_init__(self) -> None:
        until = (START + timedelta(days=self.until)).isoformat()
        self.provenance = {
            "data": {"learned_until": until},
            "training": {"protocol": self.protocol, "refit": self.refit},
        }


def shop(*events: tuple[str, str, int]) -> pl.DataFrame:
    rows = [
        {
            "user_id": user,
            "item_id": f"i{day}",
            "event_type": kind,
            "timestamp": START + timedelta(days=day),
            "day": day,
        }
        for user, kind, day in events
    ]
    return pl.DataFrame(rows)


EVENTS = shop(
    *(("ann", "purchase", day) for day in (1, 2, 3, 4)),
    ("ann", "view", 3),
    ("ann", "view", 5),
    ("bob", "purchase", 1),
    ("bob", "purchase", 6),
)


@pytest.mark.parametrize(
    ("bundle", "ann", "bob"),
    [
        (Trained("time-split", until=3), [1, 2, 3, 3], [1]),
        (Trained("time-split", refit="all"), [1, 2, 3, 3, 4, 5], [1, 6]),
        (Trained("leave-one-out"), [1, 2, 3, 3], [1, 6]),
        (Trained("leave-one-out", refit="none"), [1, 2], [1, 6]),
        (Trained("leave-one-out", refit="all"), [1, 2, 3, 3, 4, 5], [1, 6]),
    ],
)
def test_learned_events_leave_out_what_was_held_out(bundle, ann, bob):
    learned = learned_events(EVENTS, bundle)
    assert learned.filter(pl.col("user_id") == "ann")["day"].to_list() == ann
    assert learned.filter(pl.col("user_id") == "bob")["day"].to_list() == bob


def test_held_out_purchases_are_those_that_were_kept():
    sent_back = shop(("ann", "return", 5)).with_columns(item_id=pl.lit("i4"))
    returned = pl.concat((EVENTS, sent_back))
    learned = learned_events(returned, Trained("leave-one-out"))
    assert learned.filter(pl.col("user_id") == "ann")["day"].to_list() == [1, 2]
