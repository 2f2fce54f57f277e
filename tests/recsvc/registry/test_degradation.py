"""Each rung of the degradation ladder by a real fault: lists, metrics and the log say it, and it ends by itself."""

import asyncio
import secrets
import shutil
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
import redis
from prometheus_client import REGISTRY

from recsvc import reason_worker
from recsvc.domain.degradation import Degradation
from recsvc.domain.query import Query, RecommendationList, Surface
from recsvc.domain.serving_config import ServingConfig
from recsvc.domain.shop import Event, EventType, Item, Profile
from recsvc.errors import StoreUnavailable, TextEncoderFailing
from recsvc.model import bundle_files, text_encoders
from recsvc.reasons import author_id
from recsvc.registry import bundle_follower
from recsvc.registry.backend import Backend
from recsvc.registry.encoder_check import EncoderCheck
from recsvc.registry.pattern_follower import PatternFollower
from recsvc.registry.store_follower import StoreFollower
from recsvc.runtime import condition
from recsvc.runtime.rungs import DEGRADATION_OF, Rung
from recsvc.store import UserStore, keys, open_store
from tests.conftest import USER, RedisServer, running_redis

ITEM = "i00000"
EVENT_LOG_LIMIT = 100
AUTHOR = author_id("openai", "m")


pytestmark = pytest.mark.asyncio(loop_scope="module")


class Worker:
    """The reports of a reason worker."""

    def __init__(self, store: UserStore) -> None:
        self._store = store
        self.claims = reason_worker.Postponed()
        self.start()

    def start(self) -> None:
        self._task = asyncio.create_task(reason_worker.report(self._store.patterns, AUTHOR, self.claims))

    async def stop(self) -> None:
        # On Python 3.11 a cancellation that arrives together with an answer can be lost.
        while not self._task.done():
            self._task.cancel()
            await asyncio.sleep(0.01)


@dataclass(frozen=True)
class Parts:
    """The parts that can fail. raw: a client of Redis beside the service. bundles: the folder of the service."""

    backend: Backend
    store: UserStore
    raw: redis.Redis
    server: RedisServer
    bundles: Path
    worker: "Worker"

    async def recommend(self, text: str = "", surface: Surface = Surface.FOR_YOU) -> RecommendationList:
        return await self.backend.router.recommend(Query(user_id="ann", k=5, text=text, surface=surface))


@pytest.fixture(scope="module", autouse=True)
def _frequent_looks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for task in (StoreFollower, EncoderCheck, PatternFollower, bundle_follower.BundleFollower):
            patch.setattr(task, "wait_seconds", 0.02)
        patch.setattr(bundle_follower, "RETRY_SECONDS", 0.05)
        patch.setattr(reason_worker, "REPORT_SECONDS", 0.02)
        patch.setattr(condition, "LOSS_SECONDS", 0.3)
        patch.setattr(condition, "BEHIND_SECONDS", 0.05)
        yield


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def parts(small_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Parts]:
    """One service for all faults: each leaves it as it was."""
    folder = tmp_path_factory.mktemp("bundles")
    bundle = shutil.copytree(small_bundle, folder / small_bundle.name)
    config = ServingConfig(bundle=bundle, cache_size=100, reason_generator="openai", reason_model="m")
    with running_redis() as server, redis.Redis(unix_socket_path=str(server.socket)) as raw:
        async with open_store(server.url, folder, "shop", timeout_seconds=5, event_log_limit=EVENT_LOG_LIMIT) as store:
            worker = Worker(store)
            backend = Backend(config, store)
            await backend.start()
            yield Parts(backend, store, raw, server, folder, worker)
            await backend.close()
            await worker.stop()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - Redis has no event for it
            await asyncio.sleep(0.005)


async def is_sound(parts: Parts) -> None:
    """Returns when nothing is wrong."""
    async with asyncio.timeout(20):
        while (await parts.recommend()).degraded or any(map(parts.store.condition.is_on, Rung)):  # noqa: ASYNC110 - as `until`
            await asyncio.sleep(0.005)


def views(count: int) -> list[Event]:
    return [Event(secrets.token_hex(4), "ann", ITEM, EventType.VIEW, 1_000) for _ in range(count)]


async def is_refused(parts: Parts) -> None:
    with pytest.raises(StoreUnavailable):
        await parts.store.write_events(views(1))


@asynccontextmanager
async def slow(parts: Parts) -> AsyncIterator[None]:
    """Another client keeps Redis busy with long scripts."""
    ended = threading.Event()

    def keep_busy() -> None:
        with redis.Redis(unix_socket_path=str(parts.server.socket)) as client:
            while not ended.is_set():
                client.eval("for i = 1, 3000000 do local _ = i % 7 end", 0)

    parts.store.watch._slow_seconds = 0.01  # noqa: SLF001 - as with a timeout of 20 ms, and without its refusals
    busy = asyncio.create_task(asyncio.to_thread(keep_busy))
    yield
    await parts.store.write_events(views(1))
    ended.set()
    await busy
    parts.store.watch._slow_seconds = 2.5  # noqa: SLF001


@asynccontextmanager
async def away(parts: Parts) -> AsyncIterator[None]:
    parts.server.kill()
    yield
    await is_refused(parts)
    assert Degradation.STORE_UNAVAILABLE in (await parts.recommend()).degraded
    parts.server.start()


@asynccontextmanager
async def other_password(parts: Parts) -> AsyncIterator[None]:
    parts.raw.execute_command("ACL", "SETUSER", USER, "resetpass", ">s3cret")
    parts.raw.client_kill_filter(_type="normal", skipme=True)
    yield
    await is_refused(parts)
    assert Degradation.STORE_UNAVAILABLE in (await parts.recommend()).degraded
    parts.raw.execute_command("ACL", "SETUSER", USER, "nopass")


@asynccontextmanager
async def missing_permission(parts: Parts) -> AsyncIterator[None]:
    parts.raw.execute_command("ACL", "SETUSER", USER, "-incr", "-xadd")
    yield
    await is_refused(parts)
    parts.raw.execute_command("ACL", "SETUSER", USER, "+incr", "+xadd")


@asynccontextmanager
async def demoted(parts: Parts) -> AsyncIterator[None]:
    parts.raw.execute_command("REPLICAOF", "127.0.0.1", "1")
    yield
    await is_refused(parts)
    parts.raw.execute_command("REPLICAOF", "NO", "ONE")


@asynccontextmanager
async def without_replicas(parts: Parts) -> AsyncIterator[None]:
    parts.raw.config_set("min-replicas-to-write", "1")
    yield
    await is_refused(parts)
    parts.raw.config_set("min-replicas-to-write", "0")


@asynccontextmanager
async def memory_full(parts: Parts) -> AsyncIterator[None]:
    parts.raw.config_set("maxmemory", "1")
    yield
    await is_refused(parts)
    parts.raw.config_set("maxmemory", "0")


@asynccontextmanager
async def disk_fails(parts: Parts) -> AsyncIterator[None]:
    """The folder of Redis is gone, so that it cannot save: it says the same of a full disk."""
    folder = parts.server.folder / "gone"
    folder.mkdir()
    parts.raw.config_set("dir", str(folder))
    shutil.rmtree(folder)
    parts.raw.config_set("save", "3600 1")
    parts.raw.bgsave()
    yield
    await is_refused(parts)
    parts.raw.config_set("dir", str(parts.server.folder))
    parts.raw.bgsave()


@asynccontextmanager
async def event_log_full(parts: Parts) -> AsyncIterator[None]:
    partition = keys.log_partition("ann")
    await parts.store.write_events(views(EVENT_LOG_LIMIT - 2 - await parts.store.event_log.length(partition)))
    with pytest.raises(StoreUnavailable, match="export it"):
        await parts.store.write_events(views(5))
    yield
    await parts.store.event_log.trim(partition, (await parts.store.event_log.read(partition))[-1].entry_id)


@asynccontextmanager
async def emptied(parts: Parts) -> AsyncIterator[None]:
    parts.raw.flushall()
    yield


@asynccontextmanager
async def evicting(parts: Parts) -> AsyncIterator[None]:
    parts.raw.config_set("maxmemory-policy", "allkeys-random")
    parts.raw.config_set("maxmemory", str(int(parts.raw.info("memory")["used_memory"]) - 2_000))
    yield
    parts.raw.config_set("maxmemory", "0")
    parts.raw.config_set("maxmemory-policy", "noeviction")


@asynccontextmanager
async def may_evict(parts: Parts) -> AsyncIterator[None]:
    parts.raw.config_set("maxmemory-policy", "volatile-lru")
    yield
    parts.raw.config_set("maxmemory-policy", "noeviction")


@asynccontextmanager
async def changes_unreadable(parts: Parts) -> AsyncIterator[None]:
    parts.raw.set(keys.catalogue_changes("shop"), "another program's")
    yield
    parts.raw.delete(keys.catalogue_changes("shop"))


@asynccontextmanager
async def encoder_fails(parts: Parts) -> AsyncIterator[None]:
    """A weight of the real model has another shape, so that each of its calls raises."""
    model = text_encoders.load("embedded")._hidden  # type: ignore[attr-defined]  # noqa: SLF001 - to break it
    sound, model._words = model._words, model._words[:, :3]  # noqa: SLF001
    try:
        found = await parts.recommend("tent", Surface.SEARCH)
        yield
        assert Degradation.SEARCH_BY_WORDS in found.degraded
        assert all("Tent" in listed.item.title for listed in found.recommendations)
        assert found.recommendations
        assert (await parts.recommend("qwertzuiop", Surface.SEARCH)).recommendations == ()
        aside = await parts.recommend("tent")
        assert (len(aside.recommendations), Degradation.SEARCH_BY_WORDS in aside.degraded) == (5, True)
        with pytest.raises(TextEncoderFailing):
            await parts.backend.encoder.encode_profile(Profile("likes tents"))
        with pytest.raises(TextEncoderFailing):
            await parts.backend.encoder.encode_items([Item("new", "A tent")])
    finally:
        model._words = sound  # noqa: SLF001


def copy_as(folder: Path, bundle_id: str) -> None:
    """Copies a bundle under an id that is not the hash of its content."""
    copy = shutil.copytree(folder, folder.with_name(bundle_id))
    bundle_files.write_manifest(copy, bundle_files.read_manifest(copy) | {"bundle_id": bundle_id})


@asynccontextmanager
async def bundle_corrupt(parts: Parts) -> AsyncIterator[None]:
    """As on one machine of several: its copy of the bundle that was activated elsewhere was altered."""
    before, wanted = parts.backend.registry.bundle_id, "feedfacefeedface"
    await asyncio.to_thread(copy_as, parts.bundles / before, wanted)
    await parts.store.models.activate(wanted, before)
    yield
    assert (await parts.recommend()).bundle_id == before
    await parts.store.models.roll_back()


@asynccontextmanager
async def worker_away(parts: Parts) -> AsyncIterator[None]:
    await parts.worker.stop()
    await asyncio.sleep(0.05)  # until a report that is under way has arrived
    parts.raw.pexpire(keys.worker("shop", AUTHOR), 1)  # as after `WORKER_SECONDS` without a report
    yield
    parts.worker.start()


@asynccontextmanager
async def generator_away(parts: Parts) -> AsyncIterator[None]:
    for claim in ("a", "b", "c"):
        parts.worker.claims.add(claim)
    yield
    parts.worker.claims.answered()


FAULTS: list[tuple[Rung, Callable[[Parts], AbstractAsyncContextManager[None]]]] = [
    (Rung.REDIS_SLOW, slow),
    (Rung.REDIS_AWAY, away),
    (Rung.REDIS_ACCESS_REFUSED, other_password),
    (Rung.REDIS_ACCESS_REFUSED, missing_permission),
    (Rung.REDIS_READ_ONLY, demoted),
    (Rung.REDIS_READ_ONLY, without_replicas),
    (Rung.REDIS_FULL, memory_full),
    (Rung.REDIS_DISK_FULL, disk_fails),
    (Rung.EVENT_LOG_FULL, event_log_full),
    (Rung.REDIS_LOST_DATA, emptied),
    (Rung.REDIS_EVICTING, evicting),
    (Rung.REDIS_MAY_EVICT, may_evict),
    (Rung.ITEMS_BEHIND, changes_unreadable),
    (Rung.TEXT_ENCODER_FAILING, encoder_fails),
    (Rung.BUNDLE_UNUSABLE, bundle_corrupt),
    (Rung.WORKER_AWAY, worker_away),
    (Rung.GENERATOR_AWAY, generator_away),
]


async def test_every_rung_has_a_fault() -> None:
    assert {rung for rung, _ in FAULTS} == set(Rung)


@pytest.mark.parametrize(("rung", "fault"), FAULTS, ids=[fault.__name__ for _, fault in FAULTS])
async def test_fault_is_shown_and_the_process_recovers_by_itself(
    parts: Parts, rung: Rung, fault: Callable[[Parts], AbstractAsyncContextManager[None]]
) -> None:
    shown, labels = parts.store.condition, {"condition": rung.value}
    await is_sound(parts)
    before = REGISTRY.get_sample_value("recsvc_conditions_total", labels) or 0.0
    async with fault(parts):
        await until(lambda: shown.is_on(rung))
        assert REGISTRY.get_sample_value("recsvc_condition_active", labels) == 1
        assert REGISTRY.get_sample_value("recsvc_conditions_total", labels) == before + 1
        answer = await parts.recommend()
        assert len(answer.recommendations) == 5
        assert {DEGRADATION_OF.get(rung)} - {None} <= {*answer.degraded}
        assert shown.problems()
    await is_sound(parts)
    assert REGISTRY.get_sample_value("recsvc_condition_active", labels) == 0
    await parts.store.write_events(views(1))
