"""Draws a picture for a product that has none: a drawing of its category on a background of its own."""

import hashlib
import re
from dataclasses import dataclass

from deploy.storefront.catalogue import Product

TINTS = 10  # background colours in static/shop.css
FALLBACK = "parcel"

# The drawings of static/pictures.svg, and the words in a category's name that each is for. The deepest category with
# one of these words decides.
_DRAWINGS = {
    "tea": ("tea", "teapots", "coffee", "cafetières", "mugs", "brew", "茶", "咖啡"),
    "pen": ("pens", "pencils", "brushes", "笔"),
    "ink": ("ink", "acrylics", "paints", "墨水", "颜料"),
    "envelope": ("cards", "贺卡"),
    "book": ("book", "books", "notebook", "notebooks", "stationery", "文具", "本"),
    "palette": ("painting", "drawing", "art", "artist", "watercolours", "绘画"),
    "yarn": ("crafts", "knitting", "crochet", "yarn", "wool", "sewing", "手工", "毛线"),
    "bicycle": ("cycling", "bike", "骑行"),
    "camera": ("photography", "camera", "cameras", "摄影"),
    "gamepad": ("gaming", "controllers", "电竞", "游戏"),
    "headphones": ("electronics", "audio", "headphones", "earbuds", "数码"),
    "guitar": ("guitar", "guitars", "吉他"),
    "record": ("vinyl", "turntables", "record", "唱片"),
    "note": ("music", "pianos", "piano", "乐器", "音乐"),
    "flame": ("candles", "candle", "barbecues", "charcoal", "stoves", "fuel", "香薰", "蜡烛"),
    "bed": ("bedding", "duvets", "duvet", "beds", "sheets", "pillowcases", "hammocks", "床品"),
    "bag": ("bags", "satchels", "daypacks", "panniers", "wallets", "包"),
    "umbrella": ("rainwear", "raincoats", "umbrellas", "雨具", "雨"),
    "boot": ("boots", "boot", "wellies", "靴"),
    "shirt": ("clothing", "knitwear", "jerseys", "jackets", "cardigans", "jumpers", "fashion", "服饰"),
    "shoe": ("sport", "running", "shoes", "yoga", "swimming", "运动"),
    "leaf": ("garden", "plants", "plant", "flowers", "houseplants", "flower", "seeds", "园艺", "绿植"),
    "fish": ("fish", "aquariums", "鱼"),
    "bird": ("bird", "birds", "鸟"),
    "paw": ("pets", "dogs", "dog", "cats", "cat", "宠物", "猫", "狗"),
    "bowl": ("baking", "bowls", "flour", "烘焙"),
    "pot": ("kitchen", "cookware", "saucepans", "casseroles", "厨房"),
    "apple": ("food", "drink", "食品", "biscuits", "chocolate"),
    "puzzle": ("puzzles", "puzzle", "jigsaws", "building", "拼图"),
    "die": ("toys", "games", "game", "玩具"),
    "tent": ("outdoors", "camping", "hiking", "tents", "tent", "户外"),
    "drop": ("beauty", "skincare", "haircare", "shampoo", "美妆"),
    "heart": ("health", "remedies", "健康"),
    "roll": ("rolls", "paper", "纸品"),
    "bubbles": ("household", "laundry", "cleaning", "soap", "日用"),
    "lamp": ("home", "furniture", "lighting", "lights", "家居"),
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture.

    Attributes:
        drawing: An id in static/pictures.svg.
        tint: The number of a background colour in the style sheet.
        discs: x, y and radius, in a box of 200 by 150.
        turn: The rotation of the background in degrees.
    """

    drawing: str
    tint: int
    discs: tuple[tuple[int, int, int], ...]
    turn: int


def picture(product: Product) -> Picture:
    """Makes the picture of a product, always the same."""
    category = _hash_bytes(product.path)
    own = _hash_bytes(product.item_id)
    discs = tuple(
        (20 + own[i] * 160 // 255, 10 + own[i + 1] * 130 // 255, 18 + own[i + 2] * 40 // 255) for i in (0, 3, 6)
    )
    return Picture(drawing_of(product.categories), category[0] % TINTS, discs, own[9] * 360 // 256)


def drawing_of(categories: tuple[str, ...]) -> str:
    """Chooses the drawing for an item of these categories."""
    for category in reversed(categories):
        words = set(re.findall(r"\w+", category.casefold()))
        for drawing, names in _DRAWINGS.items():
            # Chinese has no spaces between words.
            if any(word in words or (not word.isascii() and word in category) for word in names):
                return drawing
    return FALLBACK


def _hash_bytes(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
