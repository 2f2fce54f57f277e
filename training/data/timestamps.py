"""ISO 8601 text as instants, a whole column at a time."""

import re

import polars as pl

# What table tools write: a date; with a time, to the minute or finer; with an offset from UTC. Week dates and the like
# are refused rather than guessed at.
ISO_8601 = (
    r"^(?<date>\d{4}-\d{2}-\d{2})"
    r"(?:[T ](?<minute>\d{2}:\d{2})(?::(?<second>\d{2}(?:\.\d{1,9})?))? ?(?<zone>Z|[+-]\d{2}(?::?\d{2})?)?)?$"
)
OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})?")
FARTHEST_OFFSET = 14 * 60  # minutes; no place on earth is farther from UTC


def parse_iso(text: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Parses a column of strings.

    Returns the instants, Datetime('us', 'UTC'), null where the text is no timestamp; and the offsets from UTC in
    minutes, Int32, null where the text names none. A time without an offset is taken for UTC.
    """
    parts = text.str.extract_groups(ISO_8601).struct.unnest()
    named = {zone: minutes for zone in parts["zone"].drop_nulls().unique() if (minutes := _minutes(zone)) is not None}
    offsets = parts["zone"].replace_strict(named, default=None, return_dtype=pl.Int32)
    instants = (
        parts.with_columns(offset=offsets.fill_null(0))
        .select(
            pl.format("{} {}:{}", "date", pl.col("minute").fill_null("00:00"), pl.col("second").fill_null("00"))
            .str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
            .dt.replace_time_zone("UTC")
            - pl.duration(minutes="offset")
        )
        .to_series()
    )
    impossible = parts["zone"].is_not_null() & offsets.is_null()
    instants = instants.zip_with(~impossible, pl.Series([None], dtype=instants.dtype))
    return instants.alias(text.name), offsets.alias("offset")


def _minutes(zone: str) -> int | None:
    """'Z' is 0, '+05:30' is 330; None for an offset that is nowhere in use."""
    if zone == "Z":
        return 0
    if (match := OFFSET.fullmatch(zone)) is None:
        return None
    hours, minutes = int(match[2]), int(match[3] or 0)
    total = 60 * hours + minutes
    return None if minutes > 59 or total > FARTHEST_OFFSET else total * (-1 if match[1] == "-" else 1)
