"""Checks that reasons are true, by counting again in the shop's tables. Nothing that the bundle stores is believed."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from recsvc.domain.arrays import MICROSECONDS_A_DAY
from recsvc.domain.reason import Evidence, EvidenceKind, Reason, Strength
from recsvc.domain.shop import CATEGORY_SEPARATOR, Item
from recsvc.errors import ReasonRejected
from recsvc.model.bundle import Bundle
from recsvc.model.history_bonus import history_bonus
from recsvc.ranking import rank
from recsvc.reasons import folded_words
from recsvc.reasons.claim import permitted_claim
from recsvc.reasons.verifier import check_all
from recsvc.retrieval.index import ScanIndex
from training.data.bought import bought
from training.data.interactions import kept_events
from training.reason_evaluation.offline_pages import Page


@dataclass(frozen=True)
class Purchases:
    """Purchases as the tables have them, without those that were sent back.

    Attributes:
        buyers: The users who bought an item, by window in days and by item.
        times: When a user bought an item, by user and by item, each time once, oldest first, microseconds since 1970
            UTC. Only the purchases that the service keeps count.
    """

    buyers: dict[int, dict[str, set[str]]]
    times: dict[str, dict[str, list[int]]]

    @staticmethod
    def of(events: pl.DataFrame, windows: Sequence[int]) -> "Purchases":
        """Counts the events. A window is in days back from the last event."""
        purchases = events.filter(bought(events)).with_columns(pl.col("timestamp").dt.timestamp("us"))
        last = int(events["timestamp"].dt.timestamp("us").to_numpy().max(initial=0))
        buyers: dict[int, dict[str, set[str]]] = {}
        for days in set(windows):
            recent = purchases.filter(pl.col("timestamp") > last - days * MICROSECONDS_A_DAY)
            grouped = recent.group_by("item_id").agg(pl.col("user_id").unique())
            buyers[days] = {item_id: set(people) for item_id, people in grouped.iter_rows()}
        times: dict[str, dict[str, list[int]]] = defaultdict(dict)
        kept = kept_events(events.sort("timestamp", maintain_order=True))
        of_users = kept.filter(bought(kept)).with_columns(pl.col("timestamp").dt.timestamp("us"))
        grouped = of_users.group_by("user_id", "item_id").agg(pl.col("timestamp").unique().sort())
        for user_id, item_id, moments in grouped.iter_rows():
            times[user_id][item_id] = moments
        return Purchases(buyers, dict(times))


@dataclass
class Causes:
    """Counts the items of the history that reasons name, and what happens without them.

    Attributes:
        named: Items that a reason names.
        without_effect: Of `named`, those that raised no score according to the service itself.
        left_out: Of `named`, those without which the user was encoded and the catalogue ranked again.
        lowered: Of `left_out`, those whose absence lowered the score.
        causal: Of `named`, those that were called causal.
        causal_left_out: Of `causal`, those that were left out.
        off_page: Of `causal_left_out`, those without which the recommended item left the page.
    """

    named: int = 0
    without_effect: int = 0
    left_out: int = 0
    lowered: int = 0
    causal: int = 0
    causal_left_out: int = 0
    off_page: int = 0


class Truth:
    """Judges the reasons of pages.

    Args:
        bundle: The bundle that made the pages.
        purchases: The purchases of the shop's tables.
        now: When the pages were shown, microseconds since 1970 UTC.
    """

    def __init__(self, bundle: Bundle, purchases: Purchases, now: int) -> None:
        self._bundle = bundle
        self._purchases = purchases
        self._now = now
        self._tower = bundle.user_tower()
        self._index = ScanIndex(bundle.item_vectors)
        self.causes = Causes()

    def problems(self, page: Page, item: Item, reason: Reason) -> list[str]:
        """Lists what is not true in a reason. Empty if it is true."""
        wrong = [] if _says_it(item, reason) else [f"{reason.text!r} does not say what its evidence does"]
        wrong += [
            f"{evidence.kind} does not hold: {reason.text!r}"
            for evidence in reason.evidence
            if not self._holds(page, item, evidence)
        ]
        return wrong

    def _holds(self, page: Page, item: Item, evidence: Evidence) -> bool:  # noqa: PLR0911  one return a kind
        times = self._purchases.times.get(page.user_id, {})
        anchor = evidence.anchor.item_id if evidence.anchor is not None else ""
        match evidence.kind:
            case EvidenceKind.REPEAT_PURCHASE:
                moments = times.get(item.item_id, [])
                whole_days = (self._now - moments[-1]) // MICROSECONDS_A_DAY if moments else 0
                return len(moments) == evidence.count >= 1 and whole_days == evidence.elapsed
            case EvidenceKind.REPEAT_INTERVAL:
                moments = times.get(item.item_id, [])
                days = (np.diff(moments) / MICROSECONDS_A_DAY).mean() if len(moments) > 1 else 0.0
                since = (self._now - moments[-1]) / MICROSECONDS_A_DAY if moments else 0.0
                return round(float(days)) == evidence.days and int(since) == evidence.elapsed
            case EvidenceKind.HISTORY_ITEM:
                return self._moved_it(page, item, evidence) and anchor in times and evidence.effect > 0
            case EvidenceKind.SIMILAR_ITEM:
                return anchor in times and anchor != item.item_id
            case EvidenceKind.CO_PURCHASE:
                people = self._purchases.buyers[evidence.days].get(anchor, set())
                both = people & self._purchases.buyers[evidence.days].get(item.item_id, set())
                return anchor in times and (len(people), len(both)) == (evidence.people, evidence.count)
            case EvidenceKind.POPULARITY:
                return len(self._purchases.buyers[evidence.days].get(item.item_id, ())) == evidence.count
            case EvidenceKind.PROFILE:
                return page.state.profile is not None and evidence.effect > 0 and _mentioned(page, item, evidence)
        return self._held(times, evidence) == evidence.count >= 1 and _has(item, evidence)

    def _held(self, times: dict[str, list[int]], evidence: Evidence) -> int:
        """Counts the user's purchases that have the brand, category or attribute."""
        catalogue = self._bundle.catalogue
        rows = {item_id: catalogue.row(item_id) for item_id in times}
        return sum(
            len(times[item_id])
            for item_id, row in rows.items()
            if row is not None and _has(catalogue.items[row], evidence)
        )

    def _moved_it(self, page: Page, item: Item, evidence: Evidence) -> bool:
        """Ranks again for a history without the anchor, and tells whether that lowered the score.

        If it was called causal, the item must also have left the page. An anchor of the newest event cannot be left
        out, because the age of all other events is measured from it: then the answer is true.
        """
        state, catalogue, causes = page.state, self._bundle.catalogue, self.causes
        is_causal = evidence.strength is Strength.CAUSAL
        causes.named += 1
        causes.without_effect += not evidence.effect > 0
        causes.causal += is_causal
        row, anchor = catalogue.row(item.item_id), catalogue.row(evidence.anchor.item_id) if evidence.anchor else None
        history, before = state.history, page.user_vector
        without = history.select(history.rows != anchor)
        if state.disliked is not None or not len(without) or without.timestamps[-1] != history.timestamps[-1]:
            return True
        vector = self._tower.user_vectors([without], [state.profile])[0]
        if row is None:
            return False
        causes.left_out += 1
        causes.causal_left_out += is_causal
        item_vector, silent = self._bundle.item_vectors[row], state.silent_rows
        bonus = history_bonus(self._bundle, without, self._now, silent_rows=silent)
        bonus_before = history_bonus(self._bundle, history, self._now, silent_rows=silent)
        score = item_vector @ vector + np.float32(bonus.neighbours.score_of(row))
        if not score < item_vector @ before + np.float32(bonus_before.neighbours.score_of(row)):
            return False
        causes.lowered += 1
        if not is_causal:
            return True
        k, hidden = len(page.rows), state.hidden_rows
        candidates = self._index.search(vector[None], k + len(hidden))[0]
        left = row not in rank(vector, self._bundle.item_vectors, candidates, k, hidden, bonus.total).rows
        causes.off_page += left
        return left


def _says_it(item: Item, reason: Reason) -> bool:
    try:
        claims = [permitted_claim(evidence, item, reason.language, reason.tone) for evidence in reason.evidence]
        check_all(reason.text, claims)
    except ReasonRejected:
        return False
    return True


def _mentioned(page: Page, item: Item, evidence: Evidence) -> bool:
    """Whether a phrase stands in the profile, and a run of it in the item's title or categories."""
    about = page.state.about
    # A term out of a long sentence has no name, wherever the sentence stands.
    values = [value for name, value in about.attributes if evidence.name in ("", name)]
    if not evidence.name:
        values.append(about.text)
    folded, words = folded_words(evidence.value)
    texts = [folded_words(text) for text in (item.title, *item.categories)]
    linked = any(set(words) & set(text_words) for _, text_words in texts) or any(
        folded[at : at + 2] in text for at in range(len(folded) - 1) if not folded.isascii() for text, _ in texts
    )
    return linked and any(evidence.value in value for value in values)


def _has(item: Item, evidence: Evidence) -> bool:
    if evidence.kind is EvidenceKind.BRAND:
        return item.brand == evidence.value
    if evidence.kind is EvidenceKind.CATEGORY:
        return evidence.value in item.categories or evidence.value == CATEGORY_SEPARATOR.join(item.categories)
    return (evidence.name, evidence.value) in item.attributes
