"""Diagnoses where one item stands in the slate of one query, and what keeps it out."""

import enum
from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import Rows
from recsvc.domain.query import Query, Rules
from recsvc.model.towers.blocks import BLOCKS
from recsvc.pipeline.business_rules import Caps
from recsvc.pipeline.query_plan import QueryPlan
from recsvc.pipeline.slate import Slate
from recsvc.retrieval.item_snapshot import ItemSnapshot
from recsvc.retrieval.scorers import Scorer, VectorScorer
from recsvc.retrieval.search_scorer import PARTS, SearchScorer

# The parts of a score beside the blocks: for having been bought, and as a neighbour of what was bought.
REPEAT, NEIGHBOURS = "repeat", "neighbours"

BlockScores = tuple[tuple[str, float], ...]


class Obstacle(enum.Enum):
    """Why an item is not in a slate."""

    UNKNOWN_ITEM = "unknown_item"
    DELETED = "deleted"
    OUT_OF_STOCK = "out_of_stock"
    HIDDEN = "hidden"  # by the user
    EXCLUDED = "excluded"  # by the caller
    IN_VISIT = "in_visit"  # viewed in this visit, or in the cart
    REPEAT_POLICY = "repeat_policy"
    FILTER = "filter"
    SURFACE = "surface"  # the surface never lists such an item
    RULES = "rules"
    SCORE = "score"  # others have a higher one


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemDiagnosis:
    """Where an item stands, and why it is not in the slate.

    Attributes:
        bundle_id: Of the bundle that ranked.
        arm: Of the placement; "" without a placement.
        listed_rank: The position in the slate, from 1; 0 if the item is not in it.
        rank: By score among all items that may be listed, from 1; 0 if the item may not be listed.
        score: Of the item for this query.
        blocks: The parts of the score by name; empty if no user vector ranks.
        obstacles: Empty if the item is in the slate.
    """

    bundle_id: str
    arm: str
    listed_rank: int = 0
    rank: int = 0
    score: float = 0.0
    blocks: BlockScores = ()
    obstacles: tuple[Obstacle, ...] = ()


def block_scores(scorer: Scorer, row: int) -> BlockScores:
    """Returns the parts of an item's score that are not 0, by name; empty if no user vector ranks."""
    if isinstance(scorer, SearchScorer):
        parts = scorer.parts(np.array([row], np.int32))[:, 0].tolist()
        return tuple((name, score) for name, score in zip(PARTS, parts, strict=True) if score)
    if not isinstance(scorer, VectorScorer):
        return ()
    bundle = scorer.snapshot.bundle
    products = scorer.vector * bundle.item_vectors[row]
    scores = [(name, float(products[columns].sum())) for name, columns in zip(BLOCKS, bundle.layout, strict=True)]
    for name, gains in ((REPEAT, scorer.bonus.repeats), (NEIGHBOURS, scorer.bonus.neighbours)):
        scores.append((name, gains.score_of(row)))
    return tuple((name, score) for name, score in scores if score)


async def diagnose(snapshot: ItemSnapshot, query: Query, plan: QueryPlan, slate: Slate, item_id: str) -> ItemDiagnosis:
    """Explains why an item is or is not in `slate`: rank, score per block, and each rule that excludes it.

    Args:
        snapshot: The items that were ranked.
        query: The request.
        plan: How the query was answered.
        slate: The answer.
        item_id: The item to explain; it may be unknown.
    """
    bundle_id, eligibility = snapshot.bundle.bundle_id, plan.eligibility
    row = snapshot.bundle.catalogue.row(item_id)
    if row is None:
        return ItemDiagnosis(bundle_id=bundle_id, arm=query.arm, obstacles=(Obstacle.UNKNOWN_ITEM,))
    scored = plan.scorer.scored(np.array([row], np.int32))
    n = len(snapshot.bundle.catalogue)
    complete = await plan.scorer.ranking(n, eligibility.excluded, eligibility.matching)
    listed_rank, rank = _rank(slate.ranking.rows, row), _rank(complete.rows, row)
    obstacles: list[Obstacle] = []
    if not listed_rank:
        obstacles = _obstacles(snapshot, query, plan, row)
        if not len(scored.rows):
            obstacles.append(Obstacle.SURFACE)
        if not obstacles:
            listed = slate.ranking.rows
            lowest = np.flatnonzero(np.isin(complete.rows, listed)).max(initial=-1) + 1
            # A cap keeps an item out if the list is short, or goes on to items of a lower score.
            passed_over = len(listed) < query.k or rank < lowest
            by_rules = rank <= query.k or (passed_over and _is_capped(snapshot, query.rules, listed, row))
            obstacles.append(Obstacle.RULES if by_rules else Obstacle.SCORE)
    return ItemDiagnosis(
        bundle_id=bundle_id,
        arm=query.arm,
        listed_rank=listed_rank,
        rank=rank,
        score=float(scored.scores.sum()),
        blocks=block_scores(plan.scorer, row),
        obstacles=tuple(obstacles),
    )


def _is_capped(snapshot: ItemSnapshot, rules: Rules, listed: Rows, row: int) -> bool:
    """Whether the list has as many items of the row's brand or category as the rules allow."""
    catalogue = snapshot.bundle.catalogue
    limits = ((catalogue.brands.codes, rules.max_per_brand), (catalogue.paths.codes, rules.max_per_category))
    caps = Caps([(codes, limit) for codes, limit in limits if limit is not None])
    for listed_row in listed.tolist():
        caps.add(listed_row)
    return bool(caps.reached(np.array([row], np.int32))[0])


def _obstacles(snapshot: ItemSnapshot, query: Query, plan: QueryPlan, row: int) -> list[Obstacle]:
    """Returns the rules that keep a row from being ranked."""
    item_id = snapshot.bundle.catalogue.items[row].item_id
    inventory, eligibility = snapshot.inventory, plan.eligibility
    obstacles = []
    if not inventory.listable(np.array([row], np.int32))[0]:
        obstacles.append(Obstacle.DELETED if inventory.is_deleted(row) else Obstacle.OUT_OF_STOCK)
    elif not eligibility.matches(row):
        obstacles.append(Obstacle.FILTER)
    if row in plan.state.hidden_rows:
        obstacles.append(Obstacle.HIDDEN)
    if item_id in query.excluded_item_ids:
        obstacles.append(Obstacle.EXCLUDED)
    if item_id in query.viewed or item_id in query.cart:
        obstacles.append(Obstacle.IN_VISIT)
    if row in eligibility.excluded and not {Obstacle.HIDDEN, Obstacle.EXCLUDED, Obstacle.IN_VISIT} & set(obstacles):
        obstacles.append(Obstacle.REPEAT_POLICY)
    return obstacles


def _rank(rows: Rows, row: int) -> int:
    """Returns the position of a row, from 1; 0 if it is not there."""
    places = np.flatnonzero(rows == row)
    return int(places[0]) + 1 if len(places) else 0
