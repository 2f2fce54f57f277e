"""The users whom one item suits best, found in one pass over all of them."""

import asyncio
import heapq
from collections.abc import Sequence

import numpy as np

from recsvc.domain.arrays import Floats
from recsvc.model.bundle import Bundle
from recsvc.store import UserStore
from recsvc.users.user_state import UserState
from recsvc.users.user_state_cache import UserStateCache

# How many items stand for all of them in a user's mean and deviation.
SAMPLED_ITEMS = 512
# With less time left than this the answer goes out.
ANSWER_SECONDS = 0.1


class Audience:
    """Keeps the k best of the users that it is shown.

    Scores of two users say little beside each other: one has high ones for everything, another for nothing. So an item
    is measured by how far its score stands out among the user's own (docs/experiments.md, "Audiences").
    """

    def __init__(self, bundle: Bundle, row: int, k: int, new_buyers_only: bool) -> None:
        n = len(bundle.catalogue)
        sampled = np.random.default_rng(0).permutation(n)[:SAMPLED_ITEMS]
        self._sample = bundle.item_vectors[sampled]
        self._item = bundle.item_vectors[row]
        self._row, self._k, self._new_buyers_only = row, k, new_buyers_only
        self._best: list[tuple[float, str]] = []
        self._seen: set[str] = set()

    @property
    def users(self) -> int:
        """How many were looked at."""
        return len(self._seen)

    def look_at(self, user_ids: Sequence[str], users: Sequence[tuple[UserState, Floats]]) -> None:
        """Takes some users in, each once; of whom nothing is known, or who do not want the item, they are left out."""
        if not user_ids:
            return
        stacked = np.stack([vector for _, vector in users])
        scores, others = stacked @ self._item, stacked @ self._sample.T
        affinities = (scores - others.mean(axis=1)) / np.maximum(others.std(axis=1), 1e-6)
        for user_id, (state, _), affinity in zip(user_ids, users, affinities.tolist(), strict=True):
            if user_id in self._seen or not state.personalised:
                continue
            self._seen.add(user_id)
            if self._row in state.hidden_rows or (self._new_buyers_only and self._row in state.bought_rows):
                continue
            heapq.heappush(self._best, (affinity, user_id))
            if len(self._best) > self._k:
                heapq.heappop(self._best)

    def best(self) -> list[tuple[str, float]]:
        """The users and their affinities, the highest first."""
        return [(user_id, affinity) for affinity, user_id in sorted(self._best, reverse=True)]


async def find_audience(audience: Audience, store: UserStore, states: UserStateCache, deadline: float | None) -> bool:
    """Shows an audience every user. False: not every one, for the deadline, in event-loop time, came nearer.

    Raises StoreUnavailable.
    """
    async for user_ids in store.every_user():
        if deadline is not None and deadline - asyncio.get_running_loop().time() < ANSWER_SECONDS:
            return False
        page = await asyncio.gather(*map(states.load_uncached, user_ids))
        await asyncio.to_thread(audience.look_at, user_ids, page)
    return True
