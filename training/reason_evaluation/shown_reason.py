"""Counts shown reasons: all of them, by kind of evidence, by length of history; and picks samples to read."""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsvc.domain.reason import Reason, Strength
from recsvc.domain.shop import Item
from recsvc.reasons.claim import Claim
from training.reason_evaluation.mutations import Counts
from training.reason_evaluation.offline_pages import Page
from training.reason_evaluation.quality import is_user_specific

HISTORY_RANGES = ((0, 0), (1, 2), (3, 10), (11, None))  # different items bought, both ends included
SAMPLES_OF_A_KIND = 6
RANDOM_SAMPLES = 30


@dataclass(frozen=True, kw_only=True)
class ShownReason:
    """A reason that a page showed, and what the evaluation found out about it.

    Attributes:
        item: The item it stands beside.
        reason: The reason itself.
        claims: What each of its facts permits it to say.
        purchases: Different items that the user had bought.
        problems: What is not true in it.
        lints: What a proofreader would mark.
        reciprocal_rank: From `relevance`; None if it was not in the sample.
    """

    item: Item
    reason: Reason
    claims: list[Claim]
    purchases: int
    problems: list[str]
    lints: list[str]
    reciprocal_rank: float | None

    @property
    def kind(self) -> str:
        """The kind of its first fact."""
        return self.reason.evidence[0].kind


def counted(shown: Sequence[ShownReason]) -> dict[str, Any]:
    """Accuracy, fluency and relevance of some reasons."""
    ranks = [reason.reciprocal_rank for reason in shown if reason.reciprocal_rank is not None]
    return {
        "reasons": len(shown),
        "claims": sum(len(one.reason.evidence) for one in shown),
        "unsupported": sum(len(one.problems) for one in shown),
        "with_lints": sum(bool(one.lints) for one in shown),
        "causal": sum(one.claims[0].strength is Strength.CAUSAL for one in shown),
        "user_specific": sum(is_user_specific(one.reason) for one in shown) / len(shown) if shown else None,
        "mrr": float(np.mean(ranks)) if ranks else None,
    }


def by_kind(shown: Sequence[ShownReason], mutations: Mapping[str, Mapping[str, Counts]]) -> dict[str, dict[str, Any]]:
    """Counts by the kind of the first fact, the commonest kind first.

    Args:
        shown: The reasons.
        mutations: By kind of evidence and sort of mutation, how many were tried and how many passed.
    """
    kinds: dict[str, list[ShownReason]] = defaultdict(list)
    for one in shown:
        kinds[one.kind].append(one)
    rows = {}
    for kind, of_kind in sorted(kinds.items(), key=lambda pair: -len(pair[1])):
        sorts = mutations.get(kind, {}).values()
        rows[kind] = counted(of_kind) | {count: sum(sort[count] for sort in sorts) for count in ("tried", "passed")}
    return rows


def by_history(pages: Sequence[Page], shown: Sequence[ShownReason]) -> list[dict[str, Any]]:
    """Counts by the number of different items that the user had bought."""
    return [_of_range(pages, shown, low, high) for low, high in HISTORY_RANGES]


def _of_range(pages: Sequence[Page], shown: Sequence[ShownReason], low: int, high: int | None) -> dict[str, Any]:
    def is_in(purchases: int) -> bool:
        return purchases >= low and (high is None or purchases <= high)

    of_users = [page for page in pages if is_in(len(page.state.bought_rows))]
    items = sum(len(page.rows) for page in of_users)
    reasons = [one for one in shown if is_in(one.purchases)]
    return counted(reasons) | {
        "purchases": f"{low}" if low == high else f"{low} to {high}" if high else f"{low} or more",
        "users": len(of_users),
        "with_reason": len(reasons) / items if items else None,
        # A share of all items, not of the items that have a reason.
        "user_specific": sum(is_user_specific(one.reason) for one in reasons) / items if items else None,
    }


def samples_by_kind(shown: Sequence[ShownReason], seed: int) -> dict[str, list[dict[str, Any]]]:
    """Some reasons of each kind, drawn at random."""
    kinds: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in random.Random(seed).sample(shown, len(shown)):
        kind = one.kind.replace("_", " ")
        if len(kinds[kind]) < SAMPLES_OF_A_KIND:
            kinds[kind].append(_sample(one))
    return dict(sorted(kinds.items()))


def random_samples(shown: Sequence[ShownReason], seed: int) -> list[dict[str, Any]]:
    """Some reasons of any kind, drawn at random."""
    return [_sample(one) for one in random.Random(seed).sample(shown, min(RANDOM_SAMPLES, len(shown)))]


def _sample(one: ShownReason) -> dict[str, Any]:
    reason = one.reason
    strength, by_model = reason.evidence[0].strength, reason.provenance.ai_generated
    return {"item": one.item.title, "text": reason.text, "strength": strength, "by_model": by_model}
