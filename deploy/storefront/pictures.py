"""A picture for a product without one: a drawing of its department on a ground that is the product's own."""

import hashlib
from dataclasses import dataclass

from deploy.storefront.catalogue import Product

TINTS = 10  # of static/shop.css
FALLBACK = "parcel"

# The drawings of static/pictures.svg, and what a path of categories says where one fits. The first that fits is taken,
# the closest words first.
_DRAWINGS = {
    "tea": ("tea", "coffee", "cafetière", "茶", "咖啡"),
    "paw": ("pets", "dogs", "cats", "宠物"),
    "bicycle": ("cycling", "bike", "骑行"),
    "camera": ("photography", "摄影"),
    "candle": ("candles", "香薰", "蜡烛"),
    "book": ("book", "notebook", "stationery", "图书", "文具"),
    "palette": ("painting", "drawing", "art", "绘画"),
    "yarn": ("crafts", "knitting", "sewing", "手工"),
    "leaf": ("garden", "plants", "flowers", "园艺", "绿植"),
    "pot": ("kitchen", "cookware", "baking", "厨房"),
    "apple": ("food", "drink", "chocolate", "食品"),
    "headphones": ("electronics", "audio", "gaming", "数码"),
    "note": ("music", "guitars", "乐器", "音乐"),
    "die": ("toys", "games", "puzzles", "玩具"),
    "tent": ("outdoors", "camping", "hiking", "户外"),
    "shoe": ("sport", "running", "yoga", "swimming", "运动"),
    "shirt": ("clothing", "knitwear", "fashion", "服饰"),
    "drop": ("beauty", "skincare", "haircare", "美妆"),
    "heart": ("health", "remedies", "健康"),
    "bubbles": ("household", "laundry", "cleaning", "日用"),
    "lamp": ("home", "bedding", "furniture", "家居"),
}


@dataclass(frozen=True, slots=True)
class Picture:
    """drawing: an id of static/pictures.svg. tint: a class of the style sheet. discs: x, y and radius in a box of
    200 by 150. turn: how the ground lies, in degrees.
    """

    drawing: str
    tint: int
    discs: tuple[tuple[int, int, int], ...]
    turn: int


def picture(product: Product) -> Picture:
    """The same for the same product on any day."""
    shelf = _numbers(" > ".join(product.categories[:2]))
    own = _numbers(product.item_id)
    discs = tuple(
        (20 + own[i] * 160 // 255, 10 + own[i + 1] * 130 // 255, 18 + own[i + 2] * 40 // 255) for i in (0, 3, 6)
    )
    return Picture(drawing_of(product.path), shelf[0] % TINTS, discs, own[9] * 360 // 256)


def drawing_of(path: str) -> str:
    words = path.casefold()
    parts = set(words.replace(">", " ").replace("&", " ").split())
    for drawing, known in _DRAWINGS.items():
        if any(word in parts or (not word.isascii() and word in words) for word in known):
            return drawing
    return FALLBACK


def _numbers(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
