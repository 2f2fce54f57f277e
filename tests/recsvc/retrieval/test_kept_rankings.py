"""Rankings that are kept are those that a search would find."""

import gc
import weakref

import numpy as np
import pytest

from recsvc.domain.arrays import NO_ROWS, Rows
from recsvc.ranking import NOTHING, Ranking
from recsvc.retrieval.inventory import Selection
from recsvc.retrieval.kept_rankings import KEPT_SEARCHES, LONGEST_KEPT, KeptRankings, Searched

ITEMS = 400
VECTOR = np.ones(1, np.float32)


class Shop:
    """Items in a random order, and how often they were searched."""

    def __init__(self, seed: int = 0) -> None:
        self.order = np.random.default_rng(seed).permutation(ITEMS).astype(np.int32)
        self.searches = 0
        self.kept = KeptRankings()

    def ranking(self, k: int, excluded: Rows, selection: Selection | None) -> Ranking:
        """The best k, from a look at every item."""
        rows = self.order if selection is None else self.order[selection.allowed[self.order]]
        rows = rows[~np.isin(rows, excluded)][:k]
        return Ranking(rows, -rows.astype(np.float32))

    async def best(
        self,
        k: int,
        excluded: Rows = NO_ROWS,
        selection: Selection | None = None,
        *,
        vector: np.ndarray = VECTOR,
        bonus: Ranking = NOTHING,
    ) -> Rows:
        async def search(asked: int) -> Ranking:
            self.searches += 1
            return self.ranking(asked, NO_ROWS, selection)

        return (await self.kept.best(Searched(vector, bonus, selection), k, excluded, search)).rows


def some(count: int, rng: np.random.Generator) -> Selection:
    allowed = np.zeros(ITEMS, np.bool_)
    allowed[rng.choice(ITEMS, count, replace=False)] = True
    return Selection.of(allowed)


async def test_lists_of_any_length_exclusions_and_selection_are_those_of_a_search() -> None:
    rng, shop = np.random.default_rng(1), Shop()
    selections = [None, *(some(count, rng) for count in (0, 3, 40, 300))]
    for _ in range(600):
        k, selection = int(rng.integers(1, 60)), selections[rng.integers(len(selections))]
        excluded = rng.choice(shop.order[:150], int(rng.integers(0, 80)), replace=False)
        expected = shop.ranking(k, excluded, selection).rows
        assert (await shop.best(k, excluded, selection)).tolist() == expected.tolist()
    assert shop.searches < 500


async def test_second_list_that_leaves_out_a_few_needs_no_search() -> None:
    shop = Shop()
    await shop.best(10)
    for excluded in (NO_ROWS, shop.order[:3], shop.order[5:25]):
        await shop.best(10, excluded)
    assert shop.searches == 1


@pytest.mark.parametrize("other", ["vector", "bonus", "selection"])
async def test_list_of_another_vector_bonus_or_selection_is_searched(other: str) -> None:
    shop = Shop()
    await shop.best(10)
    match other:
        case "vector":
            await shop.best(10, vector=VECTOR.copy())
        case "bonus":
            await shop.best(10, bonus=Ranking(NO_ROWS.copy(), NOTHING.scores))
        case "selection":
            await shop.best(10, selection=some(30, np.random.default_rng(0)))
    assert shop.searches == 2


async def test_kept_ranking_does_not_keep_a_selection_in_memory() -> None:
    shop, selection = Shop(), some(30, np.random.default_rng(0))
    await shop.best(10, selection=selection)
    gone = weakref.ref(selection)
    del selection
    gc.collect()
    assert gone() is None


async def test_selections_that_are_gone_take_no_place_of_others() -> None:
    shop = Shop()
    await shop.best(10)
    for seed in range(2 * KEPT_SEARCHES):
        await shop.best(10, selection=some(30, np.random.default_rng(seed)))
    searches = shop.searches
    await shop.best(10)
    assert shop.searches == searches


async def test_only_the_last_searches_are_kept() -> None:
    shop = Shop()
    selections = [some(30, np.random.default_rng(seed)) for seed in range(KEPT_SEARCHES + 1)]
    for selection in (*selections, *selections[1:]):
        await shop.best(10, selection=selection)
    assert shop.searches == KEPT_SEARCHES + 1
    await shop.best(10, selection=selections[0])
    assert shop.searches == KEPT_SEARCHES + 2


async def test_long_list_is_searched_each_time() -> None:
    shop = Shop()
    for _ in range(2):
        assert len(await shop.best(LONGEST_KEPT)) == ITEMS
    assert shop.searches == 2
