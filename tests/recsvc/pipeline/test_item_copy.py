"""The use case of copy: what is looked up, what is refused, and that no request waits for the writing."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from recsvc.domain.query import ContentRequest
from recsvc.domain.reason import EvidenceKind, Strength
from recsvc.domain.shop import Item
from recsvc.errors import InvalidRequest, ItemNotFound, NothingToSay
from recsvc.model import bundle_files as bundles
from recsvc.model.bundle import Bundle
from recsvc.model.catalogue import Catalogue
from recsvc.pipeline.item_copy import ContentJob, item_facts
from recsvc.reasons import ContentWriter
from recsvc.registry.backend import Backend
from tests.recsvc.reasons.copy_samples import CHINESE, ENGLISH

WRITER = ContentWriter()
# In place of the first items of the bundle.
BENCH = Item("bench", "Lidded Storage Bench", "Potterhill", ("Home", "Benches"), attributes=(*ENGLISH, ("ean", "4711")))
PILLS = Item("pills", "Gentle Ibuprofen Tablets", "Remedia", ("Health", "Remedies"))
MORE_PILLS = Item("more", "Cough Medicine", "Remedia", ("Health", "Remedies"))
NAMELESS = Item("nameless", "", "Potterhill", ("Home", "Benches"), attributes=CHINESE)
SHOP = (BENCH, PILLS, MORE_PILLS, NAMELESS)


@pytest.fixture(scope="module")
def bundle(small_bundle: Path) -> Bundle:
    loaded = bundles.load(small_bundle)
    return replace(loaded, catalogue=Catalogue((*SHOP, *loaded.catalogue.items[len(SHOP) :])))


def write(bundle: Bundle, item: Item, recipe: str, **asked):
    row = SHOP.index(item)
    request = ContentRequest(recipe, item.item_id, **asked)
    return ContentJob(bundle, WRITER.recipes[recipe], row, request).write(WRITER)


def test_the_facts_of_an_item_are_its_own_and_of_no_user(bundle):
    facts = item_facts(bundle, 0)
    assert {fact.strength for fact in facts} == {Strength.NEUTRAL}
    told = [(fact.kind, fact.name, fact.value) for fact in facts[:-1]]
    attributes = [(EvidenceKind.ATTRIBUTE, name, value) for name, value in ENGLISH]
    assert told == [
        (EvidenceKind.NAME, "", BENCH.title),
        (EvidenceKind.BRAND, "", "Potterhill"),
        (EvidenceKind.CATEGORY, "", "Benches"),
        *attributes,
    ]
    assert (facts[-1].count, facts[-1].days) == (bundle.buyers[0], bundle.model.popularity_days)
    assert all(fact.anchor is None and not fact.effect and not fact.lift for fact in facts)


def test_drafts_are_of_the_item_and_differ(bundle):
    five = write(bundle, BENCH, "description.v1", drafts=5)
    assert len({draft.text for draft in five}) == 5
    assert write(bundle, BENCH, "description.v1", variant=3)[0] == five[3]
    assert all("Lidded Storage Bench" in draft.text and "4711" not in draft.text for draft in five)
    (chinese,) = write(bundle, BENCH, "description.v1", language="zh")
    assert chinese.text.endswith("。")


def test_too_little_to_say_is_said_so(bundle):
    with pytest.raises(NothingToSay, match=r"'nameless' for title\.v1"):
        write(bundle, NAMELESS, "title.v1")


@pytest.mark.parametrize(
    ("item", "recipe", "audience", "told"),
    [
        (BENCH, "title.v1", ("brand", "Potterhill"), "title.v1 addresses everybody"),
        (BENCH, "campaign.v1", ("brand", "Nobody & Sons"), "no such brand"),
        (BENCH, "campaign.v1", ("brand", "Home"), "no such brand"),
        (BENCH, "campaign.v1", ("category", "Potterhill"), "no such category"),
        (BENCH, "campaign.v1", ("category", "Home > Benches"), "no such category"),
        (PILLS, "campaign.v1", ("brand", "Potterhill"), "private"),  # the item is
        (BENCH, "campaign.v1", ("brand", "Remedia"), "private"),  # what the brand sells is
        (BENCH, "campaign.v1", ("category", "Remedies"), "private"),  # what lies in the category is
        (NAMELESS, "campaign.v1", ("brand", "Potterhill"), "cannot be shown"),
    ],
)
def test_an_audience_that_must_not_be_addressed_is_refused(bundle, item, recipe, audience, told):
    with pytest.raises(InvalidRequest, match=told) as refused:
        write(bundle, item, recipe, audience=audience)
    assert refused.value.violations[0].field == "audience"


@pytest.mark.parametrize("audience", [("brand", "Potterhill"), ("category", "Home"), ("category", "Benches"), None])
def test_an_audience_is_addressed(bundle, audience):
    for draft in write(bundle, BENCH, "campaign.v1", audience=audience, drafts=4):
        addressed = [f for part in draft.parts for f in part.evidence if f.kind is EvidenceKind.AUDIENCE]
        assert [(fact.name, fact.value) for fact in addressed] == ([audience] if audience else [])
    assert write(bundle, PILLS, "campaign.v1")  # to everybody, anything may be described


async def test_what_is_asked_wrongly_is_refused_and_nothing_is_written_on_the_loop(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
):
    with pytest.raises(InvalidRequest, match=r"must be one of: campaign\.v1, description\.v1"):
        await backend.router.write_content(ContentRequest("poem.v1", "i00001"))
    with pytest.raises(ItemNotFound):
        await backend.router.write_content(ContentRequest("title.v1", "no such item"))
    threads, write_job = [], ContentJob.write

    def watched(job: ContentJob, writer: ContentWriter):
        threads.append(threading.current_thread())
        return write_job(job, writer)

    monkeypatch.setattr(ContentJob, "write", watched)
    drafts, bundle_id = await backend.router.write_content(ContentRequest("title.v1", "i00001"))
    assert len(drafts) == 1
    assert bundle_id == backend.registry.bundle_id
    assert threads
    assert threading.current_thread() not in threads
