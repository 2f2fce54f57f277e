"""Redis is killed again and again (kill -9) while events are written and lists are asked for."""

import time
from collections import Counter
from pathlib import Path
from typing import Any

from recsvc.domain.shop import Event
from recsvc.store import keys
from recsvc.store.history import hash_of, recognised
from recsvc.store.log_packing import unpack_logged
from recsvc.store.packing import unpack_history
from tests.faults.load import DEGRADED, OK, EventWriter, SteadyLoad, ask_for_a_list
from tests.faults.row import Figures, Row
from tests.faults.site import Site, unforeseen
from tests.serving_bundle import ITEMS

NAMESPACE = "recsvc"


def measure(  # noqa: PLR0917 - all but the bundle are given by name
    bundle: Path,
    kills: int = 20,
    events: int = 200_000,
    batch: int = 50,
    period_seconds: float = 30.0,
    away_seconds: float = 1.0,
    lists_per_second: float = 30.0,
    fsync: str = "everysec",
) -> Figures:
    """Kills Redis, and compares the acknowledged events with what Redis has at the end.

    Args:
        bundle: Folder of the bundle that is served.
        kills: How often Redis is killed.
        events: Events that are written meanwhile, acknowledged or not.
        batch: Events a call.
        period_seconds: From one kill to the next.
        away_seconds: How long Redis is away.
        lists_per_second: Rate of Recommend.
        fsync: The setting `appendfsync` of Redis.
    """
    writer = EventWriter(ITEMS, batch)
    with Site(bundle, fsync) as site:
        services = site.start_two()
        writes_per_second = events / batch / (kills * period_seconds)
        calls = {"list": (ask_for_a_list, lists_per_second), "write": (writer.write, writes_per_second)}
        with SteadyLoad([service.address for service in services], calls) as load:
            load.wait_for("list", 2)
            killed: list[float] = []
            for _ in range(kills):
                time.sleep(period_seconds - away_seconds)
                killed.append(time.monotonic())
                site.redis.kill()
                time.sleep(away_seconds)
                site.redis.start()
            time.sleep(min(2.0, period_seconds))
        logged, histories = logged_events(site.redis.client), _histories(site.redis.client)
        return {
            "acknowledged": len(writer.acknowledged),
            "refused": len(writer.refused),
            "lost_from_log": sum(event_id not in logged for event_id in writer.acknowledged),
            "lost_from_history": sum(
                recognised(hash_of(event_id)) not in histories.get(user_id, ())
                for event_id, user_id in writer.acknowledged.items()
            ),
            "logged_twice": sum(logged.values()) - len(logged),
            "refused_but_logged": sum(event_id in logged for event_id in writer.refused),
            "lists": len(load.of("list")),
            "lists_failed": load.failed("list"),
            "lists_failed_by_second_after_kill": _seconds_after_kill(load, killed),
            "lists_degraded": load.codes("list")["DEGRADED"],
            "write_codes": dict(load.codes("write")),
            "list_codes": dict(load.codes("list")),
            "unforeseen": sum(map(unforeseen, services)),
        }


def _seconds_after_kill(load: SteadyLoad, killed: list[float]) -> dict[int, int]:
    """Counts lists that failed by the whole seconds between the last kill before them and their start. -1: none was."""
    counts: Counter[int] = Counter()
    for outcome in load.of("list"):
        if outcome.code not in (OK, DEGRADED):
            before = [moment for moment in killed if moment <= outcome.started]
            counts[int(outcome.started - before[-1]) if before else -1] += 1
    return dict(sorted(counts.items()))


def logged_events(client: Any) -> dict[str, int]:
    """How often each event is in the log, by its id."""
    counts: dict[str, int] = {}
    for partition in range(keys.LOG_PARTITIONS):
        for _, fields in client.xrange(keys.event_log(NAMESPACE, partition)):
            entry = unpack_logged(fields[b"e"], fields[b"u"].decode())
            if isinstance(entry, Event):
                counts[entry.event_id] = counts.get(entry.event_id, 0) + 1
    return counts


def _histories(client: Any) -> dict[str, set[int]]:
    """The recognised hashes of the events in each user's history, by user."""
    found = {}
    for key in client.scan_iter(match=keys.every_user(NAMESPACE), count=1_000):
        history = unpack_history(client.hget(key, keys.HISTORY))
        found[keys.user_id_of(key)] = {recognised(entry.id_hash) for entry in history}
    return found


ROW = Row(
    measure,
    at_most={"lost_from_log": 0, "lost_from_history": 0, "logged_twice": 0, "lists_failed": 0, "unforeseen": 0},
    at_least={"acknowledged": 1, "refused": 1, "lists": 1},
)

if __name__ == "__main__":
    ROW.main()
