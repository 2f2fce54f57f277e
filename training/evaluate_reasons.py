"""How true, fluent, fitting and varied the reasons of a bundle are, by language, with a page of figures and samples.

    python -m training.evaluate_reasons --bundle DIR --data DIR [--generator NAME] [--users N] [--out FILE]

Exit code 3: the generator fails a gate of accuracy, and must not be enabled.
"""

import argparse
import json
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from rich.console import Console
from rich.progress import track

from recsvc import bundle_files as bundles
from recsvc.bundle import Bundle
from recsvc.domain import LANGUAGES, Reason, Tone
from recsvc.errors import RecsvcError
from recsvc.reasons import ReasonWriter
from recsvc.reasons.names import clean_name
from training.data import Shop, read_shop
from training.offline_pages import Page, pages, records_of
from training.reason_mutations import caught
from training.reason_quality import DISTRACTORS, claims_of, delexicalised, is_user_specific, lints, relevance, variety
from training.reason_truth import Purchases, Truth
from training.report import html_page, number

PAGE = 12
HISTORIES = ((0, 0), (1, 2), (3, 10), (11, None))
JUDGED = 3_000  # reasons whose relevance is looked at, and that are made false, at most
SAMPLES = 6  # of each kind, in the report
PICKED = 30  # whatever their kind
NOT_TO_BE_ENABLED = 3
# What must be caught without exception.
ALWAYS = ("number", "name", "price", "medical")


def evaluate_language(
    bundle: Bundle,
    shop: Shop,
    user_ids: Sequence[str],
    generator: str,
    language: str,
    seed: int,
    console: Console,
    tone: Tone = Tone.NEUTRAL,
) -> dict[str, Any]:
    """All figures of one language."""
    until = datetime.fromisoformat(bundle.provenance["data"]["learned_until"])
    events = shop.events.filter(pl.col("timestamp") <= until)
    now = int(until.timestamp() * 1e6)
    writer = ReasonWriter(generator)
    truth = Truth(bundle, Purchases.of(events, (bundle.model.popularity_days, bundle.model.cohort_days)), now)
    records = records_of(events, shop.users, user_ids, bundle.model.text_encoder)
    given = pages(bundle, records, writer, PAGE, language, now, tone)
    found = list(track(given, f"  pages, {language}", len(records), console=console, transient=True))
    items = bundle.catalogue.items
    told = [(page, place, reason) for page in found for place, reason in enumerate(page.reasons) if reason is not None]
    problems = [
        problem
        for page, place, reason in track(told, f"  truth, {language}", console=console, transient=True)
        for problem in truth.problems(page, items[page.rows[place]], reason)
    ]
    licensed = [(reason, claims_of(page, bundle, place)) for page, place, reason in told]
    sampled = random.Random(seed).sample(licensed, min(JUDGED, len(licensed)))
    names = sorted({clean_name(item.title) for item in random.Random(seed).sample(items, min(200, len(items)))} - {""})
    by_page: dict[int, list[list[str]]] = defaultdict(list)
    for (page, _, _), (reason, claims) in zip(told, licensed, strict=True):
        by_page[id(page)].append(delexicalised(reason, claims))
    lengths = [len(page.state.bought_rows) for page in found]
    return {
        "pages": len(found),
        "items": sum(len(page.rows) for page in found),
        "reasons": len(told),
        "of_the_tone": sum(reason.tone is tone for _, _, reason in told) / max(len(told), 1),
        "claims": sum(truth.claims.values()),
        "kinds": dict(truth.claims.most_common()),
        "ranked_anew": truth.ranked_anew,
        "unsupported": len(problems),
        "problems": problems[:20],
        "rejected": dict(writer.rejected),
        "two_claims": sum(len(reason.evidence) > 1 for _, _, reason in told) / max(len(told), 1),
        "mutations": caught(sampled, names, seed),
        "lints": dict(Counter(lint for reason, claims in licensed for lint in lints(reason, claims))),
        "variety": variety(list(by_page.values()), language),
        "repeated_on_page": _repeated(found),
        "relevance": relevance(bundle, found, now, seed, JUDGED),
        "coverage": [_coverage(found, lengths, low, high) for low, high in HISTORIES],
        "milliseconds": [float(q) for q in np.quantile([1e3 * page.seconds for page in found], (0.5, 0.99))],
        "samples": _samples(bundle, told, seed),
        "picked": [_sample(bundle, *each) for each in random.Random(seed).sample(told, min(PICKED, len(told)))],
    }


def gates(result: dict[str, Any]) -> list[str]:
    """Why the generator must not be enabled; nothing where it may be."""
    found = []
    for language, figures in result["languages"].items():
        if figures["unsupported"]:
            found.append(f"{language}: {figures['unsupported']} claims are not supported")
        rejected, written = sum(figures["rejected"].values()), figures["reasons"]
        if rejected > 0.3 * (rejected + written):
            found.append(f"{language}: the verifier turned down {rejected} of {rejected + written} sentences")
        mutations = figures["mutations"]
        tried, passed = (sum(sort[what] for sort in mutations.values()) for what in ("tried", "passed"))
        if passed > 0.005 * tried or any(mutations[sort]["passed"] for sort in ALWAYS if sort in mutations):
            found.append(f"{language}: {passed} of {tried} false sentences passed the verifier")
    return found


def _coverage(found: Sequence[Page], lengths: Sequence[int], low: int, high: int | None) -> dict[str, Any]:
    chosen = [page for page, n in zip(found, lengths, strict=True) if n >= low and (high is None or n <= high)]
    reasons = [reason for page in chosen for reason in page.reasons]
    told = [reason for reason in reasons if reason is not None]
    return {
        "purchases": f"{low}" if low == high else f"{low} to {high}" if high else f"{low} or more",
        "users": len(chosen),
        "with_reason": len(told) / max(len(reasons), 1),
        "user_specific": sum(map(is_user_specific, told)) / max(len(reasons), 1),
    }


def _repeated(found: Sequence[Page]) -> int:
    texts = [[reason.text for reason in page.reasons if reason is not None] for page in found]
    return sum(len(page) - len(set(page)) for page in texts)


def _samples(bundle: Bundle, told: Sequence[tuple[Page, int, Reason]], seed: int) -> dict[str, list[dict[str, str]]]:
    by_kind: dict[str, list[dict[str, str]]] = defaultdict(list)
    for page, place, reason in random.Random(seed).sample(told, len(told)):
        kind = reason.evidence[0].kind.replace("_", " ")
        if len(by_kind[kind]) < SAMPLES:
            by_kind[kind].append(_sample(bundle, page, place, reason))
    return dict(sorted(by_kind.items()))


def _sample(bundle: Bundle, page: Page, place: int, reason: Reason) -> dict[str, str]:
    title = bundle.catalogue.items[page.rows[place]].title
    return {"item": title, "text": reason.text, "strength": reason.evidence[0].strength}


def run(given: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Raises DataError, BundleError, TextEncoderError and SettingsError."""
    bundle, shop = bundles.load(given.bundle), read_shop(given.data)
    every = sorted(set(shop.events["user_id"].unique().to_list()) | set(shop.users["user_id"].to_list()))
    user_ids = sorted(random.Random(given.seed).sample(every, min(given.users, len(every))))
    result: dict[str, Any] = {
        "bundle_id": bundle.bundle_id,
        "generator": given.generator,
        "tone": given.tone,
        "users": len(user_ids),
        "languages": {
            language: evaluate_language(
                bundle, shop, user_ids, given.generator, language, given.seed, console, given.tone
            )
            for language in given.languages
        },
    }
    return result | {"gates": gates(result)}


def _text(result: dict[str, Any]) -> list[str]:
    lines = []
    for language, figures in result["languages"].items():
        mutations, found = figures["mutations"], figures["variety"]
        tried, passed = (sum(sort[what] for sort in mutations.values()) for what in ("tried", "passed"))
        lines += [
            f"{language}  {figures['reasons']:,} reasons for {figures['items']:,} items; {figures['claims']:,} claims, "
            f"{figures['unsupported']} not supported ({figures['ranked_anew']:,} ranked anew)",
            f"    false sentences caught {1 - passed / max(tried, 1):.4f} of {tried:,}; "
            f"lints {figures['lints'] or 'none'}",
            f"    opening share {found['opening_share']:.3f}, page self-BLEU {found['page_self_bleu']:.3f}, the same "
            f"sentence twice on a page {figures['repeated_on_page']}; "
            f"MRR among {DISTRACTORS + 1} {number(figures['relevance']['mrr'], 3)}",
            f"    {figures['milliseconds'][0]:.2f} ms a page in the middle, {figures['milliseconds'][1]:.2f} ms at p99",
        ]
    return lines


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate_reasons", description="How true and readable the reasons of a bundle are."
    )
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="the shop's folder that it was trained on")
    parser.add_argument("--generator", default="realiser", help="who writes the sentences")
    parser.add_argument("--tone", type=Tone, choices=list(Tone), default=Tone.NEUTRAL, help="how they are worded")
    parser.add_argument("--languages", nargs="+", choices=LANGUAGES, default=list(LANGUAGES))
    parser.add_argument("--users", type=int, default=1_000, help="drawn by seed; a page of 12 each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("reasons.html"), help="the page to write")
    parser.add_argument("--json", type=Path, help="and a file of the figures")
    given = parser.parse_args(arguments)
    try:
        result = run(given, Console(stderr=True))
    except RecsvcError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if given.json is not None:
        given.json.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    given.out.write_text(html_page("reasons.html.j2").render(result=result), encoding="utf-8")
    print(*_text(result), f"report {given.out}", sep="\n")
    for gate in result["gates"]:
        print(f"not to be enabled: {gate}", file=sys.stderr)
    return NOT_TO_BE_ENABLED if result["gates"] else 0


if __name__ == "__main__":
    sys.exit(main())
