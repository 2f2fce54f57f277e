"""Measures how fluent sentences are: perplexity by character 5-grams of the phrase bank, Kneser-Ney smoothed.

The verifier accepts every licensed sentence. This tells those apart that read like the phrase bank.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

import numpy as np

from recsvc.domain.reason import Reason, Tone
from recsvc.reasons import PatternRequest, Realiser
from recsvc.reasons.claim import Claim
from recsvc.reasons.grammar.claim_keys import REASON_SLOTS
from recsvc.reasons.grammar.pattern import SLOT, SLOTS

ORDER = 5
DISCOUNT = 0.75
MAX_PERPLEXITY_RATIO = 1.3  # to the bank's own median; up to it, a sentence reads about like those of the bank
QUANTILES = np.linspace(0, 1, 21)
_SENTENCE_END = re.compile(r"(?<=\.) |(?<=。)")
_START, _END = "\x02", "\x03"
_ALPHABET_SIZES = {"en": 64, "zh": 2_000}  # how many characters there could be
# A slot counts as one character, because a reader sees one thing.
_SLOT_CHARACTERS = {slot: chr(0xE000 + place) for place, slot in enumerate(SLOTS)}


class CharacterModel:
    """An n-gram model of characters with interpolated Kneser-Ney smoothing.

    See Chen and Goodman, "An empirical study of smoothing techniques", 1999. A shorter gram counts once for every
    longer one that ends in it, so a text can be forgotten again exactly. nltk.lm has the same model, but cannot forget
    a text, and would be one more dependency.

    Args:
        texts: To learn from.
        alphabet: How many characters there could be.
    """

    def __init__(self, texts: Iterable[str], alphabet: int) -> None:
        self._uniform = 1 / alphabet
        self._grams: Counter[str] = Counter()
        self._totals: Counter[str] = Counter()  # by context: counts of the grams that continue it
        self._different: Counter[str] = Counter()  # by context: how many different grams continue it
        for text in texts:
            self.learn(text)

    def learn(self, text: str, times: int = 1) -> None:
        """Learns a text once. With times=-1, forgets a text that was learned."""
        for gram in _grams(text):
            part = gram
            while part:
                before = self._grams[part]
                self._grams[part] = before + times
                self._totals[part[:-1]] += times
                if before and before + times:
                    break  # the number of longer grams that end in the shorter one has not changed
                self._different[part[:-1]] += times
                part = part[1:]

    def perplexity(self, text: str) -> float:
        """The perplexity of a character of `text`, as a number of equally likely characters."""
        grams = _grams(text)
        return math.exp(-sum(math.log(self.probability(gram)) for gram in grams) / len(grams))

    def probability(self, gram: str) -> float:
        """The probability of the last character of a gram of ORDER characters, given the others."""
        probability = self._uniform
        for start in range(len(gram) - 1, -1, -1):
            part = gram[start:]
            context = part[:-1]
            if (total := self._totals[context]) > 0:
                backed_off = DISCOUNT * self._different[context] * probability
                probability = (max(self._grams[part] - DISCOUNT, 0) + backed_off) / total
        return probability


class Fluency:
    """Measures the perplexity of patterns of one language by its phrase bank.

    A pattern of the bank is forgotten before it is measured, because a model finds everything likely that it has seen.

    Attributes:
        bank: The patterns of the phrase bank.
        bank_median: Their median perplexity.
    """

    def __init__(self, language: str) -> None:
        self.bank = bank_of(language)
        self._model = CharacterModel(self.bank, _ALPHABET_SIZES[language])
        self._perplexities = dict(zip(self.bank, map(self._left_out, self.bank), strict=True))
        self.bank_median = median(self._perplexities.values())

    def perplexity(self, pattern: str) -> float:
        """The perplexity of a character of the pattern."""
        if pattern not in self._perplexities:
            self._perplexities[pattern] = self._model.perplexity(pattern)
        return self._perplexities[pattern]

    def _left_out(self, pattern: str) -> float:
        self._model.learn(pattern, -1)
        perplexity = self._model.perplexity(pattern)
        self._model.learn(pattern)
        return perplexity


def fluency(reasons: Sequence[tuple[Reason, Sequence[Claim]]], language: str) -> dict[str, Any]:
    """Measures the perplexity of the claims of shown reasons, and of the phrase bank to compare with.

    Returns:
        median: The median perplexity. None without reasons.
        usual: The share of claims within MAX_PERPLEXITY_RATIO times the bank's median. None without reasons.
        quantiles: The quantiles 0, 0.05, ... 1.
        bank_median, bank_usual, bank_quantiles: The same of the bank's patterns, each measured without itself.
    """
    model = Fluency(language)
    shown = [model.perplexity(part) for reason, claims in reasons for part in patterns_of(reason, claims)]
    bank = list(map(model.perplexity, model.bank))
    return {
        "median": median(shown) if shown else None,
        "usual": float(np.mean(np.array(shown) <= MAX_PERPLEXITY_RATIO * model.bank_median)) if shown else None,
        "quantiles": np.quantile(shown, QUANTILES).tolist() if shown else [],
        "bank_median": model.bank_median,
        "bank_usual": float(np.mean(np.array(bank) <= MAX_PERPLEXITY_RATIO * model.bank_median)),
        "bank_quantiles": np.quantile(bank, QUANTILES).tolist(),
    }


def patterns_of(reason: Reason, claims: Sequence[Claim]) -> list[str]:
    """The sentences of a reason with {slots} in place of their values."""
    text = reason.text
    for claim in claims:
        for slot, value in sorted(claim.slots, key=lambda pair: -len(pair[1])):
            text = text.replace(value, f"{{{slot}}}", 1)
    return list(filter(None, _SENTENCE_END.split(text)))


def bank_of(language: str) -> dict[str, None]:
    """Every pattern of the phrase bank, in every tone, once each."""
    bank = Realiser()
    requests = [PatternRequest(*claim, language, tone=tone) for claim in REASON_SLOTS for tone in Tone]
    return {pattern: None for request in requests for pattern in bank.patterns(request)}


def _grams(text: str) -> list[str]:
    padded = _START * (ORDER - 1) + SLOT.sub(lambda slot: _SLOT_CHARACTERS[slot[1]], text) + _END
    return [padded[at : at + ORDER] for at in range(len(padded) - ORDER + 1)]
