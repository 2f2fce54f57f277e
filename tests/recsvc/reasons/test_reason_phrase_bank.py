"""The phrase bank against the lexicon, and both against the rules for words that do not depend on either."""

import re

import pytest

from recsvc.domain import LANGUAGES, EvidenceKind, Strength
from recsvc.reasons.lexicon import is_licensed
from recsvc.reasons.pattern import Form, PatternRequest
from recsvc.reasons.plan import opening
from recsvc.reasons.realiser import Realiser
from recsvc.reasons.word_lists import forbidden_terms, negations, read_sections

CELLS = [
    (EvidenceKind.REPEAT_PURCHASE, Strength.CAUSAL, Form.PLAIN),
    (EvidenceKind.REPEAT_PURCHASE, Strength.CAUSAL, Form.MANY),
    (EvidenceKind.REPEAT_PURCHASE, Strength.RELATIONAL, Form.PLAIN),
    (EvidenceKind.REPEAT_PURCHASE, Strength.RELATIONAL, Form.MANY),
    *((EvidenceKind.HISTORY_ITEM, s, f) for s in list(Strength)[:3] for f in (Form.PLAIN, Form.UNNAMED)),
    (EvidenceKind.SIMILAR_ITEM, Strength.RELATIONAL, Form.PLAIN),
    (EvidenceKind.SIMILAR_ITEM, Strength.RELATIONAL, Form.UNNAMED),
    (EvidenceKind.BRAND, Strength.RELATIONAL, Form.PLAIN),
    (EvidenceKind.CATEGORY, Strength.RELATIONAL, Form.PLAIN),
    (EvidenceKind.PROFILE, Strength.NEUTRAL, Form.PLAIN),
    (EvidenceKind.POPULARITY, Strength.NEUTRAL, Form.PLAIN),
]
SLOTS = {
    EvidenceKind.HISTORY_ITEM: {"item"},
    EvidenceKind.SIMILAR_ITEM: {"item"},
    EvidenceKind.BRAND: {"value", "count"},
    EvidenceKind.CATEGORY: {"value", "count"},
    EvidenceKind.POPULARITY: {"count", "days"},
}
CAUSAL_WORDS = {
    "en": re.compile(r"\b(because|so|hence|thus|therefore|why|thanks|due|led|brought|made)\b", re.IGNORECASE),
    "zh": re.compile(r"因为|因此|因你|由于|所以|理由|导致"),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("kind", "strength", "form"), CELLS)
def test_every_cell_has_variety_and_says_what_the_lexicon_licenses(kind, strength, form, language):
    patterns = Realiser().patterns(PatternRequest(kind, strength, form, language))
    assert len(set(patterns)) == len(patterns) >= 6
    assert len({opening(pattern, language) for pattern in patterns}) >= 5
    expected = SLOTS.get(kind, set()) if form is Form.PLAIN else {"times"} if form is Form.MANY else set()
    for pattern in patterns:
        assert is_licensed(pattern, kind, strength, form, language), pattern
        assert sorted(re.findall(r"\{(\w+)\}", pattern)) == sorted(expected), pattern
        assert not re.search(r"\d", pattern), pattern


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("kind", "strength", "form"), CELLS)
def test_no_other_claim_licenses_it_unless_it_may(kind, strength, form, language):
    """A sentence of one kind never passes as evidence of another, nor a strong one on weaker evidence."""
    for pattern in Realiser().patterns(PatternRequest(kind, strength, form, language)):
        for other_kind, other_strength, other_form in CELLS:
            if not is_licensed(pattern, other_kind, other_strength, other_form, language):
                continue
            # "You have bought this before" is as true where it is the cause; 'many' adds a number, it forbids nothing;
            # whether the anchor is named is a matter of slots, not of words; brand and category share some phrases.
            same_claim = other_kind == kind and (kind is EvidenceKind.REPEAT_PURCHASE or other_strength == strength)
            assert same_claim or {kind, other_kind} == {EvidenceKind.BRAND, EvidenceKind.CATEGORY}, pattern
            if CAUSAL_WORDS[language].search(pattern):
                assert other_strength is Strength.CAUSAL, pattern
            if "{times}" in pattern:
                assert other_form is Form.MANY, pattern


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_bank_has_no_message_that_is_never_asked_for(language):
    bundle = Realiser()._bundles[language]
    asked = {"-".join(filter(None, cell)) for cell in CELLS}
    assert set(bundle._messages) - {"span"} == asked


@pytest.mark.parametrize("language", LANGUAGES)
def test_causal_words_stand_only_under_causal_headings(language):
    sections = read_sections(f"lexicon_{language}")
    for heading, phrases in sections.items():
        if not all(cell.split(".")[1:2] == ["causal"] for cell in heading.split()):
            assert not [phrase for phrase in phrases if CAUSAL_WORDS[language].search(phrase)]
    assert any(CAUSAL_WORDS[language].search(p) for p in sections["history_item.causal"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_licensed_phrase_is_forbidden_or_negative(language):
    for phrases in read_sections(f"lexicon_{language}").values():
        for phrase in phrases:
            assert forbidden_terms().find(phrase) is None
            assert negations(language).find(phrase) is None


def test_one_day_is_not_one_days():
    request = PatternRequest(EvidenceKind.POPULARITY, Strength.NEUTRAL, Form.PLAIN, "en", singular=("days",))
    for pattern in Realiser().patterns(request):
        assert "{days} day" in pattern
        assert "{days} days" not in pattern
        assert is_licensed(pattern, EvidenceKind.POPULARITY, Strength.NEUTRAL, Form.PLAIN, "en")


@pytest.mark.parametrize(
    ("frame", "licensed"),
    [
        ("Because you bought {item}.", True),
        ("This, because you bought {item}, was chosen for you.", True),
        ("because you bought {item}.", False),  # no capital
        ("Because you bought {item}", False),  # no full stop
        ("Because you bought {item}..", False),
        ("Because  you bought {item}.", False),
        ("Because you bought {item} because.", False),
        ("This is here.", False),  # nothing claimed
        (".", False),
        ("", False),
    ],
)
def test_a_frame_is_a_row_of_phrases_with_a_claim(frame, licensed):
    assert is_licensed(frame, EvidenceKind.HISTORY_ITEM, Strength.CAUSAL, Form.PLAIN, "en") is licensed
