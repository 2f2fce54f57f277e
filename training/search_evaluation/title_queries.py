"""Makes queries from the words of titles: a shopper who knows an item and types two words of its title."""

import re
from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from recsvc.model.catalogue import Catalogue
from training.data.split import Holdout
from training.search_evaluation.queries import SearchQuery

WORDS = 2  # of a title, in a query
# A run of Chinese characters without spaces that is longer than the first number is cut into pieces of the second.
MAX_WORD_CHARACTERS, PIECE_CHARACTERS = 8, 4
_WORD = re.compile(r"[^\W_]+")
_NO_SPACES = re.compile(r"[぀-ヿ㐀-鿿]")


def known_items(catalogue: Catalogue, n: int, seed: int) -> list[SearchQuery]:
    """Queries for at most `n` items drawn by seed: two content words of the title, in its order.

    Items whose titles have fewer content words are not drawn.
    """
    rng = np.random.default_rng(seed)
    queries: list[SearchQuery] = []
    for row in rng.permutation(len(catalogue.items)):
        if len(queries) == n:
            break
        if text := _two_words(catalogue.items[row].title, rng):
            queries.append(SearchQuery(text, np.array([row], np.int32), "known item"))
    return queries


def bought_items(catalogue: Catalogue, holdout: Holdout, n: int, seed: int) -> list[SearchQuery]:
    """Queries of at most `n` users drawn by seed for an item that each bought next. They measure the user's taste.

    Args:
        catalogue: The items, with a row for each row of the holdout.
        holdout: Users whose purchases the bundle has not seen.
        n: Queries, at most.
        seed: Of the draw.
    """
    rng = np.random.default_rng(seed)
    queries: list[SearchQuery] = []
    for user in rng.permutation(len(holdout)):
        if len(queries) == n:
            break
        row = int(rng.choice(holdout.targets[user]))
        if text := _two_words(catalogue.items[row].title, rng):
            queries.append(SearchQuery(text, np.array([row], np.int32), "bought item", holdout.histories[user]))
    return queries


def _two_words(title: str, rng: np.random.Generator) -> str:
    """Two different content words of a title in their order; '' if it has fewer."""
    words = _content_words(title)
    if len(words) < WORDS:
        return ""
    places = np.sort(rng.choice(len(words), WORDS, replace=False))
    return " ".join(words[place] for place in places)


def _content_words(title: str) -> Sequence[str]:
    """The different words of a title that say something: no numbers, no single letters, no words such as "for"."""
    words: dict[str, None] = {}
    for word in _WORD.findall(title):
        if len(word) > MAX_WORD_CHARACTERS and _NO_SPACES.search(word):
            words |= dict.fromkeys(word[i : i + PIECE_CHARACTERS] for i in range(0, len(word), PIECE_CHARACTERS))
        elif len(word) > 1 and not word.isdigit() and word.lower() not in ENGLISH_STOP_WORDS:
            words[word] = None
    return [word for word in words if len(word) > 1]
