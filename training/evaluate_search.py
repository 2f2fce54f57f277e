"""Measures how well the search of a bundle finds what people mean.

    python -m training.evaluate_search --bundle DIR --data DIR [--queries FILE] [--split test] [--show N] [--json FILE]

The sets of queries are: written by hand in other words than the shop's (--queries), two words of an item's title, two
words of an item that a known user bought next, and the shop's own search log (searches.parquet or .csv in --data).
Each is answered by the product, by the text encoder alone and by words alone. docs/search.md explains the figures.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from recsvc.model import bundle_files as bundles
from recsvc.model.bundle import Bundle
from recsvc.retrieval.search_scorer import TASTE_WEIGHT
from training.evaluation.command import run_command
from training.evaluation.html_page import number
from training.metrics import interval
from training.search_evaluation.offline_search import PRODUCT, SEARCHES, OfflineSearch, offline_search
from training.search_evaluation.queries import SearchQuery, shared_words
from training.search_evaluation.search_log import SearchLog, logged_queries, read_search_log
from training.search_evaluation.search_quality import METRICS, figures, per_query
from training.search_evaluation.shopper_searches import shopper_searches
from training.search_evaluation.title_queries import bought_items, known_items
from training.search_evaluation.unseen_purchases import unseen_purchases
from training.search_evaluation.written_queries import SPLITS, answered_by, read_written_queries

SHOWN_TITLES = 3


def run(options: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Measures every set of queries that there is.

    Raises:
        BundleError: The bundle cannot be loaded.
        DataError: The shop's tables or the queries cannot be read.
        TextEncoderError: The bundle's text encoder is not installed.
        SettingsError: The text encoder has other weights than the bundle was trained with.
    """
    bundle = bundles.load(options.bundle)
    log = read_search_log(options.data) if options.data else None
    sets = _sets(options, bundle, log, console)
    result: dict[str, Any] = {
        "bundle_id": bundle.bundle_id,
        "text_encoder": bundle.model.text_encoder,
        "items": len(bundle.catalogue),
        "seed": options.seed,
    }
    with offline_search(bundle) as search:
        result["sets"] = {}
        for name, queries in sets.items():
            console.print(f"{name}: {len(queries):,} queries", highlight=False)
            result["sets"][name] = _measured(search, bundle, queries, options)
        result["taste"] = _by_taste(search, sets, bundle, log, options) if options.taste_weights else {}
        timed = bool(search.seconds)
        result["milliseconds"] = (np.quantile(search.seconds, (0.5, 0.99)) * 1000).tolist() if timed else None
    return result


def _sets(
    options: argparse.Namespace, bundle: Bundle, log: SearchLog | None, console: Console
) -> dict[str, list[SearchQuery]]:
    """The queries by the name of their set; no set is empty."""
    catalogue = bundle.catalogue
    sets: dict[str, list[SearchQuery]] = {}
    if options.queries:
        written = read_written_queries(options.queries)
        chosen = SPLITS if options.split == "all" else (options.split,)
        queries = [query for split in chosen for query in written[split]]
        sets[f"other words ({options.split})"] = answered_by(queries, catalogue, options.queries.name)
    sets["known items"] = known_items(catalogue, options.items, options.seed)
    if log is not None:
        holdout = unseen_purchases(options.data, bundle)
        sets["bought items"] = bought_items(catalogue, holdout, options.items, options.seed) if holdout else []
        sets["search log"], left_out = logged_queries(log, catalogue, options.searches, options.seed)
        if left_out:
            console.print(f"rows of the search log with unknown items, left out: {left_out:,}", highlight=False)
    return {name: queries for name, queries in sets.items() if queries}


def _by_taste(
    search: OfflineSearch,
    sets: dict[str, list[SearchQuery]],
    bundle: Bundle,
    log: SearchLog | None,
    options: argparse.Namespace,
) -> dict[str, Any]:
    """The mrr by weight of the user's taste, of the sets whose shoppers have a history. Has no texts."""
    known = {"bought items": sets.get("bought items", [])}
    if log is not None:
        shoppers = shopper_searches(log, options.data, bundle, options.searches, options.seed)
        known["searches of shoppers"] = shoppers
    return {
        name: {
            "queries": len(queries),
            "mrr": {
                f"{weight:g}": interval(per_query(search.with_taste(weight, queries), queries)["mrr"])
                for weight in options.taste_weights
            },
        }
        for name, queries in known.items()
        if queries
    }


def _measured(
    search: OfflineSearch, bundle: Bundle, queries: list[SearchQuery], options: argparse.Namespace
) -> dict[str, Any]:
    results = {name: search.results(name, queries) for name in options.searches_by}
    values = {name: per_query(rows, queries) for name, rows in results.items()}
    titles = [item.title for item in bundle.catalogue.items]
    shared = [sorted(shared_words(query, bundle.catalogue)) for query in queries]
    return {
        "shares_words": sum(map(bool, shared)),
        "groups": figures(results, queries, [query.kind for query in queries]),
        "queries": [
            {
                "text": query.text,
                "kind": query.kind,
                "relevant": len(query.relevant),
                "shared_words": shared[i],
                **{name: {metric: float(values[name][metric][i]) for metric in METRICS} for name in results},
                "titles": [titles[row] for row in results[options.searches_by[0]][i][:SHOWN_TITLES]],
            }
            for i, query in enumerate(queries)
        ],
    }


def _text(result: dict[str, Any], show: int) -> Iterator[str]:
    yield f"bundle {result['bundle_id']}, {result['items']:,} items, text encoder {result['text_encoder']}"
    for name, measured in result["sets"].items():
        count = len(measured["queries"])
        yield f"\n{name}: {count:,} queries, {measured['shares_words']:,} share a word with what they should find"
        yield f"  {'':<14}{'':<10}{'queries':>8}  " + "".join(f"{metric:<22}" for metric in METRICS)
        for group, row in measured["groups"].items():
            for search in (search for search in SEARCHES if search in row):
                cells = (_cell(row[search][metric]) for metric in METRICS)
                yield f"  {group:<14}{search:<10}{row['queries']:>8,}  " + "".join(f"{cell:<22}" for cell in cells)
        if show:
            yield from _worst(measured["queries"], show)
    for name, measured in result["taste"].items():
        yield f"\nmrr by weight of taste, {name}: {measured['queries']:,} queries"
        yield from (f"  {weight:<8}{_cell(value)}" for weight, value in measured["mrr"].items())
    if result["milliseconds"]:
        p50, p99 = result["milliseconds"]
        yield f"\nms for a search of the product, text encoder included: median {p50:.1f}, p99 {p99:.1f}"


def _cell(value: dict[str, float | None]) -> str:
    return f"{number(value['mean'], 3)} ({number(value['low'], 3)}–{number(value['high'], 3)})"


def _worst(queries: list[dict[str, Any]], n: int) -> Iterator[str]:
    """The queries whose first relevant item comes latest, with the first titles of their results."""
    search = next(name for name in SEARCHES if name in queries[0])
    yield f"  worst for {search}:"
    for query in sorted(queries, key=lambda query: float(query[search]["mrr"]))[:n]:
        yield f"    {query[search]['mrr']:.3f}  {query['text']}  →  {' | '.join(query['titles']) or 'nothing'}"


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate_search",
        description="Measures how well the search of a bundle finds what people mean.",
    )
    parser.add_argument("--bundle", type=Path, required=True, help="the bundle's folder")
    parser.add_argument(
        "--data", type=Path, help="the shop's folder that the bundle was trained on, with or without a search log"
    )
    parser.add_argument("--queries", type=Path, help="a file of written queries, such as queries_en.toml")
    parser.add_argument(
        "--split", choices=(*SPLITS, "all"), default="test", help="the part of the written queries [test]"
    )
    parser.add_argument("--items", type=int, default=200, help="queries made from titles, in each set [200]")
    parser.add_argument("--searches", type=int, default=1_000, help="queries of the search log, at most [1000]")
    parser.add_argument(
        "--by",
        dest="searches_by",
        nargs="+",
        choices=SEARCHES,
        default=list(SEARCHES),
        help=f"the searches to measure [all]; {PRODUCT} alone is fastest",
    )
    parser.add_argument(
        "--taste-weights",
        type=float,
        nargs="+",
        default=[],
        metavar="W",
        help=f"also report the mrr with these weights of the user's taste; the product has {TASTE_WEIGHT:g}",
    )
    parser.add_argument("--seed", type=int, default=0, help="of everything that is drawn at random [0]")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print the N worst queries of each set")
    parser.add_argument("--json", type=Path, help="also write the figures, query by query, to this file")
    options = parser.parse_args(arguments)

    def show(result: dict[str, Any]) -> None:
        print(*_text(result, options.show), sep="\n")

    return run_command(lambda console: run(options, console), show, json_file=options.json)


if __name__ == "__main__":
    sys.exit(main())
