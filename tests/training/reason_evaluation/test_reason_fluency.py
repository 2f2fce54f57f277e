"""The character model against a closed form, its forgetting, and the sentences that it finds odd."""

import math
import random

import pytest

from recsvc.domain.reason import LANGUAGES
from training.reason_evaluation.fluency import CharacterModel, Fluency, bank_of


def test_untrained_model_finds_every_character_equally_likely():
    assert CharacterModel([], 64).perplexity("any text") == pytest.approx(64)


def test_model_of_one_text_matches_the_closed_form():
    # The model learned "a": the grams ^^^^a and ^^^a$ and their endings. By hand: with one gram of each length, the
    # probability of the end after "a" is (1 - D) + D * (...), down to the unigrams "a" and "$".
    discount, uniform = 0.75, 1 / 10
    unigram = (1 - discount) / 2 + discount * 2 / 2 * uniform
    once = unigram
    for _ in range(4):
        once = (1 - discount) + discount * once
    assert CharacterModel(["a"], 10).perplexity("a") == pytest.approx(1 / once)


def test_probabilities_of_the_next_character_sum_to_one():
    model = CharacterModel(["abcab", "abd", "bca"], 5)
    for context in ("\x02\x02\x02\x02", "\x02\x02ab", "abca", "zzzz"):
        assert sum(model.probability(context + c) for c in "abcd\x03") == pytest.approx(1)


def test_forgotten_text_leaves_no_trace():
    rng = random.Random(0)
    texts = ["".join(rng.choices("abc ", k=rng.randint(1, 12))) for _ in range(60)]
    model = CharacterModel(texts, 30)
    for text in texts[:30]:
        model.learn(text, -1)
    never = CharacterModel(texts[30:], 30)
    for text in texts:
        assert model.perplexity(text) == pytest.approx(never.perplexity(text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_pattern_of_the_bank_is_measured_without_itself(language):
    model, bank = Fluency(language), list(bank_of(language))
    for pattern in bank[::40]:
        others = CharacterModel([other for other in bank if other != pattern], {"en": 64, "zh": 2_000}[language])
        assert model.perplexity(pattern) == pytest.approx(others.perplexity(pattern))


@pytest.mark.parametrize(
    ("language", "usual", "odd"),
    [
        ("en", "Because you bought the {item}.", "Item {item}, it bought you why thus."),
        ("zh", "您买过{item}，所以推荐这件商品。", "物{item}购汝昔，故荐此焉哉。"),
    ],
)
def test_odd_sentence_has_a_higher_perplexity(language, usual, odd):
    model = Fluency(language)
    assert model.perplexity(odd) > 4 * model.perplexity(usual)
    assert math.isfinite(model.perplexity("🦄" * 50))
