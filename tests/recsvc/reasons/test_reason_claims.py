"""Which claim a fact permits: its form, its values, and when there is none."""

import dataclasses

import pytest

from recsvc.domain.reason import Evidence, EvidenceKind, Strength
from recsvc.domain.shop import Item
from recsvc.errors import ReasonRejected
from recsvc.reasons import ReasonWriter
from recsvc.reasons.claim import permitted_claim
from recsvc.reasons.grammar.pattern import Form
from tests.recsvc.reasons.reason_samples import MUG, TRAY, evidence_for

K, S = EvidenceKind, Strength
WRITER = ReasonWriter()  # loading the phrase banks takes a while


@pytest.mark.parametrize(
    ("evidence", "rule"),
    [
        (evidence_for(K.HISTORY_ITEM, S.NEUTRAL), "strength"),
        (Evidence(K.HISTORY_ITEM, S.CAUSAL, effect=0.0, anchor=TRAY), "evidence"),
        (Evidence(K.HISTORY_ITEM, S.CAUSAL, effect=-0.1, anchor=TRAY), "evidence"),
        (Evidence(K.HISTORY_ITEM, S.CAUSAL, effect=float("nan"), anchor=TRAY), "evidence"),
        (Evidence(K.HISTORY_ITEM, S.CAUSAL, effect=0.1), "evidence"),
        (Evidence(K.SIMILAR_ITEM, S.RELATIONAL, anchor=MUG), "evidence"),  # the item itself
        (Evidence(K.REPEAT_PURCHASE, S.CAUSAL, count=0), "evidence"),
        (Evidence(K.BRAND, S.RELATIONAL, value="Grove", count=5), "evidence"),  # another item's brand
        (Evidence(K.HISTORY_ITEM, S.RELATIONAL, effect=0.1, anchor=TRAY), "strength"),
        (Evidence(K.HISTORY_ITEM, S.CAUSAL, effect=0.1, anchor=Item("x", "$$$")), "name"),
        (Evidence(K.BRAND, S.RELATIONAL, value="", count=5), "evidence"),
        (Evidence(K.BRAND, S.RELATIONAL, value=MUG.brand, count=1), "evidence"),
        (Evidence(K.CATEGORY, S.RELATIONAL, value="Trays", count=5), "evidence"),
        (Evidence(K.PROFILE, S.NEUTRAL, effect=0.0, value="hiking"), "evidence"),
        (Evidence(K.PROFILE, S.NEUTRAL, effect=0.1), "name"),
        (Evidence(K.POPULARITY, S.NEUTRAL, count=9, days=30), "evidence"),
        (Evidence(K.POPULARITY, S.NEUTRAL, count=50, days=0), "evidence"),
    ],
)
def test_insufficient_evidence_is_rejected(evidence, rule):
    with pytest.raises(ReasonRejected) as rejected:
        permitted_claim(evidence, MUG, "en")
    assert rejected.value.rule == rule
    assert ReasonWriter().write_page([(MUG, (evidence,))], "en", 1) == [None]


def test_brand_without_a_clean_name_is_skipped():
    item = dataclasses.replace(MUG, brand="Unknown")
    assert ReasonWriter().write_page([(item, (evidence_for(K.BRAND, S.RELATIONAL, item=item),))], "en", 1) == [None]


def test_long_number_is_grouped_only_in_english():
    evidence = Evidence(K.POPULARITY, S.NEUTRAL, count=1312, days=30)
    writer = ReasonWriter()
    assert "1,312 " in writer.write_page([(MUG, (evidence,))], "en", 1)[0].text
    assert "1312" in writer.write_page([(MUG, (evidence,))], "zh", 1)[0].text


def test_two_times_is_the_word_twice():
    evidence = Evidence(K.REPEAT_PURCHASE, S.CONTRIBUTORY, count=2)
    writer = ReasonWriter()
    for seed in range(10):
        assert " twice" in writer.write_page([(MUG, (evidence,))], "en", seed)[0].text
        assert "两次" in writer.write_page([(MUG, (evidence,))], "zh", seed)[0].text


def profile(value, name="Interests", **fields):
    return Evidence(K.PROFILE, S.CONTRIBUTORY, effect=0.1, share=0.2, value=value, name=name, **fields)


@pytest.mark.parametrize(
    ("value", "name", "language", "form", "shown"),
    [
        ("baking bread", "Interests", "en", Form.LIKES, "baking bread"),
        ("Board Games", "hobbies", "en", Form.LIKES, "board games"),
        ("coffee", "LIKES", "en", Form.LIKES, "coffee"),
        ("烘焙", "爱好", "zh", Form.LIKES, "烘焙"),
        ("tea towel", "likes", "en", Form.MENTIONED, "“tea towel”"),  # "You like tea towel" is no English
        ("baking bread", "爱好", "zh", Form.MENTIONED, "“baking bread”"),
        ("night shifts", "About me", "en", Form.MENTIONED, "“night shifts”"),
    ],
)
def test_profile_claim_states_a_liking_or_quotes_the_phrase(value, name, language, form, shown):
    claim = permitted_claim(profile(value, name), MUG, language)
    assert (claim.form, claim.slots) == (form, (("value", shown),))


@pytest.mark.parametrize("value", ["每周四和朋友一起编织聊天", "mends old bikes", "belt"])
@pytest.mark.parametrize("name", ["about", ""])
def test_phrase_of_an_attribute_that_names_no_liking_is_quoted_only_if_it_reads_well(value, name):
    assert WRITER.write_page([(MUG, (profile(value, name),))], "en", 0) == [None]


@pytest.mark.parametrize(
    "value",
    [
        "Diabetes",
        "no meat",
        "hates baking bread",
        "alert(1)",
        "50 off",
        "best",
        "",
        "a long phrase of five words",
        "x" * 25,
        "tea, coffee",
        "{item}",
        "!!",
    ],
)
def test_unfit_phrase_of_the_profile_gives_no_reason(value):
    assert WRITER.write_page([(MUG, (profile(value),))], "en", 0) == [None]


def test_private_attribute_of_the_profile_gives_no_reason():
    assert WRITER.write_page([(MUG, (profile("reading", "religion"),))], "en", 0) == [None]


@pytest.mark.parametrize(
    ("name", "language", "form", "shown"),
    [
        ("Mugs", "en", Form.PLAIN, "mugs"),
        ("Nail Polish", "en", Form.PLAIN, "nail polish"),
        ("Food for Cats", "en", Form.PLAIN, "food for cats"),
        ("Garden furniture", "en", Form.PLAIN, "garden furniture"),
        ("iPhone Cases", "en", Form.PLAIN, "iPhone Cases"),
        ("Knives", "en", Form.PLAIN, "knives"),
        ("Kitchen & Dining", "en", Form.DEPARTMENT, "Kitchen & Dining"),
        ("Shoes and Boots", "en", Form.DEPARTMENT, "Shoes and Boots"),
        ("Kitchen", "en", Form.DEPARTMENT, "Kitchen"),
        ("Electronics", "en", Form.DEPARTMENT, "Electronics"),
        ("Women's", "en", Form.DEPARTMENT, "Women's"),
        ("Glass", "en", Form.DEPARTMENT, "Glass"),
        ("杯子", "zh", Form.PLAIN, "杯子"),
        ("美妆个护", "zh", Form.DEPARTMENT, "美妆个护"),
        ("家居与厨房", "zh", Form.DEPARTMENT, "家居与厨房"),
    ],
)
def test_category_is_a_word_for_things_or_a_department(name, language, form, shown):
    item = dataclasses.replace(MUG, categories=("Shop", name))
    claim = permitted_claim(Evidence(K.CATEGORY, S.RELATIONAL, value=name, count=5), item, language)
    assert (claim.form, dict(claim.slots)["value"]) == (form, shown)


@pytest.mark.parametrize(("name", "language"), [("Mugs", "zh"), ("杯子", "en"), ("Nail Polish", "zh")])
def test_category_or_attribute_in_another_language_gives_no_reason(name, language):
    item = dataclasses.replace(MUG, categories=("Shop", name), attributes=(("colour", name),))
    for kind in (K.CATEGORY, K.ATTRIBUTE):
        evidence = Evidence(kind, S.RELATIONAL, name="colour", value=name, count=5)
        assert WRITER.write_page([(item, (evidence,))], language, 0) == [None]
