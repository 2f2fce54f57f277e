"""Whether an item, or a word of the seller's, touches what people keep to themselves: health, faith, debt and so on."""

import functools

from recsvc.domain.shop import Item
from recsvc.reasons.seller_text.word_lists import is_sensitive_category, sensitive_terms


@functools.lru_cache(maxsize=100_000)
def is_sensitive_text(text: str) -> bool:
    return sensitive_terms().find(text) is not None


@functools.lru_cache(maxsize=100_000)
def _any_sensitive(title: str, brand: str, categories: tuple[str, ...]) -> bool:
    # One by one: words of a title must not join with words of a category to a term that neither holds.
    return any(map(is_sensitive_text, (title, brand, *categories))) or any(map(is_sensitive_category, categories))


def is_sensitive(item: Item) -> bool:
    """Whether title, brand or category of `item` hold a sensitive term, or a category is sensitive as a whole."""
    return _any_sensitive(item.title, item.brand, item.categories)
