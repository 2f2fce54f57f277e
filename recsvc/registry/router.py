"""Routes each query to the bundle that its placement names, and logs the lists that are served."""

import asyncio
from collections.abc import Sequence

from recsvc.domain.content_request import ContentRequest
from recsvc.domain.query import Query, RecommendationList, Surface, search_text
from recsvc.domain.reason import ContentDraft
from recsvc.domain.records import ServedList
from recsvc.errors import ListNotFound
from recsvc.pipeline.placements import Placements
from recsvc.pipeline.recommender import Recommender
from recsvc.pipeline.why_not import BlockScores, ItemDiagnosis
from recsvc.reasons import ContentWriter
from recsvc.registry.model_registry import ModelRegistry
from recsvc.store import ServedListStore


class Router:
    """Applies placements to queries and asks the right bundle.

    Args:
        registry: The bundles in memory.
        placements: The shop's placements and segments.
        lists: Keeps the lists that placements served, and those of searches.
        content: Writes copy about items.
        log_searches: Whether the lists of searches are kept with the text of the search.
    """

    def __init__(
        self,
        registry: ModelRegistry,
        placements: Placements,
        lists: ServedListStore,
        content: ContentWriter,
        *,
        log_searches: bool = False,
    ) -> None:
        self._registry = registry
        self._placements = placements
        self._lists = lists
        self._content = content
        self._log_searches = log_searches

    async def recommend(self, query: Query) -> RecommendationList:
        """Answers a query as its placement says.

        Raises:
            InvalidRequest: The placement or the segment is not configured.
        """
        return await self._recommend(self._placements.applied(query))

    async def recommend_page(self, queries: Sequence[Query]) -> list[RecommendationList]:
        """Answers several queries in their order, so that no item is in two of the lists. Raises as `recommend`."""
        lists: list[RecommendationList] = []
        shown: frozenset[str] = frozenset()
        for query in [self._placements.applied(query) for query in queries]:
            served = await self._recommend(query.without(shown))
            shown |= {recommendation.item.item_id for recommendation in served.recommendations}
            lists.append(served)
        return lists

    async def diagnose(self, query: Query, item_id: str) -> ItemDiagnosis:
        """Explains why an item is, or is not, in the list of a query. Raises as `recommend`."""
        query = self._placements.applied(query)
        return await self._recommender(query).diagnose(query, item_id)

    async def explain_list(self, user_id: str, recommendation_id: str) -> tuple[ServedList, list[BlockScores], bool]:
        """Returns a list that was served, with the scores that its items have now.

        Returns:
            The list; for each item its scores by block, empty if its bundle is not in memory or a user vector did not
            rank the list; and whether the user's record is still the one that the list was made from.

        Raises:
            ListNotFound: The list is not kept, or not any more.
            StoreUnavailable: Redis did not answer.
        """
        kept = await self._lists.of_user(user_id)
        served = next((served for served in kept if served.recommendation_id == recommendation_id), None)
        if served is None:
            raise ListNotFound
        recommender = self._registry.recommender(served.bundle_id)
        if recommender is None or served.surface != Surface.FOR_YOU.value:
            return served, [()] * len(served.items), False
        blocks, version = await recommender.block_scores(user_id, [item_id for item_id, _ in served.items])
        return served, blocks, version == served.version

    async def write_content(self, request: ContentRequest) -> tuple[list[ContentDraft], str]:
        """Writes drafts of copy about an item. Returns them, and the id of the bundle whose catalogue was read.

        Raises:
            InvalidRequest: The recipe or the audience is not known, or do not fit each other.
            ItemNotFound: The item is not in the catalogue.
            NothingToSay: Too little is known of the item.
            TextTurnedOff: The operator turned such texts off.
        """
        recommender = self._registry.current
        job = recommender.content_job(request, self._content)
        return await asyncio.to_thread(job.write, self._content), recommender.bundle_id

    async def _recommend(self, query: Query) -> RecommendationList:
        answer = await self._recommender(query).recommend(query)
        searched = search_text(query.text) if self._log_searches and query.surface is Surface.SEARCH else ""
        if query.placement or searched:
            self._lists.keep(_served_list(query, answer, searched))
        return answer

    def _recommender(self, query: Query) -> Recommender:
        """The recommender of the bundle that the query names; if it is not in memory, the active one."""
        return self._registry.recommender(query.bundle_id) or self._registry.current


def _served_list(query: Query, answer: RecommendationList, searched: str) -> ServedList:
    """Returns the record of a list. searched: the text of its search if that is logged, else ""."""
    listed = answer.recommendations
    return ServedList(
        recommendation_id=answer.recommendation_id,
        user_id=query.user_id,
        time=query.now,
        version=answer.version,
        placement=query.placement,
        arm=query.arm,
        propensity=query.propensity,
        bundle_id=answer.bundle_id,
        surface=query.surface.value,
        shown=query.page.shown if query.page is not None else 0,
        items=tuple((recommendation.item.item_id, recommendation.score) for recommendation in listed),
        exploration=query.exploration,
        candidates=answer.candidates,
        query=searched,
        corrected_query=search_text(answer.corrected_query) if searched else "",
    )
