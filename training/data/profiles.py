"""Turns rows of the users table into profiles, as the service gets them.

Training reads the words of the same `Profile` that `training.backfill` sends, so the towers learn from the text that
the service embeds.
"""

import polars as pl

from recsvc.domain.shop import Profile

# The contract's limits, in characters. See protos/recsvc/v1/users.proto.
VALUE_LENGTH = 256  # of the value of an attribute
TEXT_LENGTH = 2_000  # of the free text


def profiles_of(users: pl.DataFrame) -> dict[str, Profile]:
    """The profiles by user_id, in the order of the table. A user whose columns are all empty is left out.

    A column is an attribute. A value that is too long for an attribute goes into the free text under the name of its
    column. The free text is cut at its limit.
    """
    names = [name for name in users.columns if name != "user_id"]
    profiles = {}
    for row in users.iter_rows(named=True):
        filled = [(name, str(row[name])) for name in names if row[name] is not None and str(row[name]).strip()]
        free = [f"{name.replace('_', ' ')}: {value}" for name, value in filled if len(value) > VALUE_LENGTH]
        attributes = tuple((name, value) for name, value in filled if len(value) <= VALUE_LENGTH)
        if filled:
            profiles[row["user_id"]] = Profile(". ".join(free)[:TEXT_LENGTH], attributes)
    return profiles
