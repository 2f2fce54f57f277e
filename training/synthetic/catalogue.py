"""The items of the shop: titles from a grammar, category paths, brands and prices, and their hidden properties."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.synthetic.words import Category, Option, ProductType, Vocabulary

# A title without a product line is this many times as likely as one with a certain line. The same for uses.
_PLAIN_LINE_ODDS = 12.0
_PLAIN_USE_ODDS = 12.0
# Of the possible titles of a type, at most this share is used: with all of them, the grammar shows.
_MAX_TITLE_SHARE = 0.8


@dataclass(frozen=True)
class Catalogue:
    """The items. The arrays have one entry an item, in the order of the frame.

    Attributes:
        frame: The items table, in contract columns.
        category: int64, positions in `Vocabulary.categories`.
        product_type: int64, positions in the list of all types.
        brand: int64, positions among the brands of the category.
        price: float64, list prices.
        price_level: float64, the log price, standardised within the type.
        interval_days: float64, days until an item is used up; nan for a durable one.
        accessories: For each type, the types that are bought beside it.
    """

    frame: pl.DataFrame
    category: NDArray[np.int64]
    product_type: NDArray[np.int64]
    brand: NDArray[np.int64]
    price: NDArray[np.float64]
    price_level: NDArray[np.float64]
    interval_days: NDArray[np.float64]
    accessories: tuple[tuple[int, ...], ...]


def make_catalogue(vocabulary: Vocabulary, n_items: int, rng: np.random.Generator) -> Catalogue:
    """Makes `n_items` items with distinct titles.

    Raises:
        ValueError: The vocabulary has too few titles.
    """
    pairs = [(c, kind) for c, category in enumerate(vocabulary.categories) for kind in category.types]
    counts = _counts_by_type(vocabulary, pairs, n_items, rng)
    brand_factors = [rng.lognormal(0.0, 0.2, len(category.brands)) for category in vocabulary.categories]

    product_type = np.repeat(np.arange(len(pairs)), counts)
    category = np.array([c for c, _ in pairs])[product_type]
    titles: list[str] = []
    attributes: list[str] = []
    brands, prices, intervals = [], [], []
    for (c, kind), count in zip(pairs, counts, strict=True):
        slots = _draw_slots(vocabulary.categories[c], kind, int(count), rng)
        titles += _titles(vocabulary, vocabulary.categories[c], kind, slots)
        attributes += _attributes(kind, slots)
        size = _factors(kind.finishes)[slots["finish"]]
        prices.append(kind.price * _factors(kind.variants)[slots["variant"]] * size * brand_factors[c][slots["brand"]])
        intervals.append((kind.days or np.nan) * size)
        brands.append(slots["brand"])

    price = _shop_prices(np.concatenate(prices) * rng.lognormal(0.0, 0.15, n_items), vocabulary.price_ends, rng)
    interval_days = np.concatenate(intervals) * rng.lognormal(0.0, 0.06, n_items)
    brand = np.concatenate(brands)

    # The shop numbers its items in random order, not by category.
    shuffled = rng.permutation(n_items)
    product_type, category, brand = product_type[shuffled], category[shuffled], brand[shuffled]
    price, interval_days = price[shuffled], interval_days[shuffled]
    paths = [
        f"{vocabulary.categories[c].department} > {vocabulary.categories[c].name} > {kind.name}" for c, kind in pairs
    ]
    brand_names = [vocabulary.categories[c].brands[b] for c, b in zip(category, brand, strict=True)]
    frame = pl.DataFrame(
        {
            "item_id": numbered_ids("i", n_items),
            "title": [titles[i] for i in shuffled],
            "categories": [paths[t] for t in product_type],
            "brand": brand_names,
            "price": price,
            "currency": [vocabulary.currency] * n_items,
            "attributes": [attributes[i] for i in shuffled],
        }
    )
    by_name = {(pairs[t][0], pairs[t][1].name): t for t in range(len(pairs))}
    any_category = {kind.name: t for t, (_, kind) in enumerate(pairs)}
    accessories = tuple(
        tuple(by_name.get((c, name), any_category[name]) for name in kind.accessories) for c, kind in pairs
    )
    price_level = _standardised(np.log(price), product_type)
    return Catalogue(frame, category, product_type, brand, price, price_level, interval_days, accessories)


def numbered_ids(prefix: str, n: int) -> list[str]:
    """'i00000', 'i00001', ...: at least five digits, the same number in each id."""
    width = max(5, len(str(n - 1)))
    return [f"{prefix}{number:0{width}d}" for number in range(n)]


def _counts_by_type(
    vocabulary: Vocabulary, pairs: list[tuple[int, ProductType]], n_items: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """The number of items of each type: one of each if there are enough, the rest by weight, within its titles."""
    capacity = np.array([int(_MAX_TITLE_SHARE * np.prod(_shape(vocabulary.categories[c], kind))) for c, kind in pairs])
    if n_items > capacity.sum():
        raise ValueError(f"{n_items:,} items are more than the {capacity.sum():,} titles that this vocabulary can form")
    share = np.array([vocabulary.categories[c].share / len(vocabulary.categories[c].types) for c, _ in pairs])
    weight = share * rng.lognormal(0.0, 0.35, len(pairs))
    counts = np.zeros(len(pairs), dtype=np.int64)
    counts[rng.permutation(len(pairs))[:n_items]] = 1
    while (missing := n_items - counts.sum()) > 0:
        room = weight * (counts < capacity)
        counts = np.minimum(counts + rng.multinomial(missing, room / room.sum()), capacity)
    return counts


def _shape(category: Category, kind: ProductType) -> tuple[int, ...]:
    return (
        len(category.brands),
        1 + len(category.lines),
        len(kind.variants),
        1 + len(kind.uses),
        len(kind.finishes),
    )


def _draw_slots(
    category: Category, kind: ProductType, count: int, rng: np.random.Generator
) -> dict[str, NDArray[np.int64]]:
    """Draws distinct combinations, plain ones more often: weighted sampling without replacement (Gumbel top-k)."""
    shape = _shape(category, kind)
    keys = rng.gumbel(size=shape)
    keys[:, 0] += np.log(_PLAIN_LINE_ODDS)
    keys[:, :, :, 0] += np.log(_PLAIN_USE_ODDS)
    chosen = np.argsort(-keys, axis=None, kind="stable")[:count]
    indices = np.unravel_index(chosen, shape)
    return dict(zip(("brand", "line", "variant", "use", "finish"), indices, strict=True))


def _titles(
    vocabulary: Vocabulary, category: Category, kind: ProductType, slots: dict[str, NDArray[np.int64]]
) -> list[str]:
    lines, uses = ("", *category.lines), ("", *kind.uses)
    titles = (
        vocabulary.title.format(
            brand=category.brands[brand],
            line=lines[line],
            variant=kind.variants[variant].text,
            noun=kind.noun,
            use=uses[use],
            finish=kind.finishes[finish].text,
        )
        for brand, line, variant, use, finish in zip(*slots.values(), strict=True)
    )
    return [" ".join(title.split()).replace(" ,", ",") for title in titles]


def _attributes(kind: ProductType, slots: dict[str, NDArray[np.int64]]) -> list[str]:
    """The attributes as the items table writes them; a type with a single variant has no attribute for it."""
    named = (("variant", kind.variants), ("finish", kind.finishes))
    columns = [[f"{name}={options[i].text}" for i in slots[name]] for name, options in named if len(options) > 1]
    return ["; ".join(pairs) for pairs in zip(*columns, strict=True)] if columns else [""] * len(slots["brand"])


def _factors(options: tuple[Option, ...]) -> NDArray[np.float64]:
    return np.array([option.factor for option in options], np.float64)


def _shop_prices(price: NDArray[np.float64], ends: tuple[float, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    """Prices as shops write them: whole units and a customary ending, never 0."""
    written = np.floor(price) + rng.choice(ends, len(price))
    return np.asarray(np.round(np.where(written > 0, written, ends[0]), 2), np.float64)


def _standardised(values: NDArray[np.float64], group: NDArray[np.int64]) -> NDArray[np.float64]:
    """Each value minus the mean of its group, over its standard deviation; 0 in a group of one."""
    size = np.maximum(np.bincount(group), 1)
    centred = values - (np.bincount(group, values) / size)[group]
    spread = np.sqrt(np.bincount(group, centred**2) / size)
    return np.asarray(centred / np.where(spread > 0, spread, 1.0)[group], np.float64)
