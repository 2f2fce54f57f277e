"""Reports what people search for in a running shop: what finds nothing, what nobody opens, and which synonyms may help.

    python -m training.report_searches --data SHOP --out DIR [--min-people 5] [--minutes 5] [--hours 24]
                                       [--synonyms FILE]

SHOP is a folder that `training.export_events` exported to, from a service that runs with --log-searches true. DIR gets
the page searches.html, the figures searches.json, and synonyms.txt with suggestions for `recsvc serve --synonyms`.
A query that fewer than --min-people people typed is in none of them: it is counted in sums alone. docs/search.md
explains the figures.
"""

import argparse
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console

from recsvc.retrieval.synonyms import read_synonyms
from training.evaluation.command import run_command
from training.evaluation.html_page import percent
from training.search_evaluation.exported_searches import read_exported_searches
from training.search_evaluation.query_outcomes import below_average, outcomes
from training.search_evaluation.reformulations import SynonymUse, suggestions
from training.search_evaluation.search_log import CHOSEN_HOURS, MIN_PEOPLE
from training.search_evaluation.searches_page import write_page

LEAST_PEOPLE = 2  # a query that one person typed is never listed
REFORMULATION_MINUTES = 5.0


def run(options: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Counts everything that the report holds.

    Raises:
        DataError: The folder has no exported searches, or no exported events.
        SettingsError: The file of synonyms cannot be used.
    """
    synonyms = read_synonyms(options.synonyms)
    searches = read_exported_searches(options.data, options.hours)
    console.print(f"{searches.height:,} searches", highlight=False)
    listed, sums, withheld = outcomes(searches, options.min_people)
    if options.synonyms is not None:
        use = SynonymUse(synonyms, searches["query"])
        listed = [{**row, "synonyms": use.changes(row["query"])} for row in listed]
    pairs = suggestions(searches, options.min_people, options.minutes, synonyms)
    return {
        "min_people": options.min_people,
        "minutes": options.minutes,
        "hours": options.hours,
        **_period(searches),
        "sums": sums,
        "withheld": withheld,
        "queries": listed,
        "found_nothing": [
            row["query"] for row in sorted(listed, key=lambda row: (-row["empty"], row["query"])) if row["empty"]
        ],
        "rarely_opened": [row["query"] for row in below_average(listed, "opened", "open_rate", sums)],
        "rarely_bought": [row["query"] for row in below_average(listed, "bought", "buy_rate", sums)],
        "suggestions": [asdict(suggestion) for suggestion in pairs],
    }


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.report_searches",
        description="Reports what people search for: what finds nothing, what nobody opens, which synonyms may help.",
    )
    parser.add_argument("--data", type=Path, required=True, help="the shop's folder, with exported searches and events")
    parser.add_argument("--out", type=Path, required=True, help="the folder of the report")
    parser.add_argument(
        "--min-people",
        type=_people,
        default=MIN_PEOPLE,
        help="list only queries that at least this many people typed, because a query can be personal [5]",
    )
    parser.add_argument(
        "--minutes",
        type=_positive,
        default=REFORMULATION_MINUTES,
        help="suggest synonyms from searches that follow within these minutes [5]",
    )
    parser.add_argument(
        "--hours", type=_positive, default=CHOSEN_HOURS, help="events count within these hours after a search [24]"
    )
    parser.add_argument("--synonyms", type=Path, help="the service's present file of synonyms")
    options = parser.parse_args(arguments)

    def show(result: dict[str, Any]) -> None:
        write_page(result, options.out / "searches.html")
        lines = [f"# Suggested from {result['sums']['searches']:,} searches. Read each line before you use it."]
        lines += [suggestion["line"] for suggestion in result["suggestions"]]
        (options.out / "synonyms.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        print(_summary(result), f"report {options.out / 'searches.html'}", sep="\n")

    options.out.mkdir(parents=True, exist_ok=True)
    return run_command(lambda console: run(options, console), show, json_file=options.out / "searches.json")


def _period(searches: pl.DataFrame) -> dict[str, str | None]:
    """The times of the first and the last search, ISO 8601."""
    times = searches["timestamp"].sort()
    ends = {"from": times.first(), "to": times.last()}
    return {name: time.isoformat() if isinstance(time, datetime) else None for name, time in ends.items()}


def _summary(result: dict[str, Any]) -> str:
    sums, withheld = result["sums"], result["withheld"]
    typed = sums["typed"] or 1
    return (
        f"{sums['searches']:,} searches by {sums['people']:,} people, {sums['queries']:,} queries; "
        f"{percent(sums['empty'] / typed)} found nothing, {percent(sums['opened'] / typed)} were opened, "
        f"{percent(sums['bought'] / typed)} led to a purchase\n"
        f"{len(result['queries']):,} queries are listed, {withheld['queries']:,} are not: fewer than "
        f"{result['min_people']} people typed each; {len(result['suggestions']):,} synonyms are suggested"
    )


def _people(text: str) -> int:
    number = int(text)
    if number < LEAST_PEOPLE:
        raise argparse.ArgumentTypeError(f"must be at least {LEAST_PEOPLE}")
    return number


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError("must be above 0")
    return number


if __name__ == "__main__":
    sys.exit(main())
