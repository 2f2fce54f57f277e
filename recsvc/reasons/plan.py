"""Plans one page: which evidence each reason states, and in which wording.

A page is plain before it is varied. All reasons of one claim have the same wording, so that neighbours are parallel.
"""

import enum
import zlib
from collections.abc import Iterator, Mapping, Sequence

from recsvc.domain.reason import COPY_KINDS, Evidence, EvidenceKind, Strength, Tone
from recsvc.domain.shop import Item
from recsvc.errors import ReasonRejected
from recsvc.reasons.claim import Claim, permitted_claim
from recsvc.reasons.grammar.claim_keys import Claimed, key_of
from recsvc.reasons.grammar.pattern import PatternRequest

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
    **dict.fromkeys(COPY_KINDS, 10),
}
# A claim beyond this priority is not about this user's purchases.
_LAST_PERSONAL_PRIORITY = 7
MAX_IN_A_ROW = 3  # reasons of one kind in neighbouring places, where another true fact is there
# The kinds of which a second sentence may speak, best first.
_SECOND_KINDS = (EvidenceKind.BRAND, EvidenceKind.CATEGORY, EvidenceKind.ATTRIBUTE, EvidenceKind.POPULARITY)


class Standing(enum.IntEnum):
    """How well a sentence suits its place on the page; lower is better."""

    NEW = 0  # about this user, and not on the page yet
    AGAIN = 1  # about this user, and on the page already
    OF_EVERYBODY = 2  # not about this user
    AS_ABOVE = 3  # the reason above begins with the same sentence
    TOO_MANY = 4  # the `MAX_IN_A_ROW` reasons above are of the same kind
    TOO_MANY_AS_ABOVE = 5


def _priority(evidence: Evidence) -> int:
    return _PRIORITY.get((evidence.kind, evidence.strength), _KIND_PRIORITY[evidence.kind])


def _by_priority(evidence: Evidence) -> tuple[int, float, float, float, int]:
    return _priority(evidence), -evidence.share, -evidence.effect, -evidence.lift, -evidence.count


class PagePlan:
    """The plan of one page, from the first rank down. It remembers the reasons above.

    Args:
        language: One of `LANGUAGES`.
        seed: Decides among the wordings of a claim: one user sees the same words all day, and others the next day.
        tone: Tone of the page.
    """

    def __init__(self, language: str, seed: int, tone: Tone = Tone.NEUTRAL) -> None:
        self.language = language
        self.tone = tone
        self._seed = seed & 0xFFFFFFFF
        self._sentences: set[str] = set()
        self._chances: dict[Claimed, int] = {}  # one for each claim of the page
        self._above = ""
        self._kind_above: EvidenceKind | None = None
        self._in_a_row = 0

    def claims(self, item: Item, evidence: Sequence[Evidence]) -> Iterator[tuple[Evidence, Claim]]:
        """The claims that the evidence permits for `item`, best first. Each is worked out when it is asked for."""
        for fact in sorted(evidence, key=_by_priority):
            try:
                yield fact, permitted_claim(fact, item, self.language, self.tone)
            except ReasonRejected:
                continue

    def second_claims(
        self, item: Item, evidence: Sequence[Evidence], first: Evidence
    ) -> Iterator[tuple[Evidence, Claim]]:
        """The claims that a second sentence may make behind one about `first`, best first."""
        for kind in _SECOND_KINDS:
            if kind is not first.kind:
                yield from self.claims(item, [fact for fact in evidence if fact.kind is kind])

    def wordings(self, request: PatternRequest, patterns: tuple[str, ...]) -> tuple[str, ...]:
        """Patterns in the order to try them. The seed decides which one is the page's wording of the claim."""
        if len(patterns) < 2:  # noqa: PLR2004  no choice
            return patterns
        claimed = (request.kind, request.strength, request.form)
        chance = self._chances.get(claimed)
        if chance is None:
            chance = self._chances[claimed] = zlib.crc32(key_of(*claimed).encode(), self._seed)
        first = chance % len(patterns)
        return patterns[first:] + patterns[:first]

    def standing(self, fact: Evidence, sentence: str) -> Standing:
        """How well a sentence that states a fact suits the next place."""
        is_as_above = sentence == self._above
        if fact.kind is self._kind_above and self._in_a_row >= MAX_IN_A_ROW:
            return Standing.TOO_MANY_AS_ABOVE if is_as_above else Standing.TOO_MANY
        if is_as_above:
            return Standing.AS_ABOVE
        if _priority(fact) > _LAST_PERSONAL_PRIORITY:
            return Standing.OF_EVERYBODY
        return Standing.AGAIN if sentence in self._sentences else Standing.NEW

    def has(self, sentence: str) -> bool:
        """Whether the page already has exactly this sentence."""
        return sentence in self._sentences

    def note(self, fact: Evidence | None, *sentences: str) -> None:
        """Records the reason of this rank, and moves one rank down.

        Args:
            fact: What the reason states first; None if the item has no reason.
            sentences: Its one or two sentences.
        """
        if fact is None:
            self._above, self._kind_above, self._in_a_row = "", None, 0
            return
        self._in_a_row = self._in_a_row + 1 if fact.kind is self._kind_above else 1
        self._above, self._kind_above = sentences[0], fact.kind
        self._sentences.update(sentences)
