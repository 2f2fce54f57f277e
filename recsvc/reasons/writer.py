"""Writes the reasons of one page: plans the claims, picks patterns, fills in the values, and verifies each sentence."""

import functools
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from recsvc.domain.reason import LANGUAGES, Evidence, EvidenceKind, Provenance, Reason, Tone
from recsvc.domain.shop import Item
from recsvc.errors import ReasonRejected
from recsvc.reasons.claim import Claim, permitted_claim
from recsvc.reasons.generator import Generator
from recsvc.reasons.grammar.lexicon import CONNECTIVES, STOP
from recsvc.reasons.grammar.pattern import Form, PatternRequest, fill
from recsvc.reasons.grammar.recipe import recipes
from recsvc.reasons.pattern_pool import PatternPool
from recsvc.reasons.plan import PagePlan
from recsvc.reasons.realiser import Realiser
from recsvc.reasons.seller_text.word_lists import forbidden_terms, read_all_sections, sensitive_terms
from recsvc.reasons.switches import Switches
from recsvc.reasons.verifier import POLICY_VERSION, check, check_both

MAX_TRIES = 3  # patterns tried for one claim before the next claim gets its turn


class ReasonWriter:
    """Writes the reasons of a page. Safe to share between threads; no call leaves the process.

    Args:
        generator: Writes the patterns; the phrase bank if none is given.
        cache_size: Verified sentences kept, some 500 bytes each. The least recently used are dropped first.
        pool: Patterns that a language model wrote ahead; they are used beside the generator's.
        switches: Texts that an operator has turned off.
        unknown_is_private: Whether an item without a category is treated as private: its reasons may only state how
            many people bought it.

    Attributes:
        policy_version: Identifies the policy. It changes with any byte of the policy's word lists and recipes.
        rejected: Sentences that the verifier has rejected since the start, by rule. Any count above 0 shows a fault of
            a generator, or an attack.
        switches: As in `Args`.
    """

    def __init__(
        self,
        generator: Generator | None = None,
        *,
        cache_size: int = 50_000,
        pool: PatternPool | None = None,
        switches: Switches | None = None,
        unknown_is_private: bool = False,
    ) -> None:
        self._generator = generator if generator is not None else Realiser()
        self._pool = pool
        self.switches = switches or Switches()
        self._unknown_is_private = unknown_is_private
        # Else the first request would wait for these.
        read_all_sections()
        for load in (forbidden_terms, sensitive_terms, recipes):
            load()
        self.policy_version = POLICY_VERSION
        self.rejected: Counter[str] = Counter()
        self._provenance = Provenance(
            generator=self._generator.name,
            model=self._generator.model,
            policy_version=self.policy_version,
            ai_generated=self._generator.ai_generated,
            verified=True,
        )
        # The keys are the claim with its values, and the pattern: a sentence depends on nothing else. Effect and share
        # belong to one user, so they are no part of a claim; every call works the claim out from the evidence again.
        self._sentence = functools.lru_cache(maxsize=cache_size)(self._verified)
        self._longer_sentence = functools.lru_cache(maxsize=cache_size)(self._verified_both)

    def write_page(
        self,
        page: Sequence[tuple[Item, tuple[Evidence, ...]]],
        language: str,
        seed: int,
        tone: Tone = Tone.NEUTRAL,
    ) -> list[Reason | None]:
        """Writes one reason for every item of a page.

        A warm page uses neutral wordings too once it has used every warm opening. A concise page does not: its tiles
        are narrow.

        Args:
            page: Items in rank order, each with its evidence.
            language: One of `LANGUAGES`.
            seed: Decides among equally good wordings. The same page, language, seed and tone give the same sentences.
            tone: Preferred tone of the wordings.

        Returns:
            A reason for each item; None where no true sentence can be made.

        Raises:
            ValueError: There are no reasons in that language.
        """
        if language not in LANGUAGES:
            raise ValueError(f"no reasons in {language!r}; there are: {', '.join(LANGUAGES)}")
        plan = PagePlan(language, seed)
        return [self._write(plan, item, evidence, tone) for item, evidence in page]

    def awaits_model(self, item: Item, reason: Reason) -> bool:
        """Whether a language model has not yet written patterns for the claim of a reason."""
        if self._pool is None or reason.provenance.ai_generated:
            return False
        claim = permitted_claim(reason.evidence[0], item, reason.language)
        return self._pool.lacks(_request(claim, tone=reason.tone))

    def reword(self, plan: PagePlan, item: Item, reason: Reason) -> Reason | None:
        """The same claim in a language model's words.

        None if the model has no words that pass the verifier, or if the claim may no longer be stated.
        """
        if not all(self._may_state(reason.language, item, fact) for fact in reason.evidence):
            return None
        fact = reason.evidence[0]
        claim = permitted_claim(fact, item, reason.language)
        patterns = _Patterns((), self._pooled(_request(claim, tone=reason.tone), item, fact))
        return self._worded(plan, item, reason.evidence, (fact, claim), reason.tone, patterns)

    def _write(self, plan: PagePlan, item: Item, evidence: tuple[Evidence, ...], tone: Tone) -> Reason | None:
        if self.switches.off or self._unknown_is_private:
            evidence = tuple(fact for fact in evidence if self._may_state(plan.language, item, fact))
        for fact, claim in plan.claims(item, evidence):
            request = _request(claim, tone=tone)
            own, pooled = self._own(request, item, fact), self._pooled(request, item, fact)
            neutral = self._own(_request(claim), item, fact) if tone is Tone.WARM else ()
            reason = self._worded(plan, item, evidence, (fact, claim), tone, _Patterns(own, pooled, neutral))
            if reason is not None:
                return reason
        plan.note(None)
        return None

    def _may_state(self, language: str, item: Item, fact: Evidence) -> bool:
        """Whether the switches, and the rule for items without a category, allow a fact to be stated."""
        items = _subjects(item, fact)
        if self.switches.off and self.switches.silences(self._provenance.recipe, language, *items):
            return False
        if not self._unknown_is_private or fact.kind is EvidenceKind.POPULARITY:  # it says nothing of one user
            return True
        return all(subject.categories for subject in items)

    def _worded(
        self,
        plan: PagePlan,
        item: Item,
        evidence: tuple[Evidence, ...],
        fact_and_claim: tuple[Evidence, Claim],
        tone: Tone,
        patterns: "_Patterns",
    ) -> Reason | None:
        """Puts a claim into words, with a second claim behind it if one fits; None if no pattern passes."""
        fact, claim = fact_and_claim
        of_tone = (*patterns.own, *patterns.pooled)
        for pattern in plan.wordings(item, of_tone, patterns.neutral)[:MAX_TRIES]:
            text = self._sentence(pattern, claim)
            if text is None or plan.has(text):
                continue
            stated: tuple[Evidence, ...] = (fact,)
            if tone is not Tone.CONCISE and (tail := plan.tail(item, evidence, fact)):
                longer = self._with_tail(plan, item, text, claim, tail[1])
                text, stated = (longer, (fact, tail[0])) if longer else (text, stated)
            plan.note(fact, pattern, text)
            provenance = self._pool.provenance if self._pool and pattern in patterns.pooled else self._provenance
            return Reason(text, claim.language, stated, provenance, tone if pattern in of_tone else Tone.NEUTRAL)
        return None

    def _own(self, request: PatternRequest, item: Item, fact: Evidence) -> tuple[str, ...]:
        if self._is_muted(self._generator.name, request.language, item, fact):
            return ()
        return self._generator.patterns(request)

    def _pooled(self, request: PatternRequest, item: Item, fact: Evidence) -> tuple[str, ...]:
        if self._pool is None or self._is_muted(self._pool.provenance.generator, request.language, item, fact):
            return ()
        return self._pool.patterns(request)

    def _is_muted(self, generator: str, language: str, item: Item, fact: Evidence) -> bool:
        if not self.switches.off:
            return False
        return self.switches.mutes(generator, self._provenance.recipe, language, *_subjects(item, fact))

    def _with_tail(self, plan: PagePlan, item: Item, text: str, first: Claim, second: Claim) -> str | None:
        """The sentence with a second claim behind it; None if the verifier rejects it, for its length or else."""
        patterns = plan.wordings(item, self._generator.patterns(_request(second, Form.TAIL)))
        return self._longer_sentence(text, first, patterns[0], second) if patterns else None

    def _verified(self, pattern: str, claim: Claim) -> str | None:
        """The filled sentence, or None if the verifier rejects it. A rejection is cached too, so it costs only once."""
        try:
            text = _filled(pattern, claim)
            check(text, claim)
        except ReasonRejected as rejection:
            self.rejected[rejection.rule] += 1
            return None
        return text

    def _verified_both(self, text: str, first: Claim, pattern: str, second: Claim) -> str | None:
        stop = STOP[first.language]
        try:
            text = text[: -len(stop)] + CONNECTIVES[first.language] + _filled(pattern, second) + stop
            check_both(text, first, second)
        except ReasonRejected as rejection:
            if rejection.rule != "length":  # no fault: each claim alone may be as long as a sentence
                self.rejected[rejection.rule] += 1
            return None
        return text


class _Patterns(NamedTuple):
    """Patterns for one claim and tone.

    Attributes:
        own: The generator's.
        pooled: A language model's.
        neutral: The generator's in the neutral tone, used once the tone's openings are used up.
    """

    own: tuple[str, ...]
    pooled: tuple[str, ...]
    neutral: tuple[str, ...] = ()


def _request(claim: Claim, form: Form | None = None, tone: Tone = Tone.NEUTRAL) -> PatternRequest:
    singular = tuple(slot for slot in ("days", "elapsed") if (slot, "1") in claim.slots)
    return PatternRequest(claim.kind, claim.strength, form or claim.form, claim.language, singular, tone)


def _subjects(item: Item, fact: Evidence) -> tuple[Item, ...]:
    """The items that a sentence about a fact mentions."""
    return (item, fact.anchor) if fact.anchor is not None else (item,)


def _filled(pattern: str, claim: Claim) -> str:
    try:
        return fill(pattern, dict(claim.slots))
    except KeyError as slot:
        raise ReasonRejected("slots", f"the evidence has no {slot}") from None
