"""Shows the report on searches as an HTML page with a plot."""

import unicodedata
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.evaluation.html_page import html_page
from training.evaluation.report_plots import Panel, interval_plot

ROWS = 50  # of one table of the page; the JSON file has all
PLOTTED = 12  # queries
_LABEL_WIDTH = 30  # columns
_NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


def write_page(result: Mapping[str, Any], path: Path) -> None:
    """Writes the page of a result of `training.report_searches` to `path`."""
    row_of = {row["query"]: row for row in result["queries"]}
    tables = {
        name: [row_of[query] for query in result[name]] for name in ("found_nothing", "rarely_opened", "rarely_bought")
    }
    tables["frequent"] = list(result["queries"])
    page = html_page("search_evaluation/searches.html.j2")
    html = page.render(
        result=result,
        tables={name: rows[:ROWS] for name, rows in tables.items()},
        sizes={name: len(rows) for name, rows in tables.items()},
        rows=ROWS,
        plot=_plot(tables["frequent"][:PLOTTED]),
    )
    path.write_text(html, encoding="utf-8")


def _plot(rows: list[Mapping[str, Any]]) -> str:
    """The open rate and the buy rate of queries; "" without a query."""
    if not rows:
        return ""
    panels = [
        Panel(title, [(_label(row["query"]), row[rate]) for row in rows])
        for title, rate in (("Share who opened an item", "open_rate"), ("Share who bought an item", "buy_rate"))
    ]
    with warnings.catch_warnings():
        # A Chinese query has no glyphs in the font that measures it. The browser draws it with a font of its own.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        return interval_plot(panels)


def _label(query: str) -> str:
    """A query, cut to _LABEL_WIDTH columns: a wide character, such as a Chinese one, has two.

    Spaces before it keep room for its wide characters, which are measured too narrow without their glyphs.
    """
    wide, label = 0, ""
    for character in query:
        wide += unicodedata.east_asian_width(character) in "WF"
        if len(label) + 1 + wide > _LABEL_WIDTH:
            label += "…"
            break
        label += character
    return _NO_BREAK_SPACE * (4 * wide // 3) + label
