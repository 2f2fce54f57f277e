"""Evidence in, verified sentences out: plan, words, slots, verifier, cache."""

from recsvc.reasons.licence import attribute_form
from recsvc.reasons.writer import ReasonWriter

__all__ = ["ReasonWriter", "attribute_form"]
