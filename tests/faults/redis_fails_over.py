"""A master of Redis is lost or replaced while events are written and lists are asked for."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.faults.load import OK, EventWriter, SteadyLoad, ask_for_a_list, percentile
from tests.faults.redis_killed import logged_events
from tests.faults.redis_topologies import ClusterRedis, SentinelRedis
from tests.faults.row import Figures, Row
from tests.faults.site import Site, unforeseen
from tests.serving_bundle import ITEMS

DEFAULT, REPLICAS = "redis", "replicas:1"
LOST = "redis_lost_data"  # the line of the log that says a loss


def _killed(redis: SentinelRedis | ClusterRedis) -> None:
    redis.kill_master()


def _paused(redis: SentinelRedis | ClusterRedis) -> None:
    redis.pause_master()


def _planned(redis: SentinelRedis | ClusterRedis) -> None:
    assert isinstance(redis, SentinelRedis)
    redis.fail_over()


Way = tuple[type[SentinelRedis] | type[ClusterRedis], Callable[[SentinelRedis | ClusterRedis], None], str, bool]
# By name: the servers, the fault, the durability, and whether all of them speak TLS.
WAYS: Mapping[str, Way] = {
    "sentinel_killed": (SentinelRedis, _killed, DEFAULT, False),
    "sentinel_killed_confirmed_tls": (SentinelRedis, _killed, REPLICAS, True),
    "sentinel_paused_confirmed": (SentinelRedis, _paused, REPLICAS, False),
    "sentinel_planned": (SentinelRedis, _planned, DEFAULT, False),
    "sentinel_planned_confirmed": (SentinelRedis, _planned, REPLICAS, False),
    "cluster_killed": (ClusterRedis, _killed, DEFAULT, False),
    "cluster_paused": (ClusterRedis, _paused, DEFAULT, False),
}


def measure(
    bundle: Path,
    before_seconds: float = 5.0,
    after_seconds: float = 15.0,
    lists_per_second: float = 40.0,
    writes_per_second: float = 40.0,
    only: str = "",
) -> Figures:
    """Breaks each kind of Redis in each way, and compares the acknowledged events with what Redis has at the end.

    Args:
        bundle: Folder of the bundle that is served.
        before_seconds: How long the load runs before the fault.
        after_seconds: How long it runs afterwards.
        lists_per_second: Rate of Recommend.
        writes_per_second: Rate of WriteEvents.
        only: One way, by its name; all for "".
    """
    lengths = before_seconds, after_seconds, lists_per_second, writes_per_second
    ways = {name: _measure_way(bundle, way, *lengths) for name, way in WAYS.items() if only in ("", name)}
    return {
        "lists": sum(figures["lists"] for figures in ways.values()),
        "acknowledged": min(figures["acknowledged"] for figures in ways.values()),
        "lists_failed": sum(figures["lists_failed"] for figures in ways.values()),
        "lost_though_confirmed": sum(f["lost"] for name, f in ways.items() if WAYS[name][2] == REPLICAS),
        # Where a write waits for a replica, what is lost had been refused: it is said all the same.
        "said_but_not_lost": sum(
            bool(f["losses_said"]) and not f["lost"] for name, f in ways.items() if WAYS[name][2] == DEFAULT
        ),
        "longest_refused_seconds": max(figures["refused_seconds"] for figures in ways.values()),
        "unforeseen": sum(figures["unforeseen"] for figures in ways.values()),
        **{name: str(figures) for name, figures in ways.items()},
    }


def _measure_way(
    bundle: Path, way: Way, before_seconds: float, after_seconds: float, lists: float, writes: float
) -> dict[str, float]:
    kind, break_redis, durability, has_tls = way
    writer = EventWriter(ITEMS, 4)
    with Site(bundle, redis=lambda folder: kind(folder, has_tls=has_tls)) as site:
        assert isinstance(site.redis, SentinelRedis | ClusterRedis)
        services = site.start_two(durability=durability)
        calls = {"list": (ask_for_a_list, lists), "write": (writer.write, writes)}
        with SteadyLoad([service.address for service in services], calls) as load:
            load.wait_for("list", 20)
            time.sleep(before_seconds)
            broken = time.monotonic()
            break_redis(site.redis)
            time.sleep(after_seconds)
        logged = logged_events(site.redis.client)
        refused = [outcome.ended for outcome in load.of("write", broken) if outcome.code != OK]
        return {
            "lists": len(load.of("list")),
            "lists_failed": load.failed("list"),
            "lists_degraded": load.codes("list")["DEGRADED"],
            "p99_ms_before": percentile(load.of("list", broken - before_seconds, broken), 0.99),
            "p99_ms_after": percentile(load.of("list", broken), 0.99),
            "acknowledged": len(writer.acknowledged),
            "refused": len(writer.refused),
            "lost": sum(event_id not in logged for event_id in writer.acknowledged),
            "refused_seconds": round(max(refused, default=broken) - broken, 2),
            "losses_said": sum(line.get("event") == LOST for service in services for line in service.log),
            "unforeseen": sum(map(unforeseen, services)),
        }


ROW = Row(
    measure,
    at_most={
        "lists_failed": 0,
        "lost_though_confirmed": 0,
        "said_but_not_lost": 0,
        "longest_refused_seconds": 10,
        "unforeseen": 0,
    },
    at_least={"lists": 1, "acknowledged": 1},
)

if __name__ == "__main__":
    ROW.main()
