"""The operator's file of placements: what it can say, and what it is told when it says something else."""

from collections import Counter
from pathlib import Path

import pytest

from recsvc.domain.query import NO_RULES, AttributeFilter, Boost, ItemFilter, Pin, Query, RepeatPolicy, Rules, Surface
from recsvc.domain.reason import Tone
from recsvc.domain.shop import Event, EventType
from recsvc.errors import InvalidRequest, SettingsError
from recsvc.pipeline.placements import Placements

HOME = """
segments = ["de", "at"]

[placements.home]
repeat_policy = "when_due"
max_per_brand = 3
pins = [{ item_id = "i00042", position = 1 }]
boosts = [{ categories = ["Camping > Tents"], min_price = 10, strength = 0.2 }]
buried = [{ attributes = { condition = ["used"] } }, { brands = ["Acme"] }]

[[placements.home.arms]]
name = "control"
share = 0.75

[[placements.home.arms]]
name = "diverse"
share = 0.25
diversity = 0.3
boosts = []
reasons = false

[placements.basket]
surface = "cart"
"""


def load(tmp_path: Path, text: str) -> Placements:
    file = tmp_path / "placements.toml"
    file.write_text(text)
    return Placements.load(file)


def user_of(placements: Placements, arm: str) -> str:
    return next(u for u in map(str, range(100)) if placements.applied(Query(u, 5, placement="home")).arm == arm)


def test_a_placement_says_what_its_lists_are(tmp_path):
    placements = load(tmp_path, HOME)
    control = placements.applied(Query(user_of(placements, "control"), 5, placement="home"))
    assert (control.surface, control.repeats, control.reasons) == (Surface.FOR_YOU, RepeatPolicy.WHEN_DUE, True)
    buried = (
        ItemFilter(attributes=frozenset({AttributeFilter("condition", frozenset({"used"}))})),
        ItemFilter(brands=frozenset({"Acme"})),
    )
    tents = Boost(ItemFilter(frozenset({("Camping", "Tents")}), min_price=10), 0.2)
    assert control.rules == Rules((tents,), buried, (Pin("i00042", 1),), max_per_brand=3)
    diverse = placements.applied(Query(user_of(placements, "diverse"), 5, placement="home"))
    assert diverse.rules == Rules((), buried, (Pin("i00042", 1),), max_per_brand=3, diversity=0.3)
    assert (diverse.repeats, diverse.reasons) == (RepeatPolicy.WHEN_DUE, False)
    basket = placements.applied(Query("u", 5, placement="basket"))
    assert (basket.surface, basket.rules, basket.arm) == (Surface.CART, NO_RULES, "control")
    assert placements.names == {("", ""), ("home", "control"), ("home", "diverse"), ("basket", "control")}


def test_what_the_caller_says_of_repeats_and_reasons_goes_first(tmp_path):
    placements = load(tmp_path, HOME)
    asked = Query(user_of(placements, "control"), 5, placement="home", repeats=RepeatPolicy.EXCLUDE, reasons=False)
    query = placements.applied(asked)
    assert (query.repeats, query.reasons) == (RepeatPolicy.EXCLUDE, False)


def test_a_placement_has_a_tone_and_the_callers_own_goes_first(tmp_path):
    arm = "[[placements.home.arms]]\nname = 'plain'\nshare = 1\ntone = 'neutral'"
    for text, tone in (("", Tone.NEUTRAL), ("tone = 'concise'", Tone.CONCISE), (f"tone = 'warm'\n{arm}", Tone.NEUTRAL)):
        placements = load(tmp_path, f"[placements.home]\n{text}")
        assert placements.applied(Query("u", 5, placement="home")).tone is tone
        assert placements.applied(Query("u", 5, placement="home", tone=Tone.WARM)).tone is Tone.WARM
        assert placements.applied(Query("u", 5)).tone is None


def test_arms_get_their_shares_and_users_keep_their_arm(tmp_path):
    placements = load(tmp_path, HOME)
    arms = [placements.applied(Query(f"u{n}", 5, placement="home")).arm for n in range(4_000)]
    assert Counter(arms)["diverse"] == pytest.approx(1_000, abs=120)  # four standard deviations
    assert arms == [placements.applied(Query(f"u{n}", 5, placement="home")).arm for n in range(4_000)]


def test_two_placements_split_users_independently(tmp_path):
    arms = "[[placements.{0}.arms]]\nname='a'\nshare=0.5\n[[placements.{0}.arms]]\nname='b'\nshare=0.5\n"
    placements = load(tmp_path, arms.format("one") + arms.format("two"))
    both = Counter(
        tuple(placements.applied(Query(f"u{n}", 5, placement=name)).arm for name in ("one", "two"))
        for n in range(4_000)
    )
    assert all(count == pytest.approx(1_000, abs=120) for count in both.values())
    assert len(both) == 4


def test_unknown_placements_and_segments_are_refused_and_events_are_not(tmp_path):
    placements = load(tmp_path, HOME)
    for query, field in (
        (Query("u", 5, placement="no"), "placement"),
        (Query("u", 5, segment="fr"), "context.segment"),
    ):
        with pytest.raises(InvalidRequest) as error:
            placements.applied(query)
        assert [violation.field for violation in error.value.violations] == [field]
    events = [Event(s, "u", "i", EventType.VIEW, 0, segment=s) for s in ("", "de", "made up")]
    assert [event.segment for event in placements.segmented(events)] == ["", "de", ""]


def test_without_a_file_there_are_none():
    placements = Placements.load(None)
    assert placements.applied(Query("u", 5)) == Query("u", 5)
    assert placements.names == {("", "")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = ", "cannot be read"),
        ("[placements.Home]", "placements.Home"),
        ("[placements.home]\nsurfaces = 'cart'", "placements.home.surfaces: Extra inputs"),
        ("[placements.home]\nsurface = 'shelf'", "placements.home.surface: Input should be 'for_you'"),
        ("[placements.home]\ntone = 'loud'", "placements.home.tone: Input should be 'neutral', 'warm' or 'concise'"),
        ("[placements.home]\ndiversity = 2", "placements.home.diversity: Input should be less than or equal to 1"),
        ("[placements.home]\nboosts = [{ strength = 0.5 }]", "it would mean every item"),
        ("[placements.home]\npins = [{ item_id = 'i', position = 0 }]", "placements.home.pins.0.position"),
        ("[[placements.home.arms]]\nname = 'a'\nshare = 0.5", "shares of the arms must add up to 1"),
        ("[[placements.h.arms]]\nname='a'\nshare=0.5\n[[placements.h.arms]]\nname='a'\nshare=0.5", "a name of its own"),
        ("segments = ['D E']", "segments.0"),
    ],
)
def test_what_is_wrong_with_the_file_is_said(tmp_path, text, message):
    with pytest.raises(SettingsError, match="placements") as error:
        load(tmp_path, text)
    assert message in str(error.value)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        Placements.load(tmp_path / "none.toml")
