"""Reads queries that people wrote by hand, with the categories that answer them: queries_en.toml and queries_zh.toml.

Such a file has two lists, `dev` and `test`. Weights are tuned on the first and reported on the second. An entry has
`text`; `relevant`, a list of category paths; and `kind`, one of KINDS. An item is relevant if its category path is one
of these or lies below one.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recsvc.domain.shop import Item, category_path
from recsvc.model.catalogue import Catalogue
from training.errors import DataError, Problem, shown
from training.search_evaluation.queries import SearchQuery

SPLITS = ("dev", "test")
KINDS = ("short", "phrase", "long", "question", "typo")
_FIELDS = {"text", "relevant", "kind"}


@dataclass(frozen=True)
class WrittenQuery:
    """An entry of the file.

    Attributes:
        text: As a shopper would type it.
        relevant: Category paths, such as ("Outdoors > Hiking > Walking Boots",).
        kind: One of KINDS.
    """

    text: str
    relevant: tuple[str, ...]
    kind: str

    def answers(self, item: Item) -> bool:
        """Whether an item is relevant."""
        path = item.categories
        return any(path[: len(names)] == names for names in map(category_path, self.relevant))


def read_written_queries(path: Path) -> dict[str, list[WrittenQuery]]:
    """Reads a file: the queries by split.

    Raises:
        DataError: The file cannot be read, an entry is wrong, or a text stands in it twice. Lists every problem.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError([Problem(path.name, None, None, f"cannot be read: {error}")]) from error
    problems: list[str] = []
    queries: dict[str, list[WrittenQuery]] = {}
    texts: set[str] = set()
    for split in SPLITS:
        queries[split] = []
        for number, entry in enumerate(table.get(split, ()), 1):
            if problem := _problem(entry):
                problems.append(f"{split}, entry {number}: {problem}")
                continue
            if entry["text"].casefold() in texts:
                problems.append(f"{split}, entry {number}: the text stands in the file twice")
            texts.add(entry["text"].casefold())
            queries[split].append(WrittenQuery(entry["text"], tuple(entry["relevant"]), entry["kind"]))
    if not texts and not problems:
        problems.append(f"has no queries: it needs a list {' or '.join(SPLITS)}")
    if problems:
        raise DataError(Problem(path.name, None, None, problem) for problem in problems)
    return queries


def answered_by(queries: Sequence[WrittenQuery], catalogue: Catalogue, file: str) -> list[SearchQuery]:
    """The queries with the rows of their relevant items. file: is named in errors.

    Raises:
        DataError: The catalogue has no item in any category of a query. Lists every such query.
    """
    judged, problems = [], []
    for query in queries:
        rows = np.array([row for row, item in enumerate(catalogue.items) if query.answers(item)], np.int32)
        if not len(rows):
            paths = ", ".join(query.relevant)
            problems.append(Problem(file, None, None, f"no item answers {shown(query.text)}: none is in {paths}"))
        judged.append(SearchQuery(query.text, rows, query.kind))
    if problems:
        raise DataError(problems)
    return judged


def _problem(entry: Any) -> str | None:  # noqa: ANN401  what TOML holds is untyped
    """What is wrong with an entry, or None."""
    if not isinstance(entry, dict) or set(entry) != _FIELDS:
        return f"must have the fields {', '.join(sorted(_FIELDS))} and no other"
    if not isinstance(entry["text"], str) or not entry["text"].strip():
        return "the text is empty"
    if entry["kind"] not in KINDS:
        return f"the kind is not one of {', '.join(KINDS)}"
    relevant = entry["relevant"]
    if not isinstance(relevant, list) or not relevant or not all(isinstance(path, str) and path for path in relevant):
        return "`relevant` must list at least one category path"
    return None
