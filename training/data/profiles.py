"""A row of the users table as the profile that the service is told.

Training reads the words of the very same `Profile` that `training.backfill` sends, so what the towers learned from is
what the service embeds.
"""

import polars as pl

from recsvc.domain.shop import Profile

# The contract's limits, in characters: of an attribute's value, and of the free text. See protos/recsvc/v1/users.proto.
VALUE_LENGTH = 256
TEXT_LENGTH = 2_000


def profiles_of(users: pl.DataFrame) -> dict[str, Profile]:
    """Each user's profile by user_id, in the table's order; a user without a word in any column is left out.

    A column is an attribute. A value that is too long for one goes into the free text under its column's name, and
    what is too long for the text as well is cut off.
    """
    names = [name for name in users.columns if name != "user_id"]
    profiles = {}
    for row in users.iter_rows(named=True):
        told = [(name, str(row[name])) for name in names if row[name] is not None and str(row[name]).strip()]
        free = [f"{name.replace('_', ' ')}: {value}" for name, value in told if len(value) > VALUE_LENGTH]
        attributes = tuple((name, value) for name, value in told if len(value) <= VALUE_LENGTH)
        if told:
            profiles[row["user_id"]] = Profile(". ".join(free)[:TEXT_LENGTH], attributes)
    return profiles
