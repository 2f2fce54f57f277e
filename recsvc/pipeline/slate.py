"""Composes a list: the best of what may be in it, in the order that the shop's rules want, through the final gate."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import NO_ROWS, Rows
from recsvc.domain.query import NO_RULES, ItemFilter, Page, Rules
from recsvc.pipeline.business_rules import Caps, boosted, pick, pinned
from recsvc.pipeline.exploration import explore
from recsvc.pipeline.final_gate import enforce
from recsvc.ranking import NOTHING, Ranking
from recsvc.retrieval.inventory import Selection
from recsvc.retrieval.item_snapshot import ItemSnapshot
from recsvc.retrieval.scorers import Scorer

# How many items below a page compete for it: what an item must lose against before an anchor is called causal.
COMPETITORS = 32
# Rules choose among so many times the items that are wanted, and at least so many.
_CHOICE, _LEAST_CHOICE = 4, 200


@dataclass(frozen=True)
class Eligibility:
    """What may be in one list. excluded: rows that may not. wanted: what the filter lets pass. rest: what fills the
    list up when that is too little; empty: nothing does. None, for a selection, is every item.
    """

    excluded: Rows
    wanted: Selection | None
    rest: tuple[Selection | None, ...] = ()


@dataclass(frozen=True)
class Slate:
    """The list, and those of its rows that fill it up. competitors: where scores alone made the list, what stands in it
    and what would come after it; else nothing.
    """

    ranking: Ranking
    backfilled: Rows
    competitors: Rows


async def build_slate(live: ItemSnapshot, scoring: Scorer, k: int, scope: Eligibility, rules: Rules) -> Slate:
    """At most k items; fewer only when fewer may be listed, or when the rules' caps let no more in."""
    if rules == NO_RULES:
        return await _by_scores(live, scoring, k, scope)
    caps = Caps(
        [
            (codes, limit)
            for codes, limit in (
                (live.bundle.catalogue.brands.codes, rules.max_per_brand),
                (live.bundle.catalogue.paths.codes, rules.max_per_category),
            )
            if limit is not None
        ]
    )
    pins = list(_pins(live, scoring, k, scope, rules))
    for _, alone in pins:
        caps.take(int(alone.rows[0]))
    listed = _joined([alone for _, alone in pins]).rows
    parts: list[Ranking] = []
    backfilled: list[Rows] = []
    for selection, fills_up in _stages(live, scope, rules):
        if len(listed) >= k:
            break
        excluded = np.union1d(scope.excluded, listed)
        part = await _picked(live, scoring, k - len(listed), excluded, selection, rules, caps)
        parts.append(part)
        backfilled.append(part.rows if fills_up else NO_ROWS)
        listed = np.append(listed, part.rows)
    return Slate(pinned(_joined(parts), pins), np.concatenate([NO_ROWS, *backfilled]), NO_ROWS)


def next_page(live: ItemSnapshot, scoring: Scorer, k: int, scope: Eligibility, page: Page) -> tuple[Slate, Page]:
    """The next k of a ranking that was kept, but for what may not be listed by now; and the page with these shown."""
    catalogue = live.bundle.catalogue
    shown, rows, backfilled = page.shown, NO_ROWS[:0], NO_ROWS
    for item_id in page.item_ids[page.shown :]:
        if len(rows) == k:
            break
        shown += 1
        row = catalogue.row(item_id)
        if row is None or row in scope.excluded:
            continue
        wanted = scope.wanted is None or bool(scope.wanted.allowed[row])
        if wanted or any(rest is None or rest.allowed[row] for rest in scope.rest):
            rows = np.append(rows, np.int32(row))
            backfilled = backfilled if wanted else np.append(backfilled, np.int32(row))
    ranking = enforce(scoring.scored(rows), live.catalogue, scope.excluded)
    return Slate(ranking, backfilled, NO_ROWS), replace(page, shown=shown)


def with_exploration(
    live: ItemSnapshot, found: Slate, k: int, rules: Rules, chance: float, rng: np.random.Generator
) -> tuple[Slate, Rows]:
    """The list with some of its first k places explored; and what it explored among, in order: what no rule has put
    where it is.
    """
    rows, scores = found.ranking
    placed = _buried(live, rules)
    placed[live.bundle.catalogue.rows(pin.item_id for pin in rules.pins)] = True
    placed[found.backfilled] = True
    free = np.flatnonzero(~placed[rows])
    order = np.arange(len(rows))
    order[free] = free[explore(len(free), int((free < k).sum()), chance, rng)]
    # What competed by its score says nothing of a place that was given by chance.
    return replace(found, ranking=Ranking(rows[order], scores[order]), competitors=NO_ROWS), rows[free]


async def _by_scores(live: ItemSnapshot, scoring: Scorer, k: int, scope: Eligibility) -> Slate:
    found = await _through_gate(live, scoring, k + COMPETITORS, scope.excluded, scope.wanted)
    first = Ranking(found.rows[:k], found.scores[:k])
    if not scope.rest or len(first.rows) == k:
        return Slate(first, NO_ROWS, found.rows)
    excluded = np.union1d(scope.excluded, first.rows)
    others = await _through_gate(live, scoring, k - len(first.rows), excluded, scope.rest[0])
    return Slate(_joined([first, others]), others.rows, NO_ROWS)


async def _through_gate(
    live: ItemSnapshot, scoring: Scorer, k: int, excluded: Rows, selection: Selection | None
) -> Ranking:
    return enforce(await scoring.ranking(k, excluded, selection), live.catalogue, excluded)


async def _picked(
    live: ItemSnapshot,
    scoring: Scorer,
    k: int,
    excluded: Rows,
    selection: Selection | None,
    rules: Rules,
    caps: Caps,
) -> Ranking:
    """At most k items of a selection, as boosts, caps and diversity want it."""
    boosts = [(_mask(live, boost.filter), boost.strength) for boost in rules.boosts]
    picked = NOTHING
    depth = max(_CHOICE * k, _LEAST_CHOICE)
    while True:
        ranking = await _through_gate(live, scoring, depth, excluded, selection)
        # What is boosted may rank anywhere by its score.
        further = [
            await _through_gate(live, scoring, k, np.union1d(excluded, ranking.rows), _both(selection, chosen))
            for chosen, strength in boosts
            if strength > 0
        ]
        pool = boosted(_distinct(_joined([ranking, *further])), boosts, k)
        room = k - len(picked.rows)
        # Likeness to each that is picked takes milliseconds in all.
        more = await asyncio.to_thread(pick, pool, room, caps, rules.diversity, live.similarity_vectors)
        picked = _joined([picked, more])
        if len(picked.rows) >= k or len(ranking.rows) < depth:
            return picked
        # The caps let too few in: look among those after these.
        excluded, depth = np.union1d(excluded, pool.rows), depth * _CHOICE


def _pins(
    live: ItemSnapshot, scoring: Scorer, k: int, scope: Eligibility, rules: Rules
) -> Iterator[tuple[int, Ranking]]:
    """Each pin whose item may be shown: its place, ascending, and the item alone."""
    seen: set[int] = set()
    for pin in sorted(rules.pins, key=lambda pin: pin.position):
        row = live.bundle.catalogue.row(pin.item_id)
        if row is None or row in seen or row in scope.excluded or pin.position > k or len(seen) == k:
            continue
        if scope.wanted is None or scope.wanted.allowed[row]:
            alone = enforce(scoring.scored(np.array([row], np.int32)), live.catalogue, scope.excluded)
            if len(alone.rows):
                seen.add(row)
                yield pin.position, alone


def _stages(live: ItemSnapshot, scope: Eligibility, rules: Rules) -> Iterator[tuple[Selection | None, bool]]:
    """The selections that fill a list, one after the other, and whether each only fills it up."""
    buried = _buried(live, rules)
    for selection, fills_up in ((scope.wanted, False), *((rest, True) for rest in scope.rest)):
        if not rules.buried:
            yield selection, fills_up
        else:
            yield _both(selection, ~buried), fills_up
            yield _both(selection, buried), fills_up


def _buried(live: ItemSnapshot, rules: Rules) -> NDArray[np.bool_]:
    """bool (n,): what comes after all else."""
    buried = np.zeros(len(live.bundle.catalogue), np.bool_)
    for item_filter in rules.buried:
        buried |= _mask(live, item_filter)
    return buried


def _mask(live: ItemSnapshot, item_filter: ItemFilter) -> NDArray[np.bool_]:
    selection = live.catalogue.select(item_filter)
    return np.ones(len(live.bundle.catalogue), np.bool_) if selection is None else selection.allowed


def _both(selection: Selection | None, chosen: NDArray[np.bool_]) -> Selection:
    return Selection.of(chosen if selection is None else selection.allowed & chosen)


def _joined(rankings: Sequence[Ranking]) -> Ranking:
    rows, scores = zip(NOTHING, *rankings, strict=True)
    return Ranking(np.concatenate(rows), np.concatenate(scores))


def _distinct(ranking: Ranking) -> Ranking:
    """Each row once, best first; two boosts may find the same."""
    _, places = np.unique(ranking.rows, return_index=True)
    places = places[np.argsort(-ranking.scores[places], kind="stable")]
    return Ranking(ranking.rows[places], ranking.scores[places])
