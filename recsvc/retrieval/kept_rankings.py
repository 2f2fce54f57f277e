"""Keeps the best items of a vector, so that the next list for the same user or item needs no search.

The page of a shop holds several lists, and a shopper comes back while nothing has changed. Lists exclude different
items, so a ranking is kept with all items, and each list leaves out its own.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from weakref import ref

from recsvc.domain.arrays import Floats, Rows
from recsvc.ranking import Ranking, is_among
from recsvc.retrieval.inventory import Selection

# Rankings of one user or item that are kept: that of all items, and those of a few categories.
KEPT_SEARCHES = 4
# A search finds this many items more than its list needs: lists that leave out a few others can be made of them too.
SPARE_ITEMS = 32
# Longer rankings are not kept. With 10,000 users, 4 rankings of this length each take 160 MB.
LONGEST_KEPT = 512


@dataclass(frozen=True, slots=True)
class Searched:
    """Says of which items a ranking is the best. Each attribute is compared by identity, which costs nothing.

    A user who did something has another vector. A shop with other stock has another selection.

    Attributes:
        vector: float32 (d,).
        bonus: That was added to the inner products.
        selection: Where the search looked; None for all items.
    """

    vector: Floats
    bonus: Ranking
    selection: Selection | None


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """A ranking that is kept.

    Attributes:
        vector: As in `Searched`.
        bonus: As in `Searched`.
        selection: As in `Searched`; a reference that does not keep it, since a selection has a byte for each item.
        asked: For how many items the search was.
        ranking: The best of them, without exclusions; fewer than `asked` if there are no more.
    """

    vector: Floats
    bonus: Ranking
    selection: "ref[Selection] | None"
    asked: int
    ranking: Ranking

    @property
    def is_alive(self) -> bool:
        """Whether anybody can ask for this selection again."""
        return self.selection is None or self.selection() is not None

    def is_of(self, searched: Searched) -> bool:
        """Returns whether the ranking is that of a search."""
        if self.vector is not searched.vector or self.bonus is not searched.bonus:
            return False
        if self.selection is None:
            return searched.selection is None
        return searched.selection is not None and self.selection() is searched.selection


class KeptRankings:
    """The last rankings of one user or item, among the items of one snapshot."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: list[_Kept] = []

    async def best(
        self, searched: Searched, k: int, excluded: Rows, search: Callable[[int], Awaitable[Ranking]]
    ) -> Ranking:
        """Returns the k best items without the excluded rows.

        Args:
            searched: What `search` looks for.
            k: How many items.
            excluded: Rows that may not be returned.
            search: Returns the best items; takes how many. Called if no ranking is kept that is long enough.
        """
        for kept in self._kept:
            if kept.is_of(searched):
                best = _first(kept.ranking, k, excluded)
                if len(best.rows) == k or kept.asked >= k + len(excluded):
                    return best
        asked = k + len(excluded) + SPARE_ITEMS
        ranking = await search(asked)
        if asked <= LONGEST_KEPT:
            selection = ref(searched.selection) if searched.selection is not None else None
            others = [kept for kept in self._kept if kept.is_alive and not kept.is_of(searched)]
            new = _Kept(searched.vector, searched.bonus, selection, asked, ranking)
            self._kept = [*others[-KEPT_SEARCHES + 1 :], new]
        return _first(ranking, k, excluded)


def _first(ranking: Ranking, k: int, excluded: Rows) -> Ranking:
    """Returns the first k items of a ranking that are not excluded."""
    rows, scores = ranking
    if len(excluded):
        listed = ~is_among(rows, excluded)
        rows, scores = rows[listed], scores[listed]
    return Ranking(rows[:k], scores[:k])
