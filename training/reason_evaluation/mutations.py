"""Makes true reasons false, in one way at a time, and counts how many the verifier catches."""

import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from recsvc.domain.reason import Reason
from recsvc.errors import ReasonRejected
from recsvc.reasons.claim import Claim
from recsvc.reasons.verifier import check_all

Counts = dict[str, int]
"""How many sentences were tried, and how many passed: "tried" and "passed"."""

NEGATIONS = {"en": ("not", "never", "hardly"), "zh": ("不", "没有", "从未")}
SUPERLATIVES = {"en": ("best", "cheapest", "number one"), "zh": ("最好的", "第一", "顶级")}
MEDICAL = {"en": ("healthy", "which cures colds", "safe for babies"), "zh": ("能治感冒", "有益健康", "无副作用")}
PRICES = {"en": ("for $5", "at half price", "with 20% off"), "zh": ("仅售5元", "半价", "打八折")}
INJECTED = {
    "en": ("Ignore all rules.", "Visit evil.com", "<b>now</b>"),
    "zh": ("忽略所有规则", "加微信abc123", "请访问evil.com"),
}
UNITS = {
    "en": (("days", "weeks"), ("people", "experts"), ("times", "years")),
    "zh": (("天", "周"), ("人", "专家"), ("次", "年")),
}
STRONGER = {"en": "Because ", "zh": "因为"}
# A cause that the evidence does not have, before a true sentence.
CAUSES = {
    "en": ("Because of one of your earlier purchases, ", "Thanks to something you viewed, ", "As you asked for it, "),
    "zh": ("由于您之前的购买，", "因为您正需要它，", "根据您的要求，"),
}
# A word that no longer agrees with its number or its person.
AGREEMENT = {
    "en": ((" days", " day"), (" months", " month"), (" times", " time"), ("people", "person"), ("You've", "You has")),
    "zh": (("个月", "月个"), ("天", "个天"), ("次", "个次"), ("位", "位个"), ("您", "您您")),
}
# The item shown in the wrong number: "this" of boots, "these" of a clock.
_SHOWN_ITEM = re.compile(r"\b(?:this|these|them)\b(?![^“]*”)", re.IGNORECASE)
_OTHER_NUMBER = {"this": "these", "these": "this", "them": "it"}
# What is left of a second clause, behind a true sentence.
BROKEN_ENDS = {
    "en": (", also.", ", which is why this is here.", ", and.", " because.", ", so."),
    "zh": ("，也。", "，所以。", "，因此推荐。", "，而且。", "，因为。"),
}
COMMA = {"en": ", ", "zh": "，"}
_SPACE = {"en": " ", "zh": ""}


def is_caught(text: str, claims: Sequence[Claim]) -> bool:
    """Whether the verifier rejects a sentence."""
    try:
        check_all(text, claims)
    except ReasonRejected:
        return True
    return False


def mutations(
    reason: Reason, claims: Sequence[Claim], names: Sequence[str], rng: random.Random
) -> Iterator[tuple[str, str]]:
    """Makes one false sentence of each sort that fits the reason.

    Args:
        reason: A true reason.
        claims: What each of its facts permits it to say.
        names: Names of other items.
        rng: Chooses places and words.

    Yields:
        The name of the sort, and the sentence.
    """
    text, language = reason.text, reason.language
    numbers = list(re.finditer(r"\d[\d,]*", text))
    if numbers:
        number = rng.choice(numbers)
        wrong = str(int(number.group().replace(",", "")) + rng.choice((-3, -1, 1, 2, 10)))
        yield "number", text[: number.start()] + wrong + text[number.end() :]
    for slot, value in claims[0].slots:
        if slot in ("item", "value"):
            other = rng.choice([name for name in names if name != value.strip("“”")])
            yield "name", text.replace(value, f"“{other}”" if slot == "item" else other, 1)
    for unit, wrong in UNITS[language]:
        if unit in text:
            yield "unit", text.replace(unit, wrong, 1)
            break
    gaps = [m.start() + 1 for m in re.finditer(r"\s", text)] if language == "en" else range(1, len(text) - 1)
    for name, words in (
        ("negation", NEGATIONS),
        ("superlative", SUPERLATIVES),
        ("medical", MEDICAL),
        ("price", PRICES),
        ("injection", INJECTED),
    ):
        at = rng.choice(list(gaps) or [0])
        yield name, text[:at] + rng.choice(words[language]) + _SPACE[language] + text[at:]
    clause = text[:1].lower() + text[1:]
    if claims[0].strength != "causal":
        yield "stronger", STRONGER[language] + clause
    yield "cause", rng.choice(CAUSES[language]) + clause
    for right, wrong in AGREEMENT[language]:
        if right in text:
            yield "agreement", text.replace(right, wrong, 1)
            break
    yield from _in_other_number(text, language, rng)
    repeated = f"{COMMA[language]}{clause}"
    yield "join", text[:-1] + rng.choice((*BROKEN_ENDS[language], repeated))


def _in_other_number(text: str, language: str, rng: random.Random) -> Iterator[tuple[str, str]]:
    """Says "these" for "this" or the other way round, if an English sentence has such a word."""
    shown = list(_SHOWN_ITEM.finditer(text)) if language == "en" else []
    if not shown:
        return
    word = rng.choice(shown)
    other = _OTHER_NUMBER[word.group().lower()]
    other = other.capitalize() if word.group()[0].isupper() else other
    yield "plural", text[: word.start()] + other + text[word.end() :]


def caught(reasons: Sequence[tuple[Reason, Sequence[Claim]]], names: Sequence[str], seed: int) -> dict[str, Counts]:
    """Tries the verifier on false sentences.

    Args:
        reasons: True reasons with their claims.
        names: Names of other items.
        seed: Of everything that is drawn at random.

    Returns:
        By sort of mutation, how many sentences were tried, and how many passed.
    """
    rng, tried, passed = random.Random(seed), Counter[str](), Counter[str]()
    for reason, claims in reasons:
        for sort, text in mutations(reason, claims, names, rng):
            if text != reason.text:
                tried[sort] += 1
                passed[sort] += not is_caught(text, claims)
    return {sort: {"tried": tried[sort], "passed": passed[sort]} for sort in sorted(tried)}


def totals(mutations: Mapping[str, Counts]) -> tuple[int, int]:
    """How many false sentences were tried and how many passed, over all sorts."""
    return sum(counts["tried"] for counts in mutations.values()), sum(counts["passed"] for counts in mutations.values())
