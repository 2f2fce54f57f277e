"""Plans one page: which evidence each reason states, and in which wording, so that neighbours do not read alike."""

import functools
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from recsvc.domain.reason import Evidence, EvidenceKind, Strength
from recsvc.domain.shop import Item
from recsvc.errors import ReasonRejected
from recsvc.reasons.claim import Claim, permitted_claim
from recsvc.reasons.grammar.pattern import Form

# The order in which readers value claims; lower is better. In user studies people valued reasons from their own
# purchases most, then "similar to what you own" and true personal preferences, then popularity, and an arbitrary
# attribute least. A pair that is not listed has the priority of its kind.
_PRIORITY: Mapping[tuple[EvidenceKind, Strength], int] = {
    (EvidenceKind.HISTORY_ITEM, Strength.CAUSAL): 2,
    (EvidenceKind.HISTORY_ITEM, Strength.CONTRIBUTORY): 3,
    (EvidenceKind.PROFILE, Strength.CAUSAL): 3,
}
_KIND_PRIORITY: Mapping[EvidenceKind, int] = {
    EvidenceKind.REPEAT_INTERVAL: -1,
    EvidenceKind.REPEAT_PURCHASE: 0,
    EvidenceKind.CO_PURCHASE: 1,
    EvidenceKind.SIMILAR_ITEM: 4,
    EvidenceKind.BRAND: 5,
    EvidenceKind.CATEGORY: 5,
    EvidenceKind.ATTRIBUTE: 5,
    EvidenceKind.HISTORY_ITEM: 6,
    EvidenceKind.PROFILE: 8,
    EvidenceKind.POPULARITY: 9,
    EvidenceKind.NAME: 10,  # only copy states it
    EvidenceKind.AUDIENCE: 10,
}
_WITHOUT_SUBJECT = (EvidenceKind.REPEAT_PURCHASE, EvidenceKind.REPEAT_INTERVAL)  # they speak of the item itself
# A claim beyond this priority is not about this user's purchases. It never replaces a personal one only for variety.
_LAST_PERSONAL_PRIORITY = 7
MAX_OF_A_KIND = 3  # reasons of one kind on a page, before claims of other kinds are preferred
_RUN_LENGTH = {"en": 2, "zh": 4}  # words, or Chinese characters, in a row that are compared between wordings
_OPENING_LENGTH = {"en": 2, "zh": 3}  # words, or Chinese characters
# The kinds that get a second claim, and the kinds that may be one, best first.
_WITH_TAIL = (EvidenceKind.HISTORY_ITEM, EvidenceKind.SIMILAR_ITEM, EvidenceKind.PROFILE)
_AS_TAIL = (EvidenceKind.BRAND, EvidenceKind.CATEGORY, EvidenceKind.POPULARITY)
_TOKEN = {"en": re.compile(r"\{\w+\}|[^\s{}]+"), "zh": re.compile(r"\{\w+\}|[^{}]")}  # a slot is one token


def _priority(evidence: Evidence) -> int:
    return _PRIORITY.get((evidence.kind, evidence.strength), _KIND_PRIORITY[evidence.kind])


def _by_priority(evidence: Evidence) -> tuple[int, float, float, float, int]:
    return _priority(evidence), -evidence.share, -evidence.effect, -evidence.lift, -evidence.count


def opening(pattern: str, language: str) -> str:
    """The first two words of a pattern, or its first three Chinese characters. A slot counts as one."""
    return " ".join(_TOKEN[language].findall(pattern)[: _OPENING_LENGTH[language]])


@functools.lru_cache(maxsize=2_000)
def _openings_and_runs(patterns: tuple[str, ...], language: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """For each pattern its opening, and every run of `_RUN_LENGTH` words or characters in it."""
    length = _RUN_LENGTH[language]
    pairs = []
    for pattern in patterns:
        tokens = _TOKEN[language].findall(pattern)
        runs = (" ".join(tokens[at : at + length]).lower() for at in range(max(1, len(tokens) - length + 1)))
        pairs.append((opening(pattern, language), frozenset(runs)))
    return tuple(pairs)


class PagePlan:
    """The plan of one page, from the first rank down. It remembers the reasons above, so that the next can differ.

    Args:
        language: One of `LANGUAGES`.
        seed: Decides among equally good wordings.
    """

    def __init__(self, language: str, seed: int) -> None:
        self.language = language
        self._seed = seed & 0xFFFFFFFF
        self._subject_above: tuple[EvidenceKind, str] | None = None
        self._kinds: Counter[EvidenceKind] = Counter()
        self._rank_by_opening: dict[str, int] = {}
        self._runs: set[str] = set()
        self._texts: set[str] = set()
        self._rank = 0

    def claims(self, item: Item, evidence: Sequence[Evidence]) -> Iterator[tuple[Evidence, Claim]]:
        """The claims that the evidence permits for `item`, best first. Each is worked out when it is asked for.

        A kind that the page has `MAX_OF_A_KIND` times comes after all other personal claims. Later still come a claim
        of the same kind and subject as the reason above, and one whose anchor cannot be named.
        """
        postponed: list[tuple[Evidence, Claim]] = []
        last: list[tuple[Evidence, Claim]] = []
        for fact in sorted(evidence, key=_by_priority):
            if _priority(fact) > _LAST_PERSONAL_PRIORITY:
                yield from (*postponed, *last)
                postponed.clear()
                last.clear()
            try:
                claim = permitted_claim(fact, item, self.language)
            except ReasonRejected:
                continue
            repeats_above = fact.kind not in _WITHOUT_SUBJECT and self._subject(fact) == self._subject_above
            if claim.form is Form.UNNAMED or repeats_above:
                last.append((fact, claim))
            elif self._kinds[fact.kind] >= MAX_OF_A_KIND:
                postponed.append((fact, claim))
            else:
                yield fact, claim
        yield from (*postponed, *last)

    def wordings(self, item: Item, patterns: tuple[str, ...], fallbacks: tuple[str, ...] = ()) -> list[str]:
        """Patterns in the order to try them: unused openings first, then the fewest words already read on this page.

        Seed and item decide among equals: one user sees the same words all day, and different ones the next day.

        Args:
            item: The item that the reason is for.
            patterns: Patterns of the wanted tone.
            fallbacks: Patterns of another tone. Of both tones, patterns whose opening was used least recently on the
                page come first.
        """
        ordered = self._ordered(item, patterns)
        if fallbacks:
            ordered = sorted(ordered + self._ordered(item, fallbacks), key=self._last_read)  # stable: `patterns` first
        return ordered

    def _last_read(self, pattern: str) -> int:
        """The rank at which the opening of a pattern was last used; 0 if it was not."""
        return self._rank_by_opening.get(_openings_and_runs((pattern,), self.language)[0][0], 0)

    def _ordered(self, item: Item, patterns: tuple[str, ...]) -> list[str]:
        n = len(patterns)
        first = zlib.crc32(item.item_id.encode("utf-8", "surrogatepass"), self._seed) % max(n, 1)
        keys = [
            (self._rank_by_opening.get(start, 0), len(runs & self._runs))
            for start, runs in _openings_and_runs(patterns, self.language)
        ]
        order = sorted(range(n), key=(keys[first:] + keys[:first]).__getitem__)
        return [patterns[(first + place) % n] for place in order]

    def has(self, text: str) -> bool:
        """Whether the page already has exactly this sentence."""
        return text in self._texts

    def tail(self, item: Item, evidence: Sequence[Evidence], first: Evidence) -> tuple[Evidence, Claim] | None:
        """A second claim to state beside `first`, so that the reason says more than what items have in common.

        None if the kind of `first` gets no second claim, or if there is none to make.
        """
        for kind in _AS_TAIL if first.kind in _WITH_TAIL else ():
            for fact in evidence:
                if fact.kind is kind and self._subject(fact) != self._subject_above:
                    with suppress(ReasonRejected):
                        return fact, permitted_claim(fact, item, self.language)
        return None

    def note(self, evidence: Evidence | None, pattern: str = "", text: str = "") -> None:
        """Records the reason of this rank, and moves one rank down.

        Args:
            evidence: What the reason states first; None if the item has no reason.
            pattern: The pattern that was used.
            text: The sentence.
        """
        self._rank += 1
        self._subject_above = None
        if evidence is not None:
            self._subject_above = self._subject(evidence)
            self._kinds[evidence.kind] += 1
            self._rank_by_opening[opening(pattern, self.language)] = self._rank
            self._runs |= _openings_and_runs((pattern,), self.language)[0][1]
            self._texts.add(text)

    @staticmethod
    def _subject(evidence: Evidence) -> tuple[EvidenceKind, str]:
        return evidence.kind, evidence.anchor.item_id if evidence.anchor is not None else evidence.value
