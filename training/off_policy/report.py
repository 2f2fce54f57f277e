"""Shows the estimates of an off-policy evaluation: as an HTML page with plots, and as a table in the terminal."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from training.evaluation.html_page import html_page, number
from training.evaluation.report_plots import Interval, Panel, interval_plot


def write_report(result: Mapping[str, Any], path: Path) -> None:
    """Writes the page to `path`."""
    plots = {
        name: interval_plot(
            [
                Panel("SNIPS", [(row["arm"], row["snips"]) for row in result[name]]),
                Panel("Doubly robust", [(row["arm"], row["doubly_robust"]) for row in result[name]]),
            ]
        )
        for name in ("arms", "bundle")
        if result[name]
    }
    path.write_text(html_page("off_policy/report.html.j2").render(result=result, plots=plots), encoding="utf-8")


def text_table(result: Mapping[str, Any]) -> Iterator[str]:
    """Yields the lines of a table for each of arms and bundle."""
    for name in ("arms", "bundle"):
        if rows := result.get(name):
            yield f"{name:12}{'lists':>10}{'observed':>10}{'snips':>26}{'doubly robust':>26}   verdict"
            for row in rows:
                spans = "".join(f"{_span(row[estimate]):>26}" for estimate in ("snips", "doubly_robust"))
                yield f"{row['arm']:12}{row['lists']:10,}{row['observed']:10.4f}{spans}   {row['verdict']}"


def _span(estimate: Interval) -> str:
    return f"{number(estimate['mean'])} [{number(estimate['low'])}, {number(estimate['high'])}]"
