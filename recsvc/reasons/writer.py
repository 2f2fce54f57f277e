"""Writes the reasons of one page: plans the claims, picks patterns, fills in the values, and verifies each sentence."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from recsvc.domain.reason import LANGUAGES, Evidence, EvidenceKind, Provenance, Reason, ReasonGroup, Tone
from recsvc.domain.shop import Item
from recsvc.reasons.claim import Claim, permitted_claim
from recsvc.reasons.concise import fits
from recsvc.reasons.generator import Generator
from recsvc.reasons.grammar import lexicon
from recsvc.reasons.grammar.lexicon import WRITTEN_PRONOUN
from recsvc.reasons.grammar.pattern import PatternRequest
from recsvc.reasons.grammar.recipe import recipes
from recsvc.reasons.groups import groups_of
from recsvc.reasons.pattern_pool import PatternPool
from recsvc.reasons.plan import PagePlan, Standing
from recsvc.reasons.realiser import Realiser
from recsvc.reasons.seller_text.word_lists import forbidden_terms, read_all_sections, sensitive_terms
from recsvc.reasons.switches import Switches
from recsvc.reasons.verified_sentences import VerifiedSentences
from recsvc.reasons.verifier import POLICY_VERSION

MAX_TRIES = 6  # patterns tried for one claim before the next claim gets its turn


class ReasonWriter:
    """Writes the reasons of a page. Safe to share between threads; no call leaves the process.

    Args:
        generator: Writes the patterns; the phrase bank if none is given.
        cache_size: See `VerifiedSentences`.
        pool: Patterns that a language model wrote ahead; they are used beside the generator's.
        switches: Texts that an operator has turned off.
        unknown_is_private: Whether an item without a category is treated as private: its reasons may only state how
            many people bought it.
        pronoun: How Chinese reasons address the shopper: 您 or 你.

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
        pronoun: str = WRITTEN_PRONOUN,
    ) -> None:
        self._generator = generator if generator is not None else Realiser()
        self._pool = pool
        self.switches = switches or Switches()
        self._unknown_is_private = unknown_is_private
        # Else the first request would wait for these.
        read_all_sections()
        for load in (forbidden_terms, sensitive_terms, recipes, lexicon.load):
            load()
        self.policy_version = POLICY_VERSION
        self._provenance = Provenance(
            generator=self._generator.name,
            model=self._generator.model,
            policy_version=self.policy_version,
            ai_generated=self._generator.ai_generated,
            verified=True,
        )
        self._sentences = VerifiedSentences(cache_size, pronoun)
        self.rejected = self._sentences.rejected

    def write_page(
        self,
        page: Sequence[tuple[Item, tuple[Evidence, ...]]],
        language: str,
        seed: int,
        tone: Tone = Tone.NEUTRAL,
    ) -> list[Reason | None]:
        """Writes one reason for every item of a page.

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
        plan = PagePlan(language, seed, tone)
        return [self._write(plan, item, evidence) for item, evidence in page]

    def write_groups(
        self, listed: Sequence[tuple[Item, Reason | None]], seed: int, tone: Tone = Tone.NEUTRAL
    ) -> list[ReasonGroup]:
        """Writes one line for every two or more items of a page whose reasons name the same cause.

        Args:
            listed: Items in rank order, with the reasons that `write_page` wrote for them.
            seed: As in `write_page`.
            tone: Of the page.

        Returns:
            The lines that the switches allow, in the order of their first items.
        """
        written = []
        for items, facts, claim in groups_of(listed):
            plan = PagePlan(claim.language, seed, tone)
            about = list(zip(items, facts, strict=True))
            if not all(self._may_state(claim.language, item, fact) for item, fact in about):
                continue
            worded = self._page_wording(plan, claim, about)
            if worded is not None:
                written.append(ReasonGroup(worded.sentence, tuple(item.item_id for item in items), facts))
        return written

    def awaits_model(self, item: Item, reason: Reason) -> bool:
        """Whether a language model has not yet written patterns for the claim of a reason."""
        if self._pool is None or reason.provenance.ai_generated:
            return False
        claim = permitted_claim(reason.evidence[0], item, reason.language, reason.tone)
        return self._pool.lacks(_for_pool(_request(claim, reason.tone)))

    def reword(self, plan: PagePlan, item: Item, reason: Reason) -> Reason | None:
        """The same claim in a language model's words.

        None if the model has no other words that pass the verifier, or if the claim may no longer be stated.
        """
        if not all(self._may_state(reason.language, item, fact) for fact in reason.evidence):
            return None
        fact, *others = reason.evidence
        claim = permitted_claim(fact, item, reason.language, reason.tone)
        request = _request(claim, reason.tone)
        pooled = self._pooled(request, item, fact)
        worded = self._worded(fact, claim, plan.wordings(request, pooled), reason.tone, pooled)
        if worded is None:
            return None
        reworded = self._with_second(plan, item, others, worded) or self._reason(worded)
        return reworded if reworded.text != reason.text else None

    def _write(self, plan: PagePlan, item: Item, evidence: tuple[Evidence, ...]) -> Reason | None:
        if self.switches.off or self._unknown_is_private:
            evidence = tuple(fact for fact in evidence if self._may_state(plan.language, item, fact))
        others: list[tuple[Standing, _Worded]] = []
        for fact, claim in plan.claims(item, evidence):
            pooled = self._pooled(_request(claim, plan.tone), item, fact) if self._pool else ()
            worded = self._page_wording(plan, claim, [(item, fact)], pooled)
            if worded is None:
                continue
            standing = plan.standing(fact, worded.sentence)
            if standing is Standing.NEW:
                return self._noted(plan, worded)
            others.append((standing, worded))
        for standing, worded in others:
            if plan.tone is not Tone.CONCISE and standing in (Standing.AGAIN, Standing.AS_ABOVE):
                reason = self._with_second(plan, item, evidence, worded)
                if reason is not None:
                    return reason
        if others:
            return self._noted(plan, min(others, key=lambda pair: pair[0])[1])
        plan.note(None)
        return None

    def _noted(self, plan: PagePlan, worded: "_Worded") -> Reason:
        plan.note(worded.fact, worded.sentence)
        return self._reason(worded)

    def _may_state(self, language: str, item: Item, fact: Evidence) -> bool:
        """Whether the switches, and the rule for items without a category, allow a fact to be stated."""
        items = _subjects(item, fact)
        if self.switches.off and self.switches.silences(self._provenance.recipe, language, *items):
            return False
        if not self._unknown_is_private or fact.kind is EvidenceKind.POPULARITY:  # it says nothing of one user
            return True
        return all(subject.categories for subject in items)

    def _page_wording(
        self, plan: PagePlan, claim: Claim, about: Sequence[tuple[Item, Evidence]], pooled: tuple[str, ...] = ()
    ) -> "_Worded | None":
        """A claim in the page's wording for it; on a warm page in neutral words if no warm ones pass.

        Args:
            plan: Of the page.
            claim: What to say.
            about: The items that it is said of, each with its fact. A muted generator of one of them writes nothing.
            pooled: Patterns of the pool in the page's tone.

        Returns:
            None if no pattern passes.
        """
        worded = self._worded_of_all(plan, claim, about, plan.tone, pooled)
        if worded is None and plan.tone is Tone.WARM:
            worded = self._worded_of_all(plan, claim, about, Tone.NEUTRAL)
        return worded

    def _worded_of_all(
        self,
        plan: PagePlan,
        claim: Claim,
        about: Sequence[tuple[Item, Evidence]],
        tone: Tone,
        pooled: tuple[str, ...] = (),
    ) -> "_Worded | None":
        request = _request(claim, tone)
        allowed = min((self._own(request, item, fact) for item, fact in about), key=len)
        return self._worded(about[0][1], claim, plan.wordings(request, allowed + pooled), tone, pooled)

    def _worded(
        self, fact: Evidence, claim: Claim, patterns: tuple[str, ...], tone: Tone, pooled: tuple[str, ...] = ()
    ) -> "_Worded | None":
        """The first of some patterns that passes, filled; None if none does. `pooled` are those of the pool."""
        for pattern in patterns[:MAX_TRIES]:
            sentence = self._sentences.one(pattern, claim)
            if sentence is not None and fits(sentence, tone):
                provenance = self._pool.provenance if self._pool and pattern in pooled else self._provenance
                return _Worded(sentence, fact, claim, tone, provenance)
        return None

    def _with_second(
        self, plan: PagePlan, item: Item, evidence: Sequence[Evidence], worded: "_Worded"
    ) -> Reason | None:
        """The reason with a second sentence that the page does not have yet; None if there is none."""
        for fact, claim in plan.second_claims(item, evidence, worded.fact):
            second = self._worded_of_all(plan, claim, [(item, fact)], Tone.NEUTRAL)
            if second is None or plan.has(second.sentence):
                continue
            text = self._sentences.both(worded.sentence, worded.claim, second.sentence, claim)
            if text is not None:
                plan.note(worded.fact, worded.sentence, second.sentence)
                return self._reason(worded, text, (worded.fact, fact))
        return None

    def _reason(self, worded: "_Worded", text: str = "", stated: tuple[Evidence, ...] = ()) -> Reason:
        text, stated = text or worded.sentence, stated or (worded.fact,)
        return Reason(text, worded.claim.language, stated, worded.provenance, worded.tone)

    def _own(self, request: PatternRequest, item: Item, fact: Evidence) -> tuple[str, ...]:
        if self._is_muted(self._generator.name, request.language, item, fact):
            return ()
        return self._generator.patterns(request)

    def _pooled(self, request: PatternRequest, item: Item, fact: Evidence) -> tuple[str, ...]:
        if self._pool is None or self._is_muted(self._pool.provenance.generator, request.language, item, fact):
            return ()
        return self._pool.patterns(_for_pool(request))

    def _is_muted(self, generator: str, language: str, item: Item, fact: Evidence) -> bool:
        if not self.switches.off:
            return False
        return self.switches.mutes(generator, self._provenance.recipe, language, *_subjects(item, fact))


class _Worded(NamedTuple):
    """A claim in words.

    Attributes:
        sentence: Verified.
        fact: The evidence that it states.
        claim: The claim that it makes.
        tone: Tone of the pattern.
        provenance: Of the pattern.
    """

    sentence: str
    fact: Evidence
    claim: Claim
    tone: Tone
    provenance: Provenance


def _request(claim: Claim, tone: Tone = Tone.NEUTRAL) -> PatternRequest:
    return PatternRequest(
        claim.kind, claim.strength, claim.form, claim.language, tone, number=claim.number, article=claim.article
    )


def _for_pool(request: PatternRequest) -> PatternRequest:
    """The request that the pool keeps patterns by: a model may write "the" before any name."""
    return request if request.article else replace(request, article=True)


def _subjects(item: Item, fact: Evidence) -> tuple[Item, ...]:
    """The items that a sentence about a fact mentions."""
    return (item, fact.anchor) if fact.anchor is not None else (item,)
