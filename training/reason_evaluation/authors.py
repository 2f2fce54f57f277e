"""Has a language model write the patterns that an evaluation or a table of copy needs, as a worker would."""

import argparse
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rich.console import Console
from rich.progress import track

from recsvc.errors import AuthorUnavailable
from recsvc.reasons import Author, PatternPool, PatternRequest, Realiser, claim_key_of
from recsvc.reasons.authors.author import CANDIDATES, accepted_patterns, author_of, new_patterns
from recsvc.reasons.authors.choices import choices
from recsvc.settings import WorkerSettings, load_settings

MODELS = ("transformers", "openai")  # may be named by --generator, beside the generators of a server
MAX_EXAMPLES = 20
MAX_ROUNDS = 2  # how often a claim is asked for while answers are missing
ROUND_SECONDS = 30.0  # before claims are asked for again
MAX_FAILURES = 3  # claims in a row without an answer, after which a round ends


@dataclass(frozen=True, kw_only=True)
class Written:
    """The patterns that were written for one claim.

    Attributes:
        request: The claim, and the form that it is needed in.
        asked: How many answers were asked for: none if the phrase bank has all licensed sentences.
        patterns: Answers that the verifier accepts and the phrase bank does not have, each once.
        answered: How many answers came.
        licensed: How many answers the verifier accepts. Equal answers count separately.
        copies: How many of those the phrase bank has. They are worth nothing.
        seconds: How long the model took.
    """

    request: PatternRequest
    asked: int
    patterns: list[str] = field(default_factory=list)
    answered: int = 0
    licensed: int = 0
    copies: int = 0
    seconds: float = 0.0


def add_model_flags(parser: argparse.ArgumentParser, generators: str) -> None:
    """Adds --generator and the flags of a language model. `generators` lists the possible names for the help."""
    fields = WorkerSettings.model_fields
    parser.add_argument("--generator", default="realiser", help=f"{generators} [realiser]")
    parser.add_argument("--reason-model", default="", help=fields["reason_model"].description)
    parser.add_argument("--reason-revision", default="", help=fields["reason_revision"].description)
    parser.add_argument("--reason-endpoint", default="", help=fields["reason_endpoint"].description)
    for name, kind in (("reason_timeout", float), ("reason_batch", int)):
        text = f"{fields[name].description} [{fields[name].default}]"
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, help=text)


def author_named(options: argparse.Namespace) -> Author | None:
    """Opens the language model that the flags name, checked as a worker checks its own. None if they name none.

    The key of an endpoint comes from the environment variable RECSVC_REASON_API_KEY, and from nowhere else.

    Raises:
        SettingsError: The model cannot be used.
    """
    if options.generator not in MODELS:
        return None
    names = ("reason_model", "reason_revision", "reason_endpoint", "reason_timeout", "reason_batch")
    flags = {name: value for name in names if (value := getattr(options, name)) not in ("", None)}
    return author_of(load_settings(flags | {"reason_generator": options.generator}, WorkerSettings))


def write_wanted(author: Author, pool: PatternPool, console: Console, *, may_fail: bool = False) -> list[Written]:
    """Writes every pattern that the pool needs. Claims with missing answers are asked for again, once.

    Args:
        author: The language model.
        pool: Knows which patterns are needed.
        console: Where progress is shown.
        may_fail: Whether it is no error if the model gives no answer at all.

    Returns:
        One entry for each claim that was needed, also if no answer came.

    Raises:
        AuthorUnavailable: The model gave no answer at all.
    """
    bank = Realiser()
    written = {request: _empty(request, bank) for request in sorted(pool.wanted, key=claim_key_of)}
    for number in range(MAX_ROUNDS):
        missing = [one for one in written.values() if one.answered < one.asked]
        if not missing:
            break
        if number:
            time.sleep(ROUND_SECONDS)
        problem = _write_round(author, missing, written, bank, console)
        if problem is not None and not may_fail and not any(one.answered for one in written.values()):
            raise problem
    return list(written.values())


def _write_round(
    author: Author, missing: Sequence[Written], written: dict[PatternRequest, Written], bank: Realiser, console: Console
) -> AuthorUnavailable | None:
    """Asks once for the missing answers of some claims. Returns the last failure, if the round ended with one."""
    problem, failures = None, 0
    for one in track(missing, f"  {author.name}", console=console, transient=True):
        known = bank.patterns(one.request)
        started = time.perf_counter()
        try:
            answers = author.write(one.request, (*known, *one.patterns), one.asked - one.answered)
        except AuthorUnavailable as failure:
            answers, problem, failures = [], failure, failures + 1
        else:
            problem, failures = None, 0
        accepted = accepted_patterns(answers, one.request)
        written[one.request] = replace(
            one,
            patterns=list(dict.fromkeys([*one.patterns, *new_patterns(answers, one.request, known)])),
            answered=one.answered + len(answers),
            licensed=one.licensed + len(accepted),
            copies=one.copies + sum(pattern in known for pattern in accepted),
            seconds=one.seconds + time.perf_counter() - started,
        )
        if failures == MAX_FAILURES:
            break
    return problem


def _empty(request: PatternRequest, bank: Realiser) -> Written:
    return Written(request=request, asked=min(CANDIDATES, len(choices(request, bank.patterns(request)))))


def acceptance(author: Author, written: Sequence[Written]) -> dict[str, Any]:
    """Measures what share of a model's answers are licensed and new, and their cost: in total, by kind, by claim."""
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
    """Sums. "acceptance" is the share of the answers that are licensed and that the phrase bank does not have."""
    asked, answered = sum(one.asked for one in written), sum(one.answered for one in written)
    licensed, copies = sum(one.licensed for one in written), sum(one.copies for one in written)
    new, seconds = sum(len(one.patterns) for one in written), sum(one.seconds for one in written)
    return {
        "claims": len(written),
        "asked": asked,
        "answered": answered,
        "unanswered": asked - answered,
        "licensed": licensed,
        "copies": copies,
        "useful": licensed - copies,
        "acceptance": (licensed - copies) / answered if answered else None,
        "new": new,
        "seconds": seconds,
        "seconds_an_answer": seconds / answered if answered else None,
        "seconds_a_new": seconds / new if new else None,
    }
