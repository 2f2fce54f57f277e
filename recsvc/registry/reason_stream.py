"""Streams better reasons for a list that was already served, as the language model writes them."""

import asyncio
from collections.abc import AsyncIterator, Set

from recsvc.domain.query import Query, RecommendationList
from recsvc.domain.reason import Reason
from recsvc.reasons import ReasonWriter, Rewording
from recsvc.registry.pattern_follower import PatternFollower
from recsvc.store import hash_of

# How long a stream waits for better words.
STREAM_SECONDS = 60.0


class ReasonStream:
    """Watches the pattern pool for open lists.

    Args:
        writer: Writes the reasons.
        patterns: Keeps the writer's pool up to date; None without a language model.
    """

    def __init__(self, writer: ReasonWriter, patterns: PatternFollower | None) -> None:
        self._writer = writer
        self._patterns = patterns
        self._open: set[_OpenStream] = set()

    async def updates(self, query: Query, served: RecommendationList) -> AsyncIterator[tuple[str, Reason]]:
        """Yields item ids with better reasons, for reasons of the list that the phrase bank had to word.

        Ends when nothing more can come, after STREAM_SECONDS, and when the user is erased.
        """
        if self._patterns is None:
            return
        page = [(listed.item, listed.reason) for listed in served.recommendations]
        rewording = Rewording(self._writer, page, query.language, query.seed)
        stream = _OpenStream(hash_of(query.user_id))
        self._open.add(stream)
        end = asyncio.get_running_loop().time() + STREAM_SECONDS
        try:
            while rewording.pending and not stream.ended and asyncio.get_running_loop().time() < end:
                await self._patterns.wait_for_change()
                for item, reason in rewording.reworded():
                    if not stream.ended:
                        yield item.item_id, reason
        finally:
            self._open.discard(stream)

    def forget(self, hashes: Set[int]) -> None:
        """Ends the streams of erased users, given by `recsvc.store.hash_of`."""
        for stream in self._open:
            stream.ended |= stream.user_hash in hashes


class _OpenStream:
    """One list that waits for better reasons. user_hash: see `recsvc.store.hash_of`."""

    def __init__(self, user_hash: int) -> None:
        self.user_hash = user_hash
        self.ended = False
