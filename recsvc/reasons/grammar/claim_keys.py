"""The claims that a reason can make, and the slots that each states. The lexicon has these keys and no others."""

from collections.abc import Mapping

from recsvc.domain.reason import EvidenceKind, Strength
from recsvc.reasons.grammar.pattern import Form

_K, _S, _F = EvidenceKind, Strength, Form

Claimed = tuple[EvidenceKind, Strength, Form]
"""A kind of evidence, how strong the words are, and the form of the wording."""

_EVENTS = (_F.PLAIN, _F.VIEWED, _F.CART)
GROUP_OF: Mapping[Form, Form] = {_F.PLAIN: _F.GROUP, _F.VIEWED: _F.GROUP_VIEWED, _F.CART: _F.GROUP_CART}
"""The form of the line above several items, by the form of a sentence beside one of them."""

_ANCHORED = ((_K.HISTORY_ITEM, _S.CAUSAL), (_K.HISTORY_ITEM, _S.CONTRIBUTORY), (_K.SIMILAR_ITEM, _S.RELATIONAL))
_CO_PURCHASE = (_K.CO_PURCHASE, _S.RELATIONAL)
_ATTRIBUTES = (_F.COLOUR, _F.MATERIAL, _F.STYLE, _F.USE)

REASON_SLOTS: Mapping[Claimed, frozenset[str]] = {
    (_K.REPEAT_PURCHASE, _S.RELATIONAL, _F.PLAIN): frozenset(),
    (_K.REPEAT_PURCHASE, _S.RELATIONAL, _F.MANY): frozenset({"times"}),
    (_K.REPEAT_PURCHASE, _S.RELATIONAL, _F.AGO): frozenset({"ago"}),
    (_K.REPEAT_PURCHASE, _S.RELATIONAL, _F.MANY_AGO): frozenset({"times", "ago"}),
    (_K.REPEAT_INTERVAL, _S.RELATIONAL, _F.PLAIN): frozenset({"every", "since"}),
    **{(*claim, form): frozenset({"item"}) for claim in _ANCHORED for form in _EVENTS},
    **{(*_CO_PURCHASE, form): frozenset({"count", "people", "item", "period"}) for form in _EVENTS},
    **{(*claim, form): frozenset({"item"}) for claim in (*_ANCHORED, _CO_PURCHASE) for form in GROUP_OF.values()},
    (_K.BRAND, _S.RELATIONAL, _F.PLAIN): frozenset({"value", "times"}),
    (_K.CATEGORY, _S.RELATIONAL, _F.PLAIN): frozenset({"value", "times"}),
    (_K.CATEGORY, _S.RELATIONAL, _F.DEPARTMENT): frozenset({"value", "times"}),
    **{(_K.ATTRIBUTE, _S.RELATIONAL, form): frozenset({"value", "times"}) for form in _ATTRIBUTES},
    (_K.PROFILE, _S.NEUTRAL, _F.LIKES): frozenset({"value"}),
    (_K.PROFILE, _S.NEUTRAL, _F.MENTIONED): frozenset({"value"}),
    (_K.POPULARITY, _S.NEUTRAL, _F.PLAIN): frozenset({"count", "period"}),
}


def key_of(kind: EvidenceKind, strength: Strength, form: Form) -> str:
    """The heading of a claim in the lexicon: "history_item.causal.viewed"."""
    return ".".join(filter(None, (kind, strength, form)))


CLAIM_BY_KEY: Mapping[str, Claimed] = {key_of(*claim): claim for claim in REASON_SLOTS}
