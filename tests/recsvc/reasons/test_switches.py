"""Texts that are turned off are not written, by the generators concerned, and other texts are."""

from dataclasses import replace

import pytest

from recsvc.domain.reason import EvidenceKind, Strength
from recsvc.domain.records import Switch
from recsvc.domain.shop import Item
from recsvc.reasons import PatternPool, PatternRequest, ReasonWriter, Switches
from recsvc.reasons.grammar.pattern import Form
from tests.recsvc.reasons.reason_samples import CLOCK, CUP, MUG, TRAY, evidence_for, sentence_beside_the_bank

K, S = EvidenceKind, Strength
BOUGHT = evidence_for(K.HISTORY_ITEM, S.CAUSAL, anchor=TRAY)
POPULAR = evidence_for(K.POPULARITY, S.NEUTRAL)
CLAIM = PatternRequest(K.HISTORY_ITEM, S.CAUSAL, Form.PLAIN, "en")
WORDS = sentence_beside_the_bank(CLAIM)


def reason_for(*off: Switch, item: Item = MUG, evidence=(BOUGHT, POPULAR), language: str = "en", pool=None):
    writer = ReasonWriter(pool=pool, switches=Switches(off))
    (reason,) = writer.write_page([(item, evidence)], language, 0)
    return reason


@pytest.mark.parametrize(
    "switch",
    [
        Switch(),
        Switch(recipe="reason.v1"),
        Switch(language="en"),
        Switch(category="Kitchen"),
        Switch(category="Kitchen > Mugs", language="en", recipe="reason.v1"),
    ],
)
def test_matching_switch_leaves_no_reason(switch):
    assert reason_for() is not None
    assert reason_for(switch) is None


@pytest.mark.parametrize(
    "switch",
    [
        Switch(recipe="title.v1"),
        Switch(language="zh"),
        Switch(category="Home"),
        Switch(category="Kitchen > Mug"),
        Switch(category="Kitchen > Mugs > Big"),
        Switch(category="Kitchen", language="zh"),
        Switch(category=" > "),
    ],
)
def test_other_switch_changes_nothing(switch):
    assert reason_for(switch) == reason_for()


def test_switch_silences_anchors_of_the_category_but_not_other_reasons():
    off = Switch(category="Home")
    evidence = evidence_for(K.HISTORY_ITEM, S.CAUSAL, anchor=CLOCK)
    assert reason_for(evidence=(evidence, POPULAR)).evidence[0] is evidence
    assert reason_for(off, evidence=(evidence, POPULAR)).evidence[0] is POPULAR
    assert reason_for(off, evidence=(evidence,)) is None


def test_switch_matches_a_chinese_category():
    zh = replace(evidence_for(K.POPULARITY, S.NEUTRAL))
    assert reason_for(Switch(category="家居"), item=CUP, evidence=(zh,), language="zh") is None


def filled_pool() -> PatternPool:
    pool = PatternPool("openai", "m")
    pool.take({CLAIM: (WORDS,)})
    return pool


def test_muted_generator_leaves_the_others():
    def generators(*off: Switch) -> set[str]:
        writer = ReasonWriter(pool=filled_pool(), switches=Switches(off))
        pages = [writer.write_page([(MUG, (BOUGHT,))], "en", seed) for seed in range(60)]
        return {reason.provenance.generator for (reason,) in pages if reason is not None}

    assert generators() == {"realiser", "openai"}
    assert generators(Switch(generator="openai")) == {"realiser"}
    assert generators(Switch(generator="realiser")) == {"openai"}
    both = (Switch(generator="openai"), Switch(generator="realiser"))
    assert reason_for(*both, evidence=(BOUGHT,), pool=filled_pool()) is None


def test_changed_switches_apply_at_once():
    switches = Switches()
    writer = ReasonWriter(switches=switches)
    assert writer.write_page([(MUG, (BOUGHT,))], "en", 0) != [None]
    switches.off = frozenset({Switch(language="en")})
    assert writer.write_page([(MUG, (BOUGHT,))], "en", 0) == [None]
    switches.off = frozenset()
    assert writer.write_page([(MUG, (BOUGHT,))], "en", 0) != [None]
