"""Draws what the benchmarks measured as SVG files for the documentation, in the style of the reports.

The same figures give the same file.
"""

import re
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from training.evaluation import report_plots as style

FOLDER = Path(__file__).parents[2] / "docs" / "performance"
# The light colours of the reports: a picture in a page cannot take those of the page.
_COLOURS = {
    style.INK: "#1b1f24",
    style.FAINT: "#5b6570",
    style.GRID: "#dfe3e8",
    style.OURS: "#0b5cad",
    style.OTHER: "#7c8792",
    style.PAPER: "#ffffff",
}
_STYLE = {**style.STYLE, "figure.facecolor": style.PAPER, "savefig.facecolor": style.PAPER, "axes.facecolor": "none"}
_MB = 1e6
_UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def latency_plot(curves: Mapping[str, Sequence[Mapping[str, float]]], peaks: Mapping[str, float], ours: str) -> str:
    """Draws latency against load, the median and the 99th percentile side by side.

    Args:
        curves: By server, its points: `load` as a share of the peak, `p50_ms` and `p99_ms`.
        peaks: Calls a second of each server in a closed loop.
        ours: The server to highlight.
    """
    with mpl.rc_context({**_STYLE, "axes.grid.axis": "both"}):
        figure = Figure(figsize=(style.WIDTH_INCHES, 2.6), layout="constrained")
        panels = figure.subplots(1, 2, sharey=True)
        for axes, figure_name, title in zip(panels, ("p50_ms", "p99_ms"), ("median", "99th percentile"), strict=True):
            axes.set_title(title)
            for name, points in curves.items():
                axes.plot(
                    [100 * point["load"] for point in points],
                    [point[figure_name] for point in points],
                    "o-",
                    color=style.OURS if name == ours else style.OTHER,
                    linewidth=1.6,
                    markersize=3.5,
                    label=f"{name}: peak {peaks[name]:,.0f}/s",
                )
            axes.set_xlabel("load, % of the server's peak")
            axes.set_xlim(0, 100)
            axes.set_xticks((10, 30, 50, 70, 90))
            axes.set_yscale("log")
            _set_log_ticks(axes.yaxis, (1.0, 2.0, 5.0))
        panels[0].set_ylabel("latency, ms")
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
        return _svg(figure)


def memory_plot(points: Sequence[Mapping[str, float]]) -> str:
    """Draws memory against the number of items.

    Args:
        points: Of one shop each: `items`, `own_bytes` of the process and `mapped_bytes` that processes share.
    """
    with mpl.rc_context({**_STYLE, "axes.grid.axis": "y"}):
        figure = Figure(figsize=(style.WIDTH_INCHES, 2.4), layout="constrained")
        axes = figure.subplots()
        items = [point["items"] for point in points]
        for key, other, label, colour in (
            ("own_bytes", "mapped_bytes", "of each process", style.OURS),
            ("mapped_bytes", "own_bytes", "bundle and libraries, shared by all processes", style.OTHER),
        ):
            axes.plot(
                items,
                [point[key] / _MB for point in points],
                "o-",
                color=colour,
                linewidth=1.6,
                markersize=4.5,
                label=label,
            )
            for point in points:
                megabytes, above = point[key] / _MB, point[key] >= point[other]
                axes.annotate(
                    f"{megabytes:,.0f}",
                    (point["items"], megabytes),
                    (0, 5 if above else -5),
                    textcoords="offset points",
                    color=colour,
                    ha="center",
                    va="bottom" if above else "top",
                )
        axes.set_xscale("log")
        axes.set_xticks(items, [_short(count) for count in items])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.margins(x=0.12, y=0.25)
        axes.set_yscale("log")
        _set_log_ticks(axes.yaxis, (1.0, 2.0, 5.0))
        axes.set_xlabel("items")
        axes.set_ylabel("memory, MB")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", frameon=False)
        return _svg(figure)


def cost_plot(rows: Mapping[str, Mapping[str, Any]], ours: str, price: float | None = None) -> str:
    """Draws the processor time of a million calls: the median of all rounds, and a line from the lowest to the highest.

    Args:
        rows: By case, its `rounds`, each with `cpu_us`: microseconds of processor time a call, by process.
        ours: The case to highlight.
        price: Of a core for an hour; it is then written beside the time.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(style.WIDTH_INCHES, 0.22 * len(rows) + 0.6), layout="constrained")
        axes = figure.subplots()
        for place, (name, row) in enumerate(rows.items()):
            seconds = sorted(sum(one["cpu_us"].values()) for one in row["rounds"])  # us a call: s a million calls
            middle = median(seconds)
            colour = style.OURS if name == ours else style.OTHER
            axes.plot([seconds[0], seconds[-1]], [place, place], color=colour, linewidth=1.6)
            axes.plot([middle], [place], "o", color=colour, markersize=4.5)
            money = "" if price is None else f", {middle / 3600 * price:.3g}"
            axes.annotate(
                f"{middle:,.0f} s{money}",
                (seconds[-1], place),
                (6, 0),
                textcoords="offset points",
                color=style.INK,
                va="center",
                bbox={"facecolor": style.PAPER, "edgecolor": "none", "pad": 0.5},
            )
        axes.set_xscale("log")
        _set_log_ticks(axes.xaxis, (1.0, 3.0))
        axes.set_yticks(range(len(rows)), list(rows))
        for label in axes.get_yticklabels():
            label.set_fontweight("bold" if label.get_text() == ours else "normal")
        axes.set_ylim(len(rows) - 0.4, -0.6)
        low, high = axes.get_xlim()
        axes.set_xlim(low, high * (high / low) ** 0.25)  # room for the last label
        money = "" if price is None else f", and money at {price:g} a core-hour"
        axes.set_xlabel(f"processor time of a million calls, seconds{money}")
        return _svg(figure)


def write(name: str, svg: str, folder: Path = FOLDER) -> Path:
    """Writes a picture, and returns its file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.svg"
    path.write_text(svg, encoding="utf-8")
    return path


def _set_log_ticks(axis: Axis, subdivisions: tuple[float, ...]) -> None:
    """Sets the ticks of a logarithmic axis: these multiples of each power of ten."""
    axis.set_major_locator(LogLocator(subs=subdivisions))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axis.set_minor_locator(NullLocator())


def _short(count: float) -> str:
    """100000 as 100k."""
    return next((f"{count / unit:g}{letter}" for unit, letter in _UNITS if count >= unit), f"{count:g}")


def _svg(figure: Figure) -> str:
    """The figure as a file, without a date or the version of its program, and with a font that every browser has."""
    file = StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    svg = re.sub(r"<metadata>.*?</metadata>", "", file.getvalue(), flags=re.DOTALL)
    svg = re.sub("|".join(_COLOURS), lambda match: _COLOURS[match[0]], svg)
    svg = re.sub(r"font-family: [^;\"]*", "font-family: sans-serif", svg)
    return re.sub(r"\n\s*", "\n", svg)
