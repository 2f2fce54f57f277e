"""The report of a bundle: one HTML page that a data scientist can check, with nothing fetched and no script."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from training.evaluation.evaluate import OURS
from training.evaluation.report_plots import Interval, Panel, curve_plot, interval_plot, measured, standing
from training.metrics import BOOTSTRAP_SAMPLES

HEADLINE = "ndcg@10"
PLOTTED = ("ndcg@10", "recall@10")
DASH = "–"
MINUS = "−"


def write_report(manifest: Mapping[str, Any], evaluation: Mapping[str, Any], path: Path) -> None:
    """Writes the page to `path`.

    manifest, evaluation: what manifest.json and evaluation.json of the bundle hold. None and NaN are shown as a dash.
    Every text in them is taken for untrusted: notes and names come from a shop's tables.
    """
    models, comparisons = evaluation["models"], evaluation["comparisons"]
    rivals = sorted(comparisons, key=lambda name: _ascending(comparisons[name][HEADLINE]["mean"]))
    others = [name for name in rivals if not name.startswith(f"{OURS} ")]  # models of their own, no part of ours
    text = html_page("evaluation/report.html.j2").render(
        manifest=manifest,
        evaluation=evaluation,
        ours=OURS,
        headline=HEADLINE,
        samples=BOOTSTRAP_SAMPLES,
        models=models,
        metrics=list(models[OURS]["metrics"]),
        best=_best(models),
        rivals=rivals,
        others=others,
        verdict={s: [name for name in others if standing(comparisons[name][HEADLINE]) == s] for s in _STANDINGS},
        relative={name: _relative(models[OURS], models[name]) for name in rivals},
        parts=_parts(manifest, evaluation),
        plots=_plots(evaluation, rivals),
    )
    path.write_text(text, encoding="utf-8")


def html_page(template: str) -> Template:
    """A template of this folder. Every value it is given is escaped."""
    page = Environment(
        loader=FileSystemLoader(Path(__file__).parents[1]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page.filters |= {"number": number, "signed": signed, "percent": percent, "day": day, "metric": metric_name}
    page.filters |= {"standing": standing, "duration": duration, "settings": settings}
    return page.get_template(template)


_STANDINGS = ("above", "open", "below")


def _plots(evaluation: Mapping[str, Any], rivals: list[str]) -> dict[str, str]:
    """SVG by name. matplotlib escapes the texts it draws, so the page may take these as they are."""
    models, comparisons, profiles = evaluation["models"], evaluation["comparisons"], evaluation["profiles"]
    overall = [
        Panel(metric_name(metric), [(name, model["metrics"][metric]) for name, model in models.items()])
        for metric in PLOTTED
    ]
    paired = [Panel(metric_name(metric), [(name, comparisons[name][metric]) for name in rivals]) for metric in PLOTTED]
    segments = [
        Panel(
            f"{segment}\n{ours['users']:,} users",
            [(name, m["segments"][segment][HEADLINE]) for name, m in models.items()],
        )
        for segment, ours in models[OURS]["segments"].items()
    ]
    effect: dict[str, list[tuple[str, Interval]]] = {}
    for row in profiles:
        label = f"{row['model']}, {row['purchases']} purchase{'' if row['purchases'] == 1 else 's'}"
        effect.setdefault(row["metric"], []).append((label, row["difference"]))
    plots = {
        "models": interval_plot(overall, OURS),
        "segments": interval_plot(segments, OURS),
        **{
            f"curve_{name}": curve_plot(curve["losses"], curve["ndcg"], curve["best_epoch"])
            for name, curve in evaluation["towers"].items()
        },
    }
    if comparisons:
        plots["paired"] = interval_plot(paired, about_zero=True)
    if effect:
        plots["profiles"] = interval_plot([Panel(metric_name(m), rows) for m, rows in effect.items()], about_zero=True)
    return plots


def _parts(manifest: Mapping[str, Any], evaluation: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Train, validation and test: name, events, share of all events and, for a split by time, where each begins."""
    data = manifest["data"]
    ends = [0, data["train_events"], data["known_events"], data["events"]]
    starts: list[str | None] = [None, None, None]
    if evaluation["protocol"] == "time-split":
        last, span = datetime.fromisoformat(data["last_event"]), timedelta(days=manifest["training"]["test_days"])
        starts = [data["first_event"], (last - 2 * span).isoformat(), (last - span).isoformat()]
    return [
        {"name": name, "events": end - begin, "share": (end - begin) / data["events"], "start": start}
        for name, begin, end, start in zip(("train", "validation", "test"), ends, ends[1:], starts, strict=False)
    ]


def _best(models: Mapping[str, Any]) -> dict[str, float]:
    """The highest mean of each metric, and of each segment's metrics as "segment/metric"; none where all are 0."""
    best: dict[str, float] = {}
    for model in models.values():
        values = {metric: value["mean"] for metric, value in model["metrics"].items()}
        for segment, found in model["segments"].items():
            values |= {f"{segment}/{metric}": v["mean"] for metric, v in found.items() if metric != "users"}
        for key, value in values.items():
            if measured(value) and value > best.get(key, 0.0):
                best[key] = value
    return best


def _relative(ours: Mapping[str, Any], other: Mapping[str, Any]) -> float | None:
    mine, theirs = ours["metrics"][HEADLINE]["mean"], other["metrics"][HEADLINE]["mean"]
    return mine / theirs - 1 if measured(mine) and measured(theirs) and theirs else None


def _ascending(value: float | None) -> float:
    return value if value is not None and measured(value) else float("inf")


def settings(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Nested settings as flat pairs: ("event_weights.view", "0.1")."""
    for name, value in flat(values):
        yield name, f"{value:.6g}" if isinstance(value, float) else str(value)


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested values by dotted name."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def number(value: float | None, digits: int = 4) -> str:
    return f"{value:,.{digits}f}" if value is not None and measured(value) else DASH


def signed(value: float | None, digits: int = 4) -> str:
    if value is None or not measured(value):
        return DASH
    return f"{value:+.{digits}f}".replace("-", MINUS)


def percent(value: float | None, digits: int = 1) -> str:
    return f"{100 * value:.{digits}f} %" if value is not None and measured(value) else DASH


def day(iso: str | None) -> str:
    """An ISO timestamp as "21 November 2026"."""
    if iso is None:
        return DASH
    time = datetime.fromisoformat(iso)
    return f"{time.day} {time:%B %Y}"


def duration(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)} min {rest:.0f} s" if minutes else f"{seconds:.1f} s"


def metric_name(metric: str) -> str:
    """ "ndcg@10" as "NDCG@10"; recall is a word, not letters."""
    return metric.capitalize() if metric.startswith("recall") else metric.upper()
