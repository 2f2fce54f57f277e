"""Finds the users whom one item suits best, in one pass over all users."""

import asyncio
import heapq
from collections.abc import Sequence

import numpy as np

from recsvc.domain.arrays import Floats
from recsvc.model.bundle import Bundle
from recsvc.model.history_bonus import neighbour_gains, newest_items_of
from recsvc.store import UserStore
from recsvc.users.user_state import UserState
from recsvc.users.user_state_cache import UserStateCache

# The number of random items that a user's mean and standard deviation are computed from, instead of all items.
SAMPLED_ITEMS = 512
# With less time left than this, the answer is sent.
ANSWER_SECONDS = 0.1


class Audience:
    """Collects the k users whom one item suits best.

    Scores of two users cannot be compared: one user has high scores for everything, another for nothing. So an item is
    measured by how many standard deviations its score is above the mean of the user's own scores
    (docs/experiments.md, "Audiences"). The score is that of a list, without the repeat bonus. The mean and the standard
    deviation are those of the inner products: few items gain as neighbours of a history.

    Args:
        bundle: The model.
        row: The item.
        k: How many users are kept.
        new_buyers_only: Whether users who bought the item are left out.
    """

    def __init__(self, bundle: Bundle, row: int, k: int, *, new_buyers_only: bool) -> None:
        n = len(bundle.catalogue)
        sampled = np.random.default_rng(0).permutation(n)[:SAMPLED_ITEMS]
        self._sample = bundle.item_vectors[sampled]
        self._item = bundle.item_vectors[row]
        self._bundle = bundle
        self._row, self._k, self._new_buyers_only = row, k, new_buyers_only
        # Most users hold none of these items. Gains are computed for the others alone.
        self._raises = bundle.neighbours.items_with(row)
        self._best: list[tuple[float, str]] = []
        self._seen: set[str] = set()

    @property
    def users(self) -> int:
        """How many users were considered."""
        return len(self._seen)

    def add(self, user_ids: Sequence[str], users: Sequence[tuple[UserState, Floats]]) -> None:
        """Considers some users, each user once.

        Users are left out if nothing is known of them, or if they hid the item.

        Args:
            user_ids: Of these users.
            users: The state and the user vector, float32 (d,), of each.
        """
        if not user_ids:
            return
        user_vectors = np.stack([vector for _, vector in users])
        scores, sample_scores = user_vectors @ self._item, user_vectors @ self._sample.T
        scores += [self._gain(state) for state, _ in users]
        affinities = (scores - sample_scores.mean(axis=1)) / np.maximum(sample_scores.std(axis=1), 1e-6)
        for user_id, (state, _), affinity in zip(user_ids, users, affinities.tolist(), strict=True):
            if user_id in self._seen or not state.personalised:
                continue
            self._seen.add(user_id)
            if self._row in state.hidden_rows or (self._new_buyers_only and self._row in state.bought_rows):
                continue
            heapq.heappush(self._best, (affinity, user_id))
            if len(self._best) > self._k:
                heapq.heappop(self._best)

    def _gain(self, state: UserState) -> float:
        """Returns what the item gains as a neighbour of the user's newest items."""
        if not self._raises[state.history.rows].any():
            return 0.0
        newest = newest_items_of(self._bundle, state.history)
        return neighbour_gains(self._bundle, newest, state.silent_rows).score_of(self._row)

    def best(self) -> list[tuple[str, float]]:
        """Returns the users and their affinities in standard deviations, the highest first."""
        return [(user_id, affinity) for affinity, user_id in sorted(self._best, reverse=True)]


async def find_audience(audience: Audience, store: UserStore, states: UserStateCache, deadline: float | None) -> bool:
    """Adds every user to an audience. Returns whether the deadline left time for all of them.

    Args:
        audience: Collects the users.
        store: Lists the users.
        states: Loads them.
        deadline: Event-loop time by which the answer must be sent; None for no limit.

    Raises:
        StoreUnavailable: Redis did not answer.
    """
    async for user_ids in store.every_user():
        if deadline is not None and deadline - asyncio.get_running_loop().time() < ANSWER_SECONDS:
            return False
        users = await asyncio.gather(*map(states.load_uncached, user_ids))
        await asyncio.to_thread(audience.add, user_ids, users)
    return True
