"""Items and facts for the tests of copy."""

from recsvc.domain.reason import Evidence, EvidenceKind, Strength
from recsvc.domain.shop import Item

ENGLISH = (("Colour", "Navy Blue"), ("Material", "Solid Oak"), ("Style", "Scandinavian"), ("Use", "Small Kitchens"))
CHINESE = (("颜色", "藏青"), ("材质", "实木"), ("风格", "北欧"), ("用途", "小户型厨房"))
ITEMS = {
    "en": [
        Item("a1", "Lidded Storage Bench", "Potterhill", ("Home", "Benches"), attributes=ENGLISH),
        Item("a2", "Potterhill Egg Cups, Set of 4", "Potterhill", ("Kitchen", "Egg Cups"), attributes=ENGLISH[1:2]),
        Item("a3", "the walnut tray", "", ("Kitchen", "Trays"), attributes=(*ENGLISH[2:], ("Use", "Travel"))),
        Item("a4", "Hiking Socks", "Fernhollow", (), attributes=ENGLISH[:2]),
        Item("a5", "WHITE HANGING HEART HOLDER", "Apiary", ("Home", "Light Holders")),
    ],
    "zh": [
        Item("b1", "炙坊 小院系列 木炭烧烤炉 5升", "炙坊", ("园艺", "烧烤炉"), attributes=CHINESE),
        Item("b2", "北欧风陶瓷马克杯", "青木", ("家居", "杯子"), attributes=CHINESE[:2]),
        Item("b3", "软木瑜伽垫", "", ("运动", "瑜伽垫"), attributes=CHINESE[1:]),
    ],
}


def facts_of(item: Item, count: int = 312, days: int = 28) -> tuple[Evidence, ...]:
    """All facts about an item, written out by hand."""
    neutral, kinds = Strength.NEUTRAL, EvidenceKind
    facts = [Evidence(kinds.NAME, neutral, value=item.title)]
    facts += [Evidence(kinds.BRAND, neutral, value=item.brand)] if item.brand else []
    facts += [Evidence(kinds.CATEGORY, neutral, value=name) for name in item.categories[-1:]]
    facts += [Evidence(kinds.ATTRIBUTE, neutral, name=name, value=value) for name, value in item.attributes]
    return (*facts, Evidence(kinds.POPULARITY, neutral, count=count, days=days))


def audience(name: str, value: str) -> Evidence:
    return Evidence(EvidenceKind.AUDIENCE, Strength.NEUTRAL, name=name, value=value)
