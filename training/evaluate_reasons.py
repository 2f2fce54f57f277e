"""Measures how true, fluent, relevant and varied the reasons of a bundle are, and writes an HTML page about them.

    python -m training.evaluate_reasons --bundle DIR --data DIR [--generator NAME] [--users N] [--out FILE]
    ... --generator transformers --reason-model DIR_OR_NAME [--reason-revision REVISION]
    ... --generator openai --reason-model NAME --reason-endpoint URL      the key is in RECSVC_REASON_API_KEY
    ... [--reason-timeout SECONDS] [--reason-batch N]                     of each call of the model
    ... --judge-endpoint URL --judge-model NAME [--judged N]              the key is in RECSVC_JUDGE_API_KEY

The exit code is 3 if the generator fails a check: do not enable it then.
"""

import argparse
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from recsvc.domain.reason import LANGUAGES, Tone
from recsvc.errors import SettingsError
from recsvc.model import bundle_files as bundles
from recsvc.reasons import Realiser
from recsvc.reasons.generator import Generator
from training.data.shop import read_shop
from training.evaluation.command import run_command
from training.evaluation.html_page import number, percent
from training.reason_evaluation.authors import MODELS, add_model_flags, author_named
from training.reason_evaluation.gates import failed_reason_checks
from training.reason_evaluation.judge import Judge, same_model
from training.reason_evaluation.mutations import totals
from training.reason_evaluation.quality import DISTRACTORS
from training.reason_evaluation.report import write_report
from training.reason_evaluation.suite import Evaluation

# What --generator may name beside a language model.
GENERATORS: dict[str, Callable[[], Generator]] = {"realiser": Realiser}


def run(options: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Measures the reasons in every language. The entry "gates" lists the failed checks.

    Raises:
        DataError: The shop's tables cannot be read.
        BundleError: The bundle cannot be loaded.
        TextEncoderError: The bundle's text encoder is not installed.
        SettingsError: The generator, the language model or the judge cannot be used.
        AuthorUnavailable: The language model or the judge does not answer.
    """
    author, judge, generator = None, None, options.generator
    if generator in MODELS:
        author = author_named(options)
        generator = "realiser"
    elif generator not in GENERATORS:
        names = ", ".join(sorted({*GENERATORS, *MODELS}))
        raise SettingsError(f"no reason generator {generator!r}; there are: {names}")
    if options.judge_endpoint:
        judge = Judge(options.judge_endpoint, options.judge_model), options.judged
    bundle, shop = bundles.load(options.bundle), read_shop(options.data)
    everybody = sorted(set(shop.events["user_id"].unique().to_list()) | set(shop.users["user_id"].to_list()))
    evaluation = Evaluation(
        bundle,
        shop,
        sorted(random.Random(options.seed).sample(everybody, min(options.users, len(everybody)))),
        seed=options.seed,
        console=console,
        generator=GENERATORS[generator](),
        author=author,
        judge=judge,
        tone=options.tone,
    )
    result: dict[str, Any] = {
        "bundle_id": bundle.bundle_id,
        "generator": options.generator,
        "model": author.model if author is not None else "",
        "tone": options.tone,
        "users": min(options.users, len(everybody)),
        "judges_itself": judge is not None and author is not None and same_model(options.judge_model, author.model),
        "languages": {language: evaluation.figures(language) for language in options.languages},
    }
    return result | {"gates": failed_reason_checks(result)}


def _text(result: dict[str, Any]) -> Iterator[str]:
    for language, figures in result["languages"].items():
        variety, neighbours, causes = figures["variety"], figures["neighbours"], figures["causes"]
        tried, passed = totals(figures["mutations"])
        yield (
            f"{language}  {figures['reasons']:,} reasons for {figures['items']:,} items; {figures['claims']:,} claims, "
            f"{figures['unsupported']} unsupported"
        )
        yield (
            f"    called causal: {causes['off_page']:,} of {causes['causal_left_out']:,} recommendations left the page "
            f"without the named item; named items that raised the score: {causes['lowered']:,} of "
            f"{causes['left_out']:,}"
        )
        yield (
            f"    false sentences caught: {1 - passed / max(tried, 1):.4f} of {tried:,}; "
            f"lints: {figures['lints'] or 'none'}"
        )
        yield (
            f"    {variety['patterns']} wordings; {neighbours['repeated']:,} of {neighbours['pairs']:,} neighbours "
            f"repeat the sentence above, at most {neighbours['longest_run']} of a kind in a row; "
            f"MRR among {DISTRACTORS + 1} {number(figures['mrr'], 3)}"
        )
        yield (
            f"    perplexity {number(figures['fluency']['median'], 2)}, "
            f"of the phrase bank {figures['fluency']['bank_median']:.2f}; "
            f"ms for a page: median {figures['milliseconds'][0]:.2f}, p99 {figures['milliseconds'][1]:.2f}"
        )
        yield from _text_of_models(figures)


def _text_of_models(figures: dict[str, Any]) -> Iterator[str]:
    if (model := figures["model"]) is not None:
        natural = model["natural"]
        yield (
            f"    {model['model']} wrote {model['new']} new sentences: {natural['clean']} keep the house style, "
            f"{natural['natural']} of these are about as fluent as the phrase bank (perplexity "
            f"{number(natural['perplexity'], 2)}, bank {natural['bank_perplexity']:.2f})"
        )
        yield (
            f"    {percent(model['acceptance'])} of {model['answered']} answers are licensed and new, "
            f"{model['copies']} copy the phrase bank, {model['unanswered']} did not come in time; "
            f"{number(model['seconds_an_answer'], 2)} s per answer, "
            f"in {percent(model['shown'])} of the shown reasons"
        )
    if (judge := figures["judge"]) is not None:
        answers = [f"{name} {percent(row['mean'])}" for name, row in judge["questions"].items()]
        yield f"    {judge['model']} on {judge['sentences']} sentences: {', '.join(answers)}"
        fluent = [f"of the {writer} {percent(rows['fluent']['mean'])}" for writer, rows in judge["by_writer"].items()]
        yield f"    it finds natural: {', '.join(fluent)}"


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate_reasons",
        description="Measures how true and readable the reasons of a bundle are.",
    )
    parser.add_argument("--bundle", type=Path, required=True, help="the bundle's folder")
    parser.add_argument("--data", type=Path, required=True, help="the shop's folder that the bundle was trained on")
    add_model_flags(parser, "realiser, transformers or openai")
    parser.add_argument("--judge-endpoint", default="", help="the address of a judge model, such as http://host/v1")
    parser.add_argument("--judge-model", default="", help="the judge model's name")
    parser.add_argument("--judged", type=int, default=100, help="sentences per language that the judge sees [100]")
    parser.add_argument(
        "--tone", type=Tone, choices=list(Tone), default=Tone.NEUTRAL, help="the tone of the reasons [neutral]"
    )
    parser.add_argument(
        "--languages", nargs="+", choices=LANGUAGES, default=list(LANGUAGES), help="the languages to measure [all]"
    )
    parser.add_argument("--users", type=int, default=1_000, help="users to draw, with a page of 12 items each [1000]")
    parser.add_argument("--seed", type=int, default=0, help="of everything that is drawn at random [0]")
    parser.add_argument("--out", type=Path, default=Path("reasons.html"), help="the HTML page to write [reasons.html]")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args(arguments)
    if bool(options.judge_endpoint) != bool(options.judge_model):
        parser.error("--judge-endpoint and --judge-model go together")

    def show(result: dict[str, Any]) -> None:
        write_report(result, options.out)
        print(*_text(result), f"report {options.out}", sep="\n")
        if result["judges_itself"]:
            print(f"warning: {options.judge_model} judges its own words: use another judge", file=sys.stderr)

    return run_command(lambda console: run(options, console), show, json_file=options.json, refusal="do not enable")


if __name__ == "__main__":
    sys.exit(main())
