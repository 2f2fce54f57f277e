"""Finds which pairs of items have a link that a shopper can see. Only such an item may be named as a cause.

An effect on the score alone is no visible link: festoon lights may raise the score of energy gels.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats, Rows
from recsvc.explain.facts import CodesByRow, ItemFacts

# Items of one leaf category count as similar from this share of the cosine that other items need. Readers called 98 %
# of such pairs similar.
LEAF_SHARE_OF_SIMILAR = 0.75


@dataclass(frozen=True, kw_only=True)
class VisibleLinks:
    """The links between p items of a page and m anchors, items that a reason may name.

    Attributes:
        anchors: The anchors, ascending, (m,).
        likeness: Cosine of the texts as the frozen encoder reads them, float32 (p, m); 0 where it is not known.
        similar: Whether a shopper would call the items similar, bool (p, m): their texts are alike, and they serve the
            same need. It is a visible link.
        visible: Whether any link can be seen, bool (p, m). No item is linked with itself.
        companion_places: Where an item of the page is a companion of an anchor: the places of the item on the page, of
            the anchor in `anchors`, and of the companion among the anchor's companions, intp (3, pairs).
    """

    anchors: Rows
    likeness: Floats
    similar: NDArray[np.bool_]
    visible: NDArray[np.bool_]
    companion_places: NDArray[np.intp]

    def of_rows(self, rows: Rows) -> NDArray[np.bool_]:
        """Returns `visible` for some of the anchors, bool (p, len(rows)). Rows that are no anchors have no link."""
        if not len(self.anchors):
            return np.zeros((len(self.visible), len(rows)), np.bool_)
        places = np.minimum(np.searchsorted(self.anchors, rows), len(self.anchors) - 1)
        return np.asarray(self.visible[:, places] & (self.anchors[places] == rows))


def visible_links(items: ItemFacts, page_rows: Rows, anchors: Rows) -> VisibleLinks:
    """Finds the links between the items of a page and the anchors.

    A link is visible if people buy the two together, if they have the same leaf category or the same category above it,
    or if their texts are alike.

    Args:
        items: What is known of each item.
        page_rows: Distinct rows, (p,).
        anchors: Ascending rows, (m,).
    """
    likeness = items.likeness(page_rows, anchors)
    others = page_rows[:, None] != anchors
    leaf = _same(items.leaves, page_rows, anchors)
    similar = likeness >= np.where(leaf, np.float32(LEAF_SHARE_OF_SIMILAR), np.float32(1)) * items.similar_from
    alike = similar & others
    similar = _serving_one_need(items, alike, leaf, page_rows, anchors)
    visible = alike | leaf | _same(items.parents, page_rows, anchors)
    companions = _places_of(items.companions[anchors], page_rows)
    visible[companions[0], companions[1]] = True
    visible[tuple(_places_of(items.companions[page_rows], anchors)[1::-1])] = True
    return VisibleLinks(
        anchors=anchors, likeness=likeness, similar=similar, visible=visible & others, companion_places=companions
    )


def _serving_one_need(
    items: ItemFacts, alike: NDArray[np.bool_], leaf: NDArray[np.bool_], page_rows: Rows, anchors: Rows
) -> NDArray[np.bool_]:
    """Returns which items that are alike serve the same need, bool (p, m).

    A leaf category says so; elsewhere the names must: a lunch bag and a lunch box of one print are not similar.
    """
    places, anchor_places = np.nonzero(alike & ~leaf)
    similar = alike & leaf
    if len(places):
        similar[places, anchor_places] = items.serve_one_need(page_rows[places], anchors[anchor_places])
    return similar


def _same(codes: CodesByRow, page_rows: Rows, anchors: Rows) -> NDArray[np.bool_]:
    """Returns which items and anchors have the same code, bool (p, m); a code of -1 is the same as none."""
    of_page = codes[page_rows][:, None]
    return np.asarray((of_page == codes[anchors]) & (of_page >= 0))


def _places_of(companions: Rows, rows: Rows) -> NDArray[np.intp]:
    """Returns where rows are among the companions of items: the place in `rows`, the item and the column, (3, pairs).

    Args:
        companions: Rows of the companions of each item, -1 for none, (n, c).
        rows: Distinct rows.
    """
    if not len(rows):
        return np.empty((3, 0), np.intp)
    ascending = np.argsort(rows)
    places = ascending[np.minimum(np.searchsorted(rows, companions, sorter=ascending), len(rows) - 1)]
    matches = rows[places] == companions
    return np.stack((places[matches], *np.nonzero(matches)))
