"""Suggests synonyms: where people gave up one search and then opened something that another search found."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import polars as pl

from recsvc.model.words import Words
from recsvc.retrieval.synonyms import COMMENT, SEPARATOR, Groups, Synonyms
from training.search_evaluation.query_outcomes import rate

People = Mapping[tuple[str, str], set[str]]
"""The people who gave up the first query and then opened something that the second one found."""


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """Two queries that may mean the same.

    Attributes:
        line: For the file of synonyms.
        query: What people gave up.
        then: What they typed next, and opened something of.
        people: How many did so.
        share: Of the people who gave up `query` and then opened something of any other query.
        empty: How many of `people` found nothing by `query`.
    """

    line: str
    query: str
    then: str
    people: int
    share: float
    empty: int


class SynonymUse:
    """Tells what the shop's present synonyms do with a query.

    Args:
        synonyms: The present ones.
        queries: All queries of the shop: their language is theirs together.
    """

    def __init__(self, synonyms: Groups, queries: pl.Series) -> None:
        self._words = Words.of(queries.unique().sort().to_list())
        self._synonyms = Synonyms(synonyms, self._words)

    def changes(self, query: str) -> bool:
        """Whether an expression of the query has synonyms."""
        terms = self._words.terms(query)
        return any(self._synonyms.longest_at(terms, start) for start in range(len(terms)))

    def are_the_same(self, query: str, other: str) -> bool:
        """Whether two queries have the same terms, or are synonyms as a whole."""
        terms, others = (tuple(self._words.terms(text)) for text in (query, other))
        return terms == others or (terms in self._synonyms and others in self._synonyms.longest_at(terms, 0))


def suggestions(searches: pl.DataFrame, min_people: int, minutes: float, synonyms: Groups = ()) -> list[Suggestion]:
    """Finds pairs of queries for the file of synonyms, those of most people first.

    A person gave up a search if they opened nothing of it. The search that they then turned to is their first one
    within `minutes` of which they opened something. A pair is suggested if `min_people` people did so, and if they did
    so more often than people who never typed the first query open the second: many go on to what is in season.

    Args:
        searches: See `read_exported_searches`.
        min_people: How many people must have done so.
        minutes: The time from a search to the one that people turned to.
        synonyms: The shop's present ones, which are not suggested again.
    """
    turned, empty = _turned(searches, timedelta(minutes=minutes))
    use = SynonymUse(synonyms, searches["query"])
    typed, opened = _people_by_query(searches), _people_by_query(searches.filter(pl.col("opened").list.len() > 0))
    everybody: set[str] = set().union(*typed.values())
    people_from: dict[str, set[str]] = defaultdict(set)
    for (query, _), people in turned.items():
        people_from[query] |= people
    suggested = []
    for (query, then), people in turned.items():
        if len(people) < min_people:
            continue
        others = everybody - typed[query]
        usual = len(opened[then] & others) / len(others) if others else 0.0
        share = rate(len(people), len(people_from[query]))
        line = synonyms_line(then, query)
        if line is None or share["low"] <= usual or use.are_the_same(query, then):
            continue
        suggested.append(
            Suggestion(
                line=line,
                query=query,
                then=then,
                people=len(people),
                share=share["mean"],
                empty=len(people & empty[query, then]),
            )
        )
    return sorted(suggested, key=lambda suggestion: (-suggestion.people, suggestion.line))


def synonyms_line(*expressions: str) -> str | None:
    """A line of the file of synonyms; None if two of the expressions are the same there."""
    plain = [" ".join(text.replace(SEPARATOR, " ").split()).lstrip(f"{COMMENT} ") for text in expressions]
    return f"{SEPARATOR} ".join(plain) if all(plain) and len(set(plain)) == len(plain) else None


def _turned(searches: pl.DataFrame, within: timedelta) -> tuple[People, People]:
    """The people by pair of queries; and those of them whose first search found nothing."""
    turned: dict[tuple[str, str], set[str]] = defaultdict(set)
    empty: dict[tuple[str, str], set[str]] = defaultdict(set)
    for user_id, of_user in _by_user(searches):
        for place, search in enumerate(of_user):
            if search["opened"]:
                continue
            then = next((later for later in of_user[place + 1 :] if later["opened"]), None)
            if then is None or then["query"] == search["query"] or _time(then) - _time(search) > within:
                continue
            pair = (search["query"], then["query"])
            turned[pair].add(user_id)
            if not search["item_ids"]:
                empty[pair].add(user_id)
    return turned, empty


def _by_user(searches: pl.DataFrame) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    columns = searches.select("user_id", "timestamp", "query", "item_ids", "opened")
    ordered = columns.sort("user_id", "timestamp", maintain_order=True)
    for user_id, of_user in groupby(ordered.iter_rows(named=True), key=lambda row: str(row["user_id"])):
        yield user_id, list(of_user)


def _time(search: Mapping[str, Any]) -> datetime:
    time: datetime = search["timestamp"]
    return time


def _people_by_query(searches: pl.DataFrame) -> dict[str, set[str]]:
    people = searches.group_by("query").agg(pl.col("user_id").unique())
    return {query: set(user_ids) for query, user_ids in people.iter_rows()}
