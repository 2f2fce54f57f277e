"""The notation of permitted sentences, and the lexicon that is read from it: expansion and membership agree."""

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsvc.domain.reason import LANGUAGES, EvidenceKind, Strength
from recsvc.errors import SettingsError
from recsvc.reasons.grammar.claim_keys import GROUP_OF, REASON_SLOTS
from recsvc.reasons.grammar.lexicon import matches_grammar, read_lexicon, sentences, with_pronoun
from recsvc.reasons.grammar.notation import MAX_SENTENCES, check_slots, expand
from recsvc.reasons.grammar.pattern import Form, Number
from recsvc.reasons.seller_text.word_lists import Line

CAUSAL = (EvidenceKind.HISTORY_ITEM, Strength.CAUSAL, Form.PLAIN)

words = st.text(alphabet="abcdefg", min_size=1, max_size=4)
choices = st.lists(words | st.just(""), min_size=1, max_size=3)
# A row is words and choices; within a choice there may be another one.
inner = st.lists(st.tuples(st.just("words"), words) | st.tuples(st.just("choice"), choices), max_size=3)
rows = st.lists(
    st.tuples(st.just("words"), words) | st.tuples(st.just("nested"), st.lists(inner, min_size=1, max_size=3)),
    min_size=1,
    max_size=3,
)


def written(parts):
    """A row in the notation."""
    texts = {
        "words": lambda text: text,
        "choice": lambda options: f"({'|'.join(options)})",
        "nested": lambda options: f"({'|'.join(map(written, options))})",
    }
    return "".join(texts[kind](part) for kind, part in parts)


def meant(parts):
    """Every text that a row stands for."""
    texts = {
        "words": lambda text: [text],
        "choice": list,
        "nested": lambda options: [text for option in options for text in meant(option)],
    }
    return ["".join(row) for row in itertools.product(*(texts[kind](part) for kind, part in parts))]


@given(parts=rows)
def test_expansion_writes_out_every_alternative_and_no_other(parts):
    assert sorted(expand(written(parts))) == sorted(meant(parts))


@settings(max_examples=50)
@given(parts=rows, other=words)
def test_sentence_is_a_member_exactly_if_its_line_stands_for_it(parts, other):
    lines = (Line("history_item.causal", 1, f"{written(parts)} {{item}}"),)
    read = read_lexicon(lines, "lexicon_en.txt", "en")[CAUSAL, Number.ONE]
    permitted = {f"{text} {{item}}".strip() for text in meant(parts)}
    assert read == {f"{text[:1].upper()}{text[1:]}." for text in permitted}
    assert (f"{other.capitalize()} {{item}}." in read) is (f"{other} {{item}}" in permitted)


@pytest.mark.parametrize(
    ("line", "sentences_of_line"),
    [
        ("you (bought|ordered) it", ["you bought it", "you ordered it"]),
        ("you (just |)bought it", ["you just bought it", "you bought it"]),
        ("you (just|) bought it(, (again|too)|)", ["you just bought it, again", "you just bought it, too",
         "you just bought it", "you bought it, again", "you bought it, too", "you bought it"]),
        ("您(之前|)买过", ["您之前买过", "您买过"]),
        ("", [""]),
    ],
)  # fmt: skip
def test_line_stands_for_these_sentences(line, sentences_of_line):
    assert expand(line) == sentences_of_line


def test_words_that_agree_have_one_form_for_a_number():
    line = "<this is (an item|a product)/these are items> you bought, so you want <it/them>"
    assert expand(line) == [
        "this is an item you bought, so you want it",
        "this is a product you bought, so you want it",
    ]
    assert expand(line, Number.MANY) == ["these are items you bought, so you want them"]


@pytest.mark.parametrize("line", ["buy <this>", "buy <this/these", "buy this/these>", "<a/b/c>"])
def test_words_that_agree_without_two_forms_are_refused(line):
    with pytest.raises(ValueError, match="must hold two forms"):
        expand(line)


def test_sentence_of_a_plural_never_says_this_of_the_item():
    for claim in REASON_SLOTS:
        many = sentences(*claim, "en", number=Number.MANY)
        assert many
        for sentence in many:
            of_item = re.sub(r"\b[Ii]t(?:'s| has) been|\bIt (?:might|may) be time", "", sentence)
            assert not re.search(r"\b(?:this|it|it's)\b", of_item, re.IGNORECASE), sentence
        if claim[2] not in GROUP_OF.values():
            assert not any(re.search(r"\bthese\b", one, re.IGNORECASE) for one in sentences(*claim, "en"))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("you (bought", "'(' without ')'"),
        ("you bought)", "')' without '('"),
        ("you bought|ordered", "'|' outside of '( )'"),
        ("(a|(b|(c|d)))", "within more than 1 other"),
        ("(a|b)" * 15, f"32,768 sentences; at most {MAX_SENTENCES:,}"),
        ("(a|b)" * 400, "at most"),
    ],
)
def test_line_that_breaks_the_notation_is_refused(line, problem):
    with pytest.raises(ValueError, match=re.escape(problem)):
        expand(line)


@pytest.mark.parametrize(
    "sentence", ["You.", "{item} {item}.", "{item} {count}.", "{item} 3.", "{item} {price}.", "{item"]
)
def test_sentence_without_exactly_its_slots_is_refused(sentence):
    check_slots("Because you bought {item}.", frozenset({"item"}))
    with pytest.raises(ValueError, match=r"slot"):
        check_slots(sentence, frozenset({"item"}))


@pytest.mark.parametrize(
    ("heading", "text", "problem"),
    [
        ("history_item.causal", "because you bought (it|{item})", "must have each of its claim's slots once: {item}"),
        ("history_item.causal", "because (you", "'(' without ')'"),
        ("history_item.love", "because you love {item}", "no claim 'history_item.love'; there are: attribute."),
        ("history_item.causal brand.relational", "because you bought {item}", "{times} {value}"),
    ],
)
def test_broken_lexicon_is_refused_with_its_file_section_and_line(heading, text, problem):
    with pytest.raises(SettingsError) as refused:
        read_lexicon((Line("brand.relational", 3, "{value} {times}"), Line(heading, 7, text)), "lexicon_en.txt", "en")
    assert str(refused.value).startswith(f"lexicon_en.txt: [{heading}], line 7: ")
    assert problem in str(refused.value)
    assert "\n" not in str(refused.value)


def test_claim_with_too_many_sentences_is_refused():
    line = "{item} " + "(a|b)" * 14
    with pytest.raises(SettingsError, match=r"lexicon_en\.txt: history_item\.causal: more than 20,000 sentences"):
        read_lexicon(
            (Line("history_item.causal", 1, line), Line("history_item.causal", 2, f"a {line}")), "lexicon_en.txt", "en"
        )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("claim", REASON_SLOTS)
def test_membership_is_the_set_of_sentences(claim, language):
    permitted = sentences(*claim, language)
    assert permitted
    for sentence in sorted(permitted)[:50]:
        assert matches_grammar(sentence, *claim, language)
        for wrong in (sentence + " ", sentence[:-1], sentence + sentence, sentence.replace("{", "{{")):
            assert (wrong in permitted) is matches_grammar(wrong, *claim, language)


def test_unknown_claim_has_no_sentence():
    assert sentences(EvidenceKind.HISTORY_ITEM, Strength.NEUTRAL, Form.PLAIN, "en") == frozenset()
    assert sentences(EvidenceKind.HISTORY_ITEM, Strength.CAUSAL, Form.PLAIN, "en", "poem.v1") == frozenset()


def test_chinese_frame_may_say_you_familiarly_but_not_both_ways():
    for claim in REASON_SLOTS:
        for sentence in sentences(*claim, "zh"):
            familiar = with_pronoun(sentence, "你")
            assert matches_grammar(familiar, *claim, "zh")
            if "您" in sentence:
                assert not matches_grammar(familiar.replace("你", "您", 1) + "你", *claim, "zh")
            if sentence.count("您") > 1:
                assert not matches_grammar(sentence.replace("您", "你", 1), *claim, "zh")
