"""Parses ISO 8601 text, a column at a time."""

import re

import polars as pl

# The forms that table tools write: a date, perhaps with a time to the minute or finer, perhaps with an offset from UTC.
# Other forms of the standard, such as week dates, are refused.
ISO_8601 = (
    r"^(?<date>\d{4}-\d{2}-\d{2})"
    r"(?:[T ](?<minute>\d{2}:\d{2})(?::(?<second>\d{2}(?:\.\d{1,9})?))? ?(?<zone>Z|[+-]\d{2}(?::?\d{2})?)?)?$"
)
OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})?")
MAX_OFFSET_MINUTES = 14 * 60  # no place on earth is farther from UTC
MINUTES_AN_HOUR = 60


def parse_iso(text: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Parses a column of strings.

    A time without an offset is read as UTC.

    Returns:
        The times, Datetime('us', 'UTC'), null where the text is not a timestamp; and the offsets from UTC in minutes,
        Int32, null where the text names none.
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
    """'Z' is 0, '+05:30' is 330; None for an offset that no place uses."""
    if zone == "Z":
        return 0
    if (match := OFFSET.fullmatch(zone)) is None:
        return None
    hours, minutes = int(match[2]), int(match[3] or 0)
    total = MINUTES_AN_HOUR * hours + minutes
    if minutes >= MINUTES_AN_HOUR or total > MAX_OFFSET_MINUTES:
        return None
    return -total if match[1] == "-" else total
