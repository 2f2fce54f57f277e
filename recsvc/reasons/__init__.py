"""Turns evidence into verified sentences: claims, patterns, values and a verifier that checks every sentence.

May be imported by `explain` and the rooms above it, and by `training`.
"""

from recsvc.reasons.authors.prompts import pattern_of
from recsvc.reasons.claim import attribute_form
from recsvc.reasons.content_writer import ContentWriter
from recsvc.reasons.copy_claim import copy_claim
from recsvc.reasons.grammar.pattern import PatternRequest
from recsvc.reasons.grammar.recipe import Recipe, recipes
from recsvc.reasons.pattern_pool import Author, PatternPool, author_id, claim_key_of, model_name, request_of
from recsvc.reasons.realiser import Realiser
from recsvc.reasons.rewording import Rewording
from recsvc.reasons.seller_text.item_nouns import needs_served
from recsvc.reasons.seller_text.liking import can_be_shown, states_aversion
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
    "can_be_shown",
    "claim_key_of",
    "copy_claim",
    "folded_words",
    "is_sensitive",
    "is_vague",
    "model_name",
    "needs_served",
    "pattern_of",
    "recipes",
    "request_of",
    "states_aversion",
]
