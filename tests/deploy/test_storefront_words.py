"""The texts of the storefront in both languages, and its parts that need no service."""

import re
import string
import tomllib
from pathlib import Path

import pytest

from deploy.storefront.catalogue import Catalogue, CatalogueError, Product, read_catalogue
from deploy.storefront.interface_words import words_in
from deploy.storefront.pictures import FALLBACK, TINTS, drawing_of, picture
from deploy.storefront.shelves import Card
from deploy.storefront.shop import templates
from deploy.storefront.visits import MAX_CART_LINES, MAX_QUANTITY, MAX_VISITS, Visit, Visits
from deploy.storefront.why import explain
from recsvc.v1.events_pb2 import EVENT_TYPE_ADD_TO_CART, EVENT_TYPE_PURCHASE, EVENT_TYPE_VIEW, EventType
from recsvc.v1.reason_pb2 import (
    EVIDENCE_KIND_AUDIENCE,
    EVIDENCE_KIND_NAME,
    EVIDENCE_KIND_QUERY,
    EVIDENCE_KIND_SYNONYM,
    Evidence,
    EvidenceKind,
    Provenance,
    Reason,
    Strength,
)

STOREFRONT = Path(__file__).parents[2] / "deploy" / "storefront"
CATALOGUE = Catalogue([Product("tent", "A <b>tent</b>", ("Outdoors", "Camping"))])
# These are facts of copy alone.
OF_COPY = (EVIDENCE_KIND_NAME, EVIDENCE_KIND_AUDIENCE, EVIDENCE_KIND_SYNONYM, EVIDENCE_KIND_QUERY)
KINDS = [n for n in EvidenceKind.values() if n not in (0, *OF_COPY)]


def table(language: str) -> dict[str, str]:
    return tomllib.loads((STOREFRONT / "words" / f"{language}.toml").read_text(encoding="utf-8"))


def slots(words: str) -> set[str]:
    return {name for _, name, *_ in string.Formatter().parse(words) if name}


def test_both_languages_have_the_same_keys_and_slots() -> None:
    english, chinese = table("en"), table("zh")
    singular = {key for key in english if key.endswith("_one")}  # Chinese has no plural
    assert set(english) - singular == set(chinese)
    assert {key: slots(english[key]) for key in chinese} == {key: slots(chinese[key]) for key in chinese}
    assert all(slots(english[key]) <= slots(english[key.removesuffix("_one")]) for key in singular)


def test_every_key_that_a_page_uses_exists() -> None:
    english = table("en")
    sources = [*STOREFRONT.glob("templates/*.html"), *STOREFRONT.glob("*.py")]
    used = {
        key for source in sources for key in re.findall(r"""\b(?:w|words)\(["'](\w+)["'][,)]""", source.read_text())
    }
    used |= {key for source in sources for key in re.findall(r'"(notice_\w+|fact_[a-z_]+)"', source.read_text())}
    assert len(used) > 60
    assert used <= set(english)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("event", [EVENT_TYPE_PURCHASE, EVENT_TYPE_VIEW, EVENT_TYPE_ADD_TO_CART])
def test_evidence_of_every_kind_and_strength_has_words(language: str, event: int) -> None:
    words = words_in(language)
    facts = {}
    for kind in KINDS:
        for strength in (number for number in Strength.values() if number):
            evidence = Evidence(
                kind=EvidenceKind.Name(kind),
                strength=Strength.Name(strength),
                anchor_item_id="tent",
                anchor_event=EventType.Name(event),
                count=3,
                days=9,
            )
            [fact] = explain(Reason(text="x", evidence=[evidence]), CATALOGUE, words).facts
            assert fact.says != words("fact_other")
            assert fact.counts == words(f"strength_{strength}")
            assert "<b>" not in fact.says
            facts[kind] = fact.says
    assert len(set(facts.values())) == len(KINDS)


def test_a_fact_has_its_numbers_and_the_items_title() -> None:
    words = words_in("en")
    evidence = Evidence(
        kind="EVIDENCE_KIND_CO_PURCHASE", anchor_item_id="tent", count=17, people=42, days=365, share=0.25
    )
    [fact] = explain(Reason(evidence=[evidence]), CATALOGUE, words).facts
    title = "<bdi>A &lt;b&gt;tent&lt;/b&gt;</bdi>"
    assert fact.says == f"Of 42 people who bought {title}, 17 bought this too, within 365 days."
    assert fact.share == "25% of the evidence for it"
    once = Evidence(kind="EVIDENCE_KIND_BRAND", value="<i>", count=1, lift=2.04)
    [fact] = explain(Reason(evidence=[once]), CATALOGUE, words).facts
    assert fact.says.startswith("One of your purchases is by <bdi>&lt;i&gt;</bdi>: 2.0 times")
    assert fact.share is None
    interval = Evidence(kind="EVIDENCE_KIND_REPEAT_INTERVAL", count=4, days=30, elapsed_days=1)
    [fact] = explain(Reason(evidence=[interval]), CATALOGUE, words).facts
    assert fact.says == "You bought this 4 times, about every 30 days, the last time 1 day ago."


def test_unknown_kind_of_evidence_is_shown_as_other() -> None:
    reason = Reason.FromString(Reason(text="x", evidence=[Evidence(count=2)]).SerializeToString())
    reason.evidence[0].MergeFromString(b"\x08\x63\x10\x63")  # kind and strength 99
    [fact] = explain(reason, CATALOGUE, words_in("en")).facts
    assert (fact.kind, fact.says, fact.counts) == ("other", words_in("en")("fact_other"), "")


def test_sources_name_who_worded_the_sentence() -> None:
    words = words_in("en")
    source = Provenance(generator="openai", model="<m>", policy_version="p.1", ai_generated=True, verified=True)
    explained = explain(Reason(text="x", provenance=source), CATALOGUE, words)
    assert explained.ai_generated
    assert explained.sources[0] == "Worded by a language model (<bdi>&lt;m&gt;</bdi>), checked by rules."
    assert "AI-generated" in explained.sources[1]
    plain = explain(Reason(text="x", provenance=Provenance(generator="realiser")), CATALOGUE, words)
    assert not plain.ai_generated
    assert plain.sources == (words("worded_realiser"),)


@pytest.mark.parametrize("generated", [True, False])
def test_sentence_of_a_language_model_is_labelled_on_its_card(generated: bool) -> None:
    words = words_in("en")
    source = Provenance(model="m" if generated else "", ai_generated=generated)
    explained = explain(Reason(text="Light & <dry>.", language="en", provenance=source), CATALOGUE, words)
    context = {"visit": Visit("ann", "en"), "w": words, "here": "/"}
    cards = templates().get_template("cards.html").make_module(context)
    html = cards.card(Card(next(iter(CATALOGUE)), "list", explained))  # type: ignore[attr-defined]
    assert ("AI-generated wording" in html) == generated
    assert "<bdi>Light &amp; &lt;dry&gt;.</bdi>" in html
    assert "Why this?" in html
    without = cards.card(Card(next(iter(CATALOGUE)), "list"))  # type: ignore[attr-defined]
    assert "Why this?" not in without
    assert "Add to cart" in without


def test_every_category_has_a_picture_that_stays_the_same() -> None:
    drawings = set(re.findall(r'<symbol id="(\w+)"', (STOREFRONT / "static" / "pictures.svg").read_text()))
    assert drawing_of(("Outdoors", "Camping", "Tents")) == "tent"
    assert drawing_of(("Garden", "Sheds")) == "leaf"
    assert drawing_of(("食品饮料", "茶")) == "tea"
    assert drawing_of(("Spare parts",)) == FALLBACK
    for path in ((), ("Pets", "Cats"), ("Spare parts",)):
        made = picture(Product("x", "X", path))
        assert made == picture(Product("x", "X", path))
        assert made.drawing in drawings
        assert 0 <= made.tint < TINTS
    assert f".tint-{TINTS - 1} " in (STOREFRONT / "static" / "shop.css").read_text()


def test_a_catalogue_in_csv_is_read(tmp_path: Path) -> None:
    file = tmp_path / "items.csv"
    file.write_text(
        "item_id,title,categories,brand,price,currency,attributes\n"
        '007,"Lamp, 24"" tall",Home > Lamps,Lux,12.5,EUR,colour=red; colour=blue\n'
        "8,,,,,,\n"
        "9,Bare,,,,,\n"
    )
    catalogue = read_catalogue(file)
    lamp = catalogue.get("007")
    assert lamp is not None
    assert (lamp.title, lamp.categories, lamp.price) == ('Lamp, 24" tall', ("Home", "Lamps"), 12.5)
    assert lamp.attributes == (("colour", "red"), ("colour", "blue"))
    assert [product.item_id for product in catalogue] == ["007", "9"]  # nothing can be shown of one without a title
    assert catalogue.in_category(("Home",)) == [lamp]
    assert catalogue.search("LAMP lux", 5) == [lamp]
    assert catalogue.search("lamp red", 5) == []
    file.write_text("item_id,title,price\n1,Lamp,cheap\n")
    with pytest.raises(CatalogueError, match="a price that is not a number, for the item 1"):
        read_catalogue(file)


def test_visits_are_separate_and_the_oldest_are_dropped() -> None:
    visits = Visits(first="ann")
    first, new = visits.find("", "zh-CN")
    assert (first.user_id, first.language, new) == ("ann", "zh", True)
    assert visits.find(first.visit_id, "en") == (first, False)
    others = [visits.find("", "")[0] for _ in range(MAX_VISITS)]
    assert len({(visit.visit_id, visit.token) for visit in others}) == MAX_VISITS
    again, new = visits.find(first.visit_id, "")
    assert new  # the oldest had to go
    assert again.visit_id != first.visit_id
    assert visits.find(others[-1].visit_id, "") == (others[-1], False)


def test_cart_is_limited_and_emptied_for_another_shopper() -> None:
    visit = Visit("ann", "en")
    assert all(visit.add_to_cart(f"item {n}", "") for n in range(MAX_CART_LINES))
    assert not visit.add_to_cart("one more", "")
    for _ in range(200):
        assert visit.add_to_cart("item 0", "the list")
    assert (visit.cart["item 0"].quantity, visit.cart["item 0"].recommendation_id) == (MAX_QUANTITY, "the list")
    visit.freshness = "of ann"
    visit.switch_shopper("bob")
    assert (visit.cart, visit.freshness) == ({}, "")
