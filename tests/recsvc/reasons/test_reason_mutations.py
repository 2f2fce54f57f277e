"""True sentences are made false, one change at a time: the verifier must reject every one."""

import re
from dataclasses import replace

import pytest

from recsvc.domain.reason import LANGUAGES, EvidenceKind, Strength, Tone
from recsvc.domain.shop import EventType, Item
from recsvc.errors import ReasonRejected
from recsvc.reasons.claim import permitted_claim
from recsvc.reasons.grammar.pattern import PatternRequest, fill
from recsvc.reasons.realiser import Realiser
from recsvc.reasons.verifier import check
from tests.recsvc.reasons.reason_samples import CLOCK, MUG, TRAY, evidence_for, evidence_of_every_form

STRENGTHS = {
    EvidenceKind.REPEAT_PURCHASE: (Strength.CAUSAL, Strength.RELATIONAL),
    EvidenceKind.HISTORY_ITEM: (Strength.CAUSAL, Strength.CONTRIBUTORY, Strength.RELATIONAL),
    EvidenceKind.SIMILAR_ITEM: (Strength.RELATIONAL,),
    EvidenceKind.BRAND: (Strength.RELATIONAL,),
    EvidenceKind.CATEGORY: (Strength.RELATIONAL,),
    EvidenceKind.CO_PURCHASE: (Strength.RELATIONAL,),
    EvidenceKind.ATTRIBUTE: (Strength.RELATIONAL,),
    EvidenceKind.REPEAT_INTERVAL: (Strength.RELATIONAL,),
    EvidenceKind.PROFILE: (Strength.NEUTRAL,),
    EvidenceKind.POPULARITY: (Strength.NEUTRAL,),
}
INJECTED = {
    "en": [
        "cheapest", "not", "never", "best", "guaranteed", "today", "9", "$5", "50%", "www.evil.com",
        "a@evil.com", "safe", "cures", "<b>", "best-selling", "five", "and loved", "Grove", "organic", "\u200b",
        "\u202e", "😀", "!", "Buy now.", "ignore previous instructions", "最好",
    ],
    "zh": [
        "最便宜", "不", "没有", "最好", "保证", "今天", "9", "50%", "www.evil.com", "治疗", "第一", "唯一",
        "免费", "<b>", "正品", "有机", "\u200b", "\u202e", "😀", "！", "请点击。", "忽略之前的指令", "best",
        "九", "您",
    ],
}  # fmt: skip


def sentences(language):
    """Every sentence that the phrase bank makes from the sample evidence, with its evidence."""
    realiser = Realiser()
    for kind, strengths in STRENGTHS.items():
        for strength in strengths:
            for evidence in evidence_of_every_form(kind, strength):
                claim = permitted_claim(evidence, MUG, language)
                for tone in (Tone.NEUTRAL, Tone.WARM):  # concise patterns are neutral too
                    request = PatternRequest(claim.kind, claim.strength, claim.form, language, tone=tone)
                    for pattern in realiser.patterns(request):
                        yield evidence, fill(pattern, dict(claim.slots))


def verify(text, evidence, item, language):
    """Checks a sentence as `ReasonWriter` does."""
    check(text, permitted_claim(evidence, item, language))


def is_rejected(text, evidence, language, item=MUG):
    try:
        verify(text, evidence, item, language)
    except ReasonRejected:
        return True
    return False


@pytest.fixture(scope="module", params=LANGUAGES)
def spoken(request):
    return request.param, list(sentences(request.param))


def test_true_sentences_pass(spoken):
    language, true = spoken
    assert len(true) > 150
    for evidence, text in true:
        verify(text, evidence, MUG, language)


def test_changed_numbers_are_rejected(spoken):
    language, true = spoken
    for evidence, text in true:
        for match in re.finditer(r"\d+", text):
            number = int(match.group())
            for wrong in (number + 1, number - 1, 10 * number, f"{number}.5", f"0{number}", f"{number}0", ""):
                assert is_rejected(f"{text[: match.start()]}{wrong}{text[match.end() :]}", evidence, language)
        numbers = sorted(set(re.findall(r"\d+", text)))
        turned = dict(zip(numbers, numbers[1:] + numbers[:1], strict=True))
        swapped = re.sub(r"\d+", lambda m, turned=turned: turned[m.group()], text)
        assert swapped == text or is_rejected(swapped, evidence, language)


def test_changed_names_are_rejected(spoken):
    language, true = spoken
    other = {TRAY.title: CLOCK.title, MUG.brand: TRAY.brand, "Mugs": "Clocks"}
    for evidence, text in true:
        for mine, wrong in other.items():
            if mine in text:
                for changed in (wrong, mine[:-1], mine + "s", mine.lower() + "x", f"{mine} and {wrong}", "", "this"):
                    assert is_rejected(text.replace(mine, changed), evidence, language), text
                assert is_rejected(text.replace(mine, mine + mine), evidence, language)


def test_injected_words_are_rejected_at_every_place(spoken):
    language, true = spoken
    space = " " if language == "en" else ""
    tried = 0
    for number, (evidence, text) in enumerate(true):
        gaps = [m.end() for m in re.finditer(r"\s", text)] if language == "en" else range(len(text))
        for gap in [0, *gaps, len(text)][number % 3 :: 3]:  # the next sentences have the other gaps
            for word in INJECTED[language]:
                changed = f"{text[:gap]}{word}{space}{text[gap:]}"
                assert is_rejected(changed, evidence, language), changed
                tried += 1
    assert tried > 15_000


def test_changed_units_are_rejected(spoken):
    language, true = spoken
    units = {"en": (" days", [" weeks", " hours", " months", ""]), "zh": ("天", ["周", "小时", "个月", "年", ""])}
    unit, wrong = units[language]
    timed = (EvidenceKind.POPULARITY, EvidenceKind.CO_PURCHASE, EvidenceKind.REPEAT_INTERVAL)
    windows = [(evidence, text) for evidence, text in true if evidence.kind in timed]
    assert len(windows) >= 6
    for evidence, text in windows:
        for other in wrong:
            assert is_rejected(text.replace(unit, other), evidence, language)


def test_words_stronger_than_the_evidence_are_rejected(spoken):
    language, true = spoken
    causal = [
        (evidence, text)
        for evidence, text in true
        if evidence.strength is Strength.CAUSAL and evidence.kind is EvidenceKind.HISTORY_ITEM
    ]
    weaker = [
        (evidence_for(kind, strength), kind, strength)
        for kind in (EvidenceKind.HISTORY_ITEM, EvidenceKind.SIMILAR_ITEM)
        for strength in (Strength.CONTRIBUTORY, Strength.RELATIONAL)
    ]
    for _, text in causal:
        for evidence, _, _ in weaker:
            assert is_rejected(text, evidence, language), text
    for evidence, text in true:
        because = f"Because {text[0].lower()}{text[1:]}" if language == "en" else f"因为{text}"
        assert evidence.strength is Strength.CAUSAL or is_rejected(because, evidence, language), because


def test_claim_of_another_kind_is_rejected(spoken):
    language, true = spoken
    for evidence, text in true:
        for kind, strengths in STRENGTHS.items():
            if kind is not evidence.kind:
                assert is_rejected(text, evidence_for(kind, strengths[0]), language), (text, kind)


def test_sentence_of_another_language_item_or_anchor_is_rejected(spoken):
    language, true = spoken
    other_language = "zh" if language == "en" else "en"
    for evidence, text in true:
        assert is_rejected(text, evidence, other_language)
        if evidence.kind in (EvidenceKind.BRAND, EvidenceKind.CATEGORY, EvidenceKind.ATTRIBUTE):
            assert is_rejected(text, evidence, language, item=CLOCK)
        if evidence.anchor is TRAY:
            assert is_rejected(text, replace(evidence, anchor=CLOCK), language)
            for event in {*EventType} - {evidence.event}:
                assert is_rejected(text, replace(evidence, event=event), language), (text, event)


def test_badly_shaped_sentences_are_rejected(spoken):
    language, true = spoken
    for evidence, text in true:
        stop = "." if language == "en" else "。"
        changes = [text[:-1], text + stop, text + text, f"{text} {text}", f"{text[:-1]}!", f"{text[:-1]}?"]
        changes += [f" {text}", f"{text} ", f"{text}\n", text.upper() if language == "en" else f"{text[:-1]}."]
        for changed in changes:
            assert is_rejected(changed, evidence, language), changed


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Because you bought “Bamboo Serving Tray”.\u200b", "unicode"),
        ("You bought “Tray”.", "length"),
        ("Because you bought <b>“Bamboo Serving Tray”</b>.", "markup"),
        ("Because you bought “Bamboo Serving Tray” from 020 7946 0000.", "contact"),
        ("Because you bought the best “Bamboo Serving Tray”.", "forbidden"),
        ("Because you bought “Bamboo Tray”.", "slots"),
        ("Because you bought 3 “Bamboo Serving Tray”.", "number"),
        ("Because you bought “Bamboo Serving Tray” 了.", "language"),
        ("Because you never bought “Bamboo Serving Tray”.", "polarity"),
        ("Because you bought it. Because you bought “Bamboo Serving Tray”.", "sentence"),
        ("Because you loved “Bamboo Serving Tray”.", "licence"),
    ],
)
def test_rejection_names_the_rule(text, rule):
    with pytest.raises(ReasonRejected) as rejected:
        verify(text, evidence_for(EvidenceKind.HISTORY_ITEM, Strength.CAUSAL), MUG, "en")
    assert rejected.value.rule == rule


def test_name_made_of_words_of_the_frame_passes():
    evidence = evidence_for(EvidenceKind.HISTORY_ITEM, Strength.CAUSAL, anchor=Item("b", "Because you bought"))
    verify("Because you bought “Because you bought”.", evidence, MUG, "en")
    assert is_rejected("“Because you bought” because you bought.", evidence, "en")


def test_equal_count_and_days_pass():
    evidence = evidence_for(EvidenceKind.POPULARITY, Strength.NEUTRAL)
    evidence = type(evidence)(evidence.kind, evidence.strength, count=30, days=30)
    verify("Bought by 30 people within 30 days.", evidence, MUG, "en")
    assert is_rejected("Bought by 30 people.", evidence, "en")
    assert is_rejected("Within 30 days, within 30 days.", evidence, "en")
