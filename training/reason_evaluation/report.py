"""Writes the HTML page of `training.evaluate_reasons`: figures, plots and samples."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.evaluation.html_page import html_page
from training.evaluation.report_plots import Panel, cumulative_plot, interval_plot
from training.reason_evaluation.bias import MAX_DIVERGENCE_BITS, MAX_MISSING_GAP
from training.reason_evaluation.fluency import MAX_PERPLEXITY_RATIO
from training.reason_evaluation.gates import MIN_ACCEPTANCE
from training.reason_evaluation.judge import wilson

_LANGUAGES = {"en": "English", "zh": "Chinese"}


def write_report(result: Mapping[str, Any], path: Path) -> None:
    """Writes the page to `path`. No text in the figures is trusted: names and titles come from a shop."""
    text = html_page("reason_evaluation/report.html.j2").render(
        result=result,
        names=_LANGUAGES,
        plots=_plots(result["languages"]),
        bounds={
            "divergence": MAX_DIVERGENCE_BITS,
            "gap": MAX_MISSING_GAP,
            "usual": MAX_PERPLEXITY_RATIO,
            "acceptance": MIN_ACCEPTANCE,
        },
    )
    path.write_text(text, encoding="utf-8")


def _plots(languages: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """SVG by name, with a panel for each language. matplotlib escapes the texts that it draws."""
    curves = {
        _LANGUAGES[language]: {
            "phrase bank, each measured without itself": figures["fluency"]["bank_quantiles"],
            "shown reasons": figures["fluency"]["quantiles"],
        }
        for language, figures in languages.items()
    }
    plots = {"fluency": cumulative_plot(curves, "perplexity of a character")}
    models = {language: figures["model"] for language, figures in languages.items() if figures["model"] is not None}
    if models:
        kinds = sorted({kind for model in models.values() for kind in model["by_kind"]})
        accepted = {language: model["by_kind"] for language, model in models.items()}
        plots["acceptance"] = interval_plot(
            [
                Panel(
                    f"{_LANGUAGES[language]}: answers that are licensed and new",
                    [(_words(kind), _share(by_kind.get(kind))) for kind in kinds],
                )
                for language, by_kind in accepted.items()
            ],
            most=1.0,
        )
    judges = {language: figures["judge"] for language, figures in languages.items() if figures["judge"] is not None}
    if judges:
        plots["judge"] = interval_plot(
            [Panel(f"{_LANGUAGES[language]}: yes", list(j["questions"].items())) for language, j in judges.items()],
            most=1.0,
        )
    return plots


def _share(row: Mapping[str, Any] | None) -> dict[str, float | None]:
    return wilson(row["useful"], row["answered"]) if row is not None else wilson(0, 0)


def _words(name: str) -> str:
    return name.replace("_", " ")
