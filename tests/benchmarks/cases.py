"""Makes the calls that are measured, as messages on the wire."""

import itertools
import random
import uuid
from collections.abc import Mapping, Sequence

from recsvc.v1 import events_pb2, recommendation_pb2
from tests.benchmarks.load import Task

K = 10
# More than any run can send: the second write of one event_id would change nothing.
WRITES = 20_000
NEW_PAGES = 20_000
EXCLUDED_ITEMS = 3
_RECOMMEND = "/recsvc.v1.RecommendationService/Recommend"
_SIMILAR_ITEMS = "/recsvc.v1.RecommendationService/SimilarItems"
_WRITE_EVENTS = "/recsvc.v1.EventService/WriteEvents"


def recommend(user_ids: Sequence[str], k: int = K) -> list[Task]:
    """Lists as a storefront asks for them: k items with reasons."""
    return [[_recommend_call(user_id, k)] for user_id in user_ids]


def recommend_new_pages(pages: Mapping[str, Sequence[str]], k: int = K) -> list[Task]:
    """Lists that were almost never shown before, so that nothing the service keeps of earlier pages helps it.

    Each call excludes a few items of the user's usual page, and other items than the call before.
    """
    rng = random.Random(uuid.uuid4().int)
    tasks: list[Task] = []
    for user_id, item_ids in itertools.islice(itertools.cycle(pages.items()), NEW_PAGES):
        request = recommendation_pb2.RecommendRequest(user_id=user_id, k=k)
        request.filter.exclude_item_ids.extend(rng.sample(item_ids, min(EXCLUDED_ITEMS, len(item_ids))))
        tasks.append([(_RECOMMEND, request.SerializeToString())])
    return tasks


def recommend_without_reasons(user_ids: Sequence[str], k: int = K) -> list[Task]:
    return [[_recommend_call(user_id, k, without_reasons=True)] for user_id in user_ids]


def similar_items(item_ids: Sequence[str]) -> list[Task]:
    return [
        [(_SIMILAR_ITEMS, recommendation_pb2.SimilarItemsRequest(item_id=item_id, k=K).SerializeToString())]
        for item_id in item_ids
    ]


def write_event(user_ids: Sequence[str], item_ids: Sequence[str]) -> list[Task]:
    """One purchase in each call."""
    return [[call] for _, call in _writes(user_ids, item_ids)]


def write_then_recommend(user_ids: Sequence[str], item_ids: Sequence[str]) -> list[Task]:
    """A purchase, then the list of the same user. The user vector must be computed again for it."""
    return [[call, _recommend_call(user_id)] for user_id, call in _writes(user_ids, item_ids)]


def lists_over_http(user_ids: Sequence[str], k: int) -> list[Task]:
    """The lists of a peer over HTTP."""
    return [[(f"/users/{user_id}/items?k={k}", b"")] for user_id in user_ids]


def _recommend_call(user_id: str, k: int = K, *, without_reasons: bool = False) -> tuple[str, bytes]:
    request = recommendation_pb2.RecommendRequest(user_id=user_id, k=k)
    request.reason_options.disabled = without_reasons
    return _RECOMMEND, request.SerializeToString()


def _writes(user_ids: Sequence[str], item_ids: Sequence[str]) -> list[tuple[str, tuple[str, bytes]]]:
    run, rng = uuid.uuid4().hex, random.Random(0)
    writes = []
    for number, user_id in zip(range(WRITES), itertools.cycle(user_ids), strict=False):
        event = events_pb2.Event(
            event_id=f"{run}/{number}",
            user_id=user_id,
            item_id=rng.choice(item_ids),
            event_type=events_pb2.EVENT_TYPE_PURCHASE,
        )
        writes.append((user_id, (_WRITE_EVENTS, events_pb2.WriteEventsRequest(events=[event]).SerializeToString())))
    return writes
