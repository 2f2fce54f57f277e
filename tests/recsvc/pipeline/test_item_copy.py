"""Copy about items: its facts, the audiences that are refused, and that writing does not block the event loop."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from recsvc.domain.content_request import ContentRequest
from recsvc.domain.reason import Evidence, EvidenceKind, Strength
from recsvc.domain.shop import Item
from recsvc.errors import InvalidRequest, ItemNotFound, NothingToSay
from recsvc.model import bundle_files as bundles
from recsvc.model.bundle import Bundle
from recsvc.model.catalogue import Catalogue
from recsvc.pipeline.item_copy import ContentJob, SearchWords, item_facts
from recsvc.reasons import ContentWriter
from recsvc.registry.backend import Backend
from tests.recsvc.reasons.copy_samples import CHINESE, ENGLISH

WRITER = ContentWriter()
# They replace the first items of the bundle.
BENCH = Item("bench", "Lidded Storage Bench", "Potterhill", ("Home", "Benches"), attributes=(*ENGLISH, ("ean", "4711")))
PILLS = Item("pills", "Gentle Ibuprofen Tablets", "Remedia", ("Health", "Remedies"))
MORE_PILLS = Item("more", "Cough Medicine", "Remedia", ("Health", "Remedies"))
NAMELESS = Item("nameless", "", "Potterhill", ("Home", "Benches"), attributes=CHINESE)
SHOP = (BENCH, PILLS, MORE_PILLS, NAMELESS)


@pytest.fixture(scope="module")
def bundle(small_bundle: Path) -> Bundle:
    loaded = bundles.load(small_bundle)
    return replace(loaded, catalogue=Catalogue((*SHOP, *loaded.catalogue.items[len(SHOP) :])))


def write(bundle: Bundle, item: Item, recipe: str, **fields):
    row = SHOP.index(item)
    request = ContentRequest(recipe, item.item_id, **fields)
    return ContentJob(bundle, WRITER.recipes[recipe], row, request).write(WRITER)


def test_item_facts_hold_the_item_alone_and_no_user(bundle):
    facts = item_facts(bundle, 0)
    assert {fact.strength for fact in facts} == {Strength.NEUTRAL}
    named = [(fact.kind, fact.name, fact.value) for fact in facts[:-1]]
    attributes = [(EvidenceKind.ATTRIBUTE, name, value) for name, value in ENGLISH]
    assert named == [
        (EvidenceKind.NAME, "", BENCH.title),
        (EvidenceKind.BRAND, "", "Potterhill"),
        (EvidenceKind.CATEGORY, "", "Benches"),
        *attributes,
    ]
    assert (facts[-1].count, facts[-1].days) == (bundle.buyers[0], bundle.model.popularity_days)
    assert all(fact.anchor is None and not fact.effect and not fact.lift for fact in facts)


def test_drafts_name_the_item_and_differ(bundle):
    five = write(bundle, BENCH, "description.v1", drafts=5)
    assert len({draft.text for draft in five}) == 5
    assert write(bundle, BENCH, "description.v1", variant=3)[0] == five[3]
    assert all("Lidded Storage Bench" in draft.text and "4711" not in draft.text for draft in five)
    (chinese,) = write(bundle, BENCH, "description.v1", language="zh")
    assert chinese.text.endswith("。")


def test_keywords_have_the_synonyms_of_the_category_and_the_searches_of_the_item(bundle):
    searched = Evidence(EvidenceKind.QUERY, Strength.NEUTRAL, value="hallway seat", count=12, days=7)
    words = SearchWords((("bench", "settle"), ("sofa", "couch")), {"bench": [searched], "pills": [searched]})
    assert item_facts(bundle, 0, words) == (
        *item_facts(bundle, 0)[:3],
        Evidence(EvidenceKind.SYNONYM, Strength.NEUTRAL, name="Benches", value="settle"),
        *item_facts(bundle, 0)[3:],
        searched,
    )
    job = ContentJob(bundle, WRITER.recipes["keywords.v1"], 0, ContentRequest("keywords.v1", "bench"), words)
    assert job.write(WRITER)[0].text.startswith("hallway seat, Benches, settle, ")
    assert job.write(WRITER)[0].text.endswith(", Potterhill")


def test_item_with_too_few_facts_raises_nothing_to_say(bundle):
    with pytest.raises(NothingToSay, match=r"'nameless' for title\.v1"):
        write(bundle, NAMELESS, "title.v1")


@pytest.mark.parametrize(
    ("item", "recipe", "audience", "message"),
    [
        (BENCH, "title.v1", ("brand", "Potterhill"), "title.v1 addresses everybody"),
        (BENCH, "campaign.v1", ("brand", "Nobody & Sons"), "no such brand"),
        (BENCH, "campaign.v1", ("brand", "Home"), "no such brand"),
        (BENCH, "campaign.v1", ("category", "Potterhill"), "no such category"),
        (BENCH, "campaign.v1", ("category", "Home > Benches"), "no such category"),
        (PILLS, "campaign.v1", ("brand", "Potterhill"), "private"),  # the item is sensitive
        (BENCH, "campaign.v1", ("brand", "Remedia"), "private"),  # the brand's items are
        (BENCH, "campaign.v1", ("category", "Remedies"), "private"),  # the category's items are
        (NAMELESS, "campaign.v1", ("brand", "Potterhill"), "cannot be shown"),
    ],
)
def test_unsuitable_audience_is_refused(bundle, item, recipe, audience, message):
    with pytest.raises(InvalidRequest, match=message) as refused:
        write(bundle, item, recipe, audience=audience)
    assert refused.value.violations[0].field == "audience"


@pytest.mark.parametrize("audience", [("brand", "Potterhill"), ("category", "Home"), ("category", "Benches"), None])
def test_suitable_audience_is_named_in_the_evidence(bundle, audience):
    for draft in write(bundle, BENCH, "campaign.v1", audience=audience, drafts=4):
        addressed = [f for part in draft.parts for f in part.evidence if f.kind is EvidenceKind.AUDIENCE]
        assert [(fact.name, fact.value) for fact in addressed] == ([audience] if audience else [])
    assert write(bundle, PILLS, "campaign.v1")  # to everybody, anything may be described


async def test_unknown_recipe_and_item_are_refused_and_drafts_are_written_in_a_thread(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
):
    with pytest.raises(InvalidRequest, match=r"must be one of: campaign\.v1, description\.v1"):
        await backend.router.write_content(ContentRequest("poem.v1", "i00001"))
    with pytest.raises(ItemNotFound):
        await backend.router.write_content(ContentRequest("title.v1", "no such item"))
    threads, write_job = [], ContentJob.write

    def recording_write(job: ContentJob, writer: ContentWriter):
        threads.append(threading.current_thread())
        return write_job(job, writer)

    monkeypatch.setattr(ContentJob, "write", recording_write)
    drafts, bundle_id = await backend.router.write_content(ContentRequest("title.v1", "i00001"))
    assert len(drafts) == 1
    assert bundle_id == backend.registry.bundle_id
    assert threads
    assert threading.current_thread() not in threads
