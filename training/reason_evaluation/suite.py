"""All that is measured of the reasons of one language: of all, by kind of evidence, and by length of history."""

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

from recsvc.domain.reason import Reason, Strength, Tone
from recsvc.domain.shop import Item
from recsvc.model.bundle import Bundle
from recsvc.reasons import Author, PatternPool, ReasonWriter
from recsvc.reasons.claim import Claim
from recsvc.reasons.generator import Generator
from recsvc.reasons.seller_text.names import clean_name
from training.data.shop import Shop
from training.reason_evaluation.authors import Written, acceptance, write_wanted
from training.reason_evaluation.bias import audit
from training.reason_evaluation.fluency import fluency
from training.reason_evaluation.judge import Judge, judged
from training.reason_evaluation.mutations import caught
from training.reason_evaluation.offline_pages import Page, pages, records_of
from training.reason_evaluation.quality import claims_of, delexicalised, is_user_specific, lints, relevance, variety
from training.reason_evaluation.training_events import learned_events, learned_until
from training.reason_evaluation.truth import Purchases, Truth

PAGE = 12
HISTORIES = ((0, 0), (1, 2), (3, 10), (11, None))
JUDGED = 3_000  # reasons whose relevance is looked at, and that are made false, at most
SAMPLES = 6  # of each kind, in the report
PICKED = 30  # whatever their kind


@dataclass(frozen=True)
class ShownReason:
    """A reason that was shown, and what was found of it. rank: the reciprocal one of `relevance`, if it was looked at.
    purchases: different items that the user had bought.
    """

    item: Item
    reason: Reason
    claims: list[Claim]
    purchases: int
    problems: list[str]
    lints: list[str]
    rank: float | None

    @property
    def kind(self) -> str:
        return self.reason.evidence[0].kind


class Evaluation:
    """Of a bundle and its shop, on the pages of some users.

    author: a language model whose patterns are used beside the generator's. judge: and how many sentences of a language
    it is shown.
    """

    def __init__(
        self,
        bundle: Bundle,
        shop: Shop,
        user_ids: Sequence[str],
        seed: int,
        console: Console,
        generator: Generator | None = None,
        author: Author | None = None,
        judge: tuple[Judge, int] | None = None,
        tone: Tone = Tone.NEUTRAL,
    ) -> None:
        events = learned_events(shop.events, bundle)
        windows = (bundle.model.popularity_days, bundle.model.cohort_days)
        self._bundle, self._seed, self._console = bundle, seed, console
        self._generator, self._author, self._judge = generator, author, judge
        self._tone = tone
        self._now = int(learned_until(bundle).timestamp() * 1e6)
        self._purchases = Purchases.of(events, windows)
        self._records = records_of(events, shop.users, user_ids, bundle.model.text_encoder)

    def figures(self, language: str) -> dict[str, Any]:
        """Raises AuthorUnavailable where a language model or the judge stays away."""
        found, writer, pool, written = self._pages(language)
        truth = Truth(self._bundle, self._purchases, self._now)
        told = self._told(found, truth, language)
        claimed = [(one.reason, one.claims) for one in told]
        mutations = self._mutations(told)
        by_page: dict[int, list[list[str]]] = defaultdict(list)
        shown = [page for page in found for reason in page.reasons if reason is not None]
        for page, (reason, claims) in zip(shown, claimed, strict=True):
            by_page[id(page)].append(delexicalised(reason, claims))
        of_model = sum(one.reason.provenance.ai_generated for one in told)
        return {
            "pages": len(found),
            "items": sum(len(page.rows) for page in found),
            **_counted(told),
            "of_the_tone": sum(one.reason.tone is self._tone for one in told) / max(len(told), 1),
            "kinds": dict(Counter(e.kind for one in told for e in one.reason.evidence).most_common()),
            "problems": [problem for one in told for problem in one.problems][:20],
            "causes": vars(truth.causes),
            "rejected": dict(writer.rejected),
            "two_claims": sum(len(one.reason.evidence) > 1 for one in told) / max(len(told), 1),
            "mutations": _summed(mutations.values()),
            "lints": dict(Counter(lint for one in told for lint in one.lints)),
            "fluency": fluency(claimed, language),
            "variety": variety(list(by_page.values()), language),
            "repeated_on_page": _repeated(found),
            "by_kind": _by_kind(told, mutations),
            "by_history": [_by_history(found, told, low, high) for low, high in HISTORIES],
            "milliseconds": [float(q) for q in np.quantile([1e3 * page.seconds for page in found], (0.5, 0.99))],
            "model": acceptance(self._author, written) | {"shown": of_model / max(len(told), 1)}
            if self._author is not None
            else None,
            "bias": audit(ReasonWriter(self._generator, pool=pool), language),
            "judge": judged(
                self._judge[0], [(one.item, one.reason) for one in told], self._judge[1], self._seed, self._console
            )
            if self._judge is not None
            else None,
            "samples": _samples(told, self._seed),
            "picked": [_sample(one) for one in random.Random(self._seed).sample(told, min(PICKED, len(told)))],
        }

    def _pages(self, language: str) -> tuple[list[Page], ReasonWriter, PatternPool | None, list[Written]]:
        """The pages, once whatever they ask a language model for is written."""
        pool = PatternPool(self._author.name, self._author.model) if self._author is not None else None
        written: list[Written] = []
        while True:
            writer = ReasonWriter(self._generator, pool=pool)
            given = pages(self._bundle, self._records, writer, PAGE, language, self._now, self._tone)
            found = list(self._watched(given, f"pages, {language}", len(self._records)))
            if self._author is None or pool is None or not pool.wanted:
                return found, writer, pool, written
            written += write_wanted(self._author, pool, self._console)
            pool.take({one.request: one.patterns for one in written})

    def _told(self, found: Sequence[Page], truth: Truth, language: str) -> list[ShownReason]:
        ranks = relevance(self._bundle, found, self._now, self._seed, JUDGED)
        told = []
        for i, page in enumerate(self._watched(found, f"truth, {language}", len(found))):
            for j, reason in enumerate(page.reasons):
                if reason is not None:
                    item, claims = self._bundle.catalogue.items[page.rows[j]], claims_of(page, self._bundle, j)
                    problems = truth.problems(page, item, reason)
                    bought = len(page.state.bought_rows)
                    told.append(
                        ShownReason(item, reason, claims, bought, problems, lints(reason, claims), ranks.get((i, j)))
                    )
        return told

    def _mutations(self, told: Sequence[ShownReason]) -> dict[str, dict[str, dict[str, int]]]:
        """By kind: of each sort of false sentence how many were tried, and passed."""
        rng, items = random.Random(self._seed), self._bundle.catalogue.items
        names = sorted({clean_name(item.title) for item in rng.sample(items, min(200, len(items)))} - {""})
        sampled: dict[str, list[tuple[Reason, Sequence[Claim]]]] = defaultdict(list)
        for one in rng.sample(told, min(JUDGED, len(told))):
            sampled[one.kind].append((one.reason, one.claims))
        return {kind: caught(some, names, self._seed) for kind, some in sampled.items()}

    def _watched(self, given: Any, what: str, total: int) -> Any:
        return track(given, f"  {what}", total, console=self._console, transient=True)


def _counted(told: Sequence[ShownReason]) -> dict[str, Any]:
    """Accuracy, fluency and relevance of some reasons."""
    ranks = [one.rank for one in told if one.rank is not None]
    return {
        "reasons": len(told),
        "claims": sum(len(one.reason.evidence) for one in told),
        "unsupported": sum(len(one.problems) for one in told),
        "with_lints": sum(bool(one.lints) for one in told),
        "causal": sum(one.claims[0].strength is Strength.CAUSAL for one in told),
        "user_specific": sum(is_user_specific(one.reason) for one in told) / len(told) if told else None,
        "mrr": float(np.mean(ranks)) if ranks else None,
    }


def _by_kind(told: Sequence[ShownReason], mutations: dict[str, dict[str, dict[str, int]]]) -> dict[str, dict[str, Any]]:
    kinds: dict[str, list[ShownReason]] = defaultdict(list)
    for one in told:
        kinds[one.kind].append(one)
    found = {}
    for kind, some in sorted(kinds.items(), key=lambda pair: -len(pair[1])):
        sorts = mutations.get(kind, {}).values()
        found[kind] = _counted(some) | {what: sum(sort[what] for sort in sorts) for what in ("tried", "passed")}
    return found


def _by_history(found: Sequence[Page], told: Sequence[ShownReason], low: int, high: int | None) -> dict[str, Any]:
    def is_in(purchases: int) -> bool:
        return purchases >= low and (high is None or purchases <= high)

    users = [page for page in found if is_in(len(page.state.bought_rows))]
    items = sum(len(page.rows) for page in users)
    some = [one for one in told if is_in(one.purchases)]
    return _counted(some) | {
        "purchases": f"{low}" if low == high else f"{low} to {high}" if high else f"{low} or more",
        "users": len(users),
        "with_reason": len(some) / items if items else None,
        # Of all items, not of those that have a reason.
        "user_specific": sum(is_user_specific(one.reason) for one in some) / items if items else None,
    }


def _summed(mutations: Any) -> dict[str, dict[str, int]]:
    tried, passed = Counter[str](), Counter[str]()
    for sorts in mutations:
        for sort, counts in sorts.items():
            tried[sort] += counts["tried"]
            passed[sort] += counts["passed"]
    return {sort: {"tried": tried[sort], "passed": passed[sort]} for sort in sorted(tried)}


def _repeated(found: Sequence[Page]) -> int:
    texts = [[reason.text for reason in page.reasons if reason is not None] for page in found]
    return sum(len(page) - len(set(page)) for page in texts)


def _samples(told: Sequence[ShownReason], seed: int) -> dict[str, list[dict[str, Any]]]:
    by_kind: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in random.Random(seed).sample(told, len(told)):
        kind = one.kind.replace("_", " ")
        if len(by_kind[kind]) < SAMPLES:
            by_kind[kind].append(_sample(one))
    return dict(sorted(by_kind.items()))


def _sample(one: ShownReason) -> dict[str, Any]:
    reason = one.reason
    strength, by_model = reason.evidence[0].strength, reason.provenance.ai_generated
    return {"item": one.item.title, "text": reason.text, "strength": strength, "by_model": by_model}
