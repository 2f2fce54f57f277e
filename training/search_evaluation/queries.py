"""A search query with the items that answer it."""

from collections.abc import Iterator
from dataclasses import dataclass

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from recsvc.domain.arrays import Rows
from recsvc.domain.shop import History
from recsvc.model.catalogue import Catalogue
from recsvc.model.lexical import tokenize
from recsvc.model.text_encoder import item_text


@dataclass(frozen=True)
class SearchQuery:
    """A search query with the items that answer it.

    Attributes:
        text: As the shopper types it.
        relevant: The rows of the items that answer it, ascending; at least one.
        kind: Queries of one kind are also measured by themselves.
        history: Of the shopper; None for a shopper about whom nothing is known.
    """

    text: str
    relevant: Rows
    kind: str
    history: History | None = None


def content_words(text: str) -> Iterator[str]:
    """The words of a text as the word index reads them, without English words such as "the"; pairs in Chinese."""
    return (word for word in tokenize(text) if word not in ENGLISH_STOP_WORDS)


def shared_words(query: SearchQuery, catalogue: Catalogue) -> set[str]:
    """The content words of a query that the text of any relevant item has: title, brand or category."""
    words = set(content_words(query.text))
    return {word for row in query.relevant for word in tokenize(item_text(catalogue.items[row])) if word in words}
