"""Writes the report of a bundle: one HTML page that a data scientist can check. It fetches nothing, runs no script."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from training.evaluation.evaluate import OURS
from training.evaluation.html_page import html_page, metric_name
from training.evaluation.release_gate import TRAINING_FREE
from training.evaluation.report_plots import (
    Interval,
    Panel,
    curve_plot,
    difference_plot,
    interval_plot,
    is_measured,
    side_of_zero,
)
from training.metrics import BOOTSTRAP_SAMPLES

HEADLINE = "ndcg@10"
PLOTTED = ("ndcg@10", "recall@10")
_SIDES = ("above", "open", "below")


def write_report(manifest: Mapping[str, Any], evaluation: Mapping[str, Any], path: Path) -> None:
    """Writes the page.

    Args:
        manifest: The content of the bundle's manifest.json. Its texts are not trusted: notes come from a shop's
            tables.
        evaluation: The content of its evaluation.json. None and NaN are shown as a dash.
        path: The file to write.
    """
    models, comparisons = evaluation["models"], evaluation["comparisons"]
    rivals = sorted(comparisons, key=lambda name: _ascending(comparisons[name][HEADLINE]["mean"]))
    others = [name for name in rivals if not name.startswith(f"{OURS} ")]  # models that are no variant of ours
    text = html_page("evaluation/report.html.j2").render(
        manifest=manifest,
        evaluation=evaluation,
        ours=OURS,
        headline=HEADLINE,
        samples=BOOTSTRAP_SAMPLES,
        models=models,
        metrics=list(models[OURS]["metrics"]) if models else [],
        best=_best(models),
        rivals=rivals,
        training_free=TRAINING_FREE,
        others=others,
        verdict={s: [name for name in others if side_of_zero(comparisons[name][HEADLINE]) == s] for s in _SIDES},
        relative={name: _relative(models[OURS], models[name]) for name in rivals},
        parts=_parts(manifest, evaluation) if models else [],
        plots=_plots(evaluation, rivals) if models else {},
    )
    path.write_text(text, encoding="utf-8")


def _plots(evaluation: Mapping[str, Any], rivals: list[str]) -> dict[str, str]:
    """SVG by name. matplotlib escapes the texts that it draws, so the page may use these as they are."""
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
        plots["paired"] = difference_plot(paired)
    if effect:
        plots["profiles"] = difference_plot([Panel(metric_name(m), rows) for m, rows in effect.items()])
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
    """The highest mean of each metric, and of each segment's metrics as "segment/metric". Absent if all are 0."""
    best: dict[str, float] = {}
    for model in models.values():
        values = {metric: value["mean"] for metric, value in model["metrics"].items()}
        for segment, measured in model["segments"].items():
            values |= {f"{segment}/{metric}": v["mean"] for metric, v in measured.items() if metric != "users"}
        for key, value in values.items():
            if is_measured(value) and value > best.get(key, 0.0):
                best[key] = value
    return best


def _relative(ours: Mapping[str, Any], other: Mapping[str, Any]) -> float | None:
    """Our headline metric relative to another model's, minus 1."""
    mine, theirs = ours["metrics"][HEADLINE]["mean"], other["metrics"][HEADLINE]["mean"]
    return mine / theirs - 1 if is_measured(mine) and is_measured(theirs) and theirs else None


def _ascending(value: float | None) -> float:
    return value if value is not None and is_measured(value) else float("inf")
