"""Which evidence a page states, and in whose words: the strongest that readers value, and no two neighbours alike."""

import functools
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from recsvc.domain.reason import Evidence, EvidenceKind, Strength
from recsvc.domain.shop import Item
from recsvc.errors import ReasonRejected
from recsvc.reasons.grammar.pattern import Form
from recsvc.reasons.licence import Licence, licence

# In the order that readers value (user studies put what people like them did first, then "similar to what you own" and
# true personal preferences, then popularity, and an arbitrary attribute last). Lower is better; what is not listed
# stands at its kind's place.
_ORDER: Mapping[tuple[EvidenceKind, Strength], int] = {
    (EvidenceKind.HISTORY_ITEM, Strength.CAUSAL): 2,
    (EvidenceKind.HISTORY_ITEM, Strength.CONTRIBUTORY): 3,
    (EvidenceKind.PROFILE, Strength.CAUSAL): 3,
}
_KIND_ORDER: Mapping[EvidenceKind, int] = {
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
    EvidenceKind.NAME: 10,  # said in copy, never in a reason
    EvidenceKind.AUDIENCE: 10,
}
_OF_ITSELF = (EvidenceKind.REPEAT_PURCHASE, EvidenceKind.REPEAT_INTERVAL)
_LAST_PERSONAL = 7  # beyond it a reason is not about what this user bought: no exchange for the sake of variety
# After so many of a kind a page says other things, where it can.
OF_A_KIND = 3
# So many words, or Chinese characters, in a row are told apart when wordings are compared.
_RUN = {"en": 2, "zh": 4}
# Which kinds get a second claim where there is one, and which are one, best first.
_WITH_TAIL = (EvidenceKind.HISTORY_ITEM, EvidenceKind.SIMILAR_ITEM, EvidenceKind.PROFILE)
_AS_TAIL = (EvidenceKind.BRAND, EvidenceKind.CATEGORY, EvidenceKind.POPULARITY)
_WORD = re.compile(r"\{\w+\}|[^\s{}]+")
_CHARACTER = re.compile(r"\{\w+\}|[^{}]")


def _place(evidence: Evidence) -> int:
    return _ORDER.get((evidence.kind, evidence.strength), _KIND_ORDER[evidence.kind])


def _preference(evidence: Evidence) -> tuple[int, float, float, float, int]:
    return _place(evidence), -evidence.share, -evidence.effect, -evidence.lift, -evidence.count


def opening(pattern: str, language: str) -> str:
    """The first two words of a pattern, or its first three Chinese characters, a slot counting as one."""
    parts = (_WORD if language == "en" else _CHARACTER).findall(pattern)
    return " ".join(parts[: 2 if language == "en" else 3])


@functools.lru_cache(maxsize=2_000)
def _read(patterns: tuple[str, ...], language: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """What a reader takes in of each pattern: its opening, and every few words, or Chinese characters, in a row."""
    runs = []
    for pattern in patterns:
        parts = (_WORD if language == "en" else _CHARACTER).findall(pattern)
        run = _RUN[language]
        words = frozenset(" ".join(parts[at : at + run]).lower() for at in range(max(1, len(parts) - run + 1)))
        runs.append((opening(pattern, language), words))
    return tuple(runs)


class PagePlan:
    """One page, from the first rank down. Remembers what stands above, so that what follows can differ."""

    def __init__(self, language: str, seed: int) -> None:
        self.language = language
        self._seed = seed & 0xFFFFFFFF
        self._above: tuple[EvidenceKind, str] | None = None
        self._kinds: Counter[EvidenceKind] = Counter()
        self._openings: dict[str, int] = {}
        self._words: set[str] = set()
        self._texts: set[str] = set()
        self._rank = 0

    def claims(self, item: Item, evidence: Sequence[Evidence]) -> Iterator[tuple[Evidence, Licence]]:
        """What may be said for `item`, best first, worked out as it is asked for.

        A claim of a kind that the page has OF_A_KIND of waits until the other claims about this user are tried; longer
        still one with the kind and the anchor of the reason above, and one whose anchor cannot be named.
        """
        waiting: list[tuple[Evidence, Licence]] = []
        last: list[tuple[Evidence, Licence]] = []
        for fact in sorted(evidence, key=_preference):
            if _place(fact) > _LAST_PERSONAL:
                yield from (*waiting, *last)
                waiting.clear()
                last.clear()
            try:
                licensed = licence(fact, item, self.language)
            except ReasonRejected:
                continue
            if licensed.form is Form.UNNAMED or (fact.kind not in _OF_ITSELF and self._subject(fact) == self._above):
                last.append((fact, licensed))
            elif self._kinds[fact.kind] >= OF_A_KIND:
                waiting.append((fact, licensed))
            else:
                yield fact, licensed
        yield from (*waiting, *last)

    def wordings(self, item: Item, patterns: tuple[str, ...], others: tuple[str, ...] = ()) -> list[str]:
        """`patterns` in the order to try them: first those whose opening, and then those of whose words, least was read
        on this page. Of `others` each comes before the patterns whose opening was read later than its own.

        Among equals the seed and the item decide: the same user sees the same words all day, the next one others.
        """
        found = self._ordered(item, patterns)
        if others:
            found = sorted(found + self._ordered(item, others), key=self._read_at)  # stable: `patterns` first
        return found

    def _read_at(self, pattern: str) -> int:
        """The rank at which the opening of a pattern was read last, 0 for never."""
        return self._openings.get(_read((pattern,), self.language)[0][0], 0)

    def _ordered(self, item: Item, patterns: tuple[str, ...]) -> list[str]:
        n = len(patterns)
        first = zlib.crc32(item.item_id.encode("utf-8", "surrogatepass"), self._seed) % max(n, 1)
        read = [
            (self._openings.get(opened, 0), len(words & self._words))
            for opened, words in _read(patterns, self.language)
        ]
        order = sorted(range(n), key=(read[first:] + read[:first]).__getitem__)
        return [patterns[(first + place) % n] for place in order]

    def stands(self, text: str) -> bool:
        """Whether this very sentence stands on the page."""
        return text in self._texts

    def tail(self, item: Item, evidence: Sequence[Evidence], first: Evidence) -> tuple[Evidence, Licence] | None:
        """What may be said beside the claim of `first`, so that a reader sees more of this item in it than what it
        shares with others; None where there is nothing, or nothing more.
        """
        for kind in _AS_TAIL if first.kind in _WITH_TAIL else ():
            for fact in evidence:
                if fact.kind is kind and self._subject(fact) != self._above:
                    with suppress(ReasonRejected):
                        return fact, licence(fact, item, self.language)
        return None

    def note(self, evidence: Evidence | None, pattern: str = "", text: str = "") -> None:
        """Moves one rank down. This rank states `evidence` in the words of `pattern`, which made `text`; None where it
        has no reason.
        """
        self._rank += 1
        self._above = None
        if evidence is not None:
            self._above = self._subject(evidence)
            self._kinds[evidence.kind] += 1
            self._openings[opening(pattern, self.language)] = self._rank
            self._words |= _read((pattern,), self.language)[0][1]
            self._texts.add(text)

    @staticmethod
    def _subject(evidence: Evidence) -> tuple[EvidenceKind, str]:
        return evidence.kind, evidence.anchor.item_id if evidence.anchor is not None else evidence.value
