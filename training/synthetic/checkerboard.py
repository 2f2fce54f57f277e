"""A shop with a known right answer: even users buy even items, odd users odd ones, and one item each is withheld.

After the test data of benfred/implicit. Even items are for the kitchen and odd ones for the garden, and profiles say
which. So purchases, their order, texts and profiles each give the answer alone.
"""

import datetime as dt
from dataclasses import dataclass

import polars as pl

from training.synthetic.catalogue import numbered_ids

_BEGINS = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
_SIZES = ("Medium", "Small", "Large", "Extra Large", "Set of Two", "Set of Four")


@dataclass(frozen=True)
class _Colour:
    path: str
    about: tuple[str, str]
    materials: tuple[str, ...]
    things: tuple[str, ...]


_COLOURS = (
    _Colour(
        path="Kitchen > Cooking",
        about=(
            "Loves cooking and spends every evening in the kitchen.",
            "Bakes bread and cooks dinner for friends.",
        ),
        materials=("Copper", "Stoneware", "Enamel", "Non-Stick", "Porcelain", "Cast Iron"),
        things=("Saucepan", "Frying Pan", "Baking Tray", "Teapot", "Mixing Bowl", "Cake Tin", "Casserole", "Wok"),
    ),
    _Colour(
        path="Garden > Growing",
        about=(
            "Loves gardening and is outdoors among the plants all day.",
            "Grows vegetables and roses on an allotment.",
        ),
        materials=("Terracotta", "Galvanised", "Cedar", "Rustproof", "Long-Handled", "Willow"),
        things=("Plant Pot", "Spade", "Rake", "Seed Tray", "Trellis", "Hoe", "Raised Bed", "Bird Bath"),
    ),
)
MIN_ITEMS = MIN_USERS = 4  # two of each colour
MAX_ITEMS = 2 * min(len(colour.materials) * len(colour.things) * len(_SIZES) for colour in _COLOURS)


@dataclass(frozen=True)
class Checkerboard:
    """A checkerboard shop.

    Attributes:
        events: The events table, in contract columns.
        items: The items table.
        users: The users table.
        withheld: By user_id, the one item of the user's colour that is not bought yet.
    """

    events: pl.DataFrame
    items: pl.DataFrame
    users: pl.DataFrame
    withheld: dict[str, str]


def checkerboard(n_users: int, n_items: int) -> Checkerboard:
    """Makes a checkerboard: each user buys all items of one colour except one.

    The items of a colour form a circle, and a user starts after the withheld item: so it is also the item that comes
    next. With as many users as items, every item is withheld from somebody. Each event is a minute after the one
    before.

    Raises:
        ValueError: A colour would have fewer than two items or users, or more items than titles.
    """
    if n_users < MIN_USERS or not MIN_ITEMS <= n_items <= MAX_ITEMS:
        size = f"at least {MIN_USERS} users and {MIN_ITEMS} to {MAX_ITEMS} items"
        raise ValueError(f"a checkerboard has {size}, not {n_users} and {n_items}")
    item_ids, user_ids = numbered_ids("i", n_items), numbered_ids("u", n_users)
    circles = item_ids[::2], item_ids[1::2]
    withheld = {user_id: circles[u % 2][u // 2 % len(circles[u % 2])] for u, user_id in enumerate(user_ids)}
    bought = [
        (user_id, circles[u % 2][(u // 2 + step) % len(circles[u % 2])])
        for step in range(1, len(circles[0]))
        for u, user_id in enumerate(user_ids)
        if step < len(circles[u % 2])
    ]
    events = pl.DataFrame(bought, schema=["user_id", "item_id"], orient="row").select(
        "user_id",
        "item_id",
        timestamp=pl.lit(_BEGINS) + pl.duration(minutes=pl.int_range(pl.len())),
        event_type=pl.lit("purchase"),
        quantity=pl.lit(1, pl.Int32),
        price=pl.lit(10.0),
        order_id=pl.format("o{}", pl.int_range(pl.len()).cast(pl.String).str.zfill(7)),
    )
    items = pl.DataFrame(
        {
            "item_id": item_ids,
            "title": [_title(_COLOURS[i % 2], i // 2) for i in range(n_items)],
            "categories": [_COLOURS[i % 2].path for i in range(n_items)],
            "brand": ["Plainware"] * n_items,
            "price": [10.0] * n_items,
            "currency": ["GBP"] * n_items,
        }
    )
    about = [_COLOURS[u % 2].about[u // 2 % 2] for u in range(n_users)]
    return Checkerboard(events, items, pl.DataFrame({"user_id": user_ids, "about": about}), withheld)


def _title(colour: _Colour, number: int) -> str:
    number, material = divmod(number, len(colour.materials))
    size, thing = divmod(number, len(colour.things))
    return f"{colour.materials[material]} {colour.things[thing]}, {_SIZES[size]}"
