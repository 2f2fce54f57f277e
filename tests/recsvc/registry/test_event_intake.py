"""The use case of writing events: segments, unknown items, and the counts of attributed events."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from recsvc.domain.shop import Event, EventType
from recsvc.errors import StoreUnavailable
from recsvc.pipeline.event_intake import EventIntake
from recsvc.pipeline.list_id import recommendation_id
from recsvc.pipeline.placements import Placements
from recsvc.registry.backend import Backend
from recsvc.store import open_store

NOW = time.time_ns() // 1_000  # counts of popularity fade within months


@pytest.fixture
def placements(tmp_path: Path) -> Placements:
    file = tmp_path / "placements.toml"
    file.write_text('segments = ["de"]\n[placements.home]\n')
    return Placements.load(file)


@pytest.fixture
def intake(backend: Backend, placements: Placements) -> EventIntake:
    return EventIntake(backend.store, placements, backend.registry)


def purchase(event_id: str, item_id: str, *, list_id: str = "", segment: str = "") -> Event:
    return Event(event_id, "ann", item_id, EventType.PURCHASE, NOW, recommendation_id=list_id, segment=segment)


def attributed(backend: Backend) -> float:
    labels = {"placement": "home", "arm": "control", "bundle_id": backend.registry.bundle_id, "event_type": "purchase"}
    return REGISTRY.get_sample_value("recsvc_attributed_events_total", labels) or 0.0


def counts(backend: Backend) -> dict[tuple[str, str], float]:
    """What the metrics count, by metric and type of event."""
    origin = {"placement": "home", "arm": "control", "bundle_id": backend.registry.bundle_id}
    return {
        (metric, event_type.name): REGISTRY.get_sample_value(metric, labels | {"event_type": event_type.name.lower()})
        or 0
        for metric, labels in (("recsvc_attributed_events_total", origin), ("recsvc_events_total", {}))
        for event_type in EventType
    }


async def test_a_batch_is_stored_and_its_unknown_items_are_counted(backend: Backend, intake: EventIntake) -> None:
    written = await intake.write([purchase("e1", "i00001"), purchase("e2", "no such"), purchase("e3", "no such")])
    assert (written.acknowledged, written.unknown_items) == (3, 2)
    record = await backend.store.read("ann", backend.registry.bundle_id)
    assert record is not None
    assert written.versions == {"ann": record.version}
    assert [event.item_id for event in record.events] == ["i00001", "no such", "no such"]


async def test_events_of_an_unknown_segment_count_for_the_whole_shop_alone(
    backend: Backend, intake: EventIntake
) -> None:
    await intake.write([purchase("e1", "i00001", segment="de"), purchase("e2", "i00002", segment="made up")])
    popularity = backend.store.popularity
    await popularity.close()
    assert set((await popularity.read("")).popular) == {"i00001", "i00002"}
    assert set((await popularity.read("de")).popular) == {"i00001"}
    assert (await popularity.read("made up")).popular == {}


async def test_only_events_of_a_known_placement_arm_and_bundle_are_attributed(
    backend: Backend, intake: EventIntake
) -> None:
    bundle_id, before = backend.registry.bundle_id, attributed(backend)
    await intake.write(
        [
            purchase("e1", "i00001", list_id=recommendation_id("home", "control", bundle_id)),
            purchase("e2", "i00001", list_id=recommendation_id("made_up", "control", bundle_id)),
            purchase("e3", "i00001", list_id=recommendation_id("home", "made_up", bundle_id)),
            purchase("e4", "i00001", list_id=recommendation_id("home", "control", "made_up")),
            purchase("e5", "i00001", list_id="of another system"),
            purchase("e6", "i00001"),
        ]
    )
    assert attributed(backend) == before + 1
    made_up = [
        sample for metric in REGISTRY.collect() for sample in metric.samples if "made_up" in sample.labels.values()
    ]
    assert made_up == []


async def test_events_sent_again_are_counted_and_attributed_once(backend: Backend, intake: EventIntake) -> None:
    list_id = recommendation_id("home", "control", backend.registry.bundle_id)
    sale = purchase("e1", "i00001", list_id=list_id)
    events = [replace(sale, event_id=event_type.name, event_type=event_type) for event_type in EventType]
    before = counts(backend)
    for _ in range(3):
        assert (await intake.write(events)).acknowledged == len(events)
    assert counts(backend) == {metric: count + 1 for metric, count in before.items()}
    await intake.write([*events, replace(sale, event_id="another")])
    assert sum(counts(backend).values()) == sum(before.values()) + 2 * len(EventType) + 2


async def test_events_that_redis_did_not_take_are_not_counted(
    backend: Backend, placements: Placements, tmp_path: Path
) -> None:
    before = attributed(backend)
    async with open_store("redis://127.0.0.1:1", tmp_path, "test") as away:
        intake = EventIntake(away, placements, backend.registry)
        list_id = recommendation_id("home", "control", backend.registry.bundle_id)
        with pytest.raises(StoreUnavailable):
            await intake.write([purchase("e1", "i00001", list_id=list_id)])
    assert attributed(backend) == before
