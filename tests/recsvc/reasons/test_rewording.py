"""A page in the phrase bank's words is reworded once a language model has written patterns that pass."""

from recsvc.domain.reason import EvidenceKind, Strength
from recsvc.domain.records import Switch
from recsvc.reasons import PatternPool, PatternRequest, ReasonWriter, Rewording, Switches
from recsvc.reasons.grammar.pattern import Form
from tests.recsvc.reasons.reason_samples import CLOCK, MUG, TRAY, evidence_for, sentence_beside_the_bank

K, S = EvidenceKind, Strength
BOUGHT, SIMILAR = evidence_for(K.HISTORY_ITEM, S.CAUSAL), evidence_for(K.SIMILAR_ITEM, S.RELATIONAL, anchor=CLOCK)
PAGE = [(MUG, (BOUGHT,)), (TRAY, (SIMILAR,)), (CLOCK, ())]
CAUSAL = PatternRequest(K.HISTORY_ITEM, S.CAUSAL, Form.PLAIN, "en")
RELATIONAL = PatternRequest(K.SIMILAR_ITEM, S.RELATIONAL, Form.PLAIN, "en")
WORDS = sentence_beside_the_bank(CAUSAL)


def waiting_page(switches: Switches | None = None):
    pool = PatternPool("openai", "m")
    writer = ReasonWriter(pool=pool, switches=switches)
    reasons = writer.write_page(PAGE, "en", 0)
    page = [(item, reason) for (item, _), reason in zip(PAGE, reasons, strict=True)]
    return pool, page, Rewording(writer, page, "en", 0)


def test_each_item_is_reworded_once():
    pool, page, rewording = waiting_page()
    assert pool.wanted == {CAUSAL, RELATIONAL}
    assert rewording.reworded() == []
    assert rewording.pending
    pool.take({CAUSAL: (WORDS,)})
    ((item, reason),) = rewording.reworded()
    assert item is MUG
    assert reason.text == WORDS.replace("{item}", "“Bamboo Serving Tray”")
    assert reason.evidence == page[0][1].evidence
    assert reason.provenance.generator == "openai"
    assert reason.provenance.ai_generated
    assert rewording.pending
    assert rewording.reworded() == []
    pool.take({CAUSAL: (WORDS,), RELATIONAL: ()})  # no pattern passed
    assert rewording.reworded() == []
    assert not rewording.pending


def test_rewording_adds_no_unverified_sentence_and_none_that_is_shown_already():
    pool, page, rewording = waiting_page()
    shown_already = page[0][1].text.replace("“Bamboo Serving Tray”", "{item}")
    pool.take({CAUSAL: ("The best of all, for you bought {item}.", shown_already), RELATIONAL: ("Like “Kettle”.",)})
    assert rewording.reworded() == []
    assert not rewording.pending


def test_text_turned_off_meanwhile_is_not_reworded():
    switches = Switches()
    pool, _, rewording = waiting_page(switches)
    switches.off = frozenset({Switch(category="Kitchen > Trays")})  # the anchor's category
    pool.take({CAUSAL: (WORDS,), RELATIONAL: ()})
    assert rewording.reworded() == []


def test_rewording_without_a_language_model_is_not_pending():
    writer = ReasonWriter()
    page = [(MUG, writer.write_page(PAGE[:1], "en", 0)[0])]
    assert not Rewording(writer, page, "en", 0).pending
