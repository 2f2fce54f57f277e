"""Has a language model write ahead what the servers lack: verified before it is kept, and again wherever it is shown.

No list waits for it. Killing it, its model or Redis changes no list: the phrase bank says what it would have said.
"""

import asyncio
import signal
from collections.abc import Sequence

import structlog

from recsvc.errors import AuthorUnavailable, SettingsError, StoreUnavailable
from recsvc.reasons import Author, PatternRequest, Realiser, author_id, pattern_of, request_of
from recsvc.reasons.grammar.pattern import SLOT
from recsvc.settings import WorkerSettings
from recsvc.store import PatternStore, open_store

CANDIDATES = 12  # answers that are asked for of one claim
IDLE_SECONDS = 1.0
RETRY_SECONDS = 10.0
REDIS_SECONDS = 5.0  # nobody waits for the worker

_log = structlog.get_logger(__name__)


async def work(settings: WorkerSettings) -> None:
    """Writes until SIGTERM or SIGINT. Raises SettingsError where it cannot start."""
    if settings.redis_url is None:
        raise SettingsError("redis_url: a worker needs the Redis that its servers have")
    author, known = await asyncio.to_thread(author_of, settings), Realiser()
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
            patterns = accepted(answers, request, bank)
            _log.info("written", cell=cell, answers=len(answers), accepted=len(patterns))
        await store.put(author_id(author.name, author.model), cell, patterns)
        done += 1
    return done


def accepted(answers: Sequence[str], request: PatternRequest, known: Sequence[str]) -> list[str]:
    """The patterns that the verifier lets pass, each once, without those that there were."""
    return [pattern for pattern in dict.fromkeys(licensed(answers, request, known)) if pattern not in known]


def licensed(answers: Sequence[str], request: PatternRequest, known: Sequence[str]) -> list[str]:
    """The patterns among the answers, with those that there were. A licensed one says each value of the claim once, as
    all that are known do; with one more or less no sentence that it makes would pass.
    """
    values = sorted(SLOT.findall(known[0])) if known else None
    found = [pattern for answer in answers if (pattern := pattern_of(answer, request)) is not None]
    return [pattern for pattern in found if values is None or sorted(SLOT.findall(pattern)) == values]


def author_of(settings: WorkerSettings) -> Author:
    """The language model that the settings name.

    Raises SettingsError for a model or an endpoint that cannot be used.
    """
    if not settings.reason_model:
        raise SettingsError("reason_model: names the language model, and is required")
    if settings.reason_generator == "openai":
        from recsvc.reasons.authors.openai_author import OpenAIAuthor  # noqa: PLC0415 - each only where it is asked for

        key = settings.reason_api_key.get_secret_value() if settings.reason_api_key else ""
        return OpenAIAuthor(settings.reason_endpoint, settings.reason_model, key, settings.reason_revision)
    from recsvc.reasons.authors.transformers_author import TransformersAuthor  # noqa: PLC0415

    return TransformersAuthor(settings.reason_model, settings.reason_revision)
