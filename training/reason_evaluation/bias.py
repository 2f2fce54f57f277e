"""Whether shoppers of different things are spoken to differently: the same evidence, with one thing in another's place.

Nobody's gender or purse is known to what words reasons. What could still differ is what a thing is coded for: so things
of one purpose are swapped (bias.toml), and all that is read of the sentences but the names is compared.
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

MOST_DIVERGENCE = 0.02  # Jensen-Shannon, in bits
MOST_GAP = 0.02  # of the shares of items without a reason
SEEDS = 20  # pages of each pair; both sides get the same
_DATA = files("training.reason_evaluation") / "bias.toml"
_OPENING = {"en": 2, "zh": 3}
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
    title: str
    brand: str
    category: str


@dataclass(frozen=True)
class Pair:
    """Two things of one purpose, and by what they are told apart."""

    axis: str
    first: Side
    second: Side


def read_pairs(language: str) -> list[Pair]:
    pairs = tomllib.loads(_DATA.read_text(encoding="utf-8"))["pair"]
    return [Pair(p["axis"], Side(*p["first"]), Side(*p["second"])) for p in pairs if p["language"] == language]


def page_of(side: Side, language: str) -> list[tuple[Item, tuple[Evidence, ...]]]:
    """An item for each claim that can be made of a side: as what was bought, is looked at or is in the cart, alone and
    with a second claim behind it; and as what the item itself is.
    """
    anchor = Item("anchor", side.title, side.brand, (side.category,))
    brand = Evidence(EvidenceKind.BRAND, _RELATIONAL, value=side.brand, count=7, lift=2.5)
    category = Evidence(EvidenceKind.CATEGORY, _RELATIONAL, value=side.category, count=7, lift=2.5)
    claims: list[tuple[Evidence, ...]] = [(brand,), (category,)]
    for kind, strength in _ANCHORED:
        for event in (EventType.PURCHASE, EventType.VIEW, EventType.ADD_TO_CART):
            numbers = {"count": 57, "people": 312, "days": 365}
            fact = Evidence(kind, strength, 0.3, 0.5, anchor, event=event, lift=2.5, **numbers)
            claims += [(fact,), (fact, brand)]
    title = _TARGETS[language]
    return [(Item(f"target-{i}", title, side.brand, (side.category,)), claim) for i, claim in enumerate(claims)]


def audit(writer: ReasonWriter, language: str) -> list[dict[str, Any]]:
    """By axis: items without a reason of either side, how far what is read of the sentences differs, and the gendered
    words in them. What is a function of the pattern, its tone for one, differs by no more than the pattern does.
    """
    found = []
    by_axis: dict[str, list[Pair]] = defaultdict(list)
    for pair in read_pairs(language):
        by_axis[pair.axis].append(pair)
    for axis, pairs in sorted(by_axis.items()):
        read: tuple[list[Read], list[Read]] = ([], [])
        for pair in pairs:
            for side, into in zip((pair.first, pair.second), read, strict=True):
                into += _read(writer, side, language)
        silent = [sum(one.pattern is None for one in side) / len(side) for side in read]
        patterns = {one.pattern for side in read for one in side if one.pattern}
        found.append(
            {
                "axis": axis,
                "pairs": len(pairs),
                "items": len(read[0]),
                "without_reason": silent,
                "gap": abs(silent[0] - silent[1]),
                "divergence": {
                    feature: divergence(*([getattr(one, feature) for one in side if one.pattern] for side in read))
                    for feature in ("pattern", "opening", "length", "strength", "author")
                },
                "gendered": sorted({word for pattern in patterns for word in _gendered(pattern, language)}),
            }
        )
    return found


def objections(found: Sequence[dict[str, Any]]) -> list[str]:
    """What is not as it should be, each a sentence."""
    wrong = []
    for row in found:
        if row["gap"] > MOST_GAP:
            wrong.append(f"{row['axis']}: items without a reason differ by {100 * row['gap']:.1f} points")
        for feature, value in row["divergence"].items():
            if value > MOST_DIVERGENCE:
                wrong.append(f"{row['axis']}: {feature} differs by {value:.3f} bits")
        if row["gendered"]:
            wrong.append(f"{row['axis']}: gendered words in sentences: {', '.join(row['gendered'])}")
    return wrong


class Read(NamedTuple):
    """What is read of a sentence with its names taken out; all None where there is none."""

    pattern: str | None = None
    opening: str | None = None
    length: int | None = None
    strength: str | None = None
    author: str | None = None


def _read(writer: ReasonWriter, side: Side, language: str) -> Iterator[Read]:
    page = page_of(side, language)
    for seed in range(SEEDS):
        for (item, _), reason in zip(page, writer.write_page(page, language, seed), strict=True):
            yield _of(item, reason) if reason is not None else Read()


def _of(item: Item, reason: Reason) -> Read:
    claims: list[Claim] = [permitted_claim(evidence, item, reason.language) for evidence in reason.evidence]
    words = delexicalised(reason, claims)
    author = f"{reason.provenance.generator} {reason.provenance.model}"
    strengths = " ".join(claim.strength for claim in claims)
    return Read(" ".join(words), " ".join(words[: _OPENING[reason.language]]), len(words), strengths, author)


def divergence(left: Sequence[Hashable], right: Sequence[Hashable]) -> float:
    """The Jensen-Shannon divergence of two samples, in bits: 0 for the same shares, 1 for nothing in common."""
    if not left or not right:
        return 0.0 if not left and not right else 1.0
    p, q = Counter(left), Counter(right)
    found = 0.0
    for value in p.keys() | q.keys():
        a, b = p[value] / len(left), q[value] / len(right)
        found += sum(share * math.log2(2 * share / (a + b)) / 2 for share in (a, b) if share)
    return max(found, 0.0)


def _gendered(pattern: str, language: str) -> list[str]:
    """The words of a pattern, its parts apart by spaces, that are of one gender."""
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
