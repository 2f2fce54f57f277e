"""The style rules refuse how reasons once read, and pass every sentence that a reason can be today."""

from collections.abc import Iterator
from importlib.resources import files
from itertools import product

import pytest

from recsvc.domain.reason import LANGUAGES, Tone
from recsvc.reasons.grammar.claim_keys import REASON_SLOTS, key_of
from recsvc.reasons.grammar.lexicon import sentences
from recsvc.reasons.grammar.pattern import Number, PatternRequest
from recsvc.reasons.house_style import problems
from recsvc.reasons.realiser import Realiser
from recsvc.reasons.seller_text.word_lists import forbidden_terms, negations

_FILES = files("recsvc.reasons")
STYLED = [language for language in LANGUAGES if (_FILES / "policy" / f"style_{language}.txt").is_file()]
CLAIMS = {key_of(*claim): claim for claim in REASON_SLOTS}
MOST_WORDS = 14  # of an English sentence that is no co-purchase: a name, and any other value, counts as one

# Sentences of an earlier phrase bank, as shoppers saw them. Readers found three of four unnatural.
OLD = {
    "en": [
        "It is 342 days since you bought this.",
        "Last ordered 26 days ago, twice in all.",
        "Reads much like “Set of 6 Soldier Skittles” in one of your orders, and 46 people bought this within 30 days.",
        "This was also bought by 32 of the 94 people who bought “Picnic Boxes”, as you did, within 365 days.",
        "Ordered twice, the last time 457 days ago.",
        "Within 365 days, 148 of the 281 buyers of “Pack of 60 Cake Cases”, which you bought, also bought this.",
        "Most recently 513 days ago, and twice in all, you bought this.",
        "A purchase of yours from 349 days ago.",
        "Chosen within 365 days by 83 of 325 who, like you, bought “Colour Glass T-Light Holder Hanging”.",
        "You bought “Vintage Christmas Gift Sack”, hence this suggestion, and within 30 days, 86 people bought this.",
        "The Nail Polish category appears 20 times among your purchases.",
        "Among the 175 buyers of “World Pride Nail Tape”, which you bought, 10 also bought this within 365 days.",
        "Your purchase of “Fuller Brush Foot and Body Spa Brush” brought this here.",
        "In keeping with “Salon Edge 36W Nail UV Lamp”, which you bought.",
        "It took “Essie Nail Lacquer” in your orders to bring this here.",
        "Similar to “Lysol Healthy Touch No-Touch Hand Soap…”, which you bought.",
        "Here thanks to your purchase of “Renpure Originals Brazilian Keratin…”.",
        "In line with “Coastal Scents 88 Color Palette, Warm”, which you bought.",
        "Your order of “Clarisonic Refining Skin Polish, 6 Ounce” is the reason for this one.",
        "Among your purchases, “Crack Styling Leave-In Treatment” speaks for this one.",
        "Your choice of “Bird Food” counted here.",
        "A relative of “Cleaning Spray” from your orders.",
        "Some of this goes back to “Umbrella”, a purchase of yours.",
        "You bought “Calligraphy Set”, and this is in line with it.",
        "“Hair Oil” from your orders counted in its favour.",
        "Already yours once, bought 181 days ago.",
        "In your order of 55 days ago, and here again.",
        "Suggested in part by your purchase of “Walking Boots”.",
        "Chosen with your profile in mind.",
    ],
    "zh": [
        "曾在55天前被你买下。",
        "缘于你所购的“Essie Nail Lacquer”。",
        "论描述，与“Lysol Hand Soap”相近，后者你已买过。",
        "Nail Polish类你下过20次单，又添一款。",
        "两次购入，末次距今26天。",
        "参考了你买过的“Crack Styling Leave-In Treatment”。",
        "推荐理由是你买过“Fuller Brush Spa Brush”。",
        "正因你选购过“Vintage Christmas Gift Sack”，才有这条推荐。",
        "它在你342天前的购买记录里。",
    ],
}
PLAIN = {
    "en": [
        "You've bought this 7 times, most recently 24 days ago.",
        "You usually buy this about every 44 days; it's been 66.",
        "Because you bought “The Last of the Here and Hence”.",
        "Because you bought “Walking Boots”",
        "86 people bought this in the last 30 days.",
        "32 of the 94 people who bought “Picnic Boxes” in the last 3 months also bought this.",
        "You've bought nail polish 20 times.",
        "This is similar to “Walking Boots”, which you bought. 1,312 people bought this in the last 30 days.",
        "You like baking bread.",
    ],
    "zh": [
        "您买过7次，最近一次是24天前。",
        "您通常约44天买一次，距上次购买已66天。",
        "买过“野餐盒”的94位顾客中，有32位也买了这件商品。",
        "您买过“登山鞋”，为您推荐这件商品。",
    ],
}


def of_styled(examples: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(language, text) for language in STYLED for text in examples[language]]


def bank_sentences(language: str) -> Iterator[tuple[str, Number, str]]:
    """Every sentence of the phrase bank, in any tone and number, with the key of its claim."""
    bank = Realiser()
    for (key, claim), tone, number, article in product(CLAIMS.items(), Tone, Number, (True, False)):
        for text in bank.patterns(PatternRequest(*claim, language, tone, number=number, article=article)):
            yield key, number, text


@pytest.mark.parametrize(("language", "text"), of_styled(OLD))
def test_sentence_that_readers_found_strange_is_refused(language: str, text: str) -> None:
    assert problems(text, language)


@pytest.mark.parametrize(("language", "text"), of_styled(PLAIN))
def test_plain_sentence_has_no_problem(language: str, text: str) -> None:
    assert problems(text, language) == []


@pytest.mark.parametrize(
    ("text", "names", "expected"),
    [
        ("You bought this, hence the suggestion.", (), ["forbidden: hence", "forbidden: suggestion"]),
        ("You've bought thence 5 times.", (), []),  # a forbidden word is a whole word
        ("You've bought from Here & Hence 5 times.", (), ["forbidden: here", "forbidden: hence"]),
        ("You've bought from Here & Hence 5 times.", ("Here & Hence",), []),
        ("You've bought this hEre.", (), ["forbidden: here"]),
        ("Chosen for people like you.", (), ["opening: chosen"]),
        ("You bought this. Chosen for people like you.", (), ["opening: chosen"]),
        ("Chosenware is a brand you've bought.", (), []),
        ("Because you bought “Hand Soap…”.", (), ["forbidden: …"]),  # names are cut at a word
        ("You bought this 342 days ago.", (), ["days: 342, not 1 to 90"]),
        ("You bought this 1,342 days ago.", (), ["days: 1342, not 1 to 90"]),
        ("You bought “Set of 342 days”.", (), []),
        ("You like it.", (), []),
        ("Like {item}.", (), ["words: 2, not 3 to 18"]),
        (f"You bought this {'and this ' * 8}too.", (), ["words: 20, not 3 to 18"]),
        ("You bought “No. 5. A. B. C.”. You like this.", (), []),  # a full stop in a name ends no sentence
        ("You bought it. You bought it. You bought it.", (), ["sentences: 3, not 1 to 2"]),
        ("", (), ["sentences: 0, not 1 to 2"]),
    ],
)
def test_each_rule_says_which_words_break_it(text: str, names: tuple[str, ...], expected: list[str]) -> None:
    assert problems(text, "en", names) == expected


@pytest.mark.parametrize("language", STYLED)
@pytest.mark.parametrize("key", CLAIMS)
def test_every_sentence_that_a_reason_can_be_follows_the_style(key: str, language: str) -> None:
    by_number = [sentences(*CLAIMS[key], language, number=number) for number in Number]
    assert all(by_number)
    for text in frozenset().union(*by_number):
        assert problems(text, language) == [], text
        words = text.replace("{", " ").replace("}", " ")
        assert forbidden_terms().find(words) is None, text
        assert negations(language).find(words) is None, text


@pytest.mark.parametrize("language", STYLED)
def test_every_sentence_of_the_bank_is_in_the_lexicon_and_follows_the_style(language: str) -> None:
    keys = set()
    for key, number, text in bank_sentences(language):
        keys.add(key)
        assert text in sentences(*CLAIMS[key], language, number=number), f"{key}: {text}"
        assert problems(text, language) == [], text
    assert keys == set(CLAIMS)


def test_english_bank_is_short() -> None:
    for key, _, text in bank_sentences("en"):
        if not key.startswith(("co_purchase", "repeat_interval")):  # they state four values, or two lengths of time
            assert len(text.split()) <= MOST_WORDS, text
