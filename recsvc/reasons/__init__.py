"""Evidence in, verified sentences out: plan, words, slots, verifier, cache."""

from recsvc.reasons.content_writer import ContentWriter
from recsvc.reasons.item_licence import item_licence
from recsvc.reasons.licence import attribute_form
from recsvc.reasons.pattern import PatternRequest
from recsvc.reasons.pool import Author, PatternPool, author_id, cell_of, model_name, request_of
from recsvc.reasons.prompts import pattern_of
from recsvc.reasons.realiser import Realiser
from recsvc.reasons.recipe import Recipe, recipes
from recsvc.reasons.sensitive import is_sensitive
from recsvc.reasons.writer import ReasonWriter

__all__ = [
    "Author",
    "ContentWriter",
    "PatternPool",
    "PatternRequest",
    "Realiser",
    "ReasonWriter",
    "Recipe",
    "attribute_form",
    "author_id",
    "cell_of",
    "is_sensitive",
    "item_licence",
    "model_name",
    "pattern_of",
    "recipes",
    "request_of",
]
