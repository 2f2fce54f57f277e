"""Has a language model write the patterns that an evaluation needs, as a worker would, and measures its answers."""

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

MODELS = ("transformers", "openai")  # may be named by --generator, beside the generators of a server
MAX_EXAMPLES = 20


@dataclass(frozen=True, kw_only=True)
class Written:
    """The patterns that were written for one claim.

    Attributes:
        request: The claim, and the form that it is needed in.
        patterns: Answers that the verifier accepts and the phrase bank does not have.
        asked: How many answers were asked for.
        licensed: How many answers the verifier accepts. Equal answers count separately.
        seconds: How long the model took.
    """

    request: PatternRequest
    patterns: list[str]
    asked: int
    licensed: int
    seconds: float


def author_named(generator: str, model: str, revision: str = "", endpoint: str = "") -> Author:
    """Opens a language model, checked as a worker checks its own.

    The key of an endpoint comes from the environment variable RECSVC_REASON_API_KEY, and from nowhere else.

    Args:
        generator: One of `MODELS`.
        model: Its name, or a folder.
        revision: Its revision, if it has one.
        endpoint: The address of chat completions, if it is remote.

    Raises:
        SettingsError: The model cannot be used.
    """
    flags = {"generator": generator, "model": model, "revision": revision, "endpoint": endpoint}
    overrides = {f"reason_{name}": value for name, value in flags.items() if value}
    settings = load_settings(overrides, WorkerSettings)
    key = settings.reason_api_key.get_secret_value() if settings.reason_api_key else ""
    return author_of(
        settings.reason_generator,
        settings.reason_model,
        revision=settings.reason_revision,
        endpoint=settings.reason_endpoint,
        api_key=key,
    )


def write_wanted(author: Author, pool: PatternPool, console: Console) -> list[Written]:
    """Writes every pattern that the pool needs. Raises AuthorUnavailable."""
    bank, written = Realiser(), []
    for request in track(sorted(pool.wanted, key=claim_key_of), f"  {author.name}", console=console, transient=True):
        existing = bank.patterns(request)
        started = time.perf_counter()
        answers = author.write(request, existing, CANDIDATES)
        seconds = time.perf_counter() - started
        written.append(
            Written(
                request=request,
                patterns=new_patterns(answers, request, existing),
                asked=CANDIDATES,
                licensed=len(accepted_patterns(answers, request, existing)),
                seconds=seconds,
            )
        )
    return written


def acceptance(author: Author, written: Sequence[Written]) -> dict[str, Any]:
    """Measures what share of a model's answers the verifier accepts, and their cost: in total, by kind, by claim."""
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
        "examples": [pattern for one in written for pattern in one.patterns[:1]][:MAX_EXAMPLES],
    }


def _total(written: Sequence[Written]) -> dict[str, Any]:
    asked, licensed = sum(one.asked for one in written), sum(one.licensed for one in written)
    new, seconds = sum(len(one.patterns) for one in written), sum(one.seconds for one in written)
    return {
        "claims": len(written),
        "asked": asked,
        "licensed": licensed,
        "acceptance": licensed / asked if asked else None,
        "new": new,
        "seconds": seconds,
        "seconds_an_answer": seconds / asked if asked else None,
        "seconds_a_licensed": seconds / licensed if licensed else None,
        "seconds_a_new": seconds / new if new else None,
    }
