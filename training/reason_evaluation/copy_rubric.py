"""Measures copy as reasons are measured: truth by the shop's tables, mutations, lints, variety; and its length."""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Any

import polars as pl

from recsvc.domain.reason import ContentDraft, Evidence, EvidenceKind, Reason, Strength
from recsvc.domain.shop import Item, category_path
from recsvc.errors import ReasonRejected
from recsvc.reasons import Recipe, copy_claim
from recsvc.reasons.claim import Claim
from recsvc.reasons.grammar.pattern import Form
from recsvc.reasons.seller_text.names import clean_name
from recsvc.reasons.verifier import check_text
from recsvc.retrieval.synonyms import Groups, synonyms_of
from training.data.bought import bought
from training.reason_evaluation.mutations import caught
from training.reason_evaluation.quality import delexicalised, lints, variety

MAX_SAMPLED_PARTS = 3_000  # that are made false
MAX_LISTED_PROBLEMS = 20
MAX_MUTATION_NAMES = 200
# Lints of sentences. The parts of some recipes are no sentences: they need no full stop, and the parts of a Chinese
# title are separated by spaces.
_SENTENCE_LINTS = frozenset({"no capital, or no full stop", "no full stop", "a space"})


@dataclass(frozen=True)
class Written:
    """A draft about an item."""

    item_id: str
    draft: ContentDraft


@dataclass(frozen=True)
class SearchRecord:
    """Who searched for what, and who bought what, as the tables have it.

    Attributes:
        synonyms: Of the operator.
        searched: Users and times, by item and search.
        bought: Times, by user and item.
    """

    synonyms: Groups = ()
    searched: Mapping[tuple[str, str], Sequence[tuple[str, datetime]]] = field(default_factory=dict)
    bought: Mapping[tuple[str, str], Sequence[datetime]] = field(default_factory=dict)

    @staticmethod
    def of(synonyms: Groups, searches: pl.DataFrame | None, events: pl.DataFrame) -> "SearchRecord":
        """Collects the rows of the tables."""
        searched, times = defaultdict(list), defaultdict(list)
        rows = searches.select("item_id", "query", "user_id", "timestamp").iter_rows() if searches is not None else ()
        for item_id, query, user_id, time in rows:
            searched[item_id, query].append((user_id, time))
        purchases = events.filter(bought(events)).select("user_id", "item_id", "timestamp")
        for user_id, item_id, time in purchases.iter_rows():
            times[user_id, item_id].append(time)
        return SearchRecord(synonyms, searched, times)

    def buyers(self, item_id: str, query: str, days: int) -> int:
        """How many different people bought an item at most `days` after they searched for it."""
        soon = timedelta(days=days)
        return len(
            {
                user_id
                for user_id, searched in self.searched.get((item_id, query), ())
                if any(searched <= bought <= searched + soon for bought in self.bought.get((user_id, item_id), ()))
            }
        )


class TableTruth:
    """Checks drafts by the shop's tables. Nothing that a bundle or a writer says is believed.

    Args:
        items: The items table.
        buyers: The users who bought an item in the window, by item.
        days: The length of that window.
        search_record: Searches, and the operator's synonyms.
    """

    def __init__(
        self,
        items: pl.DataFrame,
        buyers: Mapping[str, set[str]],
        days: int,
        search_record: SearchRecord | None = None,
    ) -> None:
        self._items = {row["item_id"]: _item(row) for row in items.iter_rows(named=True)}
        self._buyers = buyers
        self._days = days
        self._searches = search_record or SearchRecord()
        self._brands = {item.brand for item in self._items.values()}
        self._categories = {name for item in self._items.values() for name in item.categories}

    def titles(self, rng: random.Random, n: int) -> list[str]:
        """Draws at most n titles."""
        titles = sorted(item.title for item in self._items.values())
        return rng.sample(titles, min(n, len(titles)))

    def claims(self, written: Written, recipe: Recipe) -> list[Claim] | None:
        """What each part may say according to the tables. None if they do not permit one of its facts."""
        item, draft = self._items[written.item_id], written.draft
        try:
            return [
                copy_claim(
                    part.evidence[0], item, draft.language, recipe, Form.NAMED if len(part.evidence) > 1 else Form.PLAIN
                )
                for part in draft.parts
            ]
        except ReasonRejected:
            return None

    def problems(self, written: Written, recipe: Recipe) -> list[str]:
        """Lists what is not true in a draft. Empty if it is true."""
        draft, claims = written.draft, self.claims(written, recipe)
        wrong = [
            f"{written.item_id}: {fact.kind} does not hold: {part.text!r}"
            for part in draft.parts
            for fact in part.evidence
            if not self._holds(self._items[written.item_id], fact)
        ]
        if claims is None:
            return [*wrong, f"{written.item_id}: no fact of the tables permits {draft.text!r}"]
        try:
            parts = [(part.text, claim) for part, claim in zip(draft.parts, claims, strict=True)]
            if check_text(parts, recipe, draft.language) != draft.text:
                wrong.append(f"{written.item_id}: the parts do not add up to {draft.text!r}")
        except ReasonRejected as rejection:
            wrong.append(f"{written.item_id}: {rejection}: {draft.text!r}")
        return wrong

    def _holds(self, item: Item, fact: Evidence) -> bool:  # noqa: PLR0911  one return a kind
        if fact.strength is not Strength.NEUTRAL:
            return False
        match fact.kind:
            case EvidenceKind.NAME:
                return item.title == fact.value
            case EvidenceKind.BRAND:
                return item.brand == fact.value
            case EvidenceKind.CATEGORY:
                return fact.value in item.categories
            case EvidenceKind.ATTRIBUTE:
                return (fact.name, fact.value) in item.attributes
            case EvidenceKind.POPULARITY:
                return (len(self._buyers.get(item.item_id, ())), self._days) == (fact.count, fact.days)
            case EvidenceKind.AUDIENCE:
                return fact.value in (self._brands if fact.name == "brand" else self._categories)
            case EvidenceKind.SYNONYM:
                synonyms = synonyms_of(fact.name, self._searches.synonyms)
                return fact.name in item.categories and fact.value in synonyms
            case EvidenceKind.QUERY:
                return self._searches.buyers(item.item_id, fact.value, fact.days) == fact.count
        return False


def judge(written: Sequence[Written], recipe: Recipe, language: str, truth: TableTruth, seed: int) -> dict[str, Any]:
    """Measures the drafts of one language.

    Args:
        written: The drafts.
        recipe: The recipe that they follow.
        language: Of the drafts.
        truth: Checks them.
        seed: Of everything that is drawn at random.

    Returns:
        The figures by name. `characters` is the shortest, the median and the longest text.
    """
    problems = [problem for one in written for problem in truth.problems(one, recipe)]
    claims = [truth.claims(one, recipe) or [] for one in written]
    texts = [Reason(one.draft.text, language, (), one.draft.provenance) for one in written]
    words = [delexicalised(text, of_text) for text, of_text in zip(texts, claims, strict=True)]
    parts = [
        (Reason(part.text, language, part.evidence, one.draft.provenance), [claim])
        for one, of_text in zip(written, claims, strict=True)
        for part, claim in zip(one.draft.parts, of_text, strict=False)
    ]
    rng = random.Random(seed)
    sampled = rng.sample(parts, min(MAX_SAMPLED_PARTS, len(parts)))
    titles = sorted({clean_name(title) for title in truth.titles(rng, MAX_MUTATION_NAMES)} - {""})
    skipped = frozenset[str]() if recipe.wording(language).stop else _SENTENCE_LINTS
    marked = Counter(lint for part, claim in parts for lint in lints(part, claim) if lint not in skipped)
    if cut := sum("…" in one.draft.text for one in written):
        marked["a name cut short"] = cut
    lengths = sorted(len(one.draft.text) for one in written)
    facts = sum(len(part.evidence) for one in written for part in one.draft.parts)
    return {
        "texts": len(written),
        "facts": facts,
        "unsupported": len(problems),
        "supported": 1 - len(problems) / facts if facts else 1.0,
        "problems": problems[:MAX_LISTED_PROBLEMS],
        "mutations": caught(sampled, titles, seed),
        "lints": dict(marked),
        **variety(words, language),
        "duplicates": len(written) - len({one.draft.text for one in written}),
        "characters": [lengths[0], median(lengths), lengths[-1]] if lengths else [],
    }


def _item(row: Mapping[str, Any]) -> Item:
    pairs = [pair.partition("=") for pair in row["attributes"].split(";") if pair.strip()]
    attributes = tuple((name.strip(), value.strip()) for name, _, value in pairs)
    categories = category_path(row["categories"])
    return Item(row["item_id"], row["title"], row["brand"], categories, attributes=attributes)
