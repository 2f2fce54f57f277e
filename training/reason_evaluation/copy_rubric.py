"""Quality of copy by the rubric of reasons: truth from the shop's tables, mutations, lints, variety, length."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import polars as pl

from recsvc.domain.reason import ContentDraft, Evidence, EvidenceKind, Reason, Strength
from recsvc.domain.shop import CATEGORY_SEPARATOR, Item
from recsvc.errors import ReasonRejected
from recsvc.reasons import Recipe, copy_claim
from recsvc.reasons.claim import Claim
from recsvc.reasons.grammar.pattern import Form
from recsvc.reasons.seller_text.names import clean_name
from recsvc.reasons.verifier import check_text
from training.reason_evaluation.mutations import caught
from training.reason_evaluation.quality import delexicalised, lints, variety

JUDGED = 3_000  # parts that are made false, at most
# What must be caught without exception.
ALWAYS = ("number", "name", "price", "medical")
# Of a recipe whose parts are no sentences: they need no full stop; and those of a Chinese title stand apart.
_OF_SENTENCES = frozenset({"no capital, or no full stop", "no full stop", "a space"})


@dataclass(frozen=True)
class Written:
    """A draft and the item it is of."""

    item_id: str
    draft: ContentDraft


class TableTruth:
    """What the shop's tables say of its items, read anew: nothing here comes from a bundle or from a writer.

    buyers: of the window of `days`, by item.
    """

    def __init__(self, items: pl.DataFrame, buyers: Mapping[str, set[str]], days: int) -> None:
        self._items = {row["item_id"]: _item(row) for row in items.iter_rows(named=True)}
        self._buyers = buyers
        self._days = days
        self._brands = {item.brand for item in self._items.values()}
        self._categories = {name for item in self._items.values() for name in item.categories}

    def titles(self, rng: random.Random, n: int) -> list[str]:
        """Some titles, at most n."""
        titles = sorted(item.title for item in self._items.values())
        return rng.sample(titles, min(n, len(titles)))

    def claims(self, written: Written, recipe: Recipe) -> list[Claim] | None:
        """What each part may say by the tables; None where they license none of its facts."""
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
        """What is not true of a draft; nothing, of a true one."""
        draft, claims = written.draft, self.claims(written, recipe)
        found = [
            f"{written.item_id}: {fact.kind} does not hold: {part.text!r}"
            for part in draft.parts
            for fact in part.evidence
            if not self._holds(self._items[written.item_id], fact)
        ]
        if claims is None:
            return [*found, f"{written.item_id}: nothing licenses {draft.text!r}"]
        try:
            told = [(part.text, claim) for part, claim in zip(draft.parts, claims, strict=True)]
            if check_text(told, recipe, draft.language) != draft.text:
                found.append(f"{written.item_id}: the parts do not make {draft.text!r}")
        except ReasonRejected as rejection:
            found.append(f"{written.item_id}: {rejection}: {draft.text!r}")
        return found

    def _holds(self, item: Item, fact: Evidence) -> bool:
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
        return False


def judge(written: Sequence[Written], recipe: Recipe, language: str, truth: TableTruth, seed: int) -> dict[str, Any]:
    """All figures of one language's drafts."""
    problems = [problem for each in written for problem in truth.problems(each, recipe)]
    claims = [truth.claims(each, recipe) or [] for each in written]
    whole = [Reason(each.draft.text, language, (), each.draft.provenance) for each in written]
    words = [delexicalised(reason, of_text) for reason, of_text in zip(whole, claims, strict=True)]
    parts = [
        (Reason(part.text, language, part.evidence, each.draft.provenance), [claim])
        for each, of_text in zip(written, claims, strict=True)
        for part, claim in zip(each.draft.parts, of_text, strict=False)
    ]
    rng = random.Random(seed)
    sampled = rng.sample(parts, min(JUDGED, len(parts)))
    titles = sorted({clean_name(title) for title in truth.titles(rng, 200)} - {""})
    stops = bool(recipe.wording(language).stop)
    marked = Counter(lint for part, claim in parts for lint in lints(part, claim) if stops or lint not in _OF_SENTENCES)
    if cut := sum("…" in each.draft.text for each in written):
        marked["a name cut short"] = cut
    texts = Counter(each.draft.text for each in written)
    lengths = sorted(len(each.draft.text) for each in written)
    facts = sum(len(part.evidence) for each in written for part in each.draft.parts)
    return {
        "texts": len(written),
        "facts": facts,
        "unsupported": len(problems),
        "supported": 1 - len(problems) / facts if facts else 1.0,
        "problems": problems[:20],
        "mutations": caught(sampled, titles, seed),
        "lints": dict(marked),
        **{name: value for name, value in variety([words], language).items() if not name.startswith("page")},
        "duplicates": len(written) - len(texts),
        "characters": [lengths[0], median(lengths), lengths[-1]] if lengths else [],
    }


def gates(result: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Why the copy must not be used; nothing where it may be, after somebody has read it."""
    found = []
    for language, figures in result.items():
        if figures["unsupported"]:
            found.append(f"{language}: {figures['unsupported']} texts say what the tables do not")
        mutations = figures["mutations"]
        tried, passed = (sum(sort[what] for sort in mutations.values()) for what in ("tried", "passed"))
        if passed > 0.005 * tried or any(mutations[sort]["passed"] for sort in ALWAYS if sort in mutations):
            found.append(f"{language}: {passed} of {tried} false sentences passed the verifier")
    return found


def _item(row: Mapping[str, Any]) -> Item:
    pairs = [pair.partition("=") for pair in row["attributes"].split(";") if pair.strip()]
    attributes = tuple((name.strip(), value.strip()) for name, _, value in pairs)
    categories = tuple(part for part in row["categories"].split(CATEGORY_SEPARATOR) if part)
    return Item(row["item_id"], row["title"], row["brand"], categories, attributes=attributes)
