"""A bundle that version 0.1.0 trained, once converted, serves the lists that 0.1.0 served.

`tests/stored_bundle/bundle` is that bundle (48 items, a synthetic shop), `answers.json` the lists. Both were recorded
with the code of version 0.1.0, and are replaced only when the bundle format changes on purpose. Two things are of
version 0.3.0, because a bundle of format 6 has no text vectors: the list of the search, which goes by item vectors and
words, and the kinds of evidence, which say nothing of items whose texts would have to be compared, nor that what was
sent back was bought. The popular items are of version 0.3.0, too: they are counted by people.
"""

import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recsvc.v1 import events_pb2, recommendation_pb2
from tests.integration.clients import Storefront, timestamp
from tests.recsvc.stored_bundle import STORED_BUNDLE
from tests.service_process import ServiceProcess

STORED = Path(__file__).parents[1] / "stored_bundle"
HISTORIES = {
    "one-purchase": [("i00003", "purchase", 2)],
    "regular": [(f"i000{n:02}", "purchase", 90 - n) for n in (1, 8, 15, 8, 22, 29, 8, 36, 43)],
    "browser": [("i00012", "view", 3), ("i00021", "add_to_cart", 2), ("i00033", "hide", 1)],
    "sent-back": [("i00005", "purchase", 9), ("i00018", "purchase", 8), ("i00005", "return", 1)],
}
PROFILES = {"newcomer": {"about": "camping and long walks"}, "one-purchase": {"about": "cooking for friends"}}
DAY = 86_400_000_000
# The language model reads profiles and queries in bfloat16, so scores of texts differ a little between processors and
# versions. All other scores are equal to four digits.
BFLOAT16_ERROR = 5e-3


def answers_of(storefront: Storefront, now: int) -> dict[str, list[list[Any]]]:
    """Every list that is compared: [item id, score, kinds of evidence] by rank. now: microseconds since 1970."""
    for user_id, attributes in PROFILES.items():
        storefront.set_profile(user_id, **attributes)
    for user_id, history in HISTORIES.items():
        events = [
            events_pb2.Event(
                event_id=f"{user_id}/{n}",
                user_id=user_id,
                item_id=item_id,
                event_type=f"EVENT_TYPE_{event_type.upper()}",
                timestamp=timestamp(now - days * DAY),
            )
            for n, (item_id, event_type, days) in enumerate(history)
        ]
        storefront.events.WriteEvents(events_pb2.WriteEventsRequest(events=events), timeout=20)
    page = recommendation_pb2.Context(viewed_item_ids=["i00007"], cart_item_ids=["i00030"])
    query = recommendation_pb2.Context(query="warm jacket")
    asked: dict[str, dict[str, Any]] = {
        f"{user_id} for you": {"user_id": user_id} for user_id in (*HISTORIES, *PROFILES, "unknown")
    }
    asked |= {
        "visit": {"user_id": "unknown", "context": page},
        "similar": {"user_id": "unknown", "context": page, "surface": "SURFACE_SIMILAR"},
        "cart": {"user_id": "unknown", "context": page, "surface": "SURFACE_CART"},
        "search": {"user_id": "regular", "context": query, "surface": "SURFACE_SEARCH"},
        "buy again": {"user_id": "regular", "surface": "SURFACE_BUY_AGAIN"},
        "popular": {"user_id": "unknown", "surface": "SURFACE_POPULAR"},
    }
    return {name: _listed(storefront, now, fields) for name, fields in asked.items()}


def _listed(storefront: Storefront, now: int, fields: dict[str, Any]) -> list[list[Any]]:
    request = recommendation_pb2.RecommendRequest(k=10, **fields)
    request.context.time.CopyFrom(timestamp(now))
    answer = storefront.recommendations.Recommend(request, timeout=20)
    return [
        [one.item_id, one.score, [evidence.kind for evidence in one.reason.evidence]] for one in answer.recommendations
    ]


def test_the_bundle_of_an_earlier_version_serves_the_same_lists(start_service: Callable[..., ServiceProcess]) -> None:
    recorded = json.loads((STORED / "answers.json").read_text())
    service = start_service(STORED_BUNDLE)
    with service.channel() as channel:
        served = answers_of(Storefront(channel), int(time.time() * 1_000_000))
    assert served.keys() == recorded.keys()
    for name, list_ in served.items():
        scores = {item_id: score for item_id, score, _ in recorded[name]}
        assert {item_id: score for item_id, score, _ in list_} == pytest.approx(scores, abs=BFLOAT16_ERROR), name
        in_order = [scores[item_id] for item_id, _, _ in list_]
        assert all(above >= below - BFLOAT16_ERROR for above, below in itertools.pairwise(in_order)), name
        assert {row[0]: row[2] for row in list_} == {row[0]: row[2] for row in recorded[name]}, name
