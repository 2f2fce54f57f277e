"""Loads the HTML templates of training, with filters that format numbers. Pages fetch nothing and run no script."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from training.evaluation.report_plots import is_measured, side_of_zero

_TRAINING = Path(__file__).resolve().parents[1]
DASH = "–"
MINUS = "−"


def html_page(template: str) -> Template:
    """Loads a template, which escapes every value that it is given.

    Args:
        template: Its path below the folder `training`, such as "evaluation/report.html.j2".
    """
    page = Environment(
        loader=FileSystemLoader(_TRAINING),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page.filters |= {"number": number, "signed": signed, "percent": percent, "day": day, "metric": metric_name}
    page.filters |= {"side_of_zero": side_of_zero, "duration": duration, "settings": settings}
    return page.get_template(template)


def number(value: float | None, digits: int = 4) -> str:
    """Formats as "1,234.5000"; a dash if there is no value."""
    return f"{value:,.{digits}f}" if value is not None and is_measured(value) else DASH


def signed(value: float | None, digits: int = 4) -> str:
    """Formats as "+0.1200" or "−0.1200"; a dash if there is no value."""
    if value is None or not is_measured(value):
        return DASH
    return f"{value:+.{digits}f}".replace("-", MINUS)


def percent(value: float | None, digits: int = 1) -> str:
    """Formats a share as "12.3 %"; a dash if there is no value."""
    return f"{100 * value:.{digits}f} %" if value is not None and is_measured(value) else DASH


def day(iso: str | None) -> str:
    """Formats an ISO timestamp as "21 November 2026"."""
    if iso is None:
        return DASH
    time = datetime.fromisoformat(iso)
    return f"{time.day} {time:%B %Y}"


def duration(seconds: float) -> str:
    """Formats as "2 min 5 s", or as "5.0 s" below a minute."""
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)} min {rest:.0f} s" if minutes else f"{seconds:.1f} s"


def metric_name(metric: str) -> str:
    """Formats "ndcg@10" as "NDCG@10" and "recall@10" as "Recall@10"."""
    return metric.capitalize() if metric.startswith("recall") else metric.upper()


def settings(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Nested settings as flat pairs of text: ("event_weights.view", "0.1")."""
    for name, value in flat(values):
        yield name, f"{value:.6g}" if isinstance(value, float) else str(value)


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested values as flat pairs, by dotted name."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value
