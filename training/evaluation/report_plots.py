"""Draws the plots of the reports as SVG inside the page. Text stays text, and colours are those of the page."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

Interval = Mapping[str, float | None]
"""mean, low and high of a 95 % interval; None if it was not measured."""

# Placeholders: SVG cannot name the colours of a page, so each is drawn as one of these and replaced at the end.
INK, FAINT, GRID, ABOVE, BELOW, OURS, OTHER, PAPER = (f"#00000{i}" for i in range(1, 9))
_NAMES = {INK: "ink", FAINT: "faint", GRID: "grid", ABOVE: "above", BELOW: "below", OURS: "ours", OTHER: "other"}
_VARIABLES = {colour: f"var(--{name})" for colour, name in {**_NAMES, PAPER: "paper"}.items()}
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "report",  # the same numbers give the same file
    "text.parse_math": False,  # a name may hold a dollar sign
    "text.color": INK,
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": GRID,
    "axes.labelcolor": FAINT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.grid.axis": "x",
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": GRID,
    "xtick.labelcolor": FAINT,
    "ytick.labelcolor": INK,
    "ytick.left": False,
}
LOG_SCALE_RATIO = 20.0  # a hyperparameter whose values span more than this ratio is drawn on a logarithmic axis
WIDTH_INCHES = 5.4  # small, so that the text stays readable when a phone shrinks the plot
SMALLEST_RANGE = 1e-6  # if all values are below it, the axis ends at 1


@dataclass(frozen=True)
class Panel:
    """One set of axes. Each row is a name and its interval, from the top."""

    title: str
    rows: Sequence[tuple[str, Interval]]


def is_measured(value: float | None) -> bool:
    """False for a missing value: None in a file, NaN in memory."""
    return value is not None and math.isfinite(value)


def side_of_zero(difference: Interval) -> Literal["above", "below", "open"]:
    """Tells on which side of zero the whole interval is; "open" if zero is inside, or if nothing was measured."""
    low, high = difference["low"], difference["high"]
    if low is not None and low > 0:
        return "above"
    return "below" if high is not None and high < 0 else "open"


def interval_plot(panels: Sequence[Panel], ours: str | None = None, most: float | None = None) -> str:
    """Draws means with their intervals, two panels side by side.

    Args:
        panels: All with the same names in the same order.
        ours: The name to highlight.
        most: Where the axis of every panel ends. None: at the highest value.
    """

    def colour(name: str, _: Interval) -> str:
        return OURS if name == ours else OTHER

    return _panels_plot(panels, ours, colour, most)


def difference_plot(panels: Sequence[Panel]) -> str:
    """Draws differences with their intervals, coloured by `side_of_zero`. A hollow dot means that zero is inside.

    Args:
        panels: All with the same names in the same order.
    """

    def colour(_: str, value: Interval) -> str:
        return {"above": ABOVE, "below": BELOW, "open": OTHER}[side_of_zero(value)]

    return _panels_plot(panels, None, colour, None, about_zero=True)


def _panels_plot(
    panels: Sequence[Panel],
    ours: str | None,
    colour: Callable[[str, Interval], str],
    most: float | None,
    *,
    about_zero: bool = False,
) -> str:
    lines, deep = len(panels[0].rows), math.ceil(len(panels) / 2)
    with mpl.rc_context(STYLE):
        titles = 1 + panels[0].title.count("\n")
        figure = Figure(figsize=(WIDTH_INCHES, deep * (0.19 * lines + 0.35 + 0.15 * titles)), layout="constrained")
        grid = figure.subplots(deep, 2, sharey=True, squeeze=False).ravel()
        for axes, panel in zip(grid, panels, strict=False):
            _draw(axes, panel, colour, about_zero=about_zero)
            for label in axes.get_yticklabels():
                label.set_fontweight("bold" if label.get_text() == ours else "normal")
            if most is not None:
                axes.set_xlim(0, most)
        for axes in grid[len(panels) :]:
            axes.remove()
        return _svg(figure)


def _draw(axes: Axes, panel: Panel, colour: Callable[[str, Interval], str], *, about_zero: bool) -> None:
    axes.set_title(panel.title)
    if about_zero:
        axes.axvline(0, color=INK, linewidth=0.8)
    for place, (name, value) in enumerate(panel.rows):
        mean, low, high = value["mean"], value["low"], value["high"]
        if mean is None or low is None or high is None or not is_measured(mean):
            continue
        line = colour(name, value)
        axes.plot([low, high], [place, place], color=line, linewidth=1.6)
        face = PAPER if about_zero and side_of_zero(value) == "open" else line
        axes.plot([mean], [place], "o", color=line, markerfacecolor=face, markersize=4.5)
    if not any(is_measured(value["mean"]) for _, value in panel.rows):
        axes.text(0.5, 0.5, "nothing to measure", transform=axes.transAxes, color=FAINT, ha="center", va="center")
        axes.set_xticks([])
    else:
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_major_formatter("{x:g}")
        if not about_zero:
            axes.set_xlim(left=0, right=None if axes.get_xlim()[1] > SMALLEST_RANGE else 1)
    axes.set_yticks(range(len(panel.rows)), [name for name, _ in panel.rows])
    axes.set_ylim(len(panel.rows) - 0.4, -0.6)


def curve_plot(losses: Sequence[float], ndcg: Sequence[float], best_epoch: int) -> str:
    """Draws training loss and validation NDCG@10 by epoch, side by side. A dashed line marks the kept epoch."""
    with mpl.rc_context({**STYLE, "axes.grid.axis": "y"}):
        figure = Figure(figsize=(WIDTH_INCHES, 1.9), layout="constrained")
        for axes, title, values in zip(
            figure.subplots(1, 2), ("Training loss", "Validation NDCG@10"), (losses, ndcg), strict=True
        ):
            epochs = range(1, len(values) + 1)
            axes.set_title(title)
            axes.axvline(best_epoch, color=FAINT, linewidth=0.8, linestyle=(0, (3, 2)))
            axes.plot(epochs, values, "o-", color=OURS, linewidth=1.6, markersize=3.5)
            axes.set_xlabel("epoch")
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
            axes.yaxis.set_major_locator(MaxNLocator(4))
        return _svg(figure)


def trials_plot(x: Sequence[float], ndcg: Sequence[float], label: str, *, best_so_far: bool = False) -> str:
    """Draws the validation NDCG@10 of each trial of a search by x. The best trial is filled.

    Args:
        x: One value for each trial.
        ndcg: One value for each trial.
        label: The name of x.
        best_so_far: Whether to draw a line of the best value so far.
    """
    with mpl.rc_context({**STYLE, "axes.grid.axis": "y"}):
        figure = Figure(figsize=(WIDTH_INCHES, 1.9), layout="constrained")
        axes = figure.subplots()
        if best_so_far:
            axes.step(x, np.maximum.accumulate(ndcg), where="post", color=OURS, linewidth=1.2)
        axes.plot(x, ndcg, "o", color=OTHER, markerfacecolor=PAPER, markersize=4.5)
        best = int(np.argmax(ndcg))
        axes.plot([x[best]], [ndcg[best]], "o", color=OURS, markersize=5.5)
        if min(x) > 0 and max(x) > LOG_SCALE_RATIO * min(x):
            _use_log_scale(axes)
        axes.set_xlabel(label.replace("_", " "))
        axes.yaxis.set_major_locator(MaxNLocator(4))
        return _svg(figure)


def cumulative_plot(panels: Mapping[str, Mapping[str, Sequence[float]]], label: str) -> str:
    """Draws the share of values up to x.

    Args:
        panels: By title, two curves by name: each is evenly spaced quantiles. The last curve is highlighted.
        label: The name of x.
    """
    with mpl.rc_context({**STYLE, "axes.grid.axis": "both"}):
        figure = Figure(figsize=(WIDTH_INCHES, 2.3), layout="constrained")
        for axes, (title, curves) in zip(
            figure.subplots(1, len(panels), squeeze=False).ravel(), panels.items(), strict=True
        ):
            axes.set_title(title)
            for (name, values), colour in zip(reversed(list(curves.items())), (OURS, OTHER), strict=True):
                axes.plot(values, np.linspace(0, 1, len(values)), color=colour, linewidth=1.6, label=name)
            _use_log_scale(axes)
            axes.yaxis.set_major_locator(MaxNLocator(4))
            axes.set_xlabel(label)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
        return _svg(figure)


def _use_log_scale(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_locator(NullLocator())


def _svg(figure: Figure) -> str:
    """The figure as an element of an HTML page: no prologue, metadata or namespaces, and no ids that could clash."""
    file = StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xmlns(:\w+)?="[^"]*"', "", svg, count=2)
    svg = re.sub(r'<g id="[^"]*">', "<g>", svg)
    svg = re.sub("|".join(_VARIABLES), lambda match: _VARIABLES[match[0]], svg)
    return re.sub(r"\n\s*", "\n", svg)
