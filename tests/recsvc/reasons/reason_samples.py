"""Items and evidence that the tests of reasons share."""

from dataclasses import replace

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
    """Evidence of that kind that supports recommending `item`, with numbers that occur in no name."""
    match kind:
        case EvidenceKind.REPEAT_PURCHASE:
            return Evidence(kind, strength, effect=0.3, share=0.5, count=7)
        case EvidenceKind.REPEAT_INTERVAL:
            return Evidence(kind, strength, anchor=item, count=7, days=28, elapsed=31)
        case EvidenceKind.HISTORY_ITEM:
            return Evidence(kind, strength, effect=0.3, share=0.5, anchor=anchor, event=event)
        case EvidenceKind.SIMILAR_ITEM:
            return Evidence(kind, strength, anchor=anchor, event=event)
        case EvidenceKind.CO_PURCHASE:
            return Evidence(kind, strength, anchor=anchor, event=event, count=57, people=312, days=365, lift=2.5)
        case EvidenceKind.BRAND:
            return Evidence(kind, strength, value=item.brand, count=7, lift=2.5)
        case EvidenceKind.CATEGORY:
            return Evidence(kind, strength, value=item.categories[-1], count=7, lift=2.5)
        case EvidenceKind.ATTRIBUTE:
            name, value = attribute or item.attributes[0]
            return Evidence(kind, strength, name=name, value=value, count=7, lift=2.5)
        case EvidenceKind.PROFILE:
            return Evidence(kind, strength, effect=0.3, share=0.5)
        case EvidenceKind.POPULARITY:
            return Evidence(kind, strength, count=312, days=28)
        case EvidenceKind.NAME:
            return Evidence(kind, strength, value=item.title)
        case EvidenceKind.AUDIENCE:
            return Evidence(kind, strength, name="brand", value=item.brand)


def evidence_of_every_form(kind: EvidenceKind, strength: Strength) -> list[Evidence]:
    """The same for whatever the user does with the anchor, and for every sort of attribute."""
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
