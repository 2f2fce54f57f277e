"""The events of the shop: orders, accessories and repeats of consumables, and the views, carts and returns."""

import datetime as dt

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.synthetic.catalogue import Catalogue
from training.synthetic.demand import N_DAYS, N_PERIODS, OPENS, PERIOD_DAYS, Demand, WeightedDraw
from training.synthetic.shoppers import Shoppers

_CANDIDATES = 8  # items that a user compares before choosing one
_FAVOURITE_BRAND_ODDS = 12.0  # of a favourite brand against another
_SAME_CATEGORY_SHARE = 0.6  # of an order's further lines stay in the category of the first
_ACCESSORY_SHARE = 0.4  # of the purchases of a product with accessories lead to one
_SAME_ORDER_SHARE = 0.5  # of the accessories are in the same order, the others in a later one
_HABIT_SHARE = 0.6  # of the consumables bought once are bought again
_HABIT_ENDS_SHARE = 0.18  # of the habits end after each repeat
_RETURNED_SHARE = 0.04  # of the durables
_LUNCH_SHARE = 0.35  # of the orders are placed around noon, the others in the evening
_ON_OFFER_SHARE = 0.12  # of the items are on offer in a period
_VIEWED_SHARE = 0.5  # of the items that a user compared and did not take are viewed
_CARTED_SHARE = 0.08  # of those views lead to a cart
_SECONDS_A_DAY = 86_400

Column = NDArray[np.int64]


def make_events(catalogue: Catalogue, shoppers: Shoppers, demand: Demand, rng: np.random.Generator) -> pl.DataFrame:
    """Draws the events of the shop, in contract columns and in time order."""
    choice = _Choice(catalogue, shoppers, demand, rng)
    ordered, passed_over = _ordered(choice, shoppers, demand, rng)
    wanted = _sorted_lines(pl.concat([ordered, _accessories(choice, catalogue, ordered, rng)]))
    # Nobody needs the same teapot twice. Consumables are added again below, when they are used up.
    first = wanted.unique(["user", "item"], keep="first", maintain_order=True)
    purchases = _as_orders(_sorted_lines(pl.concat([first, _repeats(catalogue, first, rng)])), catalogue, rng)
    parts = [
        purchases,
        *_looks_before(purchases, demand, rng),
        *_looks_only(passed_over, rng),
        _returns(purchases, catalogue, rng),
        _orphan_returns(purchases, catalogue, shoppers, demand, rng),
    ]
    return _in_contract_columns(pl.concat(parts, how="diagonal"), catalogue, shoppers)


class _Choice:
    """Chooses the item of a category or of a product type that a user takes on a day."""

    def __init__(self, catalogue: Catalogue, shoppers: Shoppers, demand: Demand, rng: np.random.Generator) -> None:
        self._catalogue, self._shoppers, self._rng = catalogue, shoppers, rng
        n_categories, n_types = shoppers.tastes.shape[1], len(catalogue.accessories)
        self._by_category = WeightedDraw(demand.weights, catalogue.category, n_categories)
        self._by_type = WeightedDraw(demand.weights, catalogue.product_type, n_types)

    def of_category(self, user: Column, day: Column, category: Column) -> tuple[Column, Column]:
        """The item taken, and another one that was compared with it: (n,) each."""
        return self._taken(user, self._by_category.draw(self._rng, day // PERIOD_DAYS, category, _CANDIDATES))

    def of_type(self, user: Column, day: Column, product_type: Column) -> Column:
        return self._taken(user, self._by_type.draw(self._rng, day // PERIOD_DAYS, product_type, _CANDIDATES))[0]

    def type_is_sold(self, day: Column, product_type: Column) -> NDArray[np.bool_]:
        return self._by_type.has(day // PERIOD_DAYS, product_type)

    def _taken(self, user: Column, candidates: Column) -> tuple[Column, Column]:
        """Draws by a multinomial logit over the candidates: favourite brands and prices near the user's level win."""
        items, shoppers = self._catalogue, self._shoppers
        favourite = shoppers.favourite_brand[user[:, None], items.category[candidates]] == items.brand[candidates]
        distance = items.price_level[candidates] - shoppers.price_level[user][:, None]
        utility = np.log(_FAVOURITE_BRAND_ODDS) * favourite - 0.4 * distance**2
        order = np.argsort(-(utility + self._rng.gumbel(size=utility.shape)), axis=1)
        rows = np.arange(len(user))
        return candidates[rows, order[:, 0]], candidates[rows, order[:, 1]]


def _ordered(
    choice: _Choice, shoppers: Shoppers, demand: Demand, rng: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The lines of orders that follow a user's interests (user, item, day), and the items that were not taken."""
    by_taste = WeightedDraw(shoppers.tastes, np.zeros(shoppers.tastes.shape[1], dtype=np.int64), 1)
    by_season = WeightedDraw(demand.season, np.zeros(N_DAYS, dtype=np.int64), 1)

    user = np.repeat(np.arange(len(shoppers.cold)), np.where(shoppers.cold, 0, shoppers.n_orders))
    category = by_taste.draw(rng, user, 0, 1)[:, 0]
    day = by_season.draw(rng, category, 0, 1)[:, 0]
    joined = (shoppers.joined * N_DAYS).astype(np.int64)
    is_member = day >= joined[user]
    # A user who is not cold has bought something at least once.
    silent = np.flatnonzero(~shoppers.cold & (np.bincount(user[is_member], minlength=len(joined)) == 0))
    silent_day = joined[silent] + (rng.random(len(silent)) * (N_DAYS - joined[silent])).astype(np.int64)
    user = np.concatenate([user[is_member], silent])
    category = np.concatenate([category[is_member], by_taste.draw(rng, silent, 0, 1)[:, 0]])
    day = np.concatenate([day[is_member], silent_day])

    further = np.repeat(np.arange(len(user)), np.minimum(rng.geometric(0.6, len(user)) - 1, 7))
    other = by_taste.draw(rng, user[further], 0, 1)[:, 0]
    in_season = rng.random(len(further)) < demand.season[other, day[further]]
    stays = rng.random(len(further)) < _SAME_CATEGORY_SHARE
    kept = stays | in_season
    user = np.concatenate([user, user[further][kept]])
    category = np.concatenate([category, np.where(stays, category[further], other)[kept]])
    day = np.concatenate([day, day[further][kept]])

    item, beside = choice.of_category(user, day, category)
    lines = pl.DataFrame({"user": user, "item": item, "day": day})
    return lines, pl.DataFrame({"user": user, "item": beside, "day": day}).filter(pl.Series(item != beside))


def _accessories(choice: _Choice, catalogue: Catalogue, lines: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """The accessories of purchases: in the same order, or within three weeks."""
    width = max(1, *(len(types) for types in catalogue.accessories))
    table = np.array([(*types, *[-1] * (width - len(types))) for types in catalogue.accessories])
    count = np.array([len(types) for types in catalogue.accessories])
    user, day = lines["user"].to_numpy(), lines["day"].to_numpy()
    product_type = catalogue.product_type[lines["item"].to_numpy()]

    sells = np.flatnonzero((count[product_type] > 0) & (rng.random(len(user)) < _ACCESSORY_SHARE))
    user, day, product_type = user[sells], day[sells], product_type[sells]
    accessory = table[product_type, (rng.random(len(sells)) * count[product_type]).astype(np.int64)]
    day = day + np.where(rng.random(len(sells)) < _SAME_ORDER_SHARE, 0, rng.integers(1, 22, len(sells)))
    kept = day < N_DAYS
    kept[kept] = choice.type_is_sold(day[kept], accessory[kept])
    user, day, accessory = user[kept], day[kept], accessory[kept]
    return pl.DataFrame({"user": user, "item": choice.of_type(user, day, accessory), "day": day})


def _repeats(catalogue: Catalogue, first: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """The repeated purchases of consumables, each after about its interval."""
    item = first["item"].to_numpy()
    habit = np.flatnonzero(~np.isnan(catalogue.interval_days[item]) & (rng.random(len(item)) < _HABIT_SHARE))
    count = np.minimum(rng.geometric(_HABIT_ENDS_SHARE, len(habit)), 30)
    line = np.repeat(habit, count)
    gap = np.maximum(catalogue.interval_days[item[line]] * rng.lognormal(0.0, 0.15, len(line)), 1.0)
    elapsed = np.cumsum(gap)
    start = np.repeat(np.cumsum(count) - count, count)
    elapsed -= elapsed[start] - gap[start]
    # Rounded up, so that no two repeats fall on one day.
    day = first["day"].to_numpy()[line] + np.ceil(elapsed).astype(np.int64)
    return pl.DataFrame({"user": first["user"].to_numpy()[line], "item": item[line], "day": day}).filter(
        pl.col("day") < N_DAYS
    )


def _as_orders(lines: pl.DataFrame, catalogue: Catalogue, rng: np.random.Generator) -> pl.DataFrame:
    """Makes the lines of a user and day one order, with one id and time. Adds second, quantity, price and order."""
    user, day, item = (lines[name].to_numpy() for name in ("user", "day", "item"))
    key, order = np.unique(user * N_DAYS + day, return_inverse=True)
    lunch = rng.random(len(key)) < _LUNCH_SHARE
    hour = np.clip(rng.normal(np.where(lunch, 12.5, 20.0), 1.8), 6.0, 23.9)
    second = (key % N_DAYS) * _SECONDS_A_DAY + (hour * 3600).astype(np.int64)
    number = np.empty(len(key), dtype=np.int64)
    number[np.lexsort((key, second))] = np.arange(len(key))

    consumable = ~np.isnan(catalogue.interval_days[item])
    several = rng.random(len(item)) < np.where(consumable, 0.25, 0.06)
    on_offer = rng.random((N_PERIODS, len(catalogue.price))) < _ON_OFFER_SHARE
    discount = np.where(on_offer[day // PERIOD_DAYS, item], 0.85, 1.0)
    return lines.with_columns(
        event_type=pl.lit("purchase"),
        second=pl.Series(second[order]),
        quantity=pl.Series(np.where(several, rng.integers(2, 4, len(item)), 1)),
        price=pl.Series(np.round(catalogue.price[item] * discount, 2)),
        order=pl.Series(number[order]),
    )


def _looks_before(purchases: pl.DataFrame, demand: Demand, rng: np.random.Generator) -> list[pl.DataFrame]:
    """Views hours before a purchase, and carts minutes before it. No item is viewed before it is for sale."""
    second, item = purchases["second"].to_numpy(), purchases["item"].to_numpy()
    viewed = second - rng.integers(2_400, 7_200, len(item)) - rng.exponential(30_000, len(item)).astype(np.int64)
    viewed = np.maximum(viewed, demand.launch_day[item] * _SECONDS_A_DAY + second % 3_600)
    carted = second - rng.integers(60, 2_400, len(item))
    kinds = (("view", viewed, 0.5), ("add_to_cart", carted, 0.35))
    return [
        purchases.select("user", "item", second=pl.Series(when), event_type=pl.lit(kind)).filter(
            pl.Series(rng.random(len(item)) < share)
        )
        for kind, when, share in kinds
    ]


def _looks_only(passed_over: pl.DataFrame, rng: np.random.Generator) -> list[pl.DataFrame]:
    """Views of items that were not taken, some of which were put in a cart."""
    seen = passed_over.filter(pl.Series(rng.random(len(passed_over)) < _VIEWED_SHARE))
    when = seen["day"].to_numpy() * _SECONDS_A_DAY + rng.integers(5 * 3_600, 23 * 3_600, len(seen))
    views = seen.select("user", "item", second=pl.Series(when), event_type=pl.lit("view"))
    carts = views.with_columns(second=pl.col("second") + 240, event_type=pl.lit("add_to_cart"))
    return [views, carts.filter(pl.Series(rng.random(len(carts)) < _CARTED_SHARE))]


def _returns(purchases: pl.DataFrame, catalogue: Catalogue, rng: np.random.Generator) -> pl.DataFrame:
    durable = np.isnan(catalogue.interval_days[purchases["item"].to_numpy()])
    sent_back = purchases.filter(pl.Series(durable & (rng.random(len(purchases)) < _RETURNED_SHARE)))
    later = rng.integers(3 * _SECONDS_A_DAY, 28 * _SECONDS_A_DAY, len(sent_back))
    return sent_back.with_columns(event_type=pl.lit("return"), second=pl.col("second") + pl.Series(later)).filter(
        pl.col("second") < N_DAYS * _SECONDS_A_DAY
    )


def _orphan_returns(
    purchases: pl.DataFrame, catalogue: Catalogue, shoppers: Shoppers, demand: Demand, rng: np.random.Generator
) -> pl.DataFrame:
    """Returns without a purchase: real shops take back items that were sold before their records begin."""
    n = len(purchases) // 2_000
    warm_users = np.flatnonzero(~shoppers.cold)
    old_items = np.flatnonzero((demand.launch_day == 0) & ~demand.cold)
    item = rng.choice(old_items, n)
    lines = pl.DataFrame(
        {
            "user": rng.choice(warm_users, n),
            "item": item,
            "second": rng.integers(0, 40 * _SECONDS_A_DAY, n),
            "quantity": np.ones(n, dtype=np.int64),
            "price": catalogue.price[item],
        }
    ).with_columns(event_type=pl.lit("return"))
    return lines.join(purchases, on=["user", "item"], how="anti")


def _sorted_lines(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.sort(["user", "day"], maintain_order=True)


def _in_contract_columns(events: pl.DataFrame, catalogue: Catalogue, shoppers: Shoppers) -> pl.DataFrame:
    opens = int(OPENS.timestamp())
    events = events.sort(["second", "user"], maintain_order=True)
    return events.select(
        user_id=shoppers.frame["user_id"].gather(events["user"]),
        item_id=catalogue.frame["item_id"].gather(events["item"]),
        timestamp=((pl.col("second") + opens) * 1_000_000).cast(pl.Datetime("us", dt.UTC)),
        event_type="event_type",
        quantity=pl.col("quantity").cast(pl.Int32),
        price="price",
        order_id=pl.format("o{}", pl.col("order").cast(pl.String).str.zfill(7)),
    )
