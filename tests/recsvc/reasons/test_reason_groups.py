"""One line above several items whose reasons name the same cause: which items, which claim, and when there is none."""

import dataclasses
import re

import pytest

from recsvc.domain.reason import LANGUAGES, EvidenceKind, Strength, Tone
from recsvc.domain.records import Switch
from recsvc.domain.shop import EventType
from recsvc.errors import ReasonRejected
from recsvc.reasons import ReasonWriter, Switches
from recsvc.reasons.concise import SENTENCE_WIDTH
from recsvc.reasons.grammar.claim_keys import REASON_SLOTS
from recsvc.reasons.grammar.lexicon import matches_grammar
from recsvc.reasons.grammar.pattern import Form
from recsvc.reasons.groups import groups_of
from recsvc.reasons.seller_text.names import display_width
from recsvc.reasons.verifier import check
from tests.recsvc.reasons.reason_samples import CLOCK, MUG, TRAY, evidence_for

K, S = EvidenceKind, Strength
WRITER = ReasonWriter()
ITEMS = [dataclasses.replace(MUG, item_id=f"mug-{n}") for n in range(5)]


def listed(evidence, language="en", tone=Tone.NEUTRAL, writer=WRITER):
    """Items with the reasons that a page states for them, one fact an item."""
    page = [(item, (fact,)) for item, fact in zip(ITEMS, evidence, strict=False)]
    reasons = writer.write_page(page, language, 0, tone)
    return [(item, reason) for (item, _), reason in zip(page, reasons, strict=True)]


def bought(strength=S.CAUSAL, anchor=TRAY, event=EventType.PURCHASE):
    return evidence_for(K.HISTORY_ITEM, strength, anchor=anchor, event=event)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", [K.HISTORY_ITEM, K.SIMILAR_ITEM, K.CO_PURCHASE])
def test_items_of_one_cause_have_one_line(kind, language):
    fact = evidence_for(kind, S.CAUSAL)
    (group,) = WRITER.write_groups(listed([fact, fact, evidence_for(K.POPULARITY, S.NEUTRAL), fact], language), 0)
    assert group.item_ids == ("mug-0", "mug-1", "mug-3")
    assert group.evidence == (fact,) * 3
    assert "“Bamboo Serving Tray”" in group.text
    assert not re.search(r"[.。]$", group.text)
    strength = S.CAUSAL if kind is K.HISTORY_ITEM else S.RELATIONAL
    frame = group.text.replace("“Bamboo Serving Tray”", "{item}")
    assert matches_grammar(frame, kind, strength, Form.GROUP, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_line_has_the_tone_of_the_page(language):
    facts = [bought(), bought()]
    neutral, warm = (
        {WRITER.write_groups(listed(facts, language, tone), seed, tone)[0].text for seed in range(20)}
        for tone in (Tone.NEUTRAL, Tone.WARM)
    )
    assert not neutral & warm
    (concise,) = WRITER.write_groups(listed(facts, language, Tone.CONCISE), 0, Tone.CONCISE)
    assert display_width(concise.text) <= SENTENCE_WIDTH


def test_line_claims_no_more_than_the_weakest_of_its_items():
    for facts in ([bought(), bought(S.CONTRIBUTORY)], [bought(S.CONTRIBUTORY), bought()]):
        ((_, _, claim),) = groups_of(listed(facts))
        assert (claim.strength, claim.form) == (S.CONTRIBUTORY, Form.GROUP)
        (group,) = WRITER.write_groups(listed(facts), 0)
        check(group.text, claim)
        with pytest.raises(ReasonRejected):
            check(group.text, claim._replace(strength=S.CAUSAL))
        for text in (
            f"{group.text}.",
            group.text.replace("Bamboo", "Walnut"),
            "Because you loved “Bamboo Serving Tray”",
        ):
            with pytest.raises(ReasonRejected):
                check(text, claim)


def test_other_anchor_event_or_kind_is_another_group():
    facts = [bought(), bought(anchor=CLOCK), bought(), bought(event=EventType.VIEW), bought(anchor=CLOCK)]
    groups = WRITER.write_groups(listed(facts), 0)
    assert [group.item_ids for group in groups] == [("mug-0", "mug-2"), ("mug-1", "mug-4")]
    assert groups_of(listed([bought(), evidence_for(K.SIMILAR_ITEM, S.RELATIONAL)])) == []
    assert groups_of(listed([bought()])) == []
    assert groups_of([(MUG, None), (TRAY, None)]) == []
    assert groups_of(listed([evidence_for(K.BRAND, S.RELATIONAL)] * 3)) == []  # no item is the cause


def test_every_event_has_a_line_of_its_own():
    for event, form in (
        (EventType.PURCHASE, Form.GROUP),
        (EventType.VIEW, Form.GROUP_VIEWED),
        (EventType.ADD_TO_CART, Form.GROUP_CART),
    ):
        ((_, _, claim),) = groups_of(listed([bought(event=event)] * 2))
        assert claim.form is form
        assert (claim.kind, claim.strength, claim.form) in REASON_SLOTS


@pytest.mark.parametrize("language", LANGUAGES)
def test_concise_line_fits_a_narrow_tile(language):
    for fact in (bought(), evidence_for(K.SIMILAR_ITEM, S.RELATIONAL), evidence_for(K.CO_PURCHASE, S.RELATIONAL)):
        for group in WRITER.write_groups(listed([fact] * 3, language, Tone.CONCISE), 0, Tone.CONCISE):
            assert display_width(group.text) <= SENTENCE_WIDTH


def test_switched_off_anchor_or_generator_leaves_no_line():
    reasons = listed([bought()] * 3)
    for switch in (Switch(), Switch(category="Kitchen > Trays"), Switch(generator="realiser")):
        assert ReasonWriter(switches=Switches({switch})).write_groups(reasons, 0) == []
    assert ReasonWriter(switches=Switches({Switch(category="Home")})).write_groups(reasons, 0) != []


def test_familiar_shop_says_its_pronoun_above_a_group_too():
    (group,) = ReasonWriter(pronoun="你").write_groups(listed([bought()] * 2, "zh"), 0)
    assert "你" in group.text
    assert "您" not in group.text
