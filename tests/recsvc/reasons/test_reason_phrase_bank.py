"""The phrase bank matches the lexicon, and both follow rules for words that depend on neither."""

import re
from importlib.resources import files

import pytest
from fluent.syntax import FluentParser
from fluent.syntax.ast import Message

from recsvc.domain.reason import LANGUAGES, EvidenceKind, Strength, Tone
from recsvc.reasons.grammar.lexicon import STOP, matches_grammar
from recsvc.reasons.grammar.pattern import SLOT, Form, PatternRequest, is_short
from recsvc.reasons.plan import opening
from recsvc.reasons.realiser import Realiser
from recsvc.reasons.seller_text.word_lists import forbidden_terms, negations, read_sections

CLAIMS = [
    (EvidenceKind.REPEAT_PURCHASE, Strength.CAUSAL, Form.PLAIN),
    (EvidenceKind.REPEAT_PURCHASE, Strength.CAUSAL, Form.MANY),
    (EvidenceKind.REPEAT_PURCHASE, Strength.RELATIONAL, Form.PLAIN),
    *((EvidenceKind.REPEAT_PURCHASE, Strength.RELATIONAL, f) for f in (Form.MANY, Form.AGO, Form.MANY_AGO)),
    *((EvidenceKind.HISTORY_ITEM, s, f) for s in list(Strength)[:3] for f in (Form.PLAIN, Form.UNNAMED)),
    (EvidenceKind.SIMILAR_ITEM, Strength.RELATIONAL, Form.PLAIN),
    (EvidenceKind.SIMILAR_ITEM, Strength.RELATIONAL, Form.UNNAMED),
    *((EvidenceKind.HISTORY_ITEM, s, f) for s in list(Strength)[:2] for f in (Form.VIEWED, Form.CART)),
    *((EvidenceKind.SIMILAR_ITEM, Strength.RELATIONAL, f) for f in (Form.VIEWED, Form.CART)),
    *((EvidenceKind.CO_PURCHASE, Strength.RELATIONAL, f) for f in (Form.PLAIN, Form.VIEWED, Form.CART)),
    *((EvidenceKind.ATTRIBUTE, Strength.RELATIONAL, f) for f in (Form.COLOUR, Form.MATERIAL, Form.STYLE, Form.USE)),
    (EvidenceKind.REPEAT_INTERVAL, Strength.RELATIONAL, Form.PLAIN),
    (EvidenceKind.BRAND, Strength.RELATIONAL, Form.PLAIN),
    (EvidenceKind.CATEGORY, Strength.RELATIONAL, Form.PLAIN),
    (EvidenceKind.PROFILE, Strength.NEUTRAL, Form.PLAIN),
    (EvidenceKind.PROFILE, Strength.NEUTRAL, Form.MENTIONED),
    (EvidenceKind.POPULARITY, Strength.NEUTRAL, Form.PLAIN),
]
SLOTS = {
    EvidenceKind.HISTORY_ITEM: {"item"},
    EvidenceKind.SIMILAR_ITEM: {"item"},
    EvidenceKind.BRAND: {"value", "count"},
    EvidenceKind.CATEGORY: {"value", "count"},
    EvidenceKind.CO_PURCHASE: {"item", "count", "people", "days"},
    EvidenceKind.ATTRIBUTE: {"value", "count"},
    EvidenceKind.REPEAT_INTERVAL: {"days", "elapsed"},
    EvidenceKind.POPULARITY: {"count", "days"},
}
TAILS = [
    (EvidenceKind.BRAND, Strength.RELATIONAL),
    (EvidenceKind.CATEGORY, Strength.RELATIONAL),
    (EvidenceKind.POPULARITY, Strength.NEUTRAL),
]
CAUSAL_WORDS = {
    "en": re.compile(
        r"\b(because|so|hence|thus|therefore|why|thanks|due|led|brought|made(?! of)|idea|credit)\b", re.IGNORECASE
    ),
    "zh": re.compile(r"因为|因此|因你|由于|所以|理由|导致|缘于|灵感|主意|多亏"),
}
# A warm sentence may not express feelings, memory, praise or pressure.
GUSHING = {
    "en": re.compile(
        r"\b(lov|enjoy|favou?rit|ador|remember|recall|miss|feel|felt|happy|glad|delight|wish|need|must|hurry|perfect|"
        r"great|lovely|wonderful|special|treat|deserve|sure|worth|only|just for you|welcome)\w*|!",
        re.IGNORECASE,
    ),
    "zh": re.compile(
        r"喜欢|喜爱|心爱|钟爱|偏爱|爱上|记得|想念|惦记|开心|高兴|心动|满意|一定|赶|快|专属|值得|需要|很棒|[!！~～]"
    ),
}


BANK = Realiser()  # loading it takes a while


def patterns_of(kind, strength, form, language, tone=Tone.NEUTRAL, singular=()):
    return BANK.patterns(PatternRequest(kind, strength, form, language, singular, tone))


@pytest.mark.parametrize("tone", Tone)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("kind", "strength", "form"), CLAIMS)
def test_every_claim_has_several_patterns_that_match_the_grammar(kind, strength, form, language, tone):
    patterns = patterns_of(kind, strength, form, language, tone)
    assert len(set(patterns)) == len(patterns) >= 6
    assert len({opening(pattern, language) for pattern in patterns}) >= (5 if tone is Tone.NEUTRAL else 4)
    of_form = {Form.MANY: {"times"}, Form.AGO: {"elapsed"}, Form.MANY_AGO: {"times", "elapsed"}, Form.UNNAMED: set()}
    of_form[Form.MENTIONED] = {"value"}
    expected = of_form.get(form, SLOTS.get(kind, set()))
    for pattern in patterns:
        assert matches_grammar(pattern, kind, strength, form, language), pattern
        assert sorted(re.findall(r"\{(\w+)\}", pattern)) == sorted(expected), pattern
        assert not re.search(r"\d", pattern), pattern


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("kind", "strength", "form"), CLAIMS)
def test_pattern_of_one_claim_does_not_match_another(kind, strength, form, language):
    """A sentence of one kind never passes as evidence of another, nor a strong one on weaker evidence."""
    warm = patterns_of(kind, strength, form, language, Tone.WARM)
    for pattern in (*patterns_of(kind, strength, form, language), *warm):
        for other_kind, other_strength, other_form in CLAIMS:
            if not matches_grammar(pattern, other_kind, other_strength, other_form, language):
                continue
            # "You have bought this before" is also true if it is the cause. 'many' only adds a number. Whether the
            # anchor is named depends on slots, not on words. Brand and category share some phrases.
            same_claim = other_kind == kind and (kind is EvidenceKind.REPEAT_PURCHASE or other_strength == strength)
            assert same_claim or {kind, other_kind} == {EvidenceKind.BRAND, EvidenceKind.CATEGORY}, pattern
            if CAUSAL_WORDS[language].search(pattern):
                assert other_strength is Strength.CAUSAL, pattern
            visit = {Form.VIEWED, Form.CART}
            assert form == other_form or not {form, other_form} & visit, pattern  # viewing is not buying
            if "{times}" in pattern:
                assert other_form in (Form.MANY, Form.MANY_AGO), pattern
            if "{elapsed}" in pattern and kind is EvidenceKind.REPEAT_PURCHASE:
                assert other_form in (Form.AGO, Form.MANY_AGO), pattern


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_of_the_bank_is_used(language):
    used = {"-".join(filter(None, claim)) for claim in CLAIMS}
    used |= {f"{kind}-{strength}-tail" for kind, strength in TAILS}
    file = files("recsvc.reasons") / "phrases" / f"{language}.ftl"
    entries = FluentParser().parse(file.read_text(encoding="utf-8")).body
    attributes = {entry.id.name: len(entry.attributes) for entry in entries if isinstance(entry, Message)}
    assert set(attributes) - {"span", "ago"} == used
    assert sum(attributes[message] for message in used) >= 200


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("kind", "strength"), TAILS)
def test_tail_is_a_sentence_without_capital_and_stop(kind, strength, language):
    patterns = patterns_of(kind, strength, Form.TAIL, language)
    assert len(patterns) >= 3
    for pattern in patterns:
        sentence = f"{pattern[:1].upper()}{pattern[1:]}{STOP[language]}"
        assert matches_grammar(sentence, kind, strength, Form.TAIL, language), pattern
        assert sorted(re.findall(r"\{(\w+)\}", pattern)) == sorted(SLOTS[kind])


@pytest.mark.parametrize("language", LANGUAGES)
def test_causal_words_are_only_under_causal_headings(language):
    sections = read_sections(f"lexicon_{language}")
    for heading, phrases in sections.items():
        if not all(key.split(".")[1:2] == ["causal"] for key in heading.split()):
            assert not [phrase for phrase in phrases if CAUSAL_WORDS[language].search(phrase)]
    assert any(CAUSAL_WORDS[language].search(p) for p in sections["history_item.causal"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_phrase_is_forbidden_or_negative(language):
    for phrases in read_sections(f"lexicon_{language}").values():
        for phrase in phrases:
            assert forbidden_terms().find(phrase) is None
            assert negations(language).find(phrase) is None


@pytest.mark.parametrize("tone", Tone)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("kind", "strength", "form", "slot"),
    [
        (EvidenceKind.POPULARITY, Strength.NEUTRAL, Form.PLAIN, "days"),
        *((EvidenceKind.CO_PURCHASE, Strength.RELATIONAL, f, "days") for f in (Form.PLAIN, Form.VIEWED, Form.CART)),
        *((EvidenceKind.REPEAT_PURCHASE, Strength.RELATIONAL, f, "elapsed") for f in (Form.AGO, Form.MANY_AGO)),
    ],
)
def test_one_day_is_singular(kind, strength, form, slot, language, tone):
    patterns = patterns_of(kind, strength, form, language, tone, singular=(slot,))
    assert len(patterns) >= 6
    for pattern in patterns:
        assert f"{{{slot}}} days" not in pattern
        assert language == "zh" or f"{{{slot}}} day" in pattern
        assert matches_grammar(pattern, kind, strength, form, language), pattern


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("kind", "strength", "form"), CLAIMS)
def test_patterns_of_a_tone_match_the_same_grammar(kind, strength, form, language):
    neutral, warm, concise = (patterns_of(kind, strength, form, language, tone) for tone in Tone)
    assert set(concise) == {pattern for pattern in neutral if is_short(pattern, language)}
    longest = max(len(SLOT.sub("", p).split() if language == "en" else SLOT.sub("", p)) for p in concise)
    assert longest <= (13 if language == "en" else 22)  # co-purchases have four values
    assert not set(warm) & set(neutral)
    for pattern in warm:
        assert not GUSHING[language].search(pattern), pattern
        assert forbidden_terms().find(pattern) is None, pattern


@pytest.mark.parametrize(
    ("pattern", "language", "short"),
    [
        ("Because you bought {item}.", "en", True),
        ("One two three four five six.", "en", True),
        ("One two three four five six seven.", "en", False),
        ("One two three four five six seven {item}.", "en", True),
        ("One two three four five six seven eight {item}.", "en", False),
        ("因为你买过{item}。", "zh", True),
        ("一二三四五六七八九十，{item}一二。", "zh", True),
        ("一二三四五六七八九十，{item}一二三。", "zh", False),
    ],
)
def test_is_short_does_not_count_the_values(pattern, language, short):
    assert is_short(pattern, language) is short


@pytest.mark.parametrize(
    ("frame", "matches"),
    [
        ("Because you bought {item}.", True),
        ("This, because you bought {item}, was chosen for you.", True),
        ("because you bought {item}.", False),  # no capital
        ("Because you bought {item}", False),  # no full stop
        ("Because you bought {item}..", False),
        ("Because  you bought {item}.", False),
        ("Because you bought {item} because.", False),
        ("This is here.", False),  # no claim
        (".", False),
        ("", False),
    ],
)
def test_frame_is_a_sequence_of_phrases_with_a_claim(frame, matches):
    assert matches_grammar(frame, EvidenceKind.HISTORY_ITEM, Strength.CAUSAL, Form.PLAIN, "en") is matches
