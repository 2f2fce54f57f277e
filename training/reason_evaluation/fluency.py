"""How usual sentences read beside the phrase bank: character 5-grams with interpolated Kneser-Ney smoothing.

The verifier licenses every row of licensed phrases, also one that no person would have put so.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

import numpy as np

from recsvc.domain.reason import EvidenceKind, Reason, Strength
from recsvc.reasons import PatternRequest, Realiser
from recsvc.reasons.claim import Claim
from recsvc.reasons.grammar.lexicon import CONNECTIVES, STOP
from recsvc.reasons.grammar.pattern import SLOT, SLOTS, Form

ORDER = 5
DISCOUNT = 0.75
USUAL = 1.3  # times the bank's own median: up to it a sentence reads about as the bank's do
QUANTILES = np.linspace(0, 1, 21)
_START, _END = "\x02", "\x03"
_ALPHABET = {"en": 64, "zh": 2_000}  # characters that there might be
# A slot is one character, as it is one thing to a reader.
_SLOT_CHARACTERS = {slot: chr(0xE000 + place) for place, slot in enumerate(SLOTS)}


class CharacterModel:
    """Interpolated Kneser-Ney (Chen and Goodman, "An empirical study of smoothing techniques", 1999): a shorter gram
    counts once for every longer one that ends in it. So a text can be forgotten again, exactly.

    nltk.lm has the same, but no way to forget, and asks for a second library to say this much.
    """

    def __init__(self, texts: Iterable[str], alphabet: int) -> None:
        self._uniform = 1 / alphabet
        self._grams: Counter[str] = Counter()
        self._totals: Counter[str] = Counter()  # by context, of the grams that go on from it
        self._different: Counter[str] = Counter()  # of which so many differ
        for text in texts:
            self.learn(text)

    def learn(self, text: str, times: int = 1) -> None:
        """Learns a text once, or, with -1, forgets one that was learned."""
        for gram in _grams(text):
            part = gram
            while part:
                before = self._grams[part]
                self._grams[part] = before + times
                self._totals[part[:-1]] += times
                if before and before + times:
                    break  # as many longer grams end in the shorter one as did
                self._different[part[:-1]] += times
                part = part[1:]

    def perplexity(self, text: str) -> float:
        """The mean surprise of a character of `text`, as a number of equally likely ones."""
        grams = _grams(text)
        return math.exp(-sum(math.log(self._probability(gram)) for gram in grams) / len(grams))

    def _probability(self, gram: str) -> float:
        found = self._uniform
        for start in range(len(gram) - 1, -1, -1):
            part = gram[start:]
            context = part[:-1]
            if (total := self._totals[context]) > 0:
                found = (max(self._grams[part] - DISCOUNT, 0) + DISCOUNT * self._different[context] * found) / total
        return found


class Fluency:
    """Perplexity of patterns of one language by its phrase bank. A pattern of the bank is forgotten before it is asked
    for: by what it knows by heart a model tells nothing.

    usual: the bank's own median.
    """

    def __init__(self, language: str) -> None:
        self.bank = bank_of(language)
        self._model = CharacterModel(self.bank, _ALPHABET[language])
        self._known = dict(zip(self.bank, map(self._left_out, self.bank), strict=True))
        self.usual = median(self._known.values())

    def perplexity(self, pattern: str) -> float:
        if pattern not in self._known:
            self._known[pattern] = self._model.perplexity(pattern)
        return self._known[pattern]

    def _left_out(self, pattern: str) -> float:
        self._model.learn(pattern, -1)
        found = self._model.perplexity(pattern)
        self._model.learn(pattern)
        return found


def fluency(told: Sequence[tuple[Reason, Sequence[Claim]]], language: str) -> dict[str, Any]:
    """Of the claims of sentences as they were shown: their median perplexity, the share that is within USUAL times the
    bank's median, and every twentieth quantile; the same of the bank's own patterns, each without itself.
    """
    known = Fluency(language)
    shown = [known.perplexity(part) for reason, claims in told for part in patterns_of(reason, claims, known.bank)]
    bank = list(map(known.perplexity, known.bank))
    return {
        "median": median(shown) if shown else None,
        "usual": float(np.mean(np.array(shown) <= USUAL * known.usual)) if shown else None,
        "quantiles": np.quantile(shown, QUANTILES).tolist() if shown else [],
        "bank_median": known.usual,
        "bank_usual": float(np.mean(np.array(bank) <= USUAL * known.usual)),
        "bank_quantiles": np.quantile(bank, QUANTILES).tolist(),
    }


def patterns_of(reason: Reason, claims: Sequence[Claim], bank: Iterable[str]) -> list[str]:
    """The sentence with {slots} for its values; of one with two claims, what stands for each."""
    text = reason.text
    for claim in claims:
        for slot, value in sorted(claim.slots, key=lambda pair: -len(pair[1])):
            text = text.replace(value, f"{{{slot}}}", 1)
    joint = CONNECTIVES[reason.language]
    at = text.find(joint) if len(claims) > 1 else -1
    while at >= 0:
        if text[at:] in bank:
            return [text[:at] + STOP[reason.language], text[at:]]
        at = text.find(joint, at + 1)
    return [text]


def bank_of(language: str) -> dict[str, None]:
    """Every pattern of the phrase bank once; a second claim as it stands behind the first."""
    bank, found = Realiser(), dict[str, None]()
    for kind in EvidenceKind:
        for strength in Strength:
            for form in Form:
                for singular in ((), ("days",), ("elapsed",)):
                    for pattern in bank.patterns(PatternRequest(kind, strength, form, language, singular)):
                        found[CONNECTIVES[language] + pattern + STOP[language] if form is Form.TAIL else pattern] = None
    return found


def _grams(text: str) -> list[str]:
    padded = _START * (ORDER - 1) + SLOT.sub(lambda slot: _SLOT_CHARACTERS[slot[1]], text) + _END
    return [padded[at : at + ORDER] for at in range(len(padded) - ORDER + 1)]
