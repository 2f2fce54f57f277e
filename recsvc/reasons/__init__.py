"""Evidence in, verified sentences out: plan, words, slots, verifier, cache."""

from recsvc.reasons.authors.prompts import pattern_of
from recsvc.reasons.content_writer import ContentWriter
from recsvc.reasons.grammar.pattern import PatternRequest
from recsvc.reasons.grammar.recipe import Recipe, recipes
from recsvc.reasons.item_licence import item_licence
from recsvc.reasons.licence import attribute_form
from recsvc.reasons.pattern_pool import Author, PatternPool, author_id, cell_of, model_name, request_of
from recsvc.reasons.realiser import Realiser
from recsvc.reasons.rewording import Rewording
from recsvc.reasons.seller_text.sensitive import is_sensitive
from recsvc.reasons.seller_text.word_lists import folded_words, is_vague
from recsvc.reasons.switches import EVERYTHING, Switches
from recsvc.reasons.writer import ReasonWriter

__all__ = [
    "EVERYTHING",
    "Author",
    "ContentWriter",
    "PatternPool",
    "PatternRequest",
    "Realiser",
    "ReasonWriter",
    "Recipe",
    "Rewording",
    "Switches",
    "attribute_form",
    "author_id",
    "cell_of",
    "folded_words",
    "is_sensitive",
    "is_vague",
    "item_licence",
    "model_name",
    "pattern_of",
    "recipes",
    "request_of",
]
