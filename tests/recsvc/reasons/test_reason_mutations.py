"""True sentences are made false, one change at a time: the verifier must reject every one."""

import itertools
import re
from dataclasses import replace

import pytest

from recsvc.domain.reason import LANGUAGES, Evidence, EvidenceKind, Strength, Tone
from recsvc.domain.shop import EventType, Item
from recsvc.errors import ReasonRejected
from recsvc.reasons.claim import permitted_claim
from recsvc.reasons.grammar.pattern import Number, PatternRequest, fill
from recsvc.reasons.realiser import Realiser
from recsvc.reasons.verifier import check
from tests.recsvc.reasons.reason_samples import CLOCK, ITEM_OF, MUG, TRAY, evidence_for, evidence_of_every_form

STRENGTHS = {
    EvidenceKind.REPEAT_PURCHASE: (Strength.RELATIONAL,),
    EvidenceKind.HISTORY_ITEM: (Strength.CAUSAL, Strength.CONTRIBUTORY),
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
        "九", "他",
    ],
}  # fmt: skip


def sentences(language):
    """Every sentence that the phrase bank makes from the sample evidence, with its evidence."""
    realiser, item = Realiser(), ITEM_OF[language]
    for kind, strengths in STRENGTHS.items():
        for strength in strengths:
            for evidence in evidence_of_every_form(kind, strength, item):
                claim = permitted_claim(evidence, item, language)
                for tone in (Tone.NEUTRAL, Tone.WARM):  # concise patterns are neutral too
                    request = PatternRequest(claim.kind, claim.strength, claim.form, language, tone=tone)
                    for pattern in realiser.patterns(request):
                        yield evidence, fill(pattern, dict(claim.slots))


def verify(text, evidence, item, language):
    """Checks a sentence as `ReasonWriter` does."""
    check(text, permitted_claim(evidence, item, language))


def is_rejected(text, evidence, language, item=None):
    try:
        verify(text, evidence, item or ITEM_OF[language], language)
    except ReasonRejected:
        return True
    return False


@pytest.fixture(scope="module", params=LANGUAGES)
def spoken(request):
    return request.param, list(sentences(request.param))


def test_true_sentences_pass(spoken):
    language, true = spoken
    assert len(true) > 60
    for evidence, text in true:
        verify(text, evidence, ITEM_OF[language], language)


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
    item = ITEM_OF[language]
    other = {TRAY.title: CLOCK.title, item.brand: TRAY.brand, "mugs": "Clocks", "杯子": "钟表"}
    for evidence, text in true:
        for mine, wrong in other.items():
            if mine in text:
                for changed in (wrong, mine[:-1], mine + "x", mine.lower() + "x", f"{mine} and {wrong}", "", "this"):
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
    assert tried > 5_000


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
        for kind, strength in (
            (EvidenceKind.HISTORY_ITEM, Strength.CONTRIBUTORY),
            (EvidenceKind.SIMILAR_ITEM, Strength.RELATIONAL),
        )
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
                other = evidence_for(kind, strengths[0], item=ITEM_OF[language])
                assert is_rejected(text, other, language), (text, kind)


def test_sentence_of_another_language_item_or_anchor_is_rejected(spoken):
    language, true = spoken
    other_language = "zh" if language == "en" else "en"
    for evidence, text in true:
        assert is_rejected(text, evidence, other_language)
        if evidence.kind in (EvidenceKind.BRAND, EvidenceKind.CATEGORY, EvidenceKind.ATTRIBUTE):
            assert is_rejected(text, evidence, language, item=CLOCK)
        if evidence.anchor is TRAY:
            assert is_rejected(text, replace(evidence, anchor=CLOCK), language)
            # Only a cause has to say what the user did: "If you like “X”" is true of an item that was viewed too.
            if evidence.strength is Strength.CAUSAL:
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
        ("Bought “Tray”.", "length"),
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_count_equal_to_the_days_is_stated_twice(language):
    evidence = Evidence(EvidenceKind.POPULARITY, Strength.NEUTRAL, count=30, days=30)
    claim = permitted_claim(evidence, MUG, language)
    pattern = Realiser().patterns(PatternRequest(claim.kind, claim.strength, claim.form, language))[0]
    text = fill(pattern, dict(claim.slots))
    verify(text, evidence, MUG, language)
    assert is_rejected(text.replace("30", "", 1), evidence, language)


FALSE_CAUSES = {
    "en": ["Because of one of your earlier purchases, ", "Thanks to something you viewed, ", "As you asked, "],
    "zh": ["由于您之前的购买，", "因为您正需要它，", "根据您的要求，"],
}
BROKEN_ENDS = {
    "en": [", also", ", which is why this is here", ", and", " because", ", so", ", hence"],
    "zh": ["，也", "，所以", "，因此推荐", "，而且", "，因为"],
}
WRONG_WORDS = {
    "en": [(" days", " day"), (" times", " time"), ("people", "person"), ("You've", "You has"), ("bought", "boughted")],
    "zh": [("天", "个天"), ("次", "个次"), ("位", "位个"), ("买过", "买过过"), ("您", "您您")],
}


def with_small_letter(text, language):
    return text[:1].lower() + text[1:] if language == "en" else text


def test_false_causes_are_rejected(spoken):
    language, true = spoken
    for evidence, text in true:
        for cause in FALSE_CAUSES[language]:
            assert is_rejected(cause + with_small_letter(text, language), evidence, language), text


def test_broken_joins_and_repeated_clauses_are_rejected(spoken):
    language, true = spoken
    stop, comma = (".", ", ") if language == "en" else ("。", "，")
    for evidence, text in true:
        ends = [*BROKEN_ENDS[language], comma + with_small_letter(text, language)[:-1]]
        for end in ends:
            assert is_rejected(f"{text[:-1]}{end}{stop}", evidence, language), end


def test_wrong_agreement_is_rejected(spoken):
    language, true = spoken
    tried = 0
    for evidence, text in true:
        for right, wrong in WRONG_WORDS[language]:
            if right in text:
                tried += 1
                assert is_rejected(text.replace(right, wrong, 1), evidence, language), (text, wrong)
    assert tried > 50


BOOTS = replace(MUG, title="Walking Boots")


@pytest.mark.parametrize("tone", Tone)
def test_wrong_number_of_the_item_shown_is_rejected(tone):
    """Boots are "these" and "them", a mug is "this" and "it", in every sentence of the bank."""
    other = {"this": "these", "these": "this", "them": "it"}
    tried = 0
    for item, number in ((MUG, Number.ONE), (BOOTS, Number.MANY)):
        for kind, strengths in STRENGTHS.items():
            for strength in strengths:
                for evidence in evidence_of_every_form(kind, strength, item):
                    claim = permitted_claim(evidence, item, "en", tone)
                    assert claim.number is number
                    request = PatternRequest(claim.kind, claim.strength, claim.form, "en", tone, number=number)
                    for pattern in Realiser().patterns(request):
                        text = fill(pattern, dict(claim.slots))
                        check(text, claim)
                        for word in re.finditer(r"\b(?:this|these|them)\b", text, re.IGNORECASE):
                            wrong = other[word.group().lower()]
                            wrong = wrong.capitalize() if word.group()[0].isupper() else wrong
                            changed = text[: word.start()] + wrong + text[word.end() :]
                            assert is_rejected(changed, evidence, "en", item), changed
                            tried += 1
    assert tried > 10


def test_clauses_of_two_sentences_are_not_joined(spoken):
    """Each is licensed for the same claim alone; what is joined from both is not."""
    language, true = spoken
    comma = ", " if language == "en" else "，"
    for (evidence, left), (other, right) in itertools.pairwise(true):
        if evidence == other:
            joined = left[:-1] + comma + with_small_letter(right, language)
            assert is_rejected(joined, evidence, language), joined
