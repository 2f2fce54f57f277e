"""Drafts of copy state what is true of the item and nothing else, whatever the seller wrote."""

import re
from dataclasses import replace

import pytest

from recsvc.domain.reason import LANGUAGES, Evidence, EvidenceKind, Strength
from recsvc.domain.shop import Item
from recsvc.errors import ReasonRejected
from recsvc.reasons import ContentWriter, PatternPool, PatternRequest, copy_claim, is_sensitive, recipes
from recsvc.reasons.copy_claim import copy_name, is_size
from recsvc.reasons.grammar.pattern import Form
from recsvc.reasons.seller_text.word_lists import forbidden_terms
from recsvc.reasons.verifier import check_text
from tests.recsvc.reasons.copy_samples import CHINESE, ENGLISH, ITEMS, audience, facts_of
from tests.recsvc.reasons.reason_samples import sentence_beside_the_bank
from tests.recsvc.reasons.test_reason_mutations import INJECTED
from tests.recsvc.reasons.test_reason_truth import NASTY

K, N = EvidenceKind, Strength.NEUTRAL
WRITER = ContentWriter()


def drafts(recipe_id, item, language, facts=None, n=3):
    return WRITER.drafts(recipes()[recipe_id], item, facts if facts is not None else facts_of(item), language, 0, n)


def claims(draft, item, recipe):
    forms = [Form.NAMED if len(part.evidence) > 1 else Form.PLAIN for part in draft.parts]
    return [
        (part.text, copy_claim(part.evidence[0], item, draft.language, recipe, form))
        for part, form in zip(draft.parts, forms, strict=True)
    ]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("recipe", recipes().values(), ids=recipes())
def test_every_draft_states_true_facts_only(recipe, language):
    for item in [item for items in ITEMS.values() for item in items]:
        facts = facts_of(item)
        written = drafts(recipe.id, item, language)
        assert written, item
        assert len({draft.text for draft in written}) == len(written)
        for draft in written:
            assert draft.human_review
            assert draft.language == language
            assert (draft.provenance.recipe, draft.provenance.verified) == (recipe.id, True)
            assert draft.text == recipe.wording(language).part_separator.join(part.text for part in draft.parts)
            stated = [fact for part in draft.parts for fact in part.evidence]
            assert set(stated) <= set(facts)
            for part in draft.parts:
                assert len(part.evidence) >= 1
                for fact in part.evidence:
                    if fact.kind is K.ATTRIBUTE:
                        assert fact.value.lower() in part.text.lower()
                    elif fact.kind in (K.BRAND, K.CATEGORY):
                        assert fact.value in part.text
                    elif fact.kind is K.POPULARITY:
                        assert re.findall(r"\d+", part.text) in (["312", "28"], ["28", "312"])
            outside = draft.text
            for text in (
                item.title,
                copy_name(item.title, 60, as_title=False),
                copy_name(item.title, 80, as_title=True),
                item.brand,
            ):
                outside = outside.replace(text, "") if text else outside
            assert set(re.findall(r"\d+", outside)) <= {"312", "28"}
            # The whole is plain text, with the capitals and stops that the recipe wants.
            assert check_text(claims(draft, item, recipe), recipe, language) == draft.text


def test_title_states_each_value_once():
    """A brand or colour that is part of the name is not stated beside it."""
    for item in ITEMS["en"]:
        for draft in drafts("title.v1", item, "en", n=6):
            for value in (item.brand, *(value for _, value in item.attributes)):
                assert draft.text.lower().count(value.lower()) <= 1 or not value, draft.text
    for draft in drafts("title.v1", ITEMS["zh"][0], "zh", n=6):
        assert draft.text.startswith("炙坊 小院系列 木炭烧烤炉 5升")


@pytest.mark.parametrize(("language", "item"), [("en", ITEMS["en"][1]), ("zh", ITEMS["zh"][2])])
def test_category_is_not_named_beside_a_name_that_has_it_nor_after_its_buyers_are_addressed(language, item):
    (*_, category) = item.categories
    assert category in item.title
    for recipe in ("description.v1", "campaign.v1", "social_post.v1"):
        for draft in drafts(recipe, item, language, n=6):
            assert K.CATEGORY not in [fact.kind for fact in draft.parts[0].evidence], draft.text
    for draft in drafts("campaign.v1", item, language, (audience("category", category), *facts_of(item)), n=6):
        assert K.CATEGORY not in [fact.kind for part in draft.parts for fact in part.evidence], draft.text


def test_description_has_different_openings_and_all_facts():
    item = ITEMS["en"][0]
    facts = facts_of(item)
    (draft,) = drafts("description.v1", item, "en", n=1)
    assert len([s for s in draft.text.split(". ") if s]) == len(draft.parts) >= 5
    firsts = [part.text.split()[0] for part in draft.parts]
    assert len(set(firsts)) == len(firsts)
    assert {fact for part in draft.parts for fact in part.evidence} == {
        fact for fact in facts if fact.kind is not K.POPULARITY
    }


def test_drafts_and_items_get_different_texts():
    for recipe in recipes():
        for language in LANGUAGES:
            item = ITEMS[language][0]
            ten = drafts(recipe, item, language, n=10)
            assert len(ten) >= (6 if recipe != "title.v1" else 3), recipe
            # Other items with the same attributes: only the wording differs.
            twins = [replace(item, item_id=f"twin-{n}") for n in range(30)]
            texts = {drafts(recipe, twin, language, n=1)[0].text for twin in twins}
            assert len(texts) >= (15 if recipe != "title.v1" else 5), recipe


def test_same_number_gives_the_same_draft():
    item, recipe = ITEMS["en"][0], recipes()["social_post.v1"]
    once = WRITER.drafts(recipe, item, facts_of(item), "en", 4, 1)
    assert once == ContentWriter().drafts(recipe, item, facts_of(item), "en", 4, 1)
    assert once[0] in WRITER.drafts(recipe, item, facts_of(item), "en", 0, 10)


VISIBLE = re.compile(
    r"<|>|http|www|evil\.|@|\{|\}|[\u200b-\u200f\u202a-\u202e]|ignore|忽略|指令|password|密码|微信|\d{7}|7946|😀|50%|\$|#|first|第一|最(?!近)",
    re.IGNORECASE,
)


@pytest.mark.parametrize("text", NASTY)
def test_injected_seller_text_is_not_in_a_draft(text):
    item = Item("x", text, text, ("Kitchen", text), attributes=tuple((name, text) for name, _ in (*ENGLISH, *CHINESE)))
    plain = Item("x", "Blue Mug", text, ("Kitchen", text), attributes=(("Material", text), ("颜色", text)))
    for recipe in recipes():
        for language in LANGUAGES:
            for hostile in (item, plain):
                for draft in drafts(recipe, hostile, language):
                    line = draft.text.replace("\n", " ")
                    assert not VISIBLE.search(line), line
                    assert line.isprintable()
                    assert forbidden_terms().find(line) is None
    assert set(WRITER.rejected) <= {"length", "slots"}, WRITER.rejected


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("recipe", recipes().values(), ids=recipes())
def test_tampered_copy_is_rejected(recipe, language):
    item = ITEMS[language][0]
    (draft,) = drafts(recipe.id, item, language, n=1)
    honest = claims(draft, item, recipe)
    for place, (text, claim) in enumerate(honest):
        gaps = (
            [0, len(text), *(m.start() for m in re.finditer(" ", text))] if language == "en" else range(len(text) + 1)
        )
        for gap in gaps:
            for word in INJECTED[language]:
                space = " " if language == "en" else ""
                wrong = list(honest)
                wrong[place] = (f"{text[:gap]}{space}{word}{space}{text[gap:]}".strip(), claim)
                with pytest.raises(ReasonRejected):
                    check_text(wrong, recipe, language)
    with pytest.raises(ReasonRejected, match=r"repetition|length"):
        check_text([*honest, honest[-1]], recipe, language)


def test_part_of_another_recipe_or_language_is_rejected():
    item = ITEMS["en"][0]
    (draft,) = drafts("description.v1", item, "en", n=1)
    claimed = claims(draft, item, recipes()["description.v1"])
    with pytest.raises(ReasonRejected, match="recipe"):
        check_text(claimed, recipes()["campaign.v1"], "en")
    with pytest.raises(ReasonRejected, match="recipe"):
        check_text(claimed, recipes()["description.v1"], "zh")


@pytest.mark.parametrize(
    "fact",
    [
        Evidence(K.BRAND, N, value="Grove"),
        Evidence(K.CATEGORY, N, value="Garden"),
        Evidence(K.ATTRIBUTE, N, name="Material", value="Marble"),
        Evidence(K.ATTRIBUTE, N, name="Weight", value="Heavy"),
        Evidence(K.NAME, N, value="Another Name"),
        Evidence(K.POPULARITY, N, count=9, days=28),
        Evidence(K.POPULARITY, N, count=90, days=1),
        Evidence(K.BRAND, Strength.RELATIONAL, value="Potterhill", count=7),
        Evidence(K.HISTORY_ITEM, N, anchor=ITEMS["en"][1], effect=1.0),
        Evidence(K.REPEAT_PURCHASE, N, count=3),
        Evidence(K.PROFILE, N, effect=1.0),
    ],
)
def test_false_facts_and_facts_about_users_are_never_stated(fact):
    item = ITEMS["en"][0]
    for recipe in recipes().values():
        with pytest.raises(ReasonRejected):
            copy_claim(fact, item, "en", recipe)
        for draft in WRITER.drafts(recipe, item, (*facts_of(item)[:3], fact), "en", 0, 5):
            assert fact not in [stated for part in draft.parts for stated in part.evidence]


def test_one_of_several_colours_is_not_stated_but_several_uses_are():
    item = Item("x", "Storage Bench", "Potterhill", ("Home", "Benches"), attributes=(
        ("Colour", "Red"), ("Colour", "Blue"), ("Use", "Travel"), ("Use", "Camping"),
    ))  # fmt: skip
    (draft,) = drafts("description.v1", item, "en", n=1)
    assert "travel" in draft.text
    assert "camping" in draft.text
    assert not re.search("red|blue|colour", draft.text)


@pytest.mark.parametrize("value", ["Pack of 3", "500 ml", "XL", "Medium", "中号", "2米"])
def test_size_is_never_stated_as_an_attribute(value):
    assert is_size(value)
    item = Item("x", "Storage Bench", "Potterhill", ("Home", "Benches"), attributes=(("finish", value),))
    for draft in drafts("description.v1", item, "en"):
        assert value.lower() not in draft.text.lower()


def test_item_without_enough_facts_gets_no_draft():
    for title in ("", "😀", "CHEAPEST MUG"):
        for recipe in ("title.v1", "description.v1", "social_post.v1"):
            assert drafts(recipe, Item("x", title, "Grove", ("Kitchen", "Mugs"), attributes=ENGLISH), "en") == []
    assert drafts("description.v1", Item("x", "Mug With a Name"), "en") == []
    assert (
        drafts(
            "selling_points.v1", Item("x", "Mug With a Name", "Grove"), "en", facts_of(Item("x", "Mug", "Grove"))[:2]
        )
        == []
    )


TABLETS = Item("s", "Gentle Ibuprofen Tablets", "Wellgate", ("Health", "Remedies"), attributes=(("Use", "Pregnancy"),))


def test_sensitive_item_is_described_but_addresses_no_buyers():
    assert is_sensitive(TABLETS)
    recipe = recipes()["campaign.v1"]
    for draft in drafts("description.v1", TABLETS, "en") + drafts("campaign.v1", TABLETS, "en"):
        assert "Gentle Ibuprofen Tablets" in draft.text
        assert "pregnancy" not in draft.text
    with pytest.raises(ReasonRejected, match="sensitive"):
        copy_claim(audience("brand", "Potterhill"), TABLETS, "en", recipe)
    for name, value in (("category", "Pregnancy Tests"), ("brand", "Bible House"), ("category", "孕妇装")):
        with pytest.raises(ReasonRejected, match="sensitive"):
            copy_claim(audience(name, value), ITEMS["en"][0], "en", recipe)
    with pytest.raises(ReasonRejected, match="evidence"):
        copy_claim(audience("age", "Seniors"), ITEMS["en"][0], "en", recipe)


@pytest.mark.parametrize(("name", "value"), [("brand", "Grove"), ("category", "Kitchen")])
@pytest.mark.parametrize("language", LANGUAGES)
def test_campaign_addresses_its_audience(name, value, language):
    item = ITEMS[language][0]
    for draft in drafts("campaign.v1", item, language, (audience(name, value), *facts_of(item)), n=6):
        first = draft.parts[0]
        assert [fact.kind for fact in first.evidence] == [K.AUDIENCE, K.NAME]
        assert value in first.text
    for draft in drafts("campaign.v1", item, language, n=6):
        assert not re.search(r"bought \w|you buy|who (?:buy|shop)|买过|选过", draft.parts[0].text)


def test_pooled_patterns_are_used_in_copy_and_credited_to_the_model():
    pool = PatternPool("openai", "qwen@r1")
    writer, item = ContentWriter(pool=pool), ITEMS["en"][1]
    recipe = recipes()["description.v1"]
    before = writer.drafts(recipe, item, facts_of(item), "en", 0, 9)
    assert {draft.provenance.generator for draft in before} == {"realiser"}
    request = PatternRequest(K.ATTRIBUTE, N, Form.MATERIAL, "en", recipe="description.v1")
    assert request in pool.wanted
    words = sentence_beside_the_bank(request)
    pool.take({request: [words, "Made from the finest {value}.", "{value} cures."]})
    after = writer.drafts(recipe, item, facts_of(item), "en", 0, 9)
    models = [draft for draft in after if words.replace("{value}", "solid oak") in draft.text]
    assert models
    for draft in after:
        assert "finest" not in draft.text
        assert draft.provenance.ai_generated == (draft in models)
        assert draft.provenance.generator == ("openai" if draft in models else "realiser")
        assert draft.provenance.recipe == "description.v1"


@pytest.mark.parametrize(
    ("title", "sentence"),
    [
        ("The Walnut Tray", "Walnut Tray"),
        ("polarized sunglasses", "Polarized sunglasses"),
        ("iPhone Case", "iPhone Case"),
        ("Neroli Reed Diffuser, 200 ml", "Neroli Reed Diffuser"),
        ("Mug, Blue", "Mug, Blue"),  # its head is too short to be a name
        ("炙坊 小院系列 木炭烧烤炉 5升", "炙坊小院系列木炭烧烤炉"),
        ("Sony 无线耳机", "Sony 无线耳机"),
    ],
)
def test_copy_name_fits_into_a_sentence(title, sentence):
    assert copy_name(title, 60, as_title=False) == sentence
