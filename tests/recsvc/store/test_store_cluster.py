"""The same store on a real Cluster of three masters: no command crosses slots."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
import redis

from recsvc.domain.records import ItemChange, ItemContent, ItemField, Switch
from recsvc.domain.shop import Event, EventType, Item, Profile
from recsvc.store import open_store
from recsvc.store.embedded import redis_server_binary
from tests.conftest import wait_for_redis
from tests.recsvc.store.free_ports import free_ports

SLOTS = 16_384


@pytest.fixture
def cluster_url(tmp_path: Path) -> Iterator[str]:
    ports = free_ports(3)
    with ExitStack() as running:
        nodes = [running.enter_context(cluster_node(port, tmp_path / str(port))) for port in ports]
        for index, node in enumerate(nodes):
            node.execute_command("CLUSTER SET-CONFIG-EPOCH", index + 1)
            node.execute_command("CLUSTER ADDSLOTS", *range(index * SLOTS // 3, (index + 1) * SLOTS // 3))
            node.execute_command("CLUSTER MEET", "127.0.0.1", ports[0])
        deadline = time.monotonic() + 30
        while any(node.execute_command("CLUSTER INFO")["cluster_state"] != "ok" for node in nodes):
            assert time.monotonic() < deadline, "the cluster does not form"
            time.sleep(0.02)
        yield f"redis+cluster://127.0.0.1:{ports[0]}"


@contextmanager
def cluster_node(port: int, folder: Path) -> Iterator[redis.Redis]:
    folder.mkdir()
    arguments = ("--port", str(port), "--bind", "127.0.0.1", "--cluster-enabled", "yes", "--save", "")
    process = subprocess.Popen([redis_server_binary(), *arguments], stdout=subprocess.DEVNULL, cwd=folder)
    try:
        wait_for_redis(redis.Redis(port=port))
        with redis.Redis(port=port) as node:
            yield node
    finally:
        process.kill()
        process.wait()


async def test_every_operation_works_on_a_cluster(cluster_url, tmp_path):
    batch = [Event(f"e{n}", f"user-{n % 50}", f"i{n}", EventType.VIEW, n) for n in range(200)]
    async with open_store(cluster_url, tmp_path, "shop", timeout_seconds=10) as store:
        await store.write_events(batch)
        await store.write_events(batch)
        for user_id in ("user-0", "user-7", "user-49"):
            await store.set_profile(user_id, Profile("tea"), np.ones(2, np.float32))
            record = await store.read(user_id, "b1")
            assert [e.item_id for e in record.events] == [e.item_id for e in batch if e.user_id == user_id]
            assert record.profile == Profile("tea")
            assert await store.put_user_vector(user_id, "b1", record.version, 1, np.ones(2, np.float32))
            assert (await store.read(user_id, "b1")).user_vector is not None
            assert len((await store.export_user(user_id)).events) == 4
            erasure = await store.delete_user(user_id)
            assert (erasure.existed, erasure.log_entries) == (True, 4)
            assert (await store.read(user_id, "b1")).version == 0
        content = ItemContent(Item("tea", "Tea"), np.ones(2, np.float32), "encoder")
        changes = [
            ItemChange("tea", ItemField.CONTENT, 1, content),
            *(ItemChange(f"i{n}", ItemField.STOCK, 1, 0.0) for n in range(20)),
        ]
        await store.catalogue.set([ItemChange("tea", ItemField.PRICE, 1, 5.0)])
        place = await store.catalogue.last_place()
        await store.catalogue.set(changes)
        _, followed = await store.catalogue.read_after(place)
        assert set(followed) == set(changes)
        changes.append(ItemChange("tea", ItemField.PRICE, 1, 5.0))
        assert await store.catalogue.restore(changes) == 0
        assert (await store.catalogue.sizes())[ItemField.STOCK] == 20
        assert {change async for page in store.catalogue.read_all() for change in page} == set(changes)
        for _ in range(2):
            assert not await store.watch.has_gone_back()
            assert await store.watch.count_evicted() == 0
        assert store.watch.eviction is not None
        assert store.watch.eviction.policy == "noeviction"
        await store.switches.turn_off(Switch())
        assert (await store.switches.read()).off == {Switch()}
        assert len((await store.erasures.read_all())[1]) == 3
