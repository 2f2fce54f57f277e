"""Links between items of a page and anchors that a shopper can see."""

from dataclasses import replace

import numpy as np
import pytest

from recsvc.domain.arrays import Floats, Rows
from recsvc.explain.facts import ItemFacts
from recsvc.explain.visible_links import visible_links

N_ITEMS = 6


def shop(
    texts: Floats | None = None,
    leaves: Rows | None = None,
    companions: dict[int, int] | None = None,
    parents: Rows | None = None,
) -> ItemFacts:
    """Six items without any link but those that are named."""
    together = np.full((N_ITEMS, 3), -1, np.int32)
    for anchor, companion in (companions or {}).items():
        together[anchor, 1] = companion
    nothing = np.zeros(N_ITEMS, np.int32)
    vectors = np.eye(N_ITEMS, dtype=np.float32) if texts is None else texts
    return ItemFacts(
        vectors=np.zeros((N_ITEMS, 2), np.float32),
        likeness=lambda page_rows, anchors: vectors[page_rows] @ vectors[anchors].T,
        similar_from=0.8,
        serve_one_need=lambda rows, others: np.ones(len(rows), np.bool_),
        leaves=np.full(N_ITEMS, -1, np.int32) if leaves is None else leaves,
        parents=np.full(N_ITEMS, -1, np.int32) if parents is None else parents,
        brands=np.full(N_ITEMS, -1, np.int32),
        brand_shares=np.empty(0, np.float32),
        buyers=nothing,
        cohorts=nothing,
        companions=together,
        companion_buyers=np.zeros((N_ITEMS, 3), np.int32),
    )


def rows(*values: int) -> Rows:
    return np.array(values, np.int32)


def linked(items: ItemFacts, page: Rows, anchors: Rows) -> list[tuple[int, int]]:
    links = visible_links(items, page, anchors)
    return [(int(page[i]), int(anchors[j])) for i, j in np.argwhere(links.visible)]


def test_items_of_one_leaf_category_are_linked() -> None:
    leaves = rows(3, 1, 3, -1, -1, 1)
    assert linked(shop(leaves=leaves), rows(2, 3, 5), rows(0, 1, 4)) == [(2, 0), (5, 1)]


def test_items_of_one_category_above_the_leaf_are_linked() -> None:
    assert linked(shop(parents=rows(3, 1, 3, -1, -1, 1)), rows(2, 3, 5), rows(0, 1, 4)) == [(2, 0), (5, 1)]


def test_items_of_one_leaf_category_are_similar_from_a_lower_likeness() -> None:
    texts = np.array([[1, 0], [0.61, 0.792], [0.59, 0.807], [0.61, 0.792], [0.8, 0.6], [0, 0]], np.float32)
    links = visible_links(shop(texts, rows(0, 0, 0, 1, 1, 0)), rows(1, 2, 3, 4, 5), rows(0))
    assert links.similar[:, 0].tolist() == [True, False, False, True, False]


def test_texts_are_linked_from_the_threshold_upwards() -> None:
    texts = np.array([[1, 0], [0.81, 0.586], [0.79, 0.613], [0, 1], [0, 0], [0, 0]], np.float32)
    assert linked(shop(texts), rows(1, 2, 4), rows(0, 5)) == [(1, 0)]


@pytest.mark.parametrize("companions", [{1: 4}, {4: 1}], ids=["of the anchor", "of the item"])
def test_items_bought_together_are_linked(companions: dict[int, int]) -> None:
    assert linked(shop(companions=companions), rows(5, 4), rows(0, 1)) == [(4, 1)]


def test_companion_places_are_those_of_anchors_alone() -> None:
    links = visible_links(shop(companions={1: 4, 5: 0}), rows(5, 4), rows(0, 1))
    assert links.companion_places.tolist() == [[1], [1], [1]]


def test_item_is_not_linked_with_itself() -> None:
    everything = shop(np.ones((N_ITEMS, 1), np.float32), np.zeros(N_ITEMS, np.int32), {2: 2})
    assert linked(everything, rows(2), rows(1, 2)) == [(2, 1)]


def test_unknown_likeness_links_nothing() -> None:
    assert linked(shop(np.empty((N_ITEMS, 0), np.float32)), rows(0, 1), rows(2, 3)) == []


def test_empty_page_and_no_anchors_have_no_links() -> None:
    assert visible_links(shop(), rows(), rows(1)).visible.shape == (0, 1)
    links = visible_links(shop(), rows(0, 1), rows())
    assert not links.of_rows(rows(3)).any()


def test_rows_that_are_no_anchors_have_no_links() -> None:
    links = visible_links(shop(leaves=np.zeros(N_ITEMS, np.int32)), rows(0), rows(1, 3))
    assert links.of_rows(rows(1, 2, 3, 5)).tolist() == [[True, False, True, False]]


def test_items_that_are_alike_but_serve_other_needs_are_linked_and_not_similar() -> None:
    texts = np.array([[1, 0], [0.9, 0.436], [0.9, 0.436], [0, 1], [0, 1], [0, 1]], np.float32)
    alike = replace(shop(texts, rows(0, 0, 1, -1, -1, -1)), serve_one_need=lambda one, other: one == other)
    links = visible_links(alike, rows(1, 2), rows(0))
    assert links.similar.tolist() == [[True], [False]]  # the first has the leaf category of the anchor
    assert links.visible.tolist() == [[True], [True]]
