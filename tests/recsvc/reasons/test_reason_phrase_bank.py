"""The phrase bank matches the lexicon, and both follow rules for words that depend on neither."""

import re
from importlib.resources import files

import pytest
from fluent.syntax import FluentParser
from fluent.syntax.ast import Message

from recsvc.domain.reason import LANGUAGES, EvidenceKind, Strength, Tone
from recsvc.reasons.concise import SENTENCE_WIDTH, fits, may_fit
from recsvc.reasons.grammar.claim_keys import GROUP_OF, REASON_SLOTS, key_of
from recsvc.reasons.grammar.lexicon import matches_grammar, sentences, stop_of
from recsvc.reasons.grammar.pattern import SLOT, Form, PatternRequest
from recsvc.reasons.realiser import Realiser
from recsvc.reasons.seller_text.word_lists import forbidden_terms, negations

K = EvidenceKind
CLAIMS = list(REASON_SLOTS)
GROUPS = tuple(GROUP_OF.values())
CAUSAL_WORDS = {
    "en": re.compile(r"\b(because|hence|thus|therefore|thanks|due|led|brought|credit)\b", re.IGNORECASE),
    "zh": re.compile(r"因为|因此|由于|所以|导致|缘于|多亏"),
}
BANK = Realiser()  # loading it takes a while


def patterns_of(kind, strength, form, language, tone=Tone.NEUTRAL):
    return BANK.patterns(PatternRequest(kind, strength, form, language, tone))


@pytest.mark.parametrize("tone", [Tone.NEUTRAL, Tone.WARM])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim_has_patterns_that_are_sentences_of_the_lexicon(claim, language, tone):
    patterns = patterns_of(*claim, language, tone)
    is_group = claim[2] in GROUPS  # a heading has no tone
    assert len(set(patterns)) == len(patterns) >= (0 if is_group and tone is Tone.WARM else 1)
    for pattern in patterns:
        assert matches_grammar(pattern, *claim, language), pattern
        assert sorted(re.findall(r"\{(\w+)\}", pattern)) == sorted(REASON_SLOTS[claim]), pattern
        assert not re.search(r"\d", pattern), pattern


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_of_the_bank_words_a_claim(language):
    file = files("recsvc.reasons") / "phrases" / f"{language}.ftl"
    entries = FluentParser().parse(file.read_text(encoding="utf-8")).body
    messages = {entry.id.name for entry in entries if isinstance(entry, Message) and entry.attributes}  # others: words
    assert messages == {key_of(*claim).replace(".", "-") for claim in CLAIMS}


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentence_of_one_kind_words_no_other(language):
    """A sentence of one kind never passes as evidence of another, nor a causal one on weaker evidence."""
    preferences = {K.BRAND, K.CATEGORY, K.ATTRIBUTE}  # the slots say which
    for claim in CLAIMS:
        for other in CLAIMS:
            both = sentences(*claim, language) & sentences(*other, language)
            if claim[0] is not other[0] and not {claim[0], other[0]} <= preferences:
                assert not both, (claim, other, sorted(both)[:2])
            if claim[1] is Strength.CAUSAL and other[1] is not Strength.CAUSAL:
                assert not both, (claim, other, sorted(both)[:2])


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_user_did_with_the_anchor_is_told_apart(language):
    """Viewing is not buying."""
    forms = (Form.PLAIN, Form.VIEWED, Form.CART)
    for form in forms:
        for other in forms:
            both = sentences(K.HISTORY_ITEM, Strength.CAUSAL, form, language)
            both &= sentences(K.HISTORY_ITEM, Strength.CAUSAL, other, language)
            assert form is other or not both, sorted(both)[:2]


@pytest.mark.parametrize("language", LANGUAGES)
def test_causal_words_are_only_in_causal_claims(language):
    for claim in CLAIMS:
        causal = [text for text in sentences(*claim, language) if CAUSAL_WORDS[language].search(text)]
        assert claim[1] is Strength.CAUSAL or not causal, causal[:3]
    assert any(map(CAUSAL_WORDS[language].search, sentences(K.HISTORY_ITEM, Strength.CAUSAL, Form.PLAIN, language)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_forbidden_or_negative(language):
    for claim in CLAIMS:
        for sentence in sentences(*claim, language):
            words = SLOT.sub(" ", sentence)
            assert forbidden_terms().find(words) is None, sentence
            assert negations(language).find(words) is None, sentence
            assert sentence.endswith(stop_of(claim[2], language)), sentence
            assert language == "zh" or not sentence[:1].islower(), sentence
            assert language == "en" or not re.search(r"[ ,.:;!?你]", sentence), sentence


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("claim", CLAIMS)
def test_concise_patterns_may_fit_a_narrow_tile(claim, language):
    neutral, _, concise = (patterns_of(*claim, language, tone) for tone in Tone)
    assert {pattern for pattern in neutral if may_fit(pattern)} <= set(concise)
    for pattern in concise:
        assert may_fit(pattern), pattern
        assert matches_grammar(pattern, *claim, language), pattern


def test_width_of_a_concise_sentence_counts_a_chinese_character_twice():
    assert fits("a" * SENTENCE_WIDTH, Tone.CONCISE)
    assert not fits("a" * (SENTENCE_WIDTH + 1), Tone.CONCISE)
    assert fits("买" * 20, Tone.CONCISE)
    assert not fits("买" * 21, Tone.CONCISE)
    assert fits("买" * 90, Tone.NEUTRAL)
    assert may_fit("a" * 38 + "{item}")
    assert not may_fit("a" * 39 + "{item}")


@pytest.mark.parametrize(
    ("change", "matches"),
    [
        (lambda text: text, True),
        (lambda text: text[:1].lower() + text[1:], False),
        (lambda text: text[:-1], False),
        (lambda text: f"{text}.", False),
        (lambda text: text.replace(" ", "  ", 1), False),
        (lambda text: f"{text[:-1]}, {text[:1].lower()}{text[1:]}", False),
        (lambda text: "", False),
        (lambda text: ".", False),
    ],
)
def test_frame_is_one_whole_sentence(change, matches):
    for sentence in sentences(K.HISTORY_ITEM, Strength.CAUSAL, Form.PLAIN, "en"):
        if sentence.startswith("Because"):
            changed = change(sentence)
            assert matches_grammar(changed, K.HISTORY_ITEM, Strength.CAUSAL, Form.PLAIN, "en") is matches
