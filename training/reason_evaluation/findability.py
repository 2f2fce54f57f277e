"""Measures whether keywords help people to find items: the product's search, without them and with them.

The keywords stand where a shop would put them: in the item's attribute `keywords`, whose words the search reads. Some
of the searches of the shop's log are held out: no keyword is made from them, and they are what is searched for.
"""

import asyncio
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from recsvc.domain.arrays import NO_ROWS, Floats, Rows
from recsvc.model.bundle import Bundle
from recsvc.model.catalogue import Catalogue
from recsvc.model.text_encoder import TextEncoder
from recsvc.retrieval.item_snapshot import ItemSnapshot
from recsvc.retrieval.query_encoder import QueryEncoder
from recsvc.retrieval.search_scorer import SearchScorer
from recsvc.retrieval.synonyms import Groups, Synonyms

ATTRIBUTE = "keywords"
HELD_OUT = 5  # one search in this many is held out
DEPTH = 100  # items of a result that are looked at
TOP = 10
MAX_SEARCHES = 1_000


@dataclass(frozen=True)
class HeldOutSearch:
    """A search, and the ids of the items that people chose after it."""

    query: str
    item_ids: frozenset[str]


def split_searches(searches: pl.DataFrame, seed: int) -> tuple[pl.DataFrame, list[HeldOutSearch]]:
    """Splits a search log by the text of the searches, so that no held-out text is among the others.

    Args:
        searches: With the columns query and item_id.
        seed: Of the split, and of the draw if there are more than `MAX_SEARCHES`.

    Returns:
        The rows to make keywords from, and the searches that are held out.
    """
    texts = searches["query"].unique().sort().to_list()
    held = [text for text in texts if zlib.crc32(f"{seed}\0{text}".encode()) % HELD_OUT == 0]
    kept = searches.filter(~pl.col("query").is_in(held))
    if len(held) > MAX_SEARCHES:
        held = sorted(np.random.default_rng(seed).choice(held, MAX_SEARCHES, replace=False).tolist())
    chosen = searches.filter(pl.col("query").is_in(held)).group_by("query").agg(pl.col("item_id").unique())
    return kept, [HeldOutSearch(query, frozenset(item_ids)) for query, item_ids in chosen.sort("query").iter_rows()]


def findability(
    bundle: Bundle,
    encoder: TextEncoder,
    keywords: Mapping[str, str],
    searches: Sequence[HeldOutSearch],
    synonyms: Groups,
) -> dict[str, Any]:
    """Measures at which rank searches find their items.

    Args:
        bundle: The items.
        encoder: The bundle's text encoder.
        keywords: By item, the text of its keywords.
        searches: What to search for.
        synonyms: Of the operator; the search has them in both cases.

    Returns:
        "searches", how many have an item of the bundle. "before" and "after": the mean reciprocal rank ("mrr") and the
        share of searches with one of their items among the first ten ("top_10"); None without searches.
    """
    catalogue = bundle.catalogue
    relevant = {search.query: catalogue.rows(search.item_ids) for search in searches}
    relevant = {query: rows for query, rows in relevant.items() if len(rows)}
    items = [
        replace(item, attributes=(*item.attributes, (ATTRIBUTE, keywords[item.item_id])))
        if item.item_id in keywords
        else item
        for item in catalogue.items
    ]
    described = replace(bundle, catalogue=Catalogue(tuple(items)))
    results = {
        name: _figures(asyncio.run(_reciprocal_ranks(of_bundle, encoder, relevant, synonyms)))
        for name, of_bundle in (("before", bundle), ("after", described))
    }
    return {"searches": len(relevant), **results}


def _figures(reciprocal_ranks: Floats) -> dict[str, float] | None:
    if not len(reciprocal_ranks):
        return None
    return {"mrr": float(reciprocal_ranks.mean()), "top_10": float((reciprocal_ranks >= 1 / TOP).mean())}


async def _reciprocal_ranks(
    bundle: Bundle, encoder: TextEncoder, relevant: Mapping[str, Rows], synonyms: Groups
) -> Floats:
    """One over the rank of the first item of each search; 0 if it is not among the first `DEPTH`. float32 (n,)."""

    async def encode(text: str) -> Floats:
        embedding: Floats = encoder.encode([text])[0]
        return embedding

    # Searches of a user of whom nothing is known.
    nobody = np.zeros(bundle.item_vectors.shape[1], np.float32)
    ranks = []
    with ThreadPoolExecutor(1) as thread:
        snapshot = ItemSnapshot.of(bundle, thread)
        in_language = Synonyms(synonyms, snapshot.word_index.words)
        queries = QueryEncoder(snapshot, encode, thread, has_word=encoder.has_word, synonyms=in_language)
        for query, rows in relevant.items():
            scorer = SearchScorer(snapshot, await queries.search_terms(query), nobody)
            listed = (await scorer.ranking(DEPTH, NO_ROWS, None)).rows
            places = np.flatnonzero(np.isin(listed, rows))
            ranks.append(1 / (1 + places[0]) if len(places) else 0.0)
    return np.array(ranks, np.float32)
