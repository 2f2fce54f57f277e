"""From the evidence of a page to its sentences: plan, words, slots, verifier, with verified sentences kept."""

import functools
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from recsvc.domain.reason import LANGUAGES, Evidence, EvidenceKind, Provenance, Reason, Tone
from recsvc.domain.shop import Item
from recsvc.errors import ReasonRejected, SettingsError
from recsvc.reasons.generators import GENERATORS
from recsvc.reasons.grammar.lexicon import JOINTS, STOP
from recsvc.reasons.grammar.pattern import Form, PatternRequest, fill
from recsvc.reasons.licence import Licence, licence
from recsvc.reasons.pattern_pool import PatternPool
from recsvc.reasons.plan import PagePlan
from recsvc.reasons.seller_text.word_lists import forbidden_terms, sensitive_terms
from recsvc.reasons.switches import Switches
from recsvc.reasons.verifier import POLICY_VERSION, check, check_both

_OF_CROWDS = (EvidenceKind.POPULARITY,)  # says nothing of the user
MAX_TRIES = 3  # patterns tried for one claim before the next claim gets its turn


class ReasonWriter:
    """Writes the reasons of a page. Safe to share between threads; no call leaves the process.

    generator: a name of `recsvc.reasons.generators.GENERATORS`; raises SettingsError, listing the names, for another.
    pool: what a language model has written ahead, to be used beside the generator's. switches: what is turned off.
    unknown_is_private: of an item without a category nothing is said but how many bought it.
    cache_size: verified sentences kept, least recently used out first; some 500 bytes each.
    policy_version: names the rules; it changes with any byte of the policy's word lists.
    rejected: how many sentences the verifier has turned down since the start, by rule. Anything here is a fault of the
    generator, or an attack.
    """

    def __init__(
        self,
        generator: str = "realiser",
        cache_size: int = 50_000,
        pool: PatternPool | None = None,
        switches: Switches | None = None,
        unknown_is_private: bool = False,
    ) -> None:
        factory = GENERATORS.get(generator)
        if factory is None:
            raise SettingsError(f"no reason generator {generator!r}; there are: {', '.join(sorted(GENERATORS))}")
        self._generator = factory()
        self._pool = pool
        self.switches = switches or Switches()
        self._unknown_is_private = unknown_is_private
        for read_now in (forbidden_terms, sensitive_terms):  # the first request should not wait for them
            read_now()
        self.policy_version = POLICY_VERSION
        self.rejected: Counter[str] = Counter()
        self._provenance = Provenance(
            generator=self._generator.name,
            model=self._generator.model,
            policy_version=self.policy_version,
            ai_generated=self._generator.ai_generated,
            verified=True,
        )
        # Keyed by the claim, the values in it and the pattern: all that a sentence depends on, and nothing of the user.
        # Effect and share are no part of it, they are one user's; the evidence is licensed anew on every call.
        self._sentence = functools.lru_cache(maxsize=cache_size)(self._verified)
        self._longer = functools.lru_cache(maxsize=cache_size)(self._verified_both)

    def write_page(
        self,
        page: Sequence[tuple[Item, tuple[Evidence, ...]]],
        language: str,
        seed: int,
        tone: Tone = Tone.NEUTRAL,
    ) -> list[Reason | None]:
        """One reason for every item of `page`, which is in rank order; None where there is nothing true to say.

        `seed` settles the choice of words: the same page, language, seed and tone get the same sentences. A page that
        has used up the openings of its tone goes on with neutral wordings, but a concise one: its tiles are narrow.
        Raises ValueError for a language that is not one of `LANGUAGES`.
        """
        if language not in LANGUAGES:
            raise ValueError(f"no reasons in {language!r}; there are: {', '.join(LANGUAGES)}")
        plan = PagePlan(language, seed)
        return [self._write(plan, item, evidence, tone) for item, evidence in page]

    def is_lacking(self, item: Item, reason: Reason) -> bool:
        """Whether a language model is yet to write of what a reason says."""
        if self._pool is None or reason.provenance.ai_generated:
            return False
        licensed = licence(reason.evidence[0], item, reason.language)
        return self._pool.lacks(_request(licensed, tone=reason.tone))

    def reword(self, plan: PagePlan, item: Item, reason: Reason) -> Reason | None:
        """The same in a language model's words; None where it has none that pass, or it may not be said any more."""
        fact = reason.evidence[0]
        if any(self._silenced(reason.language, item, each) for each in reason.evidence):
            return None
        licensed = licence(fact, item, reason.language)
        pooled = self._pooled(_request(licensed, tone=reason.tone), item, fact)
        return self._worded(plan, item, reason.evidence, (fact, licensed), reason.tone, _Patterns((), pooled))

    def _write(self, plan: PagePlan, item: Item, evidence: tuple[Evidence, ...], tone: Tone) -> Reason | None:
        if self.switches.off:
            evidence = tuple(fact for fact in evidence if not self._silenced(plan.language, item, fact))
        if self._unknown_is_private:
            evidence = tuple(fact for fact in evidence if fact.kind in _OF_CROWDS or _are_known(item, fact))
        for fact, licensed in plan.claims(item, evidence):
            request = _request(licensed, tone=tone)
            own, pooled = self._own(request, item, fact), self._pooled(request, item, fact)
            others = self._own(_request(licensed), item, fact) if tone is Tone.WARM else ()
            reason = self._worded(plan, item, evidence, (fact, licensed), tone, _Patterns(own, pooled, others))
            if reason is not None:
                return reason
        plan.note(None)
        return None

    def _worded(
        self,
        plan: PagePlan,
        item: Item,
        evidence: tuple[Evidence, ...],
        claim: tuple[Evidence, Licence],
        tone: Tone,
        patterns: "_Patterns",
    ) -> Reason | None:
        """A claim in the tone's words where some pass, beside it another of the evidence where one fits."""
        fact, licensed = claim
        of_tone = (*patterns.own, *patterns.pooled)
        for pattern in plan.wordings(item, of_tone, patterns.neutral)[:MAX_TRIES]:
            text = self._sentence(pattern, licensed)
            if text is None or plan.stands(text):
                continue
            said: tuple[Evidence, ...] = (fact,)
            if tone is not Tone.CONCISE and (tail := plan.tail(item, evidence, fact)):
                longer = self._with_tail(plan, item, text, licensed, tail[1])
                text, said = (longer, (fact, tail[0])) if longer else (text, said)
            plan.note(fact, pattern, text)
            provenance = self._pool.provenance if self._pool and pattern in patterns.pooled else self._provenance
            return Reason(text, licensed.language, said, provenance, tone if pattern in of_tone else Tone.NEUTRAL)
        return None

    def _own(self, request: PatternRequest, item: Item, fact: Evidence) -> tuple[str, ...]:
        return (
            () if self._muted(self._generator.name, request.language, item, fact) else self._generator.patterns(request)
        )

    def _pooled(self, request: PatternRequest, item: Item, fact: Evidence) -> tuple[str, ...]:
        if self._pool is None or self._muted(self._pool.provenance.generator, request.language, item, fact):
            return ()
        return self._pool.patterns(request)

    def _silenced(self, language: str, item: Item, fact: Evidence) -> bool:
        return self.switches.silences(self._provenance.recipe, language, *_about(item, fact))

    def _muted(self, generator: str, language: str, item: Item, fact: Evidence) -> bool:
        off = self.switches.off
        return bool(off) and self.switches.mutes(generator, self._provenance.recipe, language, *_about(item, fact))

    def _with_tail(self, plan: PagePlan, item: Item, text: str, first: Licence, second: Licence) -> str | None:
        """The sentence with another claim behind it; None where the verifier, or its length, forbids it."""
        patterns = plan.wordings(item, self._generator.patterns(_request(second, Form.TAIL)))
        return self._longer(text, first, patterns[0], second) if patterns else None

    def _verified(self, pattern: str, licensed: Licence) -> str | None:
        """The filled sentence when the verifier passes it, else None: a rejection is kept too, so it costs but once."""
        try:
            text = _filled(pattern, licensed)
            check(text, licensed)
        except ReasonRejected as rejection:
            self.rejected[rejection.rule] += 1
            return None
        return text

    def _verified_both(self, text: str, first: Licence, pattern: str, second: Licence) -> str | None:
        stop = STOP[first.language]
        try:
            text = text[: -len(stop)] + JOINTS[first.language] + _filled(pattern, second) + stop
            check_both(text, first, second)
        except ReasonRejected as rejection:
            if rejection.rule != "length":  # that is no fault: each claim alone may be as long as a sentence
                self.rejected[rejection.rule] += 1
            return None
        return text


class _Patterns(NamedTuple):
    """Of one claim and tone: the generator's, a language model's, and neutral ones that a page may fall back to."""

    own: tuple[str, ...]
    pooled: tuple[str, ...]
    neutral: tuple[str, ...] = ()


def _request(licensed: Licence, form: Form | None = None, tone: Tone = Tone.NEUTRAL) -> PatternRequest:
    singular = tuple(slot for slot in ("days", "elapsed") if (slot, "1") in licensed.slots)
    return PatternRequest(licensed.kind, licensed.strength, form or licensed.form, licensed.language, singular, tone)


def _are_known(item: Item, fact: Evidence) -> bool:
    return all(each.categories for each in _about(item, fact))


def _about(item: Item, fact: Evidence) -> tuple[Item, ...]:
    """The items that a sentence is about."""
    return (item, fact.anchor) if fact.anchor is not None else (item,)


def _filled(pattern: str, licensed: Licence) -> str:
    try:
        return fill(pattern, dict(licensed.slots))
    except KeyError as slot:
        raise ReasonRejected("slots", f"the evidence has no {slot}") from None
