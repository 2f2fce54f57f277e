"""Where one item stands in the list of one query, and what keeps it out."""

import enum
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.query import Query
from recsvc.model.towers.user import BLOCKS
from recsvc.pipeline.slate import Eligibility, Slate
from recsvc.retrieval.item_snapshot import ItemSnapshot
from recsvc.retrieval.scorers import Scorer, VectorScorer
from recsvc.users.user_state import UserState

# What stands beside the blocks: for having been bought, and for having the words of a query.
REPEAT, WORDS = "repeat", "words"

BlockScores = tuple[tuple[str, float], ...]


class Obstacle(enum.Enum):
    """What keeps an item out of a list."""

    UNKNOWN_ITEM = "unknown_item"
    DELETED = "deleted"
    OUT_OF_STOCK = "out_of_stock"
    HIDDEN = "hidden"  # by the user
    EXCLUDED = "excluded"  # by the caller
    IN_VISIT = "in_visit"
    REPEAT_POLICY = "repeat_policy"
    FILTER = "filter"
    SURFACE = "surface"  # it lists no such items
    RULES = "rules"
    SCORE = "score"  # others have a higher one


@dataclass(frozen=True, slots=True)
class ItemDiagnosis:
    """listed_rank: in the list, 0 when it is not in it. rank: of its score among all that may be listed, 0 if it may
    not. blocks: what the score is made of, by name; empty where no vector ranks.
    """

    bundle_id: str
    arm: str
    listed_rank: int = 0
    rank: int = 0
    score: float = 0.0
    blocks: BlockScores = ()
    obstacles: tuple[Obstacle, ...] = ()


def block_scores(scoring: Scorer, row: int) -> BlockScores:
    """What an item's score is made of; nothing where no user's vector ranks."""
    if not isinstance(scoring, VectorScorer) or scoring.neighbours:
        return ()
    bundle = scoring.live.bundle
    products = scoring.vector * bundle.item_vectors[row]
    scores = [(name, float(products[columns].sum())) for name, columns in zip(BLOCKS, bundle.layout, strict=True)]
    for name, bonus in ((REPEAT, scoring.repeat_bonus), (WORDS, scoring.lexical_bonus)):
        scores.append((name, float(bonus.scores[bonus.rows == row].sum())))
    return tuple((name, score) for name, score in scores if score)


async def diagnose(
    live: ItemSnapshot, query: Query, state: UserState, scoring: Scorer, scope: Eligibility, found: Slate, item_id: str
) -> ItemDiagnosis:
    """found: the list."""
    row = live.bundle.catalogue.row(item_id)
    if row is None:
        return ItemDiagnosis(live.bundle.bundle_id, query.arm, obstacles=(Obstacle.UNKNOWN_ITEM,))
    alone = scoring.scored(np.array([row], np.int32))
    every = await scoring.ranking(len(live.bundle.catalogue), scope.excluded, scope.wanted)
    listed_rank, rank = _rank(found.ranking.rows, row), _rank(every.rows, row)
    obstacles: list[Obstacle] = []
    if not listed_rank:
        obstacles = _obstacles(live, query, state, scope, row)
        if not len(alone.rows):
            obstacles.append(Obstacle.SURFACE)
        if not obstacles:
            obstacles.append(Obstacle.RULES if rank <= len(found.ranking.rows) else Obstacle.SCORE)
    return ItemDiagnosis(
        live.bundle.bundle_id,
        query.arm,
        listed_rank,
        rank,
        float(alone.scores.sum()),
        block_scores(scoring, row),
        tuple(obstacles),
    )


def _obstacles(live: ItemSnapshot, query: Query, state: UserState, scope: Eligibility, row: int) -> list[Obstacle]:
    """What keeps a row from being ranked at all."""
    item_id = live.bundle.catalogue.items[row].item_id
    listable = bool(live.catalogue.listable(np.array([row], np.int32))[0])
    obstacles = []
    if not listable:
        obstacles.append(Obstacle.DELETED if live.catalogue.is_deleted(row) else Obstacle.OUT_OF_STOCK)
    elif scope.wanted is not None and not scope.wanted.allowed[row]:
        obstacles.append(Obstacle.FILTER)
    if row in state.hidden_rows:
        obstacles.append(Obstacle.HIDDEN)
    if item_id in query.excluded_item_ids:
        obstacles.append(Obstacle.EXCLUDED)
    if item_id in query.viewed or item_id in query.cart:
        obstacles.append(Obstacle.IN_VISIT)
    if row in scope.excluded and not {Obstacle.HIDDEN, Obstacle.EXCLUDED, Obstacle.IN_VISIT} & set(obstacles):
        obstacles.append(Obstacle.REPEAT_POLICY)
    return obstacles


def _rank(rows: NDArray[np.int32], row: int) -> int:
    """From 1; 0: it is not in it."""
    places = np.flatnonzero(rows == row)
    return int(places[0]) + 1 if len(places) else 0
