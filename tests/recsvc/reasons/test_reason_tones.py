"""The tones of reasons, and the pronoun of a shop."""

import dataclasses
import itertools

import pytest

from recsvc.domain.reason import LANGUAGES, EvidenceKind, Strength, Tone
from recsvc.domain.shop import Item
from recsvc.reasons import PatternRequest, Realiser, ReasonWriter
from recsvc.reasons.concise import SENTENCE_WIDTH
from recsvc.reasons.grammar.pattern import Form
from recsvc.reasons.seller_text.names import display_width
from tests.recsvc.reasons.reason_samples import CUP, MUG, TRAY, evidence_for

K, S = EvidenceKind, Strength
WRITER = ReasonWriter()  # loading the phrase banks takes a while
ITEMS = [dataclasses.replace(MUG, item_id=f"mug-{i}") for i in range(10)]


def kinds(reasons):
    return [reason.evidence[0].kind if reason else None for reason in reasons]


@pytest.mark.parametrize("language", LANGUAGES)
def test_warm_page_has_warm_wordings(language):
    page = [(item, (evidence_for(K.HISTORY_ITEM, S.CAUSAL),)) for item in ITEMS]
    request = PatternRequest(K.HISTORY_ITEM, S.CAUSAL, Form.PLAIN, language, Tone.WARM)
    for seed in range(10):
        for reason in WRITER.write_page(page, language, seed, Tone.WARM):
            assert reason.tone is Tone.WARM
            assert reason.text.replace("“Bamboo Serving Tray”", "{item}") in Realiser().patterns(request)


class Blunt(Realiser):
    """A generator without warm words."""

    def __init__(self):
        super().__init__()
        bank = self.patterns
        self.patterns = lambda request: () if request.tone is Tone.WARM else bank(request)


def test_claim_without_warm_words_is_stated_in_neutral_ones():
    (reason,) = ReasonWriter(Blunt()).write_page([(MUG, (evidence_for(K.BRAND, S.RELATIONAL),))], "en", 1, Tone.WARM)
    assert reason.tone is Tone.NEUTRAL


@pytest.mark.parametrize("language", LANGUAGES)
def test_concise_sentence_fits_a_narrow_tile(language):
    facts = [evidence_for(kind, S.RELATIONAL) for kind in (K.SIMILAR_ITEM, K.CO_PURCHASE, K.BRAND, K.REPEAT_PURCHASE)]
    facts += [evidence_for(K.HISTORY_ITEM, S.CAUSAL), evidence_for(K.POPULARITY, S.NEUTRAL)]
    long = Item("l", "Extremely long and winding name of a thing that nobody would say aloud", brand=MUG.brand)
    written = 0
    for anchor, seed, fact in itertools.product((TRAY, CUP, long), range(5), facts):
        evidence = dataclasses.replace(fact, anchor=anchor if fact.anchor is not None else None)
        for reason in WRITER.write_page([(item, (evidence,)) for item in ITEMS[:2]], language, seed, Tone.CONCISE):
            if reason is not None:
                written += 1
                assert (reason.tone, len(reason.evidence)) == (Tone.CONCISE, 1)
                assert display_width(reason.text) <= SENTENCE_WIDTH, reason.text
    assert written > 30


def test_concise_claim_that_cannot_fit_gives_way_to_the_next():
    both = (evidence_for(K.CO_PURCHASE, S.RELATIONAL), evidence_for(K.REPEAT_PURCHASE, S.RELATIONAL))
    popular = dataclasses.replace(evidence_for(K.POPULARITY, S.NEUTRAL), count=1_234_567, days=365)
    for language in LANGUAGES:
        assert kinds(WRITER.write_page([(MUG, both)], language, 1)) == [K.REPEAT_PURCHASE]
        assert kinds(WRITER.write_page([(MUG, both[:1])], language, 1, Tone.CONCISE)) == [None]
        assert kinds(WRITER.write_page([(MUG, (both[0], popular))], language, 1)) == [K.CO_PURCHASE]


def test_familiar_shop_says_its_pronoun_throughout():
    facts = [evidence for kind in K for evidence in (evidence_for(kind, S.CAUSAL, item=CUP),)]
    page = [(dataclasses.replace(CUP, item_id=f"cup {n}"), (fact,)) for n, fact in enumerate(facts)]
    polite, familiar = ReasonWriter(), ReasonWriter(pronoun="你")
    for tone, seed in itertools.product(Tone, range(5)):
        texts = [reason.text if reason else "" for reason in polite.write_page(page, "zh", seed, tone)]
        assert any("您" in text for text in texts)
        assert not any("你" in text for text in texts)
        assert [reason.text if reason else "" for reason in familiar.write_page(page, "zh", seed, tone)] == [
            text.replace("您", "你") for text in texts
        ]


def test_pronoun_in_a_name_stays():
    tray = dataclasses.replace(TRAY, title="您好托盘")
    (reason,) = ReasonWriter(pronoun="你").write_page(
        [(MUG, (evidence_for(K.HISTORY_ITEM, S.CAUSAL, anchor=tray),))], "zh", 1
    )
    assert "“您好托盘”" in reason.text
    assert "你" in reason.text


def test_default_tone_is_neutral():
    page = [(item, (evidence_for(K.HISTORY_ITEM, S.CAUSAL),)) for item in ITEMS]
    reasons = ReasonWriter().write_page(page, "en", 7)
    assert reasons == ReasonWriter().write_page(page, "en", 7, Tone.NEUTRAL)
    assert {reason.tone for reason in reasons if reason is not None} == {Tone.NEUTRAL}
