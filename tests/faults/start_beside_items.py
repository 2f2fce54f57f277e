"""A process starts beside a shop that has added many items by UpsertItems."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.records import ItemChange, ItemContent, ItemField
from recsvc.domain.shop import Item
from recsvc.model import bundle_files, text_encoders
from recsvc.model.text_encoder import item_text
from recsvc.store import open_store
from tests.faults.load import SteadyLoad, ask_for_a_list
from tests.faults.row import Figures, Row
from tests.faults.site import Site, processor_seconds, resident_mb, unforeseen
from tests.integration.clients import Storefront

WORDS = ("copper", "kettle", "garden", "lamp", "blue", "wool", "picnic", "blanket", "steel", "bottle", "oak", "scarf")
PAGE = 100
START_SECONDS = 600.0  # on a busy machine
# Texts that are embedded in full. The others take these embeddings with a little noise, which saves minutes: what a
# start costs is reading and indexing them.
EMBEDDED_TEXTS = 500
NOISE = 0.05


def measure(bundle: Path, items: int = 50_000) -> Figures:
    """Adds items to Redis as UpsertItems does, and starts a cold process.

    Args:
        bundle: Folder of the bundle that is served.
        items: How many items the shop has added.
    """
    with Site(bundle) as site:
        began = time.monotonic()
        asyncio.run(_add_items(site.redis.url, bundle, site.folder, items))
        added_seconds = time.monotonic() - began
        began = time.monotonic()
        service = site.start(warm=False, start_seconds=START_SECONDS, store_timeout=5)
        started_seconds = time.monotonic() - began
        processor, resident = processor_seconds(service), resident_mb(service)
        with SteadyLoad([service.address], {"list": (ask_for_a_list, 10.0)}) as load:
            load.wait_for("list", 20)
        with service.channel() as channel:
            answer = Storefront(channel).recommend(
                "nobody", surface="SURFACE_SEARCH", context={"query": _title(items - 1)}
            )
            last_is_found = any(f"new-{items - 1}" == item.item_id for item in answer.recommendations)
        return {
            "added_seconds": round(added_seconds, 1),
            "started_seconds": round(started_seconds, 1),
            "started_processor_seconds": round(processor, 1),
            "resident_mb": round(resident),
            "redis_mb": round(site.redis.client.info("memory")["used_memory"] / 2**20),
            "last_item_missing": int(not last_is_found),
            "lists": len(load.of("list")),
            "lists_failed": load.failed("list"),
            "unforeseen": unforeseen(service),
        }


def _title(number: int) -> str:
    return f"{WORDS[number % len(WORDS)]} {WORDS[number * 7 % len(WORDS)]} {number}"


async def _add_items(redis_url: str, bundle: Path, folder: Path, items: int) -> None:
    encoder = text_encoders.load(bundle_files.load(bundle).model.text_encoder)
    texts = [item_text(_item(number)) for number in range(min(items, EMBEDDED_TEXTS))]
    embeddings = encoder.encode(texts)
    async with open_store(redis_url, folder, "recsvc", timeout_seconds=10) as store:
        for page in _pages(items, embeddings, encoder.fingerprint):
            await store.catalogue.set(page)


def _pages(items: int, embeddings: NDArray[np.float32], fingerprint: str) -> Iterator[Sequence[ItemChange]]:
    rng = np.random.default_rng(1)
    for start in range(0, items, PAGE):
        page = []
        for number in range(start, min(start + PAGE, items)):
            embedding = embeddings[number % len(embeddings)]
            if number >= len(embeddings):
                noise = rng.standard_normal(embedding.shape, np.float32) * NOISE / np.sqrt(len(embedding))
                embedding = embedding + noise
                embedding = (embedding / np.linalg.norm(embedding)).astype(np.float32)
            content = ItemContent(_item(number), embedding, fingerprint)
            page.append(ItemChange(f"new-{number}", ItemField.CONTENT, 0, content))
        yield page


def _item(number: int) -> Item:
    return Item(f"new-{number}", _title(number), brand=f"b{number % 100}", categories=("Kitchen", "Kettles"))


ROW = Row(
    measure,
    # On a free machine a start takes no longer than its processor time: nothing is waited for.
    at_most={"started_processor_seconds": 20, "last_item_missing": 0, "lists_failed": 0, "unforeseen": 0},
    at_least={"lists": 1},
)

if __name__ == "__main__":
    ROW.main()
