"""What is turned off is not said, by any mouth that is meant, and nothing else is lost."""

from dataclasses import replace

import pytest

from recsvc.domain.reason import EvidenceKind, Strength
from recsvc.domain.records import Switch
from recsvc.domain.shop import Item
from recsvc.reasons import PatternPool, PatternRequest, ReasonWriter, Switches
from recsvc.reasons.grammar.pattern import Form
from tests.recsvc.reasons.reason_samples import CLOCK, CUP, MUG, TRAY, evidence_for

K, S = EvidenceKind, Strength
BOUGHT = evidence_for(K.HISTORY_ITEM, S.CAUSAL, anchor=TRAY)
POPULAR = evidence_for(K.POPULARITY, S.NEUTRAL)
WORDS = "This is here because you bought {item}."
CELL = PatternRequest(K.HISTORY_ITEM, S.CAUSAL, Form.PLAIN, "en")


def said(*off: Switch, item: Item = MUG, evidence=(BOUGHT, POPULAR), language: str = "en", pool=None):
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
def test_nothing_is_said_of_what_a_switch_means(switch):
    assert said() is not None
    assert said(switch) is None


@pytest.mark.parametrize(
    "switch",
    [
        Switch(recipe="title.v1"),
        Switch(language="zh"),
        Switch(category="Home"),
        Switch(category="Kitchen > Mug"),
        Switch(category="Kitchen > Mugs > Big"),
        Switch(category="Kitchen", language="zh"),
    ],
)
def test_what_a_switch_does_not_mean_is_said_as_before(switch):
    assert said(switch) == said()


def test_another_item_of_the_category_is_not_named_but_other_reasons_stay():
    off = Switch(category="Home")
    evidence = evidence_for(K.HISTORY_ITEM, S.CAUSAL, anchor=CLOCK)
    assert said(evidence=(evidence, POPULAR)).evidence[0] is evidence
    assert said(off, evidence=(evidence, POPULAR)).evidence[0] is POPULAR
    assert said(off, evidence=(evidence,)) is None


def test_a_category_in_another_script():
    zh = replace(evidence_for(K.POPULARITY, S.NEUTRAL))
    assert said(Switch(category="家居"), item=CUP, evidence=(zh,), language="zh") is None


def written() -> PatternPool:
    pool = PatternPool("openai", "m")
    pool.take({CELL: (WORDS,)})
    return pool


def test_a_generator_that_is_off_leaves_the_others():
    def generators(*off: Switch) -> set[str]:
        writer = ReasonWriter(pool=written(), switches=Switches(off))
        pages = [writer.write_page([(replace(MUG, item_id=str(n)), (BOUGHT,))], "en", 0) for n in range(60)]
        return {reason.provenance.generator for (reason,) in pages}

    assert generators() == {"realiser", "openai"}
    assert generators(Switch(generator="openai")) == {"realiser"}
    assert generators(Switch(generator="realiser")) == {"openai"}
    both = (Switch(generator="openai"), Switch(generator="realiser"))
    assert said(*both, evidence=(BOUGHT,), pool=written()) is None


def test_what_is_turned_off_later_holds_at_once():
    switches = Switches()
    writer = ReasonWriter(switches=switches)
    assert writer.write_page([(MUG, (BOUGHT,))], "en", 0) != [None]
    switches.off = frozenset({Switch(language="en")})
    assert writer.write_page([(MUG, (BOUGHT,))], "en", 0) == [None]
    switches.off = frozenset()
    assert writer.write_page([(MUG, (BOUGHT,))], "en", 0) != [None]
