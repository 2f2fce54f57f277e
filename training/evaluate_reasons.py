"""How true, fluent, fitting and varied the reasons of a bundle are, by language, with a page of figures and samples.

    python -m training.evaluate_reasons --bundle DIR --data DIR [--generator NAME] [--users N] [--out FILE]
    ... --generator transformers --reason-model DIR_OR_NAME [--reason-revision REVISION]
    ... --generator openai --reason-model NAME --reason-endpoint URL      the key is RECSVC_REASON_API_KEY
    ... --judge-endpoint URL --judge-model NAME [--judged N]              the key is RECSVC_JUDGE_API_KEY

Exit code 3: the generator fails a gate, and must not be enabled.
"""

import argparse
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from recsvc.domain.reason import LANGUAGES, Tone
from recsvc.errors import RecsvcError, SettingsError
from recsvc.model import bundle_files as bundles
from recsvc.reasons import Realiser
from recsvc.reasons.generator import Generator
from training.data.shop import read_shop
from training.evaluation.report import number, percent
from training.reason_evaluation.authors import MODELS, author_named
from training.reason_evaluation.bias import objections
from training.reason_evaluation.judge import Judge, same_model
from training.reason_evaluation.quality import DISTRACTORS
from training.reason_evaluation.report import write_report
from training.reason_evaluation.suite import Evaluation

NOT_TO_BE_ENABLED = 3
# What --generator may name beside a language model.
GENERATORS: dict[str, Callable[[], Generator]] = {"realiser": Realiser}
# Of a language model's answers the verifier must license so many: one that does worse is not worth its electricity.
ACCEPTANCE = 0.70
# What must be caught without exception.
ALWAYS = ("number", "name", "price", "medical")


def gates(result: dict[str, Any]) -> list[str]:
    """Why the generator must not be enabled; nothing where it may be."""
    found = []
    for language, figures in result["languages"].items():
        if figures["unsupported"]:
            found.append(f"{language}: {figures['unsupported']} claims are not supported")
        causes = figures["causes"]
        stayed, raised = causes["causal_left_out"] - causes["off_page"], causes["left_out"] - causes["lowered"]
        if stayed or raised or causes["without_effect"]:
            raised += causes["without_effect"]
            found.append(f"{language}: {stayed} items called causal are not, {raised} that are named raised no score")
        rejected, written = sum(figures["rejected"].values()), figures["reasons"]
        if rejected > 0.3 * (rejected + written):
            found.append(f"{language}: the verifier turned down {rejected} of {rejected + written} sentences")
        mutations = figures["mutations"]
        tried, passed = (sum(sort[what] for sort in mutations.values()) for what in ("tried", "passed"))
        if passed > 0.005 * tried or any(mutations[sort]["passed"] for sort in ALWAYS if sort in mutations):
            found.append(f"{language}: {passed} of {tried} false sentences passed the verifier")
        model = figures["model"]
        if model is not None and model["acceptance"] is not None and model["acceptance"] < ACCEPTANCE:
            share = f"{percent(model['acceptance'])} of {model['asked']} answers, less than {percent(ACCEPTANCE, 0)}"
            found.append(f"{language}: the verifier licenses {share}")
        found += [f"{language}: {objection}" for objection in objections(figures["bias"])]
    return found


def run(given: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Raises DataError, BundleError, TextEncoderError, SettingsError and AuthorUnavailable."""
    author, judge, name = None, None, given.generator
    if name in MODELS:
        author = author_named(name, given.reason_model, given.reason_revision, given.reason_endpoint)
    elif name not in GENERATORS:
        names = ", ".join(sorted({*GENERATORS, *MODELS}))
        raise SettingsError(f"no reason generator {name!r}; there are: {names}")
    generator = GENERATORS[name]() if author is None else None
    if given.judge_endpoint:
        judge = Judge(given.judge_endpoint, given.judge_model), given.judged
    bundle, shop = bundles.load(given.bundle), read_shop(given.data)
    every = sorted(set(shop.events["user_id"].unique().to_list()) | set(shop.users["user_id"].to_list()))
    user_ids = sorted(random.Random(given.seed).sample(every, min(given.users, len(every))))
    evaluation = Evaluation(bundle, shop, user_ids, given.seed, console, generator, author, judge, given.tone)
    result: dict[str, Any] = {
        "bundle_id": bundle.bundle_id,
        "generator": given.generator,
        "model": author.model if author is not None else "",
        "tone": given.tone,
        "users": len(user_ids),
        "judges_itself": judge is not None and author is not None and same_model(given.judge_model, author.model),
        "languages": {language: evaluation.figures(language) for language in given.languages},
    }
    return result | {"gates": gates(result)}


def _text(result: dict[str, Any]) -> list[str]:
    lines = []
    for language, figures in result["languages"].items():
        mutations, found, causes = figures["mutations"], figures["variety"], figures["causes"]
        tried, passed = (sum(sort[what] for sort in mutations.values()) for what in ("tried", "passed"))
        lines += [
            f"{language}  {figures['reasons']:,} reasons for {figures['items']:,} items; {figures['claims']:,} claims, "
            f"{figures['unsupported']} not supported ({causes['left_out']:,} ranked anew)",
            f"    causal: {causes['off_page']:,} of {causes['causal_left_out']:,} left the page without what it named; "
            f"items named that raised the score: {causes['lowered']:,} of {causes['left_out']:,}",
            f"    false sentences caught {1 - passed / max(tried, 1):.4f} of {tried:,}; "
            f"lints {figures['lints'] or 'none'}",
            f"    opening share {found['opening_share']:.3f}, page self-BLEU {found['page_self_bleu']:.3f}, the same "
            f"sentence twice on a page {figures['repeated_on_page']}; "
            f"MRR among {DISTRACTORS + 1} {number(figures['mrr'], 3)}",
            f"    perplexity {number(figures['fluency']['median'], 2)}, "
            f"the phrase bank's own {figures['fluency']['bank_median']:.2f}; "
            f"{figures['milliseconds'][0]:.2f} ms a page in the middle, {figures['milliseconds'][1]:.2f} ms at p99",
        ]
        if (model := figures["model"]) is not None:
            lines.append(
                f"    {model['model']}: {percent(model['acceptance'])} of {model['asked']} answers licensed, "
                f"{model['new']} new patterns, {percent(model['shown'])} of the reasons shown; "
                f"{number(model['seconds_an_answer'], 2)} s an answer, {number(model['seconds_a_new'], 2)} s a new one"
            )
        if (judge := figures["judge"]) is not None:
            said = [f"{name} {percent(row['mean'])}" for name, row in judge["questions"].items()]
            lines.append(f"    {judge['model']} on {judge['sentences']} sentences: {', '.join(said)}")
    return lines


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate_reasons", description="How true and readable the reasons of a bundle are."
    )
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="the shop's folder that it was trained on")
    parser.add_argument("--generator", default="realiser", help="who writes: realiser, transformers or openai")
    parser.add_argument("--reason-model", default="", help="the language model: a name, or a folder (transformers)")
    parser.add_argument("--reason-revision", default="", help="its revision, so that it stays the same model")
    parser.add_argument("--reason-endpoint", default="", help="of chat completions, such as http://host/v1 (openai)")
    parser.add_argument("--judge-endpoint", default="", help="of a judge model, such as http://host/v1")
    parser.add_argument("--judge-model", default="", help="the judge model's name")
    parser.add_argument("--judged", type=int, default=100, help="sentences a language that the judge is shown")
    parser.add_argument("--tone", type=Tone, choices=list(Tone), default=Tone.NEUTRAL, help="how they are worded")
    parser.add_argument("--languages", nargs="+", choices=LANGUAGES, default=list(LANGUAGES))
    parser.add_argument("--users", type=int, default=1_000, help="drawn by seed; a page of 12 each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("reasons.html"), help="the page to write")
    parser.add_argument("--json", type=Path, help="and a file of the figures")
    given = parser.parse_args(arguments)
    if bool(given.judge_endpoint) != bool(given.judge_model):
        parser.error("--judge-endpoint and --judge-model go together")
    try:
        result = run(given, Console(stderr=True))
    except RecsvcError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if given.json is not None:
        given.json.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    write_report(result, given.out)
    print(*_text(result), f"report {given.out}", sep="\n")
    if result["judges_itself"]:
        print(f"warning: {given.judge_model} judges its own words: take another judge", file=sys.stderr)
    for gate in result["gates"]:
        print(f"not to be enabled: {gate}", file=sys.stderr)
    return NOT_TO_BE_ENABLED if result["gates"] else 0


if __name__ == "__main__":
    sys.exit(main())
