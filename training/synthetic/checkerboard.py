"""A shop whose right answer is known: even users buy even items, odd users odd ones, and one each is withheld.

After the test data of benfred/implicit. Even items are kitchen things and odd ones garden things, and profiles say
which, so that purchases, their order, text and profile each give the answer away by themselves.
"""

import datetime
from dataclasses import dataclass

import polars as pl

from training.synthetic.catalogue import numbered_ids

_BEGINS = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC)
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
MAX_ITEMS = 2 * min(len(colour.materials) * len(colour.things) * len(_SIZES) for colour in _COLOURS)


@dataclass(frozen=True)
class Checkerboard:
    """The three tables in contract columns; `withheld`, by user_id, the one item of their colour not bought yet."""

    events: pl.DataFrame
    items: pl.DataFrame
    users: pl.DataFrame
    withheld: dict[str, str]


def checkerboard(n_users: int, n_items: int) -> Checkerboard:
    """Each user buys all items of the own colour but one, in a circle that starts after the withheld one.

    So the withheld item is also what comes next, and every item is withheld from somebody when there are as many users
    as items. Timestamps grow by a minute an event. ValueError when a colour would have fewer than two items or users,
    or more items than titles.
    """
    if n_users < 4 or not 4 <= n_items <= MAX_ITEMS:
        raise ValueError(f"a checkerboard has at least 4 users and 4 to {MAX_ITEMS} items, not {n_users} and {n_items}")
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
