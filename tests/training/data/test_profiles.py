"""The service embeds the text that training read, from the profile that a storefront sends."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from recsvc import wire
from recsvc.domain.shop import Profile
from recsvc.model.text_encoder import profile_text
from recsvc.wire import users as limits
from training.backfill import profile_request
from training.data import profiles
from training.data.profiles import profiles_of
from training.data.table_columns import ATTRIBUTE_LENGTH, ATTRIBUTES
from training.fitting.text_features import profile_texts

VALUES = st.one_of(
    st.none(),
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=40),
    st.integers(0, ATTRIBUTE_LENGTH).map(lambda n: "words " * (n // 6) + "w" * (n % 6)),
)
ROWS = st.lists(st.lists(VALUES, min_size=5, max_size=5), max_size=4)


def users(rows: list[list[str | None]], names: list[str]) -> pl.DataFrame:
    columns = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    return pl.DataFrame(
        {"user_id": [f"u{i}" for i in range(len(rows))], **columns},
        schema={"user_id": pl.String, **dict.fromkeys(names, pl.String)},
    )


def test_the_limits_of_profiles_are_those_of_the_contract():
    assert (profiles.VALUE_LENGTH, profiles.TEXT_LENGTH) == (limits.MAX_ATTRIBUTE_VALUE, limits.MAX_PROFILE_TEXT)
    assert ATTRIBUTES == limits.MAX_ATTRIBUTES


@given(ROWS)
def test_the_service_embeds_the_text_that_training_read(rows):
    frame = users(rows, ["about", "home_city", "age", "note", "more"])
    trained = profile_texts(frame)
    for user_id, profile in profiles_of(frame).items():
        sent_to, received = wire.decode_set_profile(profile_request(user_id, profile))
        assert (sent_to, profile_text(received)) == (user_id, trained.pop(user_id))
    assert not trained


def test_a_short_value_is_an_attribute_and_a_long_one_is_text():
    long = "w" * 257
    parsed = profiles_of(users([["tea", long], ["w" * 256, None], [None, " "]], ["likes", "home_town"]))
    assert parsed == {
        "u0": Profile(f"home town: {long}", (("likes", "tea"),)),
        "u1": Profile("", (("likes", "w" * 256),)),
    }


def test_free_text_is_cut_at_its_limit():
    parsed = profiles_of(users([["a" * 1_500, "b" * 1_500]], ["a", "b"]))
    assert parsed["u0"].text == f"a: {'a' * 1_500}. b: {'b' * 492}"
