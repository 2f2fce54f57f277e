"""Writes copy from the facts of an item: follows a recipe's outline, picks patterns, fills them, and verifies."""

import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from recsvc.domain.reason import ContentDraft, ContentPart, Evidence, EvidenceKind, Provenance
from recsvc.domain.shop import Item
from recsvc.errors import ReasonRejected
from recsvc.reasons.claim import Claim
from recsvc.reasons.copy_claim import copy_claim
from recsvc.reasons.generator import Generator
from recsvc.reasons.grammar.lexicon import WRITTEN_PRONOUN, with_pronoun
from recsvc.reasons.grammar.pattern import Form, PatternRequest, fill
from recsvc.reasons.grammar.recipe import Recipe, Step, claim_key, parse_claim_key, recipes
from recsvc.reasons.pattern_pool import PatternPool
from recsvc.reasons.realiser import Realiser
from recsvc.reasons.seller_text.word_lists import fold
from recsvc.reasons.switches import Switches
from recsvc.reasons.verifier import POLICY_VERSION, check, check_text

MAX_TRIES = 3  # patterns tried for one fact, and outlines tried for one draft


class ContentWriter:
    """Writes drafts. Safe to share between threads; no call leaves the process.

    Args:
        generator: Writes the patterns; the recipe's own if none is given.
        pool: Patterns that a language model wrote ahead; they are used beside the generator's.
        switches: Texts that an operator has turned off.
        pronoun: How Chinese copy addresses the reader: 您 or 你.

    Attributes:
        recipes: All recipes by id.
        rejected: Parts that the verifier has rejected since the start, by rule.
        switches: As in `Args`.

    Raises:
        SettingsError: The file of a recipe cannot be used.
    """

    def __init__(
        self,
        generator: Generator | None = None,
        pool: PatternPool | None = None,
        switches: Switches | None = None,
        *,
        pronoun: str = WRITTEN_PRONOUN,
    ) -> None:
        self._generator = generator if generator is not None else Realiser()
        self._pool = pool
        self._pronoun = pronoun
        self.switches = switches or Switches()
        self.recipes = recipes()
        self.rejected: Counter[str] = Counter()

    def drafts(
        self, recipe: Recipe, item: Item, facts: Sequence[Evidence], language: str, first: int = 0, n: int = 1
    ) -> list[ContentDraft]:
        """Writes the drafts numbered `first` to `first + n - 1`. Drafts with the same text are returned once.

        The same facts, recipe, language and number give the same draft.

        Args:
            recipe: Which kind of copy to write.
            item: The item to describe.
            facts: What is true of the item.
            language: One of `LANGUAGES`.
            first: Number of the first draft.
            n: How many drafts to write.

        Returns:
            At most `n` drafts; none if there are too few facts.
        """
        drafts = (self._draft(recipe, item, facts, language, number) for number in range(first, first + n))
        return list({draft.text: draft for draft in drafts if draft is not None}.values())

    def _draft(
        self, recipe: Recipe, item: Item, facts: Sequence[Evidence], language: str, number: int
    ) -> ContentDraft | None:
        # A first sentence that states two facts may leave nothing for a second one. Another attempt starts with one.
        texts = (_Text(item, number, attempt) for attempt in range(MAX_TRIES))
        drafts = (self._write(recipe, facts, language, text) for text in texts)
        return next((draft for draft in drafts if draft is not None), None)

    def _write(self, recipe: Recipe, facts: Sequence[Evidence], language: str, text: "_Text") -> ContentDraft | None:
        for step in recipe.outline:
            before = len(text.parts)
            for fact, claim in self._claims(recipe, step, text, facts, language):
                if len(text.parts) - before < step.most and not (step.unsaid and text.states(claim)):
                    self._add_part(text, fact, claim)
            if step.required and len(text.parts) == before:
                return None
        while len(text.parts) >= recipe.least_parts:
            try:
                joined = check_text([(part.text, claim) for part, claim in text.parts], recipe, language)
            except ReasonRejected as rejection:
                if rejection.rule != "length":
                    self.rejected[rejection.rule] += 1
                    return None
                text.parts.pop()  # the least important part is the last
                continue
            parts = tuple(part for part, _ in text.parts)
            provenance = self._provenance(recipe, pooled=text.pooled)
            return ContentDraft(joined, language, parts, provenance, recipe.human_review)
        return None

    def _claims(
        self, recipe: Recipe, step: Step, text: "_Text", facts: Sequence[Evidence], language: str
    ) -> Iterator[tuple[Evidence, Claim]]:
        """The claims that a step may make. The item and the draft's number choose the order if the step allows any."""
        keys = step.claim_keys
        first = text.choose(" ".join(keys), len(keys), text.attempt) if step.any_order else 0
        for key in keys[first:] + keys[:first]:
            kind, form = parse_claim_key(key)
            for fact in facts:
                if fact.kind is not kind or fact in text.stated:
                    continue
                try:
                    claim = copy_claim(fact, text.item, language, recipe, form)
                except ReasonRejected:
                    continue
                if claim_key(kind, claim.form) == key:
                    yield fact, claim

    def _add_part(self, text: "_Text", fact: Evidence, claim: Claim) -> None:
        """Adds a sentence that states a claim, unless the verifier rejects every pattern that is tried."""
        request = PatternRequest(claim.kind, claim.strength, claim.form, claim.language, recipe=claim.recipe)
        own = () if self._is_muted(self._generator.name, request, text.item) else self._generator.patterns(request)
        pooled: tuple[str, ...] = ()
        if self._pool is not None and not self._is_muted(self._pool.provenance.generator, request, text.item):
            pooled = self._pool.patterns(request)
        for pattern in text.wordings((*own, *pooled), claim)[:MAX_TRIES]:
            try:
                said = with_pronoun(pattern, self._pronoun) if claim.language == "zh" else pattern
                sentence = fill(said, dict(claim.slots))
                check(sentence, claim)
            except (ReasonRejected, KeyError) as problem:
                self.rejected[problem.rule if isinstance(problem, ReasonRejected) else "slots"] += 1
                continue
            text.add(sentence, fact, claim, pattern, pooled=pattern in pooled)
            return

    def _is_muted(self, generator: str, request: PatternRequest, item: Item) -> bool:
        return self.switches.mutes(generator, request.recipe, request.language, item)

    def _provenance(self, recipe: Recipe, *, pooled: bool) -> Provenance:
        if pooled and self._pool is not None:
            return replace(self._pool.provenance, recipe=recipe.id)
        generator = self._generator
        return Provenance(
            generator.name, generator.model, recipe.id, POLICY_VERSION, generator.ai_generated, verified=True
        )


class _Text:
    """A draft while it is written, part by part.

    Args:
        item: The item that it describes.
        number: Number of the draft.
        attempt: How many attempts at the same draft have failed.

    Attributes:
        parts: Parts with their claims.
        stated: The facts that the parts state.
        pooled: Whether a language model wrote a part.
    """

    def __init__(self, item: Item, number: int, attempt: int = 0) -> None:
        self.item = item
        self.attempt = attempt
        self.parts: list[tuple[ContentPart, Claim]] = []
        self.stated: set[Evidence] = set()
        self.pooled = False
        self._number = number
        self._marks: Counter[str] = Counter()
        self._words = ""
        self._addressed: set[str] = set()  # brands and categories whose buyers the text addresses, folded

    def choose(self, purpose: str, n: int, offset: int = 0) -> int:
        """A number below `n`, always the same for an item, a purpose and a draft number. The next draft gets the next.

        Args:
            purpose: What is chosen; another purpose has another choice.
            n: How many there are to choose from.
            offset: Added to the draft's number.
        """
        digest = zlib.crc32(f"{purpose}\0{self.item.item_id}".encode("utf-8", "surrogatepass"))
        return (digest + self._number + offset) % n

    def states(self, claim: Claim) -> bool:
        """Whether the text already states a claim, or the item's name beside it would.

        A name that contains the word of a category does not state where the item is found, but beside such a name a
        sentence does not repeat the word. A category whose buyers are addressed is stated.
        """
        slots = dict(claim.slots)
        name, value = fold(slots.get("item", "")), fold(slots.get("value", ""))
        if claim.kind is EvidenceKind.CATEGORY:
            return _contains(name, value) or _contains(self._words, name) or value in self._addressed
        return _contains(self._words, name) or _contains(f"{self._words} {name}", value)

    def wordings(self, patterns: tuple[str, ...], claim: Claim) -> list[str]:
        """Patterns in the order to try them: first those that begin unlike the parts before."""
        first = self.choose(claim_key(claim.kind, claim.form), max(len(patterns), 1))
        rotated = patterns[first:] + patterns[:first]
        return sorted(rotated, key=lambda pattern: sum(self._marks[mark] for mark in _marks(pattern, claim.language)))

    def add(self, text: str, fact: Evidence, claim: Claim, pattern: str, *, pooled: bool) -> None:
        """Adds a part that states `fact`."""
        name = Evidence(EvidenceKind.NAME, fact.strength, value=self.item.title)
        states_name = claim.form is Form.NAMED or fact.kind is EvidenceKind.AUDIENCE
        evidence = (fact, name) if states_name else (fact,)
        self.parts.append((ContentPart(text, evidence), claim))
        self.stated.update(evidence)
        self.pooled |= pooled
        self._marks.update(_marks(pattern, claim.language))
        self._words += f" {fold(text)}"
        if fact.kind is EvidenceKind.AUDIENCE:
            self._addressed.add(fold(dict(claim.slots)["value"]))


def _contains(text: str, words: str) -> bool:
    """Whether a text contains some words, both folded. English words match as words: "tan" is not in "tanner"."""
    edge = r"\b" if words.isascii() else ""
    return bool(words) and re.search(f"{edge}{re.escape(words)}{edge}", text) is not None


def _marks(pattern: str, language: str) -> tuple[str, ...]:
    """The parts of a pattern that make two sentences sound alike.

    That is the beginning, and in Chinese also the character before the value.
    """
    if language == "en":
        return tuple(re.findall(r"\w+", pattern)[:1])
    before = pattern.partition("{value}")[0]
    return (pattern.replace("{value}", "…")[:2], *filter(None, (before[-1:],)))
