"""Events dated far from all others: found at both ends, and left out of training where they would count as now."""

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from tests.training.data.shop_files import write
from training.config import TrainConfig
from training.data.shop import read_shop
from training.data.stray_dates import regular_range
from training.fitting.experiment import prepare
from training.fitting.popularity import decayed_popularity, newness, recent_buyers
from training.fitting.stages import Stages

DAY = dt.timedelta(days=1)
START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
DAILY = [START + DAY * number / 3 for number in range(360)]  # 120 days


def ranges(*times: dt.datetime) -> tuple[int, int]:
    """How many events are stray at the beginning and at the end."""
    start, end = regular_range(pl.Series(sorted(times), dtype=pl.Datetime("us", "UTC")))
    return start, len(times) - end


@pytest.mark.parametrize(
    ("others", "stray"),
    [
        ([], (0, 0)),
        ([DAILY[-1] + 41 * DAY], (0, 1)),
        ([DAILY[-1] + 29 * DAY], (0, 0)),
        ([dt.datetime(1999, 12, 31, tzinfo=dt.UTC)], (1, 0)),
        ([START - 100 * DAY, DAILY[-1] + 100 * DAY], (1, 1)),
        # Several, together and apart: as long as they are at most 1 in 100.
        ([DAILY[-1] + 400 * DAY] * 3, (0, 3)),
        ([DAILY[-1] + 400 * DAY, DAILY[-1] + 600 * DAY, DAILY[-1] + 800 * DAY], (0, 3)),
        ([DAILY[-1] + 400 * DAY] * 4, (0, 0)),
        ([DAILY[-1] + 400 * DAY] * 3 + [DAILY[-1] + 600 * DAY], (0, 1)),
    ],
)
def test_a_few_events_after_a_silence_are_stray_and_more_are_not(others, stray):
    assert ranges(*DAILY, *others) == stray


@pytest.mark.parametrize(("others", "stray"), [(1, 1), (3, 3), (4, 0)])
def test_of_few_events_three_are_stray_if_they_are_one_in_ten(others, stray):
    assert ranges(*DAILY[:30], *[DAILY[30] + 100 * DAY] * others) == (0, stray)
    assert ranges(*DAILY[:9], *[DAILY[30] + 100 * DAY] * others) == (0, 1 if others == 1 else 0)


def test_a_shop_that_sells_once_a_month_has_no_silence_of_two_months():
    monthly = [START + 30 * DAY * number for number in range(24)]
    assert ranges(*monthly, monthly[-1] + 60 * DAY) == (0, 0)
    assert ranges(*monthly, monthly[-1] + 600 * DAY) == (0, 1)


@pytest.mark.parametrize("times", [[], [START], [START, START + 900 * DAY], [START] * 12])
def test_no_event_of_a_few_or_of_one_time_is_stray(times):
    assert ranges(*times) == (0, 0)


@pytest.fixture
def shops(tmp_path: Path) -> list[Path]:
    """The same shop with and without a purchase of 2026."""
    events = [{"user_id": f"u{n % 40}", "item_id": f"i{n % 30}", "timestamp": t} for n, t in enumerate(DAILY)]
    stray = {"user_id": "passer-by", "item_id": "i0", "timestamp": dt.datetime(2026, 11, 1, tzinfo=dt.UTC)}
    items = {"item_id": [f"i{n}" for n in range(30)], "title": [f"Tea number {n}" for n in range(30)]}
    return [
        write(
            tmp_path / str(len(rows)),
            "parquet",
            {
                "events": {k: [r[k] for r in rows] for k in stray} | {"event_type": ["purchase"] * len(rows)},
                "items": items,
            },
        )
        for rows in (events, [*events, stray])
    ]


@pytest.mark.parametrize("protocol", ["time-split", "leave-one-out"])
def test_a_stray_purchase_changes_neither_the_split_nor_what_sells_now(shops, tmp_path, protocol):
    config = TrainConfig(protocol=protocol, text_encoder="embedded")
    plain, with_stray = (prepare(shop, config, Stages(tmp_path / "stages")) for shop in shops)
    assert with_stray.shop.events.equals(plain.shop.events)
    assert with_stray.split.test.time == plain.split.test.time
    assert len(with_stray.split.validation) == len(plain.split.validation) > 10
    for measure in (decayed_popularity, newness, recent_buyers):
        assert (measure(with_stray.interactions, 30) == measure(plain.interactions, 30)).all()
    assert (decayed_popularity(with_stray.interactions, 30) > 0.01).all()


def test_stray_events_are_counted_with_their_dates(shops):
    (note,) = read_shop(shops[1]).notes
    assert note == (
        "events dated long after all others, left out of training: 1 of 361 (2026-11-01; the others end on 2024-04-29)"
    )
    assert read_shop(shops[1]).events.height == 361  # backfill sends all of them
