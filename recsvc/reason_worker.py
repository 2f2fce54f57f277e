"""Has a language model write the patterns that servers are missing. Each is verified before it is stored.

No list waits for the worker. If it, its model or Redis stops, the phrase bank words the reasons.
"""

import asyncio
import signal

import structlog

from recsvc.errors import AuthorUnavailable, SettingsError, StoreUnavailable
from recsvc.reasons import Author, Realiser, author_id, request_of
from recsvc.reasons.authors.author import CANDIDATES, author_of, new_patterns
from recsvc.settings import WorkerSettings
from recsvc.store import PatternStore, open_store

IDLE_SECONDS = 1.0
RETRY_SECONDS = 10.0
REDIS_SECONDS = 5.0  # longer than in a server: no request waits for the worker

_log = structlog.get_logger(__name__)


async def work(settings: WorkerSettings) -> None:
    """Writes patterns until SIGTERM or SIGINT.

    Raises:
        SettingsError: No Redis is named, or the language model cannot be used.
    """
    if settings.redis_url is None:
        raise SettingsError("redis_url: name the Redis of the servers; a private Redis would have no work")
    author, phrase_bank = await asyncio.to_thread(_author, settings), Realiser()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    url = settings.redis_url.get_secret_value()
    async with open_store(url, settings.data_dir, settings.namespace, timeout_seconds=REDIS_SECONDS) as store:
        _log.info("working", generator=author.name, model=author.model)
        while not stop.is_set():
            try:
                claims = await write_missing(store.patterns, author, phrase_bank, stop)
                wait_seconds = 0.0 if claims else IDLE_SECONDS
            except (StoreUnavailable, AuthorUnavailable) as error:
                _log.warning("cannot_write_now", problem=str(error))
                wait_seconds = RETRY_SECONDS
            try:
                async with asyncio.timeout(wait_seconds):
                    await stop.wait()
            except TimeoutError:
                pass
    _log.info("stopped")


async def write_missing(store: PatternStore, author: Author, phrase_bank: Realiser, stop: asyncio.Event) -> int:
    """Writes patterns for all claims that servers have requested. Returns for how many claims.

    Args:
        store: Holds the requests, and gets the patterns.
        author: The language model.
        phrase_bank: Has the examples for the author, which are not stored again.
        stop: Ends the work after the current claim.

    Raises:
        StoreUnavailable: Redis did not answer.
        AuthorUnavailable: The language model did not answer.
    """
    count = 0
    for claim in await store.wanted(author_id(author.name, author.model)):
        if stop.is_set():
            break
        request = request_of(claim)
        patterns: list[str] = []
        if request is not None:
            examples = phrase_bank.patterns(request)
            answers = await asyncio.to_thread(author.write, request, examples, CANDIDATES)
            patterns = new_patterns(answers, request, examples)
            _log.info("written", claim=claim, answers=len(answers), accepted=len(patterns))
        await store.put(author_id(author.name, author.model), claim, patterns)
        count += 1
    return count


def _author(settings: WorkerSettings) -> Author:
    key = settings.reason_api_key.get_secret_value() if settings.reason_api_key else ""
    return author_of(
        settings.reason_generator,
        settings.reason_model,
        revision=settings.reason_revision,
        endpoint=settings.reason_endpoint,
        api_key=key,
    )
