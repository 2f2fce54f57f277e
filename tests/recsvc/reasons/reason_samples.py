"""Items and evidence that the tests of reasons share."""

from recsvc.domain import Evidence, EvidenceKind, Item, Strength

MUG = Item("mug", "Red Retrospot Mug", brand="Potter & Sons", categories=("Kitchen", "Mugs"))
TRAY = Item("tray", "Bamboo Serving Tray", brand="Grove", categories=("Kitchen", "Trays"))
CLOCK = Item("clock", "English Rose Table Clock", brand="Hourly", categories=("Home", "Clocks"))
CUP = Item("cup", "北欧风陶瓷马克杯", brand="青木", categories=("家居", "杯子"))


def evidence_for(kind: EvidenceKind, strength: Strength, anchor: Item = TRAY, item: Item = MUG) -> Evidence:
    """Evidence of that kind that supports recommending `item`, with numbers that occur in no name."""
    if kind is EvidenceKind.REPEAT_PURCHASE:
        return Evidence(kind, strength, effect=0.3, share=0.5, count=7)
    if kind is EvidenceKind.HISTORY_ITEM:
        return Evidence(kind, strength, effect=0.3, share=0.5, anchor=anchor)
    if kind is EvidenceKind.SIMILAR_ITEM:
        return Evidence(kind, strength, anchor=anchor)
    if kind is EvidenceKind.BRAND:
        return Evidence(kind, strength, value=item.brand, count=7, lift=2.5)
    if kind is EvidenceKind.CATEGORY:
        return Evidence(kind, strength, value=item.categories[-1], count=7, lift=2.5)
    if kind is EvidenceKind.PROFILE:
        return Evidence(kind, strength, effect=0.3, share=0.5)
    return Evidence(kind, strength, count=312, days=28)
