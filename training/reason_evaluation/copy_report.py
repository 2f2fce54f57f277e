"""Prints the result of `training.write_content`."""

import json
from typing import Any

from rich.console import Console
from rich.table import Table

from training.reason_evaluation.mutations import totals


def _rubric_table(result: dict[str, Any]) -> Table:
    printed = Table("", *result["rubric"], title=f"{result['recipe']}: {result['items']:,} items")
    rows: dict[str, list[str]] = {}
    for figures in result["rubric"].values():
        tried, passed = totals(figures["mutations"])
        shortest, median, longest = figures["characters"] or (0, 0, 0)
        for name, value in {
            "texts": f"{figures['texts']:,}",
            "facts": f"{figures['facts']:,}",
            "supported": f"{figures['supported']:.3f}",
            "false sentences caught": f"{1 - passed / max(tried, 1):.4f} of {tried:,}",
            "lints": ", ".join(f"{lint} {n}" for lint, n in figures["lints"].items()) or "none",
            "commonest opening": f"{figures['opening_share']:.3f}",
            "distinct-2": f"{figures['distinct_2']:.3f}",
            "patterns": f"{figures['patterns']:,}",
            "repeated texts": f"{figures['duplicates']:,}",
            "characters: shortest, median, longest": f"{shortest}, {median:g}, {longest}",
        }.items():
            rows.setdefault(name, []).append(value)
    for name, values in rows.items():
        printed.add_row(name, *values)
    return printed


def print_copy_report(result: dict[str, Any]) -> None:
    """Prints how many texts were written, and what was measured of them."""
    for language, n in result["written"].items():
        print(f"{language}  {n:,} of {result['items']:,} items; there is too little to say about the others")
    for language, figures in (result["model"] or {}).items():
        print(
            f"{language}  {figures['model']} wrote {figures['new']} new patterns; {figures['copies']} of "
            f"{figures['answered']} answers copy the recipe's own, {figures['unanswered']} did not come in time"
        )
    if measured := result.get("findability"):
        print(f"{measured['searches']:,} held-out searches find their item, without and with the keywords:")
        for name in ("before", "after"):
            if figures := measured[name]:
                print(f"  {name:<7}mean reciprocal rank {figures['mrr']:.3f}, first ten {figures['top_10']:.3f}")
    if "rubric" in result:
        Console().print(_rubric_table(result))
        print(json.dumps(result, ensure_ascii=False))
