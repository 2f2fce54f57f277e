"""Items and evidence for the tests of reasons."""

from dataclasses import replace
from typing import Any

from recsvc.domain.reason import Evidence, EvidenceKind, Strength, Tone
from recsvc.domain.shop import EventType, Item
from recsvc.reasons import PatternRequest, Realiser
from recsvc.reasons.grammar.lexicon import sentences

ATTRIBUTES = (("colour", "Crimson"), ("Material", "Stoneware"), ("style", "Retro"), ("use", "Camping"))
MUG = Item("mug", "Red Retrospot Mug", brand="Potter & Sons", categories=("Kitchen", "Mugs"), attributes=ATTRIBUTES)
TRAY = Item("tray", "Bamboo Serving Tray", brand="Grove", categories=("Kitchen", "Trays"))
CLOCK = Item("clock", "English Rose Table Clock", brand="Hourly", categories=("Home", "Clocks"))
CHINESE = (("颜色", "藏青"), ("材质", "陶瓷"), ("风格", "北欧"), ("用途", "露营"))
CUP = Item("cup", "北欧风陶瓷马克杯", brand="青木", categories=("家居", "杯子"), attributes=CHINESE)
ITEM_OF = {"en": MUG, "zh": CUP}  # an item with categories and attributes in the words of each language


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
            "days": 84,
            "lift": 2.5,
        },
        EvidenceKind.BRAND: {"value": item.brand, "count": 7, "lift": 2.5},
        EvidenceKind.CATEGORY: {"value": (item.categories or ("",))[-1], "count": 7, "lift": 2.5},
        EvidenceKind.ATTRIBUTE: {"name": name, "value": value, "count": 7, "lift": 2.5},
        EvidenceKind.PROFILE: {**causal, "name": "Interests", "value": "露营" if item is CUP else "baking bread"},
        EvidenceKind.POPULARITY: {"count": 312, "days": 28},
        EvidenceKind.NAME: {"value": item.title},
        EvidenceKind.AUDIENCE: {"name": "brand", "value": item.brand},
        EvidenceKind.SYNONYM: {"name": (item.categories or ("",))[-1], "value": "beakers"},
        EvidenceKind.QUERY: {"value": "something for tea", "count": 31, "days": 28},
    }
    return Evidence(kind=kind, strength=strength, **fields[kind])


def evidence_of_every_form(kind: EvidenceKind, strength: Strength, item: Item = MUG) -> list[Evidence]:
    """Evidence of a kind for every form that its claim can take."""
    one = evidence_for(kind, strength, item=item)
    if kind is EvidenceKind.ATTRIBUTE:
        return [evidence_for(kind, strength, item=item, attribute=attribute) for attribute in item.attributes]
    if kind is EvidenceKind.REPEAT_PURCHASE:
        return [one, replace(one, count=1), replace(one, elapsed=31), replace(one, count=1, elapsed=31)]
    if kind in (EvidenceKind.HISTORY_ITEM, EvidenceKind.SIMILAR_ITEM, EvidenceKind.CO_PURCHASE):
        events = (EventType.PURCHASE, EventType.VIEW, EventType.ADD_TO_CART)
        return [evidence_for(kind, strength, item=item, event=event) for event in events]
    if kind is EvidenceKind.CATEGORY:
        return [one, replace(one, value=item.categories[0])]
    if kind is EvidenceKind.PROFILE:
        return [one, replace(one, name="About")]
    return [one]


def sentence_beside_the_bank(request: PatternRequest) -> str:
    """A sentence that the lexicon permits for a claim, and that the phrase bank does not have."""
    permitted = sentences(request.kind, request.strength, request.form, request.language, request.recipe)
    known = {pattern for tone in Tone for pattern in Realiser().patterns(replace(request, tone=tone))}
    return min(permitted - known)
