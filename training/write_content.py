"""Copy about the items of a bundle, as a table to be read and corrected; with a rubric, how good it is.

    python -m training.write_content --bundle DIR --recipe description.v1 --out FILE.csv [--language en zh]
        [--items FILE] [--audience brand=NAME] [--rubric --data DIR]

Exit code 3: the rubric found a claim that the shop's tables do not support, or a false sentence that was not caught.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console
from rich.progress import track
from rich.table import Table

from recsvc.domain.query import ContentRequest
from recsvc.domain.reason import LANGUAGES, ContentDraft
from recsvc.errors import InvalidRequest, NothingToSay, RecsvcError, SettingsError
from recsvc.model import bundle_files as bundles
from recsvc.model.bundle import Bundle
from recsvc.pipeline.item_copy import ContentJob
from recsvc.reasons import ContentWriter, Recipe
from training.data.shop import read_shop
from training.reason_evaluation.copy_rubric import TableTruth, Written, gates, judge
from training.reason_evaluation.training_events import learned_events
from training.reason_evaluation.truth import Purchases

NOT_TO_BE_USED = 3
SUFFIXES = (".csv", ".parquet")


def write(
    bundle: Bundle, recipe: Recipe, language: str, item_ids: Sequence[str], audience: tuple[str, str] | None = None
) -> Iterator[Written | None]:
    """A draft of each item, in order; None where too little can be said of it.

    Raises InvalidRequest for an audience that nobody may address for any of the items.
    """
    writer, refused, last = ContentWriter(), 0, None
    for item_id in item_ids:
        row = bundle.catalogue.rows([item_id])[0]
        job = ContentJob(bundle, recipe, int(row), ContentRequest(recipe.id, item_id, language, audience))
        try:
            yield Written(item_id, job.write(writer)[0])
        except NothingToSay:
            yield None
        except InvalidRequest as error:  # one item may be sensitive, but if all are refused it is the audience
            refused, last = refused + 1, error
            yield None
    if last is not None and refused == len(item_ids):
        raise last


def table(written: Sequence[Written]) -> pl.DataFrame:
    """One row a draft. facts and provenance are JSON."""
    rows = [
        {
            "item_id": each.item_id,
            "recipe": each.draft.provenance.recipe,
            "language": each.draft.language,
            "text": each.draft.text,
            "facts": json.dumps(_facts(each.draft), ensure_ascii=False),
            "human_review_required": each.draft.human_review,
            "provenance": json.dumps(asdict(each.draft.provenance), ensure_ascii=False),
        }
        for each in written
    ]
    texts = ("item_id", "recipe", "language", "text", "facts", "provenance")
    schema = dict.fromkeys(texts, pl.String()) | {"human_review_required": pl.Boolean()}
    order = (*texts[:5], "human_review_required", "provenance")
    return pl.DataFrame(rows, schema={name: schema[name] for name in order})


def _facts(draft: ContentDraft) -> list[dict[str, Any]]:
    used = ("name", "value", "count", "days")
    return [
        {"kind": fact.kind.value} | {field: value for field in used if (value := getattr(fact, field))}
        for part in draft.parts
        for fact in part.evidence
    ]


def run(given: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Raises DataError, BundleError, InvalidRequest and SettingsError."""
    if given.out.suffix not in SUFFIXES:
        raise SettingsError(f"--out: must end with {' or '.join(SUFFIXES)}")
    if given.rubric and given.data is None:
        raise SettingsError("--rubric: needs --data, the shop's folder that the bundle was trained on")
    known = ContentWriter().recipes
    if given.recipe not in known:
        raise SettingsError(f"--recipe: no {given.recipe!r}; there are: {', '.join(known)}")
    recipe, bundle = known[given.recipe], bundles.load(given.bundle)
    item_ids = _item_ids(given.items, bundle)
    drafts: dict[str, list[Written]] = {}
    for language in given.language:
        found = write(bundle, recipe, language, item_ids, given.audience)
        progress = track(found, f"  {recipe.id}, {language}", len(item_ids), console=console, transient=True)
        drafts[language] = [each for each in progress if each is not None]
    _save(table([each for of_language in drafts.values() for each in of_language]), given.out)
    result: dict[str, Any] = {
        "bundle_id": bundle.bundle_id,
        "recipe": recipe.id,
        "items": len(item_ids),
        "written": {language: len(each) for language, each in drafts.items()},
    }
    if given.rubric:
        truth = _truth(given.data, bundle)
        rubric = {language: judge(each, recipe, language, truth, given.seed) for language, each in drafts.items()}
        result |= {"rubric": rubric, "gates": gates(rubric)}
    return result


def _truth(folder: Path, bundle: Bundle) -> TableTruth:
    shop, days = read_shop(folder), bundle.model.popularity_days
    buyers = Purchases.of(learned_events(shop.events, bundle), (days,)).buyers[days]
    return TableTruth(shop.items, buyers, days)


def _item_ids(file: Path | None, bundle: Bundle) -> list[str]:
    every = [item.item_id for item in bundle.catalogue.items]
    if file is None:
        return every
    try:
        wanted = file.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"--items: {file} cannot be read: {error}") from None
    unknown = [item_id for item_id in wanted if item_id not in bundle.catalogue]
    if unknown or not wanted:
        raise SettingsError(f"--items: {file} has {len(unknown)} ids that the bundle does not know {unknown[:3]}")
    return list(dict.fromkeys(wanted))


def _save(rows: pl.DataFrame, out: Path) -> None:
    part = out.with_name(f"{out.name}.part")
    if out.suffix == ".csv":
        rows.write_csv(part)
    else:
        rows.write_parquet(part)
    part.replace(out)


def _audience(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or name not in ("brand", "category") or not value:
        raise argparse.ArgumentTypeError("must be brand=NAME or category=NAME")
    return name, value


def _rubric_table(result: dict[str, Any]) -> Table:
    shown = Table("", *result["rubric"], title=f"{result['recipe']}: {result['items']:,} items")
    rows: dict[str, list[str]] = {}
    for figures in result["rubric"].values():
        tried, passed = (sum(sort[what] for sort in figures["mutations"].values()) for what in ("tried", "passed"))
        least, middle, most = figures["characters"] or (0, 0, 0)
        for name, value in {
            "texts": f"{figures['texts']:,}",
            "facts": f"{figures['facts']:,}",
            "supported": f"{figures['supported']:.3f}",
            "false sentences caught": f"{1 - passed / max(tried, 1):.4f} of {tried:,}",
            "lints": ", ".join(f"{lint} {n}" for lint, n in figures["lints"].items()) or "none",
            "opening share": f"{figures['opening_share']:.3f}",
            "distinct-2": f"{figures['distinct_2']:.3f}",
            "patterns": f"{figures['patterns']:,}",
            "the same text twice": f"{figures['duplicates']:,}",
            "characters, least to most": f"{least} to {middle:g} to {most}",
        }.items():
            rows.setdefault(name, []).append(value)
    for name, values in rows.items():
        shown.add_row(name, *values)
    return shown


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.write_content", description="Copy about the items of a bundle, to be read before use."
    )
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--recipe", required=True, help="for example description.v1")
    parser.add_argument("--out", type=Path, required=True, help="a .csv or .parquet file to write")
    parser.add_argument("--language", nargs="+", choices=LANGUAGES, default=[LANGUAGES[0]])
    parser.add_argument("--items", type=Path, help="a file of item ids, one a line; all items, where none is given")
    parser.add_argument("--audience", type=_audience, help="brand=NAME or category=NAME, where the recipe has one")
    parser.add_argument("--rubric", action="store_true", help="judge what was written")
    parser.add_argument("--data", type=Path, help="the shop's folder, for the rubric")
    parser.add_argument("--json", type=Path, help="a file for the rubric's figures")
    parser.add_argument("--seed", type=int, default=0, help="of what the rubric draws")
    given = parser.parse_args(arguments)
    try:
        result = run(given, Console(stderr=True))
    except RecsvcError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if given.json is not None:
        given.json.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for language, n in result["written"].items():
        print(f"{language}  {n:,} of {result['items']:,} items; of the others too little can be said")
    if given.rubric:
        Console().print(_rubric_table(result))
        print(json.dumps(result, ensure_ascii=False))
    print(f"wrote {given.out}", *(f"not to be used: {gate}" for gate in result.get("gates", ())), sep="\n")
    return NOT_TO_BE_USED if result.get("gates") else 0


if __name__ == "__main__":
    sys.exit(main())
