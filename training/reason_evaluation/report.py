"""The page of `training.evaluate_reasons`: figures, plots and samples, with nothing fetched and no script."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.evaluation.report import html_page
from training.evaluation.report_plots import Panel, cumulative_plot, interval_plot
from training.reason_evaluation.bias import MOST_DIVERGENCE, MOST_GAP
from training.reason_evaluation.fluency import USUAL
from training.reason_evaluation.judge import wilson

_LANGUAGES = {"en": "English", "zh": "Chinese"}


def write_report(result: Mapping[str, Any], path: Path) -> None:
    """Writes the page to `path`. Every text in the figures is taken for untrusted: names and titles are a shop's."""
    text = html_page("reason_evaluation/report.html.j2").render(
        result=result,
        names=_LANGUAGES,
        plots=_plots(result["languages"]),
        bounds={"divergence": MOST_DIVERGENCE, "gap": MOST_GAP, "usual": USUAL},
    )
    path.write_text(text, encoding="utf-8")


def _plots(languages: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """SVG by name; matplotlib escapes the texts it draws. A language has a panel."""
    curves = {
        _LANGUAGES[language]: {
            "the phrase bank, each without itself": figures["fluency"]["bank_quantiles"],
            "as shown": figures["fluency"]["quantiles"],
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
                    f"{_LANGUAGES[language]}: answers licensed",
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
    return wilson(row["licensed"], row["asked"]) if row is not None else wilson(0, 0)


def _words(name: str) -> str:
    return name.replace("_", " ")
