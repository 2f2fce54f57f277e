"""From the facts of an item to its copy: a recipe's outline, words, slots, verifier."""

import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from recsvc.domain.reason import ContentDraft, ContentPart, Evidence, EvidenceKind, Provenance
from recsvc.domain.shop import Item
from recsvc.errors import ReasonRejected
from recsvc.reasons.generators import Generator
from recsvc.reasons.grammar.pattern import Form, PatternRequest, fill
from recsvc.reasons.grammar.recipe import Recipe, Step, cell_name, parse_cell, recipes
from recsvc.reasons.item_licence import item_licence
from recsvc.reasons.licence import Licence
from recsvc.reasons.pattern_pool import PatternPool
from recsvc.reasons.realiser import Realiser
from recsvc.reasons.seller_text.word_lists import fold
from recsvc.reasons.switches import Switches
from recsvc.reasons.verifier import POLICY_VERSION, check, check_text

MAX_TRIES = 3  # patterns tried for one fact


class ContentWriter:
    """Writes drafts. Safe to share between threads; no call leaves the process.

    Raises SettingsError for a recipe's file that cannot be used.

    pool: what a language model has written ahead, to be used beside the generator's. switches: what is turned off.
    rejected: how many parts the verifier has turned down since the start, by rule.
    """

    def __init__(
        self,
        generator: Generator | None = None,
        pool: PatternPool | None = None,
        switches: Switches | None = None,
    ) -> None:
        self._generator = generator if generator is not None else Realiser()
        self._pool = pool
        self.switches = switches or Switches()
        self.recipes = recipes()
        self.rejected: Counter[str] = Counter()

    def drafts(
        self, recipe: Recipe, item: Item, facts: Sequence[Evidence], language: str, first: int = 0, n: int = 1
    ) -> list[ContentDraft]:
        """At most `n` drafts that differ, the `first`-th and those after it; none where there is not enough to say.

        The same facts, recipe, language and number make the same draft.
        """
        found = (self._draft(recipe, item, facts, language, number) for number in range(first, first + n))
        return list({draft.text: draft for draft in found if draft is not None}.values())

    def _draft(
        self, recipe: Recipe, item: Item, facts: Sequence[Evidence], language: str, number: int
    ) -> ContentDraft | None:
        # A first sentence that says two things may leave nothing for a second: then it begins with one.
        tried = (self._write(recipe, item, facts, language, _Text(item, number, turn)) for turn in range(MAX_TRIES))
        return next((draft for draft in tried if draft is not None), None)

    def _write(
        self, recipe: Recipe, item: Item, facts: Sequence[Evidence], language: str, text: "_Text"
    ) -> ContentDraft | None:
        for step in recipe.outline:
            before = len(text.parts)
            for fact, licensed in self._claims(recipe, step, text, facts, language):
                if len(text.parts) - before < step.most and not (step.unsaid and text.says(licensed)):
                    self._say(text, fact, licensed)
            if step.required and len(text.parts) == before:
                return None
        while len(text.parts) >= recipe.least_parts:
            try:
                whole = check_text([(part.text, claim) for part, claim in text.parts], recipe, language)
            except ReasonRejected as rejection:
                if rejection.rule != "length":
                    self.rejected[rejection.rule] += 1
                    return None
                text.parts.pop()  # the least important stands last
                continue
            parts = tuple(part for part, _ in text.parts)
            return ContentDraft(whole, language, parts, self._provenance(recipe, text.pooled), recipe.human_review)
        return None

    def _claims(
        self, recipe: Recipe, step: Step, text: "_Text", facts: Sequence[Evidence], language: str
    ) -> Iterator[tuple[Evidence, Licence]]:
        """What a step may say, in the order that the item and the draft's number choose."""
        first = text.choose(" ".join(step.cells), len(step.cells), text.turn) if step.any_order else 0
        for cell in step.cells[first:] + step.cells[:first]:
            kind, form = parse_cell(cell)
            for fact in facts:
                if fact.kind is not kind or fact in text.stated:
                    continue
                try:
                    licensed = item_licence(fact, text.item, language, recipe, form)
                except ReasonRejected:
                    continue
                if cell_name(kind, licensed.form) == cell:
                    yield fact, licensed

    def _say(self, text: "_Text", fact: Evidence, licensed: Licence) -> None:
        request = PatternRequest(
            licensed.kind, licensed.strength, licensed.form, licensed.language, recipe=licensed.recipe
        )
        own = () if self._mutes(self._generator.name, request, text.item) else self._generator.patterns(request)
        pooled: tuple[str, ...] = ()
        if self._pool is not None and not self._mutes(self._pool.provenance.generator, request, text.item):
            pooled = self._pool.patterns(request)
        for pattern in text.wordings((*own, *pooled), licensed)[:MAX_TRIES]:
            try:
                said = fill(pattern, dict(licensed.slots))
                check(said, licensed)
            except (ReasonRejected, KeyError) as problem:
                self.rejected[problem.rule if isinstance(problem, ReasonRejected) else "slots"] += 1
                continue
            text.add(said, fact, licensed, pattern, pattern in pooled)
            return

    def _mutes(self, generator: str, request: PatternRequest, item: Item) -> bool:
        return self.switches.mutes(generator, request.recipe, request.language, item)

    def _provenance(self, recipe: Recipe, pooled: bool) -> Provenance:
        if pooled and self._pool is not None:
            return replace(self._pool.provenance, recipe=recipe.id)
        by = self._generator
        return Provenance(by.name, by.model, recipe.id, POLICY_VERSION, by.ai_generated, verified=True)


class _Text:
    """A draft as it is written, part by part. turn: which try it is. pooled: whether a language model wrote a part."""

    def __init__(self, item: Item, number: int, turn: int = 0) -> None:
        self.item = item
        self.turn = turn
        self.parts: list[tuple[ContentPart, Licence]] = []
        self.stated: set[Evidence] = set()
        self.pooled = False
        self._number = number
        self._marks: Counter[str] = Counter()
        self._words = ""

    def choose(self, what: str, n: int, turn: int = 0) -> int:
        """One of n: for the same item and number always the same, for its next number, or turn, the next."""
        return (zlib.crc32(f"{what}\0{self.item.item_id}".encode("utf-8", "surrogatepass")) + self._number + turn) % n

    def says(self, licensed: Licence) -> bool:
        """Whether the text, or the name that would stand beside it, says what is licensed. That a name has a category's
        word in it does not say where the item is found.
        """
        slots = dict(licensed.slots)
        name, value = fold(slots.get("item", "")), fold(slots.get("value", ""))
        if licensed.kind is EvidenceKind.CATEGORY:
            return bool(name) and (name == value or _has(self._words, name))
        return _has(self._words, name) or _has(f"{self._words} {name}", value)

    def wordings(self, patterns: tuple[str, ...], licensed: Licence) -> list[str]:
        """`patterns` in the order to try them: those first that begin as nothing before them does."""
        first = self.choose(cell_name(licensed.kind, licensed.form), max(len(patterns), 1))
        turned = patterns[first:] + patterns[:first]
        return sorted(turned, key=lambda p: sum(self._marks[mark] for mark in _marks(p, licensed.language)))

    def add(self, text: str, fact: Evidence, licensed: Licence, pattern: str, pooled: bool) -> None:
        name = Evidence(EvidenceKind.NAME, fact.strength, value=self.item.title)
        states_name = licensed.form is Form.NAMED or fact.kind is EvidenceKind.AUDIENCE
        evidence = (fact, name) if states_name else (fact,)
        self.parts.append((ContentPart(text, evidence), licensed))
        self.stated.update(evidence)
        self.pooled |= pooled
        self._marks.update(_marks(pattern, licensed.language))
        self._words += f" {fold(text)}"


def _has(text: str, words: str) -> bool:
    """Whether a text has these words, both folded; of English ones, as words: a tan belt is no tanner's."""
    edge = r"\b" if words.isascii() else ""
    return bool(words) and re.search(f"{edge}{re.escape(words)}{edge}", text) is not None


def _marks(pattern: str, language: str) -> tuple[str, ...]:
    """What makes two sentences of a text sound alike: how they begin, and in Chinese what leads to the value."""
    if language == "en":
        return tuple(re.findall(r"\w+", pattern)[:1])
    before = pattern.partition("{value}")[0]
    return (pattern.replace("{value}", "…")[:2], *filter(None, (before[-1:],)))
