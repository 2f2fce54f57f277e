"""Recognises items and words about private matters: health, faith, debt and others."""

import functools

from recsvc.domain.shop import Item
from recsvc.reasons.seller_text.word_lists import is_sensitive_category, sensitive_terms


@functools.lru_cache(maxsize=100_000)
def is_sensitive_text(text: str) -> bool:
    """Whether a text contains a sensitive term."""
    return sensitive_terms().find(text) is not None


@functools.lru_cache(maxsize=100_000)
def _any_sensitive(title: str, brand: str, categories: tuple[str, ...]) -> bool:
    # Each field alone: the end of a title and the start of a category must not make up a term together.
    return any(map(is_sensitive_text, (title, brand, *categories))) or any(map(is_sensitive_category, categories))


def is_sensitive(item: Item) -> bool:
    """Whether the title, brand or a category of an item contains a sensitive term, or a category is sensitive."""
    return _any_sensitive(item.title, item.brand, item.categories)
