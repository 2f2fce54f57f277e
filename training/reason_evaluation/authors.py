"""Has a language model write what the pages of an evaluation ask for, as a worker would, and counts what it took."""

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.progress import track

from recsvc.reasons import Author, PatternPool, PatternRequest, Realiser, claim_key_of
from recsvc.reasons.authors.author import CANDIDATES, accepted_patterns, author_of, new_patterns
from recsvc.settings import WorkerSettings, load_settings

MODELS = ("transformers", "openai")  # what --generator may name beside the generators of a server
EXAMPLES = 20


@dataclass(frozen=True)
class Written:
    """What was written for one claim. patterns: what the verifier licenses and the phrase bank has not. accepted: how
    many answers it licenses, each as often as it was given. asked: how many answers were wanted.
    """

    request: PatternRequest
    patterns: list[str]
    asked: int
    accepted: int
    seconds: float


def author_named(generator: str, model: str, revision: str = "", endpoint: str = "") -> Author:
    """The model, checked as a worker checks its own; the key of an endpoint is RECSVC_REASON_API_KEY and nothing else.

    Raises SettingsError for what cannot be used.
    """
    flags = {"generator": generator, "model": model, "revision": revision, "endpoint": endpoint}
    given = {f"reason_{name}": value for name, value in flags.items() if value}
    settings = load_settings(given, WorkerSettings)
    key = settings.reason_api_key.get_secret_value() if settings.reason_api_key else ""
    return author_of(
        settings.reason_generator,
        settings.reason_model,
        revision=settings.reason_revision,
        endpoint=settings.reason_endpoint,
        api_key=key,
    )


def write_wanted(author: Author, pool: PatternPool, console: Console) -> list[Written]:
    """Writes for all that the pool wants. Raises AuthorUnavailable."""
    bank, done = Realiser(), []
    for request in track(sorted(pool.wanted, key=claim_key_of), f"  {author.name}", console=console, transient=True):
        known = bank.patterns(request)
        started = time.perf_counter()
        answers = author.write(request, known, CANDIDATES)
        seconds = time.perf_counter() - started
        passed = len(accepted_patterns(answers, request, known))
        done.append(Written(request, new_patterns(answers, request, known), CANDIDATES, passed, seconds))
    return done


def acceptance(author: Author, written: Sequence[Written]) -> dict[str, Any]:
    """How much of what a model answers the verifier licenses, and what that takes, over all and by kind of evidence."""
    kinds: dict[str, list[Written]] = defaultdict(list)
    for one in written:
        kinds[one.request.kind].append(one)
    return _total(written) | {
        "generator": author.name,
        "model": author.model,
        "by_kind": {kind: _total(some) for kind, some in sorted(kinds.items())},
        "by_claim": {
            claim_key_of(one.request): _total([one]) for one in sorted(written, key=lambda w: claim_key_of(w.request))
        },
        "examples": [pattern for one in written for pattern in one.patterns[:1]][:EXAMPLES],
    }


def _total(written: Sequence[Written]) -> dict[str, Any]:
    asked, accepted = sum(one.asked for one in written), sum(one.accepted for one in written)
    new, seconds = sum(len(one.patterns) for one in written), sum(one.seconds for one in written)
    return {
        "claims": len(written),
        "asked": asked,
        "licensed": accepted,
        "acceptance": accepted / asked if asked else None,
        "new": new,
        "seconds": seconds,
        "seconds_an_answer": seconds / asked if asked else None,
        "seconds_a_licensed": seconds / accepted if accepted else None,
        "seconds_a_new": seconds / new if new else None,
    }
