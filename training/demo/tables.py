"""Formats profiles, purchases and lists for the terminal. Titles and reasons are printed as plain text."""

from typing import Any

import polars as pl
from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from recsvc.domain.shop import Item, Profile
from recsvc.v1 import recommendation_pb2
from training.demo.client import TimedList

MAX_PURCHASES = 6
NO_REASON = "–"
SURFACE_ITEMS = 3
QUALITY = {"ndcg@10": "NDCG@10", "recall@10": "Recall@10"}
_CURRENCIES = {"GBP": "£", "EUR": "€", "USD": "$", "CNY": "¥"}
_HEADINGS = {
    "en": ("#", "Recommended", "Price", "Why"),
    "zh": ("#", "推荐商品", "价格", "推荐理由"),
}

Items = dict[str, Item]


def profile_words(profile: Profile | None) -> Text:
    """The text and the attributes of a profile."""
    if profile is None:
        return Text("no profile", style="dim")
    parts = [Text(profile.text)] if profile.text else []
    parts += [Text.assemble((f"{name}: ", "dim"), value) for name, value in profile.attributes]
    return Text("  ·  ", style="dim").join(parts)


def bought_table(purchases: pl.DataFrame, items: Items) -> Table:
    """The latest purchases, newest first."""
    table = _table()
    table.add_column("Date", no_wrap=True)
    table.add_column("Bought", ratio=1)
    table.add_column("Price", justify="right", no_wrap=True)
    for line in purchases.reverse().head(MAX_PURCHASES).iter_rows(named=True):
        item = items[line["item_id"]]
        quantity = f" × {line['quantity']:g}" if line["quantity"] != 1 else ""
        price = _price(line["price"], item.currency)
        table.add_row(f"{line['timestamp']:%Y-%m-%d}", Text(item.title + quantity), price)
    if len(purchases) > MAX_PURCHASES:
        table.add_row("earlier", Text(f"{len(purchases) - MAX_PURCHASES} more", style="dim"), "")
    return table


def list_table(answer: TimedList, items: Items, language: str) -> Table:
    """A list with its reasons, headed in the same language."""
    number, recommended, price, why = _HEADINGS[language]
    table = _table()
    table.add_column(number, justify="right", style="dim", no_wrap=True)
    table.add_column(recommended, ratio=5)
    table.add_column(price, justify="right", no_wrap=True)
    table.add_column(why, ratio=6, style="green", overflow="fold")  # Chinese has no spaces to break at
    for line in answer.response.recommendations:
        item = items[line.item_id]
        table.add_row(str(line.rank), Text(item.title), _price(item.price, item.currency), reason_words(line))
    return table


def change_table(before: TimedList, after: TimedList, items: Items) -> Table:
    """Two lists of one user side by side. It marks items that are new, that moved, and that are gone."""
    table = _table()
    table.add_column("#", justify="right", style="dim", no_wrap=True)
    table.add_column("Before", ratio=4)
    table.add_column("After", ratio=4)
    table.add_column("", no_wrap=True)
    table.add_column("Why now", ratio=5, style="green", overflow="fold")
    gone = set(before.item_ids) - set(after.item_ids)
    for row, (old, new) in enumerate(zip(before.item_ids, after.response.recommendations, strict=True)):
        old_title = Text(items[old].title, style="strike dim" if old in gone else "")
        moved = _moved(before.item_ids, new.item_id, row)
        style = "bold" if moved == "new" else ""
        new_title, mark = Text(items[new.item_id].title, style=style), Text(moved, style=f"{style} yellow")
        table.add_row(str(row + 1), old_title, new_title, mark, reason_words(new))
    return table


def similar_table(similar: list[recommendation_pb2.SimilarItem], items: Items) -> Table:
    """Similar items with their similarity."""
    table = _table()
    table.add_column("#", justify="right", style="dim", no_wrap=True)
    table.add_column("Similar item", ratio=1)
    table.add_column("Price", justify="right", no_wrap=True)
    table.add_column("Similarity", justify="right", no_wrap=True)
    for line in similar:
        item = items[line.item_id]
        table.add_row(str(line.rank), Text(item.title), _price(item.price, item.currency), f"{line.score:.2f}")
    return table


def surfaces_table(lists: list[tuple[str, str, list[str]]], items: Items) -> Table:
    """Surfaces. Each line of `lists` is the surface, what it is about, and the item ids of its list."""
    table = _table()
    table.add_column("Surface", no_wrap=True)
    table.add_column("For", ratio=2)
    table.add_column(f"First {SURFACE_ITEMS} of the list", ratio=5)
    for surface, subject, item_ids in lists:
        titles = Text("\n").join(Text(items[item_id].title) for item_id in item_ids[:SURFACE_ITEMS])
        table.add_row(surface, Text(subject), titles if item_ids else Text(NO_REASON, style="dim"))
        table.add_section()
    return table


def searches_table(lists: list[tuple[str, str, list[str]]], items: Items) -> Table:
    """Searches. Each line of `lists` is the query, its meaning in English or "", and the item ids of its list."""
    table = _table()
    table.add_column("A shopper types", ratio=3)
    table.add_column(f"First {SURFACE_ITEMS} of the list", ratio=5)
    for query, meaning, item_ids in lists:
        titles = Text("\n").join(Text(items[item_id].title) for item_id in item_ids[:SURFACE_ITEMS])
        typed = Text(query, style="bold")
        if meaning:
            typed.append(f"\n{meaning}", style="not bold dim")
        table.add_row(typed, titles if item_ids else Text(NO_REASON, style="dim"))
        table.add_section()
    return table


def quality_table(evaluation: dict[str, Any]) -> Table:
    """The model, its parts and simpler models, on purchases that none of them had seen."""
    table = _table()
    table.add_column("Mean over users", ratio=1)
    for heading in QUALITY.values():
        table.add_column(heading, justify="right", no_wrap=True)
    for name, model in evaluation["models"].items():
        values = [f"{model['metrics'][metric]['mean']:.3f}" for metric in QUALITY]
        table.add_row(name, *values, style="bold" if name == "recsvc" else "")
    return table


def reason_words(line: recommendation_pb2.Recommendation) -> RenderableType:
    """The reason of a recommendation, or a dash."""
    return Text(line.reason.text) if line.HasField("reason") else Text(NO_REASON, style="dim")


def _moved(before: list[str], item_id: str, row: int) -> str:
    if item_id not in before:
        return "new"
    places = before.index(item_id) - row
    return "" if not places else f"up {places}" if places > 0 else f"down {-places}"


def _price(price: float | None, currency: str) -> str:
    return "" if price is None else f"{_CURRENCIES.get(currency, currency + ' ')}{price:,.2f}"


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, expand=True)
