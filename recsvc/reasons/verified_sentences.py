"""Fills patterns and verifies the sentences. It keeps them, since many users get the same ones."""

import functools
from collections import Counter

from recsvc.errors import ReasonRejected
from recsvc.reasons.claim import Claim
from recsvc.reasons.grammar.lexicon import SENTENCE_SEPARATORS, with_pronoun
from recsvc.reasons.grammar.pattern import fill
from recsvc.reasons.verifier import check, check_both


class VerifiedSentences:
    """Makes verified sentences. Safe to share between threads.

    Args:
        cache_size: Sentences kept, some 500 bytes each. The least recently used are dropped first.
        pronoun: How Chinese sentences address the shopper: 您 or 你.

    Attributes:
        one: Returns a filled pattern for a claim, or None if the verifier rejects it.
        both: Returns two sentences as one text, each given with its claim, or None if the verifier rejects it.
        rejected: Sentences that the verifier has rejected since the start, by rule.
    """

    def __init__(self, cache_size: int, pronoun: str) -> None:
        self._pronoun = pronoun
        self.rejected: Counter[str] = Counter()
        # The keys are the claim with its values, and the pattern: a sentence depends on nothing else. Effect and share
        # belong to one user, so they are no part of a claim; every call works the claim out from the evidence again.
        # A rejection is kept too, so it costs only once.
        self.one = functools.lru_cache(maxsize=cache_size)(self._one)
        self.both = functools.lru_cache(maxsize=cache_size)(self._both)

    def _one(self, pattern: str, claim: Claim) -> str | None:
        try:
            sentence = _filled(with_pronoun(pattern, self._pronoun) if claim.language == "zh" else pattern, claim)
            check(sentence, claim)
        except ReasonRejected as rejection:
            self.rejected[rejection.rule] += 1
            return None
        return sentence

    def _both(self, first: str, first_claim: Claim, second: str, second_claim: Claim) -> str | None:
        text = first + SENTENCE_SEPARATORS[first_claim.language] + second
        try:
            check_both(text, first_claim, second_claim)
        except ReasonRejected as rejection:
            if rejection.rule != "length":  # no fault: each sentence alone may be as long as a reason
                self.rejected[rejection.rule] += 1
            return None
        return text


def _filled(pattern: str, claim: Claim) -> str:
    try:
        return fill(pattern, dict(claim.slots))
    except KeyError as slot:
        raise ReasonRejected("slots", f"the evidence has no {slot}") from None
