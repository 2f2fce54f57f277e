"""Builds a slate: the best eligible items, in the order that the shop's rules ask for."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import NO_ROWS, Rows
from recsvc.domain.query import NO_RULES, ItemFilter, Page, Rules
from recsvc.pipeline.business_rules import Caps, boost, cap_and_diversify, pin
from recsvc.pipeline.exploration import explore
from recsvc.pipeline.final_gate import enforce
from recsvc.ranking import NOTHING, Ranking
from recsvc.retrieval.inventory import Selection
from recsvc.retrieval.item_snapshot import ItemSnapshot
from recsvc.retrieval.scorers import Scorer

# The number of items below a page that compete for it. An item must fall behind some of them before its anchor is
# called causal.
COMPETITORS = 32
# Rules choose from a pool of this many times the missing items, and of at least the second number of items.
_POOL_RATIO, _MIN_POOL = 4, 200

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Eligibility:
    """Which items may be in one slate. A selection of None is every item.

    Attributes:
        excluded: Rows that may not be in it.
        matching: The items that match the filter.
        backfill: The items that may follow if too few match; empty if none may.
        inventory_version: Of the inventory that the selections were made from.
    """

    excluded: Rows
    matching: Selection | None
    backfill: tuple[Selection | None, ...]
    inventory_version: int

    def matches(self, row: int) -> bool:
        """Returns whether an item matches the filter."""
        return _selects(self.matching, row)

    def allows(self, row: int) -> bool:
        """Returns whether an item may be listed, either because it matches or as backfill."""
        if row in self.excluded:
            return False
        return self.matches(row) or any(_selects(selection, row) for selection in self.backfill)


@dataclass(frozen=True)
class Slate:
    """The items to list, in order.

    Attributes:
        ranking: The items and their scores.
        backfilled: Rows that were added because fewer than k match the filter.
        competitors: The slate and the next COMPETITORS by score; empty if rules, backfill or exploration changed the
            order.
    """

    ranking: Ranking
    backfilled: Rows
    competitors: Rows


class SlateBuilder:
    """Builds the slates of one query, in these steps:

    1. filter: take items that match the filter, then backfill; in both, buried items come last;
    2. gate: drop items that may not be listed now, from every ranking that the scorer returns;
    3. boost: raise or lower the scores of some items;
    4. cap: limit the items of one brand or category;
    5. diversify: prefer items that differ from those before;
    6. pin: insert items at fixed positions.

    Without rules, only the first two steps run.

    Args:
        snapshot: The items.
        scorer: Ranks them.
        eligibility: Which of them may be listed.
        rules: Of the shop.
    """  # noqa: D415  a list follows

    def __init__(
        self, snapshot: ItemSnapshot, scorer: Scorer, eligibility: Eligibility, rules: Rules = NO_RULES
    ) -> None:
        self._snapshot = snapshot
        self._catalogue = snapshot.bundle.catalogue
        self._scorer = scorer
        self._eligibility = eligibility
        self._rules = rules

    async def build(self, k: int) -> Slate:
        """Returns a slate of k items; fewer if fewer may be listed, or if the caps allow no more."""
        if self._rules == NO_RULES:
            return await self._build_by_score(k)
        # Pinned items count towards the caps, so they are chosen first and inserted last.
        pins = self._pins(k)
        caps = self._caps(pins)
        rows = _joined([item for _, item in pins]).rows
        parts: list[Ranking] = []
        backfilled: list[Rows] = [NO_ROWS]
        for selection, is_backfill in self._filter():
            if len(rows) >= k:
                break
            excluded = np.union1d(self._eligibility.excluded, rows)
            part = await self._apply_rules(k - len(rows), excluded, selection, caps)
            parts.append(part)
            rows = np.append(rows, part.rows)
            if is_backfill:
                backfilled.append(part.rows)
        return Slate(pin(_joined(parts), pins), np.concatenate(backfilled), NO_ROWS)

    def next_page(self, k: int, page: Page) -> tuple[Slate, Page]:
        """Returns the next k items of a kept ranking, and the page with these marked as shown.

        Items that may not be listed any more are skipped.
        """
        shown, rows, backfilled = page.shown, NO_ROWS[:0], NO_ROWS
        for item_id in page.item_ids[page.shown :]:
            if len(rows) == k:
                break
            shown += 1
            row = self._catalogue.row(item_id)
            if row is not None and self._eligibility.allows(row):
                rows = np.append(rows, np.int32(row))
                if not self._eligibility.matches(row):
                    backfilled = np.append(backfilled, np.int32(row))
        ranking = self._enforce(self._scorer.scored(rows), self._eligibility.excluded)
        return Slate(ranking, backfilled, NO_ROWS), replace(page, shown=shown)

    def with_exploration(
        self, slate: Slate, k: int, probability: float, rng: np.random.Generator
    ) -> tuple[Slate, Rows]:
        """Returns the slate with some of its first k places explored, and the candidates of the exploration.

        The candidates are in their order before. Items that a rule or the backfill placed are no candidates.

        Args:
            slate: Longer than k, so that items from further down can be shown.
            k: The number of places that are shown.
            probability: That a place explores, 0 to 1.
            rng: The source of randomness.
        """
        rows, scores = slate.ranking
        placed_by_rule = self._buried()
        placed_by_rule[self._catalogue.rows(rule.item_id for rule in self._rules.pins)] = True
        placed_by_rule[slate.backfilled] = True
        free = np.flatnonzero(~placed_by_rule[rows])
        order = np.arange(len(rows))
        order[free] = free[explore(len(free), int((free < k).sum()), probability, rng)]
        # Competitors say by which score an item got its place; they say nothing of a random place.
        return replace(slate, ranking=Ranking(rows[order], scores[order]), competitors=NO_ROWS), rows[free]

    async def _build_by_score(self, k: int) -> Slate:
        excluded, backfill = self._eligibility.excluded, self._eligibility.backfill
        ranking = await self._gated_ranking(k + COMPETITORS, excluded, self._eligibility.matching)
        first = Ranking(ranking.rows[:k], ranking.scores[:k])
        if not backfill or len(first.rows) == k:
            return Slate(first, NO_ROWS, ranking.rows)
        excluded = np.union1d(excluded, first.rows)
        others = await self._gated_ranking(k - len(first.rows), excluded, backfill[0])
        return Slate(_joined([first, others]), others.rows, NO_ROWS)

    def _filter(self) -> Iterator[tuple[Selection | None, bool]]:
        """Yields the selections that fill the slate one after the other, and whether each is backfill."""
        eligibility, buried = self._eligibility, self._buried()
        for selection, is_backfill in ((eligibility.matching, False), *((s, True) for s in eligibility.backfill)):
            if not self._rules.buried:
                yield selection, is_backfill
            else:
                yield _intersection(selection, ~buried), is_backfill
                yield _intersection(selection, buried), is_backfill

    async def _apply_rules(self, k: int, excluded: Rows, selection: Selection | None, caps: Caps) -> Ranking:
        """Returns at most k items of a selection, boosted, capped and diversified."""
        picked = NOTHING
        depth = max(_POOL_RATIO * k, _MIN_POOL)
        while True:
            ranking = await self._gated_ranking(depth, excluded, selection)
            pool = await self._boosted(ranking, k, excluded, selection)
            missing = k - len(picked.rows)
            # Comparing with each picked item takes milliseconds in total, so it runs in a thread.
            more = await asyncio.to_thread(
                cap_and_diversify, pool, missing, caps, self._rules.diversity, self._snapshot.similarity_vectors
            )
            picked = _joined([picked, more])
            if len(picked.rows) >= k or len(ranking.rows) < depth:
                return picked
            # The caps allowed too few: look among those that come next.
            excluded, depth = np.union1d(excluded, pool.rows), depth * _POOL_RATIO

    async def _gated_ranking(self, k: int, excluded: Rows, selection: Selection | None) -> Ranking:
        """Returns the best items of a selection that may be listed now."""
        return self._enforce(await self._scorer.ranking(k, excluded, selection), excluded)

    def _enforce(self, ranking: Ranking, excluded: Rows) -> Ranking:
        return enforce(ranking, self._snapshot.inventory, self._eligibility.inventory_version, excluded)

    async def _boosted(self, ranking: Ranking, k: int, excluded: Rows, selection: Selection | None) -> Ranking:
        """Returns the ranking, with the boosted items that rank below it, in the order of the boosted scores."""
        boosts = [(self._mask(rule.filter), rule.strength) for rule in self._rules.boosts]
        below = [
            await self._gated_ranking(k, np.union1d(excluded, ranking.rows), _intersection(selection, mask))
            for mask, strength in boosts
            if strength > 0
        ]
        return boost(_distinct(_joined([ranking, *below])), boosts, k)

    def _caps(self, pins: Sequence[tuple[int, Ranking]]) -> Caps:
        """Returns the caps of the rules, with the pinned items counted."""
        limits = (
            (self._catalogue.brands.codes, self._rules.max_per_brand),
            (self._catalogue.paths.codes, self._rules.max_per_category),
        )
        caps = Caps([(codes, limit) for codes, limit in limits if limit is not None])
        for _, item in pins:
            caps.add(int(item.rows[0]))
        return caps

    def _pins(self, k: int) -> list[tuple[int, Ranking]]:
        """Returns each pin whose item may be shown: its position, ascending, and a ranking of the item alone."""
        pins: dict[int, tuple[int, Ranking]] = {}
        excluded = self._eligibility.excluded
        for rule in sorted(self._rules.pins, key=lambda rule: rule.position):
            row = self._catalogue.row(rule.item_id)
            if row is None or row in pins or row in excluded or rule.position > k or len(pins) == k:
                continue
            if self._eligibility.matches(row):
                scored = self._scorer.scored(np.array([row], np.int32))
                item = self._enforce(scored, excluded)
                if len(item.rows):
                    pins[row] = rule.position, item
        return list(pins.values())

    def _buried(self) -> Mask:
        """Returns which rows come after all others, bool (n,)."""
        buried = np.zeros(len(self._catalogue), np.bool_)
        for item_filter in self._rules.buried:
            buried |= self._mask(item_filter)
        return buried

    def _mask(self, item_filter: ItemFilter) -> Mask:
        selection = self._snapshot.inventory.select(item_filter)
        return np.ones(len(self._catalogue), np.bool_) if selection is None else selection.allowed


def _selects(selection: Selection | None, row: int) -> bool:
    return selection is None or bool(selection.allowed[row])


def _intersection(selection: Selection | None, mask: Mask) -> Selection:
    return Selection.of(mask if selection is None else selection.allowed & mask)


def _joined(rankings: Sequence[Ranking]) -> Ranking:
    rows, scores = zip(NOTHING, *rankings, strict=True)
    return Ranking(np.concatenate(rows), np.concatenate(scores))


def _distinct(ranking: Ranking) -> Ranking:
    """Returns each row once, best first; two boosts may find the same row."""
    _, places = np.unique(ranking.rows, return_index=True)
    places = places[np.argsort(-ranking.scores[places], kind="stable")]
    return Ranking(ranking.rows[places], ranking.scores[places])
