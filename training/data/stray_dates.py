"""Finds the events whose date is hardly right: a few, far away from all others, such as a test order or a wrong clock.

Training counts time from the newest event: the split, popularity, who bought lately. So a single event dated long after
the others would leave nothing to test on, and no popular item.
"""

import numpy as np
import polars as pl

from recsvc.domain.arrays import MICROSECONDS_A_DAY

# At one end, this share of all events may be stray, or these few events of a small shop, as far as they are one in ten.
MAX_SHARE, MAX_EVENTS, MAX_SMALL_SHARE = 0.01, 3, 0.1
MIN_EVENTS = 10  # with fewer, nobody can say which date is the wrong one
MIN_SILENCE_DAYS = 30  # without any event, between stray events and the others
# The silence is also this many times as long as the median time between events: in a shop that sells one thing a month,
# two months are no silence.
MIN_SILENCE_GAPS = 10


def regular_range(times: pl.Series) -> tuple[int, int]:
    """The range of the events that are not stray.

    Args:
        times: Datetime('us', 'UTC') of all events, ascending.

    Returns:
        How many stray events come first, and the index after the last regular event.
    """
    n = times.len()
    if n < MIN_EVENTS:
        return 0, n
    days = np.diff(times.to_physical().to_numpy()) / MICROSECONDS_A_DAY  # before the second event, the third, ...
    usual = float(np.median(days[days > 0])) if (days > 0).any() else 0.0
    silence = max(MIN_SILENCE_DAYS, MIN_SILENCE_GAPS * usual)
    allowed = int(max(MAX_SHARE * n, min(MAX_EVENTS, MAX_SMALL_SHARE * n)))
    after_silence = np.flatnonzero(days > silence) + 1  # each is the first event after a silence
    start = after_silence[after_silence <= allowed].max(initial=0)
    end = after_silence[after_silence >= n - allowed].min(initial=n)
    return int(start), int(end)


def without_late_dates(events: pl.DataFrame) -> pl.DataFrame:
    """The events without those dated long after all others. Those dated long before change no count of time."""
    return events.head(regular_range(events["timestamp"])[1])


def count_stray_dates(times: pl.Series) -> list[str]:
    """One line for stray events at each end. times: as `regular_range` takes them."""
    start, end = regular_range(times)
    lines = []
    if start:
        lines.append(f"events dated long before all others, kept: {start:,} of {times.len():,} ({times[0]:%Y-%m-%d})")
    if late := times.len() - end:
        lines.append(
            f"events dated long after all others, left out of training: {late:,} of {times.len():,} "
            f"({times[end]:%Y-%m-%d}; the others end on {times[end - 1]:%Y-%m-%d})"
        )
    return lines
