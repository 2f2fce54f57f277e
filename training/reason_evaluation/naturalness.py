"""Measures how natural the new sentences of a language model are, beside those of the phrase bank."""

from collections.abc import Sequence
from statistics import median
from typing import Any

from recsvc.reasons.house_style import problems
from training.reason_evaluation.fluency import MAX_PERPLEXITY_RATIO, Fluency

MAX_LISTED = 20


def naturalness(patterns: Sequence[str], language: str) -> dict[str, Any]:
    """Measures new patterns.

    Args:
        patterns: Patterns that the phrase bank does not have, each once.
        language: Of the patterns.

    Returns:
        new: how many patterns there are. clean: how many the linter of the house style finds nothing wrong with.
        fluent: how many have at most MAX_PERPLEXITY_RATIO times the bank's median perplexity. natural: how many are
        clean and fluent. perplexity: their median; None without patterns. bank_perplexity: that of the bank.
        bank_fluent: the share of the bank's own patterns that count as fluent. problems: the problems of some that
        are not clean. odd: the patterns of the highest perplexity.
    """
    model = Fluency(language)
    limit = MAX_PERPLEXITY_RATIO * model.bank_median
    wrong = {pattern: found for pattern in patterns if (found := problems(pattern, language))}
    perplexities = {pattern: model.perplexity(pattern) for pattern in patterns}
    fluent = {pattern for pattern, perplexity in perplexities.items() if perplexity <= limit}
    return {
        "new": len(patterns),
        "clean": len(patterns) - len(wrong),
        "fluent": len(fluent),
        "natural": len(fluent - wrong.keys()),
        "perplexity": median(perplexities.values()) if perplexities else None,
        "bank_perplexity": model.bank_median,
        "bank_fluent": sum(model.perplexity(pattern) <= limit for pattern in model.bank) / len(model.bank),
        "problems": dict(list(wrong.items())[:MAX_LISTED]),
        "odd": sorted(set(patterns) - fluent, key=lambda pattern: -perplexities[pattern])[:MAX_LISTED],
    }
