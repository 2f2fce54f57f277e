"""Finds the items of a list whose reasons name the same cause, and the claim that one line above them may make."""

from collections.abc import Sequence
from typing import NamedTuple

from recsvc.domain.reason import Evidence, EvidenceKind, Reason, Strength
from recsvc.domain.shop import Item
from recsvc.reasons.claim import Claim, permitted_claim
from recsvc.reasons.grammar.claim_keys import GROUP_OF
from recsvc.reasons.grammar.pattern import Number

MIN_ITEMS = 2  # of a group
_KINDS = (EvidenceKind.HISTORY_ITEM, EvidenceKind.SIMILAR_ITEM, EvidenceKind.CO_PURCHASE)
_STRENGTHS = list(Strength)  # from most to least


class Group(NamedTuple):
    """Items whose reasons state the same kind of fact about the same other item.

    Attributes:
        items: Best first.
        facts: For each item, the first fact of its reason.
        claim: What a line above all of them may say.
    """

    items: tuple[Item, ...]
    facts: tuple[Evidence, ...]
    claim: Claim


def groups_of(listed: Sequence[tuple[Item, Reason | None]]) -> list[Group]:
    """The groups of a list, in the order of their first items."""
    together: dict[tuple[EvidenceKind, str, int], list[tuple[Item, Reason]]] = {}
    for item, reason in listed:
        if reason is None or reason.evidence[0].kind not in _KINDS:
            continue
        fact = reason.evidence[0]
        anchor_id = fact.anchor.item_id if fact.anchor is not None else ""
        together.setdefault((fact.kind, anchor_id, fact.event.value), []).append((item, reason))
    return [_group(members) for members in together.values() if len(members) >= MIN_ITEMS]


def _group(members: Sequence[tuple[Item, Reason]]) -> Group:
    """The line claims no more than the weakest of its items allows."""
    claims = [permitted_claim(reason.evidence[0], item, reason.language, reason.tone) for item, reason in members]
    weakest = max(claims, key=lambda claim: _STRENGTHS.index(claim.strength))
    slots = tuple((slot, value) for slot, value in weakest.slots if slot == "item")
    claim = weakest._replace(form=GROUP_OF[weakest.form], slots=slots, number=Number.ONE)
    return Group(tuple(item for item, _ in members), tuple(reason.evidence[0] for _, reason in members), claim)
