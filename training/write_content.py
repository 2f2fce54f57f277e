"""Writes copy about the items of a bundle as a table, for a person to read and correct. --rubric measures its quality.

    python -m training.write_content --bundle DIR --recipe description.v1 --out FILE.csv [--language en zh]
        [--items FILE] [--audience brand=NAME] [--data DIR] [--synonyms FILE] [--rubric]
    ... --generator transformers --reason-model DIR_OR_NAME [--reason-revision REVISION]
    ... --generator openai --reason-model NAME --reason-endpoint URL      the key is in RECSVC_REASON_API_KEY

A language model writes more patterns first, which are used beside the recipe's own.

The exit code is 3 if the rubric finds a claim that the tables do not support, or if false sentences
pass the verifier.
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

from recsvc.domain.content_request import ContentRequest
from recsvc.domain.reason import LANGUAGES, ContentDraft, EvidenceKind, Strength
from recsvc.errors import InvalidRequest, NothingToSay, SettingsError
from recsvc.model import bundle_files as bundles
from recsvc.model import text_encoders
from recsvc.model.bundle import Bundle
from recsvc.pipeline.item_copy import NO_SEARCH_WORDS, ContentJob, SearchWords
from recsvc.reasons import Author, ContentWriter, PatternPool, PatternRequest, Recipe
from recsvc.reasons.grammar.recipe import parse_claim_key
from recsvc.retrieval.synonyms import Groups, read_synonyms
from training.data.shop import read_shop
from training.evaluation.command import run_command
from training.reason_evaluation.authors import MODELS, acceptance, add_model_flags, author_named, write_wanted
from training.reason_evaluation.bought_searches import bought_searches, read_searches
from training.reason_evaluation.copy_report import print_copy_report
from training.reason_evaluation.copy_rubric import SearchRecord, TableTruth, Written, judge
from training.reason_evaluation.findability import findability, split_searches
from training.reason_evaluation.gates import failed_copy_checks
from training.reason_evaluation.training_events import learned_events
from training.reason_evaluation.truth import Purchases

SUFFIXES = (".csv", ".parquet")
GENERATORS = ("realiser", *MODELS)


def write(
    bundle: Bundle,
    recipe: Recipe,
    language: str,
    item_ids: Sequence[str],
    audience: tuple[str, str] | None = None,
    *,
    search_words: SearchWords = NO_SEARCH_WORDS,
    pool: PatternPool | None = None,
) -> Iterator[Written | None]:
    """Writes a draft for each item.

    Args:
        bundle: The bundle with the items.
        recipe: The kind of copy.
        language: Of the copy.
        item_ids: The items, in order.
        audience: "brand" or "category", and its name.
        search_words: By which people look for the items.
        pool: Patterns of a language model, used beside the recipe's own. Those that it lacks become wanted.

    Yields:
        A draft for each item, in order. None if there is too little to say about the item.

    Raises:
        InvalidRequest: The audience may not be addressed for any of the items.
    """
    writer, refused, last = ContentWriter(pool=pool), 0, None
    for item_id in item_ids:
        row = bundle.catalogue.rows([item_id])[0]
        request = ContentRequest(recipe.id, item_id, language, audience)
        job = ContentJob(bundle, recipe, int(row), request, search_words)
        try:
            yield Written(item_id, job.write(writer)[0])
        except NothingToSay:
            yield None
        except InvalidRequest as error:  # one item may be sensitive; if all are refused, the audience is wrong
            refused, last = refused + 1, error
            yield None
    if last is not None and refused == len(item_ids):
        raise last


def written_ahead(
    author: Author, recipe: Recipe, languages: Sequence[str], console: Console
) -> tuple[PatternPool, dict[str, Any]]:
    """Has a language model write patterns for every claim of a recipe, and measures its answers by language.

    Raises:
        AuthorUnavailable: The model gave no answer.
    """
    pool = PatternPool(author.name, author.model)
    claims = {parse_claim_key(key) for step in recipe.outline for key in step.claim_keys}
    pool.wanted = {
        PatternRequest(kind, Strength.NEUTRAL, form, language, recipe=recipe.id)
        for kind, form in claims
        for language in languages
    }
    written = write_wanted(author, pool, console)
    pool.take({one.request: one.patterns for one in written})
    by_language = {language: [one for one in written if one.request.language == language] for language in languages}
    return pool, {language: acceptance(author, some) for language, some in by_language.items()}


def table(written: Sequence[Written]) -> pl.DataFrame:
    """The drafts as a table, one row each. facts and provenance are JSON."""
    rows = [
        {
            "item_id": one.item_id,
            "recipe": one.draft.provenance.recipe,
            "language": one.draft.language,
            "text": one.draft.text,
            "facts": json.dumps(_facts(one.draft), ensure_ascii=False),
            "human_review_required": one.draft.human_review,
            "provenance": json.dumps(asdict(one.draft.provenance), ensure_ascii=False),
        }
        for one in written
    ]
    texts = ("item_id", "recipe", "language", "text", "facts", "provenance")
    schema = dict.fromkeys(texts, pl.String()) | {"human_review_required": pl.Boolean()}
    order = (*texts[:5], "human_review_required", "provenance")
    return pl.DataFrame(rows, schema={name: schema[name] for name in order})


def _facts(draft: ContentDraft) -> list[dict[str, Any]]:
    fields = ("name", "value", "count", "days")
    return [
        {"kind": fact.kind.value} | {field: value for field in fields if (value := getattr(fact, field))}
        for part in draft.parts
        for fact in part.evidence
    ]


def run(options: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Writes the table, and measures it if asked to. The entry "gates" lists the failed checks.

    Raises:
        DataError: The shop's tables cannot be read.
        BundleError: The bundle cannot be loaded.
        InvalidRequest: The audience may not be addressed.
        SettingsError: An option has a wrong value, or the language model cannot be used.
        AuthorUnavailable: The language model does not answer.
    """
    if options.generator not in GENERATORS:
        raise SettingsError(f"--generator: no {options.generator!r}; there are: {', '.join(GENERATORS)}")
    if options.out.suffix not in SUFFIXES:
        raise SettingsError(f"--out: must end with {' or '.join(SUFFIXES)}")
    if options.rubric and options.data is None:
        raise SettingsError("--rubric: needs --data, the shop's folder that the bundle was trained on")
    recipes = ContentWriter().recipes
    if options.recipe not in recipes:
        raise SettingsError(f"--recipe: no {options.recipe!r}; there are: {', '.join(recipes)}")
    recipe, bundle = recipes[options.recipe], bundles.load(options.bundle)
    item_ids, synonyms = _item_ids(options.items, bundle), read_synonyms(options.synonyms)
    searches = read_searches(options.data) if options.data and recipe.has(EvidenceKind.QUERY) else None
    search_words = _search_words(options.data, bundle, searches, synonyms)
    pool, model = None, None
    if (author := author_named(options)) is not None:
        pool, model = written_ahead(author, recipe, options.language, console)
    drafts: dict[str, list[Written]] = {}
    for language in options.language:
        stream = write(bundle, recipe, language, item_ids, options.audience, search_words=search_words, pool=pool)
        progress = track(stream, f"  {recipe.id}, {language}", len(item_ids), console=console, transient=True)
        drafts[language] = [draft for draft in progress if draft is not None]
    _save(table([draft for of_language in drafts.values() for draft in of_language]), options.out)
    result: dict[str, Any] = {
        "bundle_id": bundle.bundle_id,
        "recipe": recipe.id,
        "items": len(item_ids),
        "written": {language: len(of_language) for language, of_language in drafts.items()},
        "model": model,
    }
    if options.rubric:
        truth = table_truth(options.data, bundle, synonyms, searches)
        rubric = {
            language: judge(of_language, recipe, language, truth, options.seed)
            for language, of_language in drafts.items()
        }
        result |= {"rubric": rubric, "gates": failed_copy_checks(rubric)}
        if searches is not None:
            result["findability"] = _findability(options, bundle, recipe, searches, synonyms)
    return result


def _search_words(folder: Path | None, bundle: Bundle, searches: pl.DataFrame | None, synonyms: Groups) -> SearchWords:
    if folder is None or searches is None:
        return SearchWords(synonyms)
    events = learned_events(read_shop(folder).events, bundle)
    return SearchWords(synonyms, bought_searches(searches, events, bundle.catalogue))


def _findability(
    options: argparse.Namespace, bundle: Bundle, recipe: Recipe, searches: pl.DataFrame, synonyms: Groups
) -> dict[str, Any]:
    """Measures the search with the keywords of all items, made without the searches that are held out."""
    kept, held_out = split_searches(searches, options.seed)
    search_words = _search_words(options.data, bundle, kept, synonyms)
    drafts = write(bundle, recipe, options.language[0], _item_ids(None, bundle), search_words=search_words)
    keywords = {one.item_id: one.draft.text for one in drafts if one is not None}
    return findability(bundle, text_encoders.load(bundle.model.text_encoder), keywords, held_out, synonyms)


def table_truth(
    folder: Path, bundle: Bundle, synonyms: Groups = (), searches: pl.DataFrame | None = None
) -> TableTruth:
    """Reads the tables of the shop that the bundle was trained on, to check drafts by. Raises DataError."""
    shop, days = read_shop(folder), bundle.model.popularity_days
    events = learned_events(shop.events, bundle)
    buyers = Purchases.of(events, (days,)).buyers[days]
    return TableTruth(shop.items, buyers, days, SearchRecord.of(synonyms, searches, events))


def _item_ids(file: Path | None, bundle: Bundle) -> list[str]:
    if file is None:
        return [item.item_id for item in bundle.catalogue.items]
    try:
        item_ids = file.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"--items: {file} cannot be read: {error}") from None
    unknown = [item_id for item_id in item_ids if item_id not in bundle.catalogue]
    if not item_ids:
        raise SettingsError(f"--items: {file} has no ids")
    if unknown:
        raise SettingsError(f"--items: {file} has {len(unknown)} ids that the bundle does not have: {unknown[:3]}")
    return list(dict.fromkeys(item_ids))


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


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.write_content",
        description="Writes copy about the items of a bundle. Somebody must read it before it is used.",
    )
    parser.add_argument("--bundle", type=Path, required=True, help="the bundle's folder")
    parser.add_argument("--recipe", required=True, help="the kind of copy, for example description.v1")
    parser.add_argument("--out", type=Path, required=True, help="the .csv or .parquet file to write")
    parser.add_argument(
        "--language", nargs="+", choices=LANGUAGES, default=[LANGUAGES[0]], help=f"of the copy [{LANGUAGES[0]}]"
    )
    parser.add_argument("--items", type=Path, help="a file of item ids, separated by spaces or lines [all items]")
    parser.add_argument("--audience", type=_audience, help="brand=NAME or category=NAME, if the recipe has an audience")
    add_model_flags(parser, ", ".join(GENERATORS))
    parser.add_argument("--rubric", action="store_true", help="also measure the quality of the copy")
    parser.add_argument(
        "--data", type=Path, help="the shop's folder: the rubric checks by it, and keywords use its search log"
    )
    parser.add_argument("--synonyms", type=Path, help="the file of synonyms that the service has, for keywords")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--seed", type=int, default=0, help="of everything that the rubric draws at random [0]")
    options = parser.parse_args(arguments)

    def show(result: dict[str, Any]) -> None:
        print_copy_report(result)
        print(f"wrote {options.out}")

    return run_command(lambda console: run(options, console), show, json_file=options.json, refusal="do not use")


if __name__ == "__main__":
    sys.exit(main())
