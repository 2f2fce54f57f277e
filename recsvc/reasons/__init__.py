"""Evidence in, verified sentences out: plan, words, slots, verifier, cache."""

from recsvc.reasons.licence import attribute_form
from recsvc.reasons.pattern import PatternRequest
from recsvc.reasons.pool import Author, PatternPool, author_id, cell_of, model_name, request_of
from recsvc.reasons.prompts import pattern_of
from recsvc.reasons.realiser import Realiser
from recsvc.reasons.rewording import Rewording
from recsvc.reasons.switches import EVERYTHING, Switches
from recsvc.reasons.word_lists import folded_words, is_vague
from recsvc.reasons.writer import ReasonWriter

__all__ = [
    "EVERYTHING",
    "Author",
    "PatternPool",
    "PatternRequest",
    "Realiser",
    "ReasonWriter",
    "Rewording",
    "Switches",
    "attribute_form",
    "author_id",
    "cell_of",
    "folded_words",
    "is_vague",
    "model_name",
    "pattern_of",
    "request_of",
]
