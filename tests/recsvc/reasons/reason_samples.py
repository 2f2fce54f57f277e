"""Items and evidence for the tests of reasons."""

from dataclasses import replace
from typing import Any

from recsvc.domain.reason import Evidence, EvidenceKind, Strength
from recsvc.domain.shop import EventType, Item

ATTRIBUTES = (("colour", "Crimson"), ("Material", "Stoneware"), ("style", "Retro"), ("use", "Camping"))
MUG = Item("mug", "Red Retrospot Mug", brand="Potter & Sons", categories=("Kitchen", "Mugs"), attributes=ATTRIBUTES)
TRAY = Item("tray", "Bamboo Serving Tray", brand="Grove", categories=("Kitchen", "Trays"))
CLOCK = Item("clock", "English Rose Table Clock", brand="Hourly", categories=("Home", "Clocks"))
CUP = Item("cup", "北欧风陶瓷马克杯", brand="青木", categories=("家居", "杯子"))


def evidence_for(
    kind: EvidenceKind,
    strength: Strength,
    anchor: Item = TRAY,
    item: Item = MUG,
    event: EventType = EventType.PURCHASE,
    attribute: tuple[str, str] | None = None,
) -> Evidence:
    """Evidence of a kind that supports recommending `item`. Its numbers occur in no name."""
    name, value = attribute or (item.attributes[0] if item.attributes else ("", ""))
    causal = {"effect": 0.3, "share": 0.5}
    fields: dict[EvidenceKind, dict[str, Any]] = {
        EvidenceKind.REPEAT_PURCHASE: {**causal, "count": 7},
        EvidenceKind.REPEAT_INTERVAL: {"anchor": item, "count": 7, "days": 28, "elapsed": 31},
        EvidenceKind.HISTORY_ITEM: {**causal, "anchor": anchor, "event": event},
        EvidenceKind.SIMILAR_ITEM: {"anchor": anchor, "event": event},
        EvidenceKind.CO_PURCHASE: {
            "anchor": anchor,
            "event": event,
            "count": 57,
            "people": 312,
            "days": 365,
            "lift": 2.5,
        },
        EvidenceKind.BRAND: {"value": item.brand, "count": 7, "lift": 2.5},
        EvidenceKind.CATEGORY: {"value": (item.categories or ("",))[-1], "count": 7, "lift": 2.5},
        EvidenceKind.ATTRIBUTE: {"name": name, "value": value, "count": 7, "lift": 2.5},
        EvidenceKind.PROFILE: causal,
        EvidenceKind.POPULARITY: {"count": 312, "days": 28},
        EvidenceKind.NAME: {"value": item.title},
        EvidenceKind.AUDIENCE: {"name": "brand", "value": item.brand},
    }
    return Evidence(kind=kind, strength=strength, **fields[kind])


def evidence_of_every_form(kind: EvidenceKind, strength: Strength) -> list[Evidence]:
    """Evidence of a kind for every event with the anchor, and every form of attribute."""
    if kind is EvidenceKind.ATTRIBUTE:
        return [evidence_for(kind, strength, attribute=attribute) for attribute in ATTRIBUTES]
    if kind is EvidenceKind.REPEAT_PURCHASE:
        many = evidence_for(kind, strength)
        return [many, replace(many, count=1), replace(many, elapsed=31), replace(many, count=1, elapsed=31)]
    if kind in (EvidenceKind.HISTORY_ITEM, EvidenceKind.SIMILAR_ITEM, EvidenceKind.CO_PURCHASE):
        events = (EventType.PURCHASE, EventType.VIEW, EventType.ADD_TO_CART)
        return [evidence_for(kind, strength, event=event) for event in events]
    if kind is EvidenceKind.PROFILE:
        return [evidence_for(kind, strength), replace(evidence_for(kind, strength), value="Mug")]
    return [evidence_for(kind, strength)]
