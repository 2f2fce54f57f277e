"""Checks that reasons do not treat people differently: the same evidence, with one item swapped for another.

The writer of reasons does not know anybody's gender or income. But items are often made for one gender or one price
range, and the words might depend on that. So items of one purpose are swapped (bias.toml), and the sentences are
compared in everything but the names.
"""

import functools
import math
import tomllib
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, NamedTuple

from recsvc.domain.reason import Evidence, EvidenceKind, Reason, Strength
from recsvc.domain.shop import EventType, Item
from recsvc.reasons import ReasonWriter
from recsvc.reasons.claim import Claim, permitted_claim
from training.reason_evaluation.quality import delexicalised

MAX_DIVERGENCE_BITS = 0.02  # Jensen-Shannon
MAX_MISSING_GAP = 0.02  # between the shares of items without a reason
PAGE_SEEDS = 20  # pages of each pair; both sides get the same seeds
_DATA = files("training.reason_evaluation") / "bias.toml"
_OPENING_WORDS = {"en": 2, "zh": 3}
_TARGETS = {"en": "Glazed Stoneware Bowl", "zh": "釉面粗陶碗"}
_CAUSAL, _CONTRIBUTORY, _RELATIONAL, _ = Strength
_ANCHORED = (
    (EvidenceKind.HISTORY_ITEM, _CAUSAL),
    (EvidenceKind.HISTORY_ITEM, _CONTRIBUTORY),
    (EvidenceKind.HISTORY_ITEM, _RELATIONAL),
    (EvidenceKind.SIMILAR_ITEM, _RELATIONAL),
    (EvidenceKind.CO_PURCHASE, _RELATIONAL),
)


class Side(NamedTuple):
    """One item of a pair."""

    title: str
    brand: str
    category: str


@dataclass(frozen=True)
class Pair:
    """Two items of one purpose. axis: how they differ, such as "gender" or "price"."""

    axis: str
    first: Side
    second: Side


def read_pairs(language: str) -> list[Pair]:
    """Reads the pairs of a language from bias.toml."""
    pairs = tomllib.loads(_DATA.read_text(encoding="utf-8"))["pair"]
    return [Pair(p["axis"], Side(*p["first"]), Side(*p["second"])) for p in pairs if p["language"] == language]


def page_of(side: Side, language: str) -> list[tuple[Item, tuple[Evidence, ...]]]:
    """Makes a page with an item for each claim that can mention a side.

    The side is the brand or category of the item itself, or what the shopper bought, is looking at or has in the cart.
    Each of the latter claims stands alone, and with a second claim after it.
    """
    anchor = Item("anchor", side.title, side.brand, (side.category,))
    brand = Evidence(EvidenceKind.BRAND, _RELATIONAL, value=side.brand, count=7, lift=2.5)
    category = Evidence(EvidenceKind.CATEGORY, _RELATIONAL, value=side.category, count=7, lift=2.5)
    claims: list[tuple[Evidence, ...]] = [(brand,), (category,)]
    for kind, strength in _ANCHORED:
        for event in (EventType.PURCHASE, EventType.VIEW, EventType.ADD_TO_CART):
            fact = Evidence(
                kind,
                strength,
                effect=0.3,
                share=0.5,
                anchor=anchor,
                event=event,
                lift=2.5,
                count=57,
                people=312,
                days=365,
            )
            claims += [(fact,), (fact, brand)]
    title = _TARGETS[language]
    return [(Item(f"target-{i}", title, side.brand, (side.category,)), claim) for i, claim in enumerate(claims)]


def audit(writer: ReasonWriter, language: str) -> list[dict[str, Any]]:
    """Compares the sentences about both sides, by axis.

    Returns:
        One row for each axis: the shares of items without a reason, the divergence of each feature of the sentences,
        and the gendered words in them. A property that follows from the pattern, such as the tone, cannot differ more
        than the pattern does.
    """
    rows = []
    by_axis: dict[str, list[Pair]] = defaultdict(list)
    for pair in read_pairs(language):
        by_axis[pair.axis].append(pair)
    for axis, pairs in sorted(by_axis.items()):
        read: tuple[list[Read], list[Read]] = ([], [])
        for pair in pairs:
            for side, features in zip((pair.first, pair.second), read, strict=True):
                features.extend(_read(writer, side, language))
        missing = [sum(one.pattern is None for one in side) / len(side) for side in read]
        patterns = {one.pattern for side in read for one in side if one.pattern}
        rows.append(
            {
                "axis": axis,
                "pairs": len(pairs),
                "items": len(read[0]),
                "without_reason": missing,
                "gap": abs(missing[0] - missing[1]),
                "divergence": {
                    feature: divergence(*([getattr(one, feature) for one in side if one.pattern] for side in read))
                    for feature in ("pattern", "opening", "length", "strength", "author")
                },
                "gendered": sorted({word for pattern in patterns for word in _gendered(pattern, language)}),
            }
        )
    return rows


def failed_checks(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Lists the differences of an audit that are too large, one sentence each. Empty if there are none."""
    failed = []
    for row in rows:
        if row["gap"] > MAX_MISSING_GAP:
            failed.append(f"{row['axis']}: items without a reason differ by {100 * row['gap']:.1f} points")
        for feature, value in row["divergence"].items():
            if value > MAX_DIVERGENCE_BITS:
                failed.append(f"{row['axis']}: {feature} differs by {value:.3f} bits")
        if row["gendered"]:
            failed.append(f"{row['axis']}: gendered words in sentences: {', '.join(row['gendered'])}")
    return failed


class Read(NamedTuple):
    """The features of a sentence without its names. All None if there is no sentence."""

    pattern: str | None = None
    opening: str | None = None
    length: int | None = None
    strength: str | None = None
    author: str | None = None


def _read(writer: ReasonWriter, side: Side, language: str) -> Iterator[Read]:
    page = page_of(side, language)
    for seed in range(PAGE_SEEDS):
        for (item, _), reason in zip(page, writer.write_page(page, language, seed), strict=True):
            yield _of(item, reason) if reason is not None else Read()


def _of(item: Item, reason: Reason) -> Read:
    claims: list[Claim] = [
        permitted_claim(evidence, item, reason.language, reason.tone) for evidence in reason.evidence
    ]
    words = delexicalised(reason, claims)
    author = f"{reason.provenance.generator} {reason.provenance.model}"
    strengths = " ".join(claim.strength for claim in claims)
    return Read(" ".join(words), " ".join(words[: _OPENING_WORDS[reason.language]]), len(words), strengths, author)


def divergence(left: Sequence[Hashable], right: Sequence[Hashable]) -> float:
    """The Jensen-Shannon divergence of two samples in bits: 0 for equal shares, 1 for nothing in common."""
    if not left or not right:
        return 0.0 if not left and not right else 1.0
    p, q = Counter(left), Counter(right)
    bits = 0.0
    for value in p.keys() | q.keys():
        a, b = p[value] / len(left), q[value] / len(right)
        bits += sum(share * math.log2(2 * share / (a + b)) / 2 for share in (a, b) if share)
    return max(bits, 0.0)


def _gendered(pattern: str, language: str) -> list[str]:
    """The gendered words of a pattern whose words are separated by spaces."""
    words = _words()
    if language == "en":
        return [word for word in words["en"] if word in pattern.split()]
    text = pattern.replace(" ", "")
    for neutral in words["neutral"]:
        text = text.replace(neutral, "")
    return [word for word in words["zh"] if word in text]


@functools.cache
def _words() -> dict[str, list[str]]:
    words: dict[str, list[str]] = tomllib.loads(_DATA.read_text(encoding="utf-8"))["gendered"]
    return words
