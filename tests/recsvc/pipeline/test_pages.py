"""Lists of several pages: one ranking, however many servers and events come between; and the token that carries it."""

import base64
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.query import ItemFilter, Page, Query, Rules
from recsvc.domain.records import ItemChange, ItemField
from recsvc.domain.shop import Event, EventType
from recsvc.pipeline.recommender import Recommender
from recsvc.wire.page_token import decode_page, encode_page

QUERY = Query("ann", 10, time=1_750_000_000_000_000)


async def pages(recommender: Recommender, query: Query, between=None) -> list[str]:
    """Every id of every page, in order; `between` happens after the first page."""
    answer = await recommender.recommend(replace(query, paged=True))
    shown = [r.item.item_id for r in answer.recommendations]
    assert [r.rank for r in answer.recommendations] == list(range(1, len(shown) + 1))
    list_id = answer.recommendation_id
    if between is not None:
        await between(shown)
    while answer.next_page is not None:
        page = decode_page(encode_page(answer.next_page))
        assert page == answer.next_page
        answer = await recommender.recommend(replace(query, paged=True, page=page))
        assert answer.recommendation_id == list_id
        assert [r.rank for r in answer.recommendations][:1] in ([], [page.shown + 1])
        shown += [r.item.item_id for r in answer.recommendations]
    return shown


async def test_the_pages_of_a_list_are_the_list(opened) -> None:
    recommender, store = opened
    await store.write_events([Event("e", "ann", "i00003", EventType.PURCHASE, 1_740_000_000_000_000)])
    whole = await recommender.recommend(replace(QUERY, k=400))
    assert whole.next_page is None
    assert await pages(recommender, QUERY) == [r.item.item_id for r in whole.recommendations]
    assert await pages(recommender, replace(QUERY, k=400)) == [r.item.item_id for r in whole.recommendations]


async def test_events_between_two_pages_move_nothing(opened) -> None:
    recommender, store = opened
    expected = [r.item.item_id for r in (await recommender.recommend(replace(QUERY, k=400))).recommendations]

    async def buys(shown: list[str]) -> None:
        bought = [Event(item_id, "ann", item_id, EventType.PURCHASE, 1_740_000_000_000_000) for item_id in shown[:5]]
        await store.write_events(bought)

    assert await pages(recommender, QUERY, buys) == expected


async def test_what_may_not_be_shown_any_more_is_not(opened) -> None:
    recommender, store = opened
    expected = [r.item.item_id for r in (await recommender.recommend(replace(QUERY, k=400))).recommendations]
    gone, hidden = expected[12], expected[200]

    async def sells_out(shown: list[str]) -> None:
        recommender._live.catalogue.apply([ItemChange(gone, ItemField.STOCK, 1, 0.0)])
        await store.write_events([Event("h", "ann", hidden, EventType.HIDE, 1_740_000_000_000_000)])

    rest = [item_id for item_id in expected if item_id not in (gone, hidden)]
    assert await pages(recommender, QUERY, sells_out) == rest


async def test_rules_filters_and_fillers_have_pages_too(opened) -> None:
    recommender, _ = opened
    brand = recommender._bundle.catalogue.items[7].brand
    query = replace(QUERY, filter=ItemFilter(brands=frozenset({brand})), backfill=True, k=7)
    shown = await pages(recommender, query)
    assert len(set(shown)) == len(shown) == 400
    answer = await recommender.recommend(replace(query, paged=True))
    later = await recommender.recommend(replace(query, page=replace(answer.next_page, shown=14)))
    by_id = {item.item_id: item for item in recommender._bundle.catalogue.items}
    for found in (answer, later):
        assert all(r.backfilled is (by_id[r.item.item_id].brand != brand) for r in found.recommendations)
    capped = await pages(recommender, replace(QUERY, rules=Rules(max_per_brand=2, diversity=0.3)))
    brands = [by_id[item_id].brand for item_id in capped]
    assert all(brands.count(name) <= 2 for name in brands if name)


IDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=128)


@given(IDS, IDS, st.lists(IDS, min_size=1, max_size=20), st.data())
def test_any_page_survives_its_token(list_id, bundle_id, item_ids, data) -> None:
    page = Page(list_id, bundle_id, tuple(item_ids), data.draw(st.integers(1, len(item_ids))))
    assert decode_page(encode_page(page)) == page


@given(st.one_of(st.text(), st.binary().map(lambda b: base64.urlsafe_b64encode(b).decode())))
def test_what_is_no_token_is_none(token) -> None:
    assert decode_page(token) is None


def packed(text: str) -> str:
    return base64.urlsafe_b64encode(zlib.compress(text.encode())).decode()


@pytest.mark.parametrize(
    "words",
    [
        "list\nbundle\n1",  # nothing in it
        "list\nbundle\n3\na\nb",  # more shown than there is
        "list\nbundle\n0\na",
        "list\nbundle\n-1\na",
        "list\nbundle\none\na",
        "list\nbundle\n1\n" + "a" * 129,
        "list\nbundle\n1\na\x00b",
        "l" * 129 + "\nbundle\n1\na",
        "list\nbundle\n1" + "\na" * 501,
        "a\n" * 50_000_000,  # 100 MB from a token of 100 KB
    ],
)
def test_a_forged_token_is_none(words) -> None:
    assert decode_page(packed(words)) is None
