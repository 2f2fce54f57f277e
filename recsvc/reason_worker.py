"""Has a language model write the patterns that servers are missing. Each is verified before it is stored.

No list waits for the worker. If it, its model or Redis stops, the phrase bank words the reasons.
"""

import asyncio
import signal
import time
from contextlib import suppress
from typing import NoReturn

import structlog

from recsvc.errors import AuthorUnavailable, SettingsError, StoreUnavailable
from recsvc.reasons import Author, Realiser, author_id, request_of
from recsvc.reasons.authors.author import CANDIDATES, author_of, new_patterns
from recsvc.settings import WorkerSettings
from recsvc.store import PatternStore, UserStore, open_store

IDLE_SECONDS = 1.0
RETRY_SECONDS = 10.0  # after a failure; for the same claim it doubles with each further one
MAX_RETRY_SECONDS = 600.0
REPORT_SECONDS = 3.0
MAX_FAILURES = 3  # claims in a row without an answer, after which the model counts as unavailable
REDIS_SECONDS = 5.0  # longer than in a server: no request waits for the worker

_log = structlog.get_logger(__name__)


async def work(settings: WorkerSettings) -> None:
    """Writes patterns until SIGTERM or SIGINT.

    Raises:
        SettingsError: No Redis is named, it refuses the password, or the language model cannot be used.
    """
    if settings.redis_address is None:
        raise SettingsError("redis_url: name the Redis of the servers; a private Redis would have no work")
    author, phrase_bank = await asyncio.to_thread(author_of, settings), Realiser()
    stop, postponed = asyncio.Event(), Postponed()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    url = settings.redis_address
    async with open_store(url, settings.data_dir, settings.namespace, timeout_seconds=REDIS_SECONDS) as store:
        _log.info("working", generator=author.name, model=author.model)
        reporting = asyncio.create_task(report(store.patterns, author_id(author.name, author.model), postponed))
        try:
            while not stop.is_set():
                try:
                    claims = await write_missing(store.patterns, author, phrase_bank, stop, postponed)
                    wait_seconds = 0.0 if claims else IDLE_SECONDS
                except (StoreUnavailable, AuthorUnavailable) as error:
                    _log.warning("cannot_write_now", problem=str(error))
                    wait_seconds = RETRY_SECONDS
                    if isinstance(error, StoreUnavailable):
                        await _check_access(store)
                try:
                    async with asyncio.timeout(wait_seconds):
                        await stop.wait()
                except TimeoutError:
                    pass
        finally:
            reporting.cancel()
    _log.info("stopped")


async def _check_access(store: UserStore) -> None:
    """Raises SettingsError if Redis has never accepted the password: waiting does not help."""
    with suppress(StoreUnavailable):
        await store.check_access()


async def report(store: PatternStore, author: str, postponed: "Postponed") -> NoReturn:
    """Reports, until it is cancelled, that this worker runs, and whether its language model answers."""
    while True:
        with suppress(StoreUnavailable):
            await store.report(author, is_away=postponed.is_model_away)
        await asyncio.sleep(REPORT_SECONDS)


class Postponed:
    """The claims that the model gave no answer for. Each waits before it is tried again, longer after each failure."""

    def __init__(self) -> None:
        self._failures: dict[str, int] = {}
        self._until: dict[str, float] = {}
        self._failures_in_a_row = 0
        self._has_answered = False

    def __contains__(self, claim: str) -> bool:
        """Whether a claim still has to wait."""
        return time.monotonic() < self._until.get(claim, 0.0)

    def add(self, claim: str) -> None:
        """Postpones a claim after a failure."""
        failures = self._failures.get(claim, 0)
        self._failures[claim] = failures + 1
        self._failures_in_a_row += 1
        self._until[claim] = time.monotonic() + min(RETRY_SECONDS * 2**failures, MAX_RETRY_SECONDS)

    def remove(self, claim: str) -> None:
        """Forgets the failures of a claim that was written."""
        self._failures.pop(claim, None)
        self._until.pop(claim, None)

    def answered(self) -> None:
        """Notes that the model has answered."""
        self._failures_in_a_row, self._has_answered = 0, True

    @property
    def is_model_away(self) -> bool:
        """Whether the model has not answered lately: one failure after an answer may be due to the claim."""
        return self._failures_in_a_row >= (MAX_FAILURES if self._has_answered else 1)


async def write_missing(
    store: PatternStore, author: Author, phrase_bank: Realiser, stop: asyncio.Event, postponed: Postponed
) -> int:
    """Writes patterns for all claims that servers have requested. Returns for how many claims.

    A claim that the model does not answer for stays requested and is postponed. The others are written.

    Args:
        store: Holds the requests, and gets the patterns.
        author: The language model.
        phrase_bank: Has the examples for the author, which are not stored again.
        stop: Ends the work after the current claim.
        postponed: Claims to skip; those that fail are added.

    Raises:
        StoreUnavailable: Redis did not answer.
        AuthorUnavailable: The language model did not answer for `MAX_FAILURES` claims in a row.
    """
    count = failures = 0
    for claim in await store.wanted(author_id(author.name, author.model)):
        if stop.is_set():
            break
        if claim in postponed:
            continue
        request = request_of(claim)
        patterns: list[str] = []
        if request is not None:
            examples = phrase_bank.patterns(request)
            try:
                answers = await asyncio.to_thread(author.write, request, examples, CANDIDATES)
            except AuthorUnavailable as problem:
                postponed.add(claim)
                failures += 1
                if failures == MAX_FAILURES:
                    raise
                _log.warning("claim_postponed", claim=claim, problem=str(problem))
                continue
            postponed.answered()
            patterns = new_patterns(answers, request, examples)
            _log.info("written", claim=claim, asked=CANDIDATES, answers=len(answers), new=len(patterns))
        await store.put(author_id(author.name, author.model), claim, patterns)
        postponed.remove(claim)
        count, failures = count + 1, 0
    return count
