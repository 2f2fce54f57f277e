"""Has a language model write ahead what the servers lack: verified before it is kept, and again wherever it is shown.

No list waits for it. Killing it, its model or Redis changes no list: the phrase bank says what it would have said.
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
REDIS_SECONDS = 5.0  # nobody waits for the worker

_log = structlog.get_logger(__name__)


async def work(settings: WorkerSettings) -> None:
    """Writes until SIGTERM or SIGINT. Raises SettingsError where it cannot start."""
    if settings.redis_url is None:
        raise SettingsError("redis_url: a worker needs the Redis that its servers have")
    author, known = await asyncio.to_thread(_author, settings), Realiser()
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    url = settings.redis_url.get_secret_value()
    async with open_store(url, settings.data_dir, settings.namespace, timeout_seconds=REDIS_SECONDS) as store:
        _log.info("working", generator=author.name, model=author.model)
        while not end.is_set():
            try:
                wait = IDLE_SECONDS if await write_wanted(store.patterns, author, known, end) == 0 else 0.0
            except (StoreUnavailable, AuthorUnavailable) as problem:
                _log.warning("cannot_write_now", problem=str(problem))
                wait = RETRY_SECONDS
            try:
                async with asyncio.timeout(wait):
                    await end.wait()
            except TimeoutError:
                pass
    _log.info("stopped")


async def write_wanted(store: PatternStore, author: Author, known: Realiser, end: asyncio.Event) -> int:
    """Writes what is asked for now and not known, and returns for how many claims.

    Raises StoreUnavailable and AuthorUnavailable.
    """
    done = 0
    for cell in await store.wanted(author_id(author.name, author.model)):
        if end.is_set():
            break
        request = request_of(cell)
        patterns: list[str] = []
        if request is not None:
            bank = known.patterns(request)
            answers = await asyncio.to_thread(author.write, request, bank, CANDIDATES)
            patterns = new_patterns(answers, request, bank)
            _log.info("written", cell=cell, answers=len(answers), accepted=len(patterns))
        await store.put(author_id(author.name, author.model), cell, patterns)
        done += 1
    return done


def _author(settings: WorkerSettings) -> Author:
    key = settings.reason_api_key.get_secret_value() if settings.reason_api_key else ""
    return author_of(
        settings.reason_generator,
        settings.reason_model,
        revision=settings.reason_revision,
        endpoint=settings.reason_endpoint,
        api_key=key,
    )
