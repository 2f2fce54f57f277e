"""Finds the users whom one item suits best, in one pass over all users."""

import asyncio
import heapq
import math
from collections.abc import Sequence

import numpy as np

from recsvc.domain.arrays import Floats
from recsvc.domain.audience_query import AudienceQuery
from recsvc.errors import DeadlinePassed, TooBusy
from recsvc.model.bundle import Bundle
from recsvc.model.history_bonus import neighbour_gains, newest_items_of
from recsvc.store import UserStore
from recsvc.users.user_state import UserState
from recsvc.users.user_state_cache import UserStateCache

# The number of random items that a user's mean and standard deviation are computed from, instead of all items.
SAMPLED_ITEMS = 512
# With less time left than this, the answer is sent.
ANSWER_SECONDS = 0.1
# Audiences that one process collects at the same time. Each takes all the processor that is left over.
MOST_AT_ONCE = 2
# An audience is collected for no longer than this, also for a caller without a deadline.
LONGEST_SECONDS = 120.0
# Users that are loaded together. Vectors of shoppers' lists wait for no more than these.
LOADED_TOGETHER = 32
# Of an affinity.
_DECIMALS = 4

_running: set["Audience"] = set()


class Audience:
    """Collects the k users whom one item suits best.

    Scores of two users cannot be compared: one user has high scores for everything, another for nothing. So an item is
    measured by how many standard deviations its score is above the mean of the user's own scores
    (docs/experiments.md, "Audiences"). The score is that of a list, without the repeat bonus. The mean and the standard
    deviation are those of the inner products: few items gain as neighbours of a history.

    Args:
        bundle: The model.
        row: The item.
        query: Whom to collect.
    """

    def __init__(self, bundle: Bundle, row: int, query: AudienceQuery) -> None:
        n = len(bundle.catalogue)
        sampled = np.random.default_rng(0).permutation(n)[:SAMPLED_ITEMS]
        self._sample = bundle.item_vectors[sampled]
        self._item = bundle.item_vectors[row]
        self._bundle = bundle
        self._row, self._k, self._new_buyers_only = row, query.k, query.new_buyers_only
        self._after = None if query.after is None else (query.after.affinity, query.after.user_id)
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
        # The last digits depend on who is computed together, and must not move users between pages.
        affinities = affinities.astype(np.float64).round(_DECIMALS)
        for user_id, (state, _), affinity in zip(user_ids, users, affinities.tolist(), strict=True):
            if user_id in self._seen or not state.personalised:
                continue
            self._seen.add(user_id)
            if self._row in state.hidden_rows or (self._new_buyers_only and self._row in state.bought_rows):
                continue
            if self._after is not None and (affinity, user_id) >= self._after:  # in a page before
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
    """Adds every user to an audience. Returns whether there was time for all of them.

    Args:
        audience: Collects the users.
        store: Lists the users.
        states: Loads them.
        deadline: Event-loop time by which the answer must be sent; None for no limit but LONGEST_SECONDS.

    Raises:
        StoreUnavailable: Redis did not answer.
        TooBusy: This process collects MOST_AT_ONCE audiences already.
    """
    if len(_running) >= MOST_AT_ONCE:
        raise TooBusy(f"{MOST_AT_ONCE} audiences are being collected, which is the limit; try again later")
    clock = asyncio.get_running_loop().time
    end = min(clock() + LONGEST_SECONDS, deadline if deadline is not None else math.inf) - ANSWER_SECONDS
    _running.add(audience)
    try:
        async for user_ids in store.every_user():
            for start in range(0, len(user_ids), LOADED_TOGETHER):
                if clock() > end:
                    return False
                some = user_ids[start : start + LOADED_TOGETHER]
                users = await asyncio.gather(*map(states.load_uncached, some))
                await asyncio.to_thread(audience.add, some, users)
    except DeadlinePassed:
        return False
    finally:
        _running.discard(audience)
    return True
