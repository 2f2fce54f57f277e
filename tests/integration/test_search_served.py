"""A search over the wire: in a shopper's own words, mistyped, and by the operator's synonyms."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recsvc.model import bundle_files
from recsvc.v1 import recommendation_pb2 as pb
from tests.integration.clients import Storefront, item_ids
from tests.service_process import ServiceProcess


@pytest.fixture
def things(small_bundle: Path) -> Callable[[pb.RecommendResponse], list[str]]:
    """The last category of each listed item."""
    last = {item.item_id: item.categories[-1] for item in bundle_files.load(small_bundle).catalogue.items}
    return lambda answer: [last[item_id] for item_id in item_ids(answer)]


def test_searches_find_what_is_meant_and_say_what_they_corrected(
    start_service: Callable[..., ServiceProcess], tmp_path: Path, things: Callable[[pb.RecommendResponse], list[str]]
) -> None:
    synonyms = tmp_path / "synonyms.txt"
    synonyms.write_text("bivvy, sleeping bag\n")
    service = start_service(synonyms=synonyms)
    with service.channel() as channel:
        shop = Storefront(channel)

        def search(query: str, **fields: Any) -> pb.RecommendResponse:
            return shop.recommend("ann", 3, surface="SURFACE_SEARCH", context=pb.Context(query=query), **fields)

        answer = search("Wheelbarow")
        assert things(answer) == ["Wheelbarrow"] * 3
        assert answer.corrected_query == "wheelbarrow"
        assert not search("something to push earth around the garden").corrected_query
        assert things(search("bivvy")) == ["Sleeping Bag"] * 3
        cheap = search("wheelbarow", filter=pb.Filter(categories=["Toys"]))
        assert len(item_ids(cheap)) == 3
        assert cheap.corrected_query == "wheelbarrow"
        first = search("wheelbarow", paged=True)
        following = search("wheelbarow", page_token=first.next_page_token)
        assert not set(item_ids(first)) & set(item_ids(following))
        assert things(following) == ["Wheelbarrow"] * 3
        # Beside a list for the user, the search moves such items up.
        beside = shop.recommend("ann", 3, context=pb.Context(query="wheelbarow"))
        assert things(beside) == ["Wheelbarrow"] * 3
