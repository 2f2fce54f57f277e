"""Measures the reasons of a bundle in one language, with every check of this room."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from rich.console import Console
from rich.progress import track

from recsvc.domain.reason import Reason, Tone
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
from training.reason_evaluation.mutations import Counts, caught
from training.reason_evaluation.naturalness import naturalness
from training.reason_evaluation.offline_pages import Page, pages, records_of
from training.reason_evaluation.quality import claims_of, delexicalised, lints, neighbours, relevance, variety
from training.reason_evaluation.shown_reason import (
    ShownReason,
    by_history,
    by_kind,
    counted,
    random_samples,
    samples_by_kind,
)
from training.reason_evaluation.training_events import learned_events, learned_until
from training.reason_evaluation.truth import Purchases, Truth

PAGE_ITEMS = 12
MAX_SAMPLED_REASONS = 3_000  # whose relevance is measured, and that are made false
MAX_LISTED_PROBLEMS = 20
MAX_MUTATION_NAMES = 200

T = TypeVar("T")


class Evaluation:
    """Measures the reasons of a bundle on the pages of some users.

    Args:
        bundle: The bundle.
        shop: The shop that it was trained on.
        user_ids: The users whose pages are made.
        seed: Of everything that is drawn at random.
        console: Where progress is shown.
        generator: Words the reasons; the phrase bank if none is given.
        author: A language model whose patterns are used beside the generator's.
        judge: A judge model, and how many sentences of a language it is asked about.
        tone: The tone that the reasons are asked for in.
    """

    def __init__(
        self,
        bundle: Bundle,
        shop: Shop,
        user_ids: Sequence[str],
        *,
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
        """Measures one language.

        Raises:
            AuthorUnavailable: The language model or the judge does not answer.
        """
        made, writer, pool, written = self._pages(language)
        truth = Truth(self._bundle, self._purchases, self._now)
        shown = self._shown(made, truth, language)
        with_claims = [(one.reason, one.claims) for one in shown]
        mutations = self._mutations(shown)
        return {
            "pages": len(made),
            "items": sum(len(page.rows) for page in made),
            **counted(shown),
            "of_the_tone": sum(one.reason.tone is self._tone for one in shown) / max(len(shown), 1),
            "kinds": dict(Counter(e.kind for one in shown for e in one.reason.evidence).most_common()),
            "problems": [problem for one in shown for problem in one.problems][:MAX_LISTED_PROBLEMS],
            "causes": vars(truth.causes),
            "rejected": dict(writer.rejected),
            "two_claims": sum(len(one.reason.evidence) > 1 for one in shown) / max(len(shown), 1),
            "mutations": _summed(mutations.values()),
            "lints": dict(Counter(lint for one in shown for lint in one.lints)),
            "fluency": fluency(with_claims, language),
            "variety": variety([delexicalised(reason, claims) for reason, claims in with_claims], language),
            "neighbours": neighbours(made),
            "by_kind": by_kind(shown, mutations),
            "by_history": by_history(made, shown),
            "milliseconds": [float(q) for q in np.quantile([1e3 * page.seconds for page in made], (0.5, 0.99))],
            "model": self._of_model(shown, written, language),
            "bias": audit(ReasonWriter(self._generator, pool=pool), language),
            "judge": self._of_judge(shown),
            "samples": samples_by_kind(shown, self._seed),
            "picked": random_samples(shown, self._seed),
        }

    def _pages(self, language: str) -> tuple[list[Page], ReasonWriter, PatternPool | None, list[Written]]:
        """Makes the pages again until the language model has written every pattern that they ask for."""
        pool = PatternPool(self._author.name, self._author.model) if self._author is not None else None
        written: list[Written] = []
        while True:
            writer = ReasonWriter(self._generator, pool=pool)
            stream = pages(
                self._bundle,
                self._records,
                writer,
                k=PAGE_ITEMS,
                language=language,
                now=self._now,
                tone=self._tone,
            )
            made = list(self._tracked(stream, f"pages, {language}", len(self._records)))
            if self._author is None or pool is None or not pool.wanted:
                return made, writer, pool, written
            written += write_wanted(self._author, pool, self._console, may_fail=bool(written))
            pool.take({one.request: one.patterns for one in written})

    def _shown(self, made: Sequence[Page], truth: Truth, language: str) -> list[ShownReason]:
        ranks = relevance(self._bundle, made, now=self._now, seed=self._seed, most=MAX_SAMPLED_REASONS)
        shown = []
        for i, page in enumerate(self._tracked(made, f"truth, {language}", len(made))):
            for j, reason in enumerate(page.reasons):
                if reason is not None:
                    item, claims = self._bundle.catalogue.items[page.rows[j]], claims_of(page, self._bundle, j)
                    shown.append(
                        ShownReason(
                            item=item,
                            reason=reason,
                            claims=claims,
                            purchases=len(page.state.bought_rows),
                            problems=truth.problems(page, item, reason),
                            lints=lints(reason, claims),
                            reciprocal_rank=ranks.get((i, j)),
                        )
                    )
        return shown

    def _mutations(self, shown: Sequence[ShownReason]) -> dict[str, dict[str, Counts]]:
        """By kind of evidence and sort of mutation, how many false sentences were tried, and how many passed."""
        rng, items = random.Random(self._seed), self._bundle.catalogue.items
        some_items = rng.sample(items, min(MAX_MUTATION_NAMES, len(items)))
        names = sorted({clean_name(item.title) for item in some_items} - {""})
        by_kind: dict[str, list[tuple[Reason, Sequence[Claim]]]] = defaultdict(list)
        for one in rng.sample(shown, min(MAX_SAMPLED_REASONS, len(shown))):
            by_kind[one.kind].append((one.reason, one.claims))
        return {kind: caught(reasons, names, self._seed) for kind, reasons in by_kind.items()}

    def _of_model(
        self, shown: Sequence[ShownReason], written: Sequence[Written], language: str
    ) -> dict[str, Any] | None:
        if self._author is None:
            return None
        by_model = sum(one.reason.provenance.ai_generated for one in shown)
        new = list(dict.fromkeys(pattern for one in written for pattern in one.patterns))
        more = {"shown": by_model / max(len(shown), 1), "natural": naturalness(new, language)}
        return acceptance(self._author, written) | more

    def _of_judge(self, shown: Sequence[ShownReason]) -> dict[str, Any] | None:
        if self._judge is None:
            return None
        judge, sentences = self._judge
        reasons = [(one.item, one.reason) for one in shown]
        return judged(judge, reasons, most=sentences, seed=self._seed, console=self._console)

    def _tracked(self, steps: Iterable[T], title: str, total: int) -> Iterable[T]:
        return track(steps, f"  {title}", total, console=self._console, transient=True)


def _summed(mutations: Iterable[Mapping[str, Counts]]) -> dict[str, Counts]:
    tried, passed = Counter[str](), Counter[str]()
    for sorts in mutations:
        for sort, counts in sorts.items():
            tried[sort] += counts["tried"]
            passed[sort] += counts["passed"]
    return {sort: {"tried": tried[sort], "passed": passed[sort]} for sort in sorted(tried)}
