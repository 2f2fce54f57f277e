"""Keeps which bundle shall answer, for all server processes, and the state that each process reports."""

import json
from dataclasses import asdict, dataclass

from recsvc.runtime.metrics import UNREADABLE_VALUES
from recsvc.store import keys, scripts, shop_scripts
from recsvc.store.connection import RedisClient, operation
from recsvc.store.durability import Durability

PROCESS_SECONDS = 10.0  # without a report, after which a process counts as gone


@dataclass(frozen=True, slots=True)
class WantedBundles:
    """Ids of bundles; '' for none.

    Attributes:
        active: The bundle that answers.
        previous: The bundle that answered before it.
        loaded: A bundle to keep loaded beside them.
        number: Grows with each change. It falls if Redis goes back to an earlier state.
    """

    active: str = ""
    previous: str = ""
    loaded: str = ""
    number: int = 0

    def is_lost_in(self, later: "WantedBundles") -> bool:
        """Returns whether Redis has lost this state, if it is now in a state that was read later."""
        return later.number < self.number or (bool(self.active) and not later.active)


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """The state of one server process.

    Attributes:
        process_id: Of the process.
        serving: Id of the bundle that answers there.
        loaded: Ids of the bundles that are loaded there.
        problem: Why the process does not serve the wanted bundle; '' if it does.
        store_problems: What is wrong with Redis, or with following it; see `ServiceCondition.problems`.
    """

    process_id: str
    serving: str
    loaded: tuple[str, ...]
    problem: str
    store_problems: tuple[str, ...] = ()


class ModelStore:
    """Bundles and processes. Every method raises StoreUnavailable if Redis refuses, or does not answer in time."""

    def __init__(self, client: RedisClient, namespace: str, durability: Durability) -> None:
        self._client = client
        self._durability = durability
        self._namespace = namespace
        self._bundles = keys.models(namespace, "bundles")
        self._processes = keys.models(namespace, "processes")

    async def wanted(self) -> WantedBundles:
        """The bundles that every process shall have."""
        with operation("follow_bundles"):
            names = ("active", "previous", "loaded", "number")
            *values, number = await self._client.execute_command("HMGET", self._bundles, *names)
        active, previous, loaded = ((value or b"").decode() for value in values)
        return WantedBundles(active, previous, loaded, int(number or 0))

    async def restore(self, wanted: WantedBundles) -> None:
        """Writes back a state that Redis has lost, unless another process was faster or the state is newer."""
        arguments = (wanted.number, wanted.active, wanted.previous, wanted.loaded)
        with operation("set_bundles"):
            await scripts.run(self._client, shop_scripts.RESTORE_BUNDLES, self._bundles, *arguments)

    async def other_schema_versions(self) -> list[int]:
        """The schema versions, of those near this one, in which other versions of recsvc have kept bundles here."""
        versions = [version for version in range(1, keys.SCHEMA_VERSION + 9) if version != keys.SCHEMA_VERSION]
        names = ("bundles", "processes")
        with operation("follow_bundles"):
            counts = [
                await self._client.execute_command("EXISTS", *(keys.models(self._namespace, n, version) for n in names))
                for version in versions
            ]
        return [version for version, count in zip(versions, counts, strict=True) if count]

    async def keep_loaded(self, bundle_id: str) -> None:
        """Makes every process keep a bundle loaded, in place of the one kept before."""
        async with self._durability.confirmed():
            with operation("set_bundles"):
                await scripts.run(self._client, shop_scripts.KEEP_LOADED, self._bundles, bundle_id)

    async def activate(self, bundle_id: str, serving: str) -> str:
        """Makes a bundle the active one.

        Args:
            bundle_id: The bundle to activate.
            serving: The bundle that answers now, if none was ever activated.

        Returns:
            The bundle that was active before.
        """
        async with self._durability.confirmed():
            with operation("set_bundles"):
                previous = await scripts.run(self._client, shop_scripts.ACTIVATE, self._bundles, bundle_id, serving)
        return str(previous.decode())

    async def roll_back(self) -> str:
        """Swaps the active and the previous bundle.

        Returns:
            The bundle that is active now; '' if there was no previous one.
        """
        async with self._durability.confirmed():
            with operation("set_bundles"):
                active = str((await scripts.run(self._client, shop_scripts.ROLL_BACK, self._bundles)).decode())
        return active

    async def report(self, process: ServerProcess) -> None:
        """Reports the state of a process. It must be repeated within `PROCESS_SECONDS`."""
        # The time is Redis's: the clocks of servers need not agree.
        packed = json.dumps(asdict(process)).removesuffix("}") + ', "at": '
        with operation("report_process"):
            await scripts.run(self._client, shop_scripts.REPORT_PROCESS, self._processes, process.process_id, packed)

    async def leave(self, process_id: str) -> None:
        """Removes a process that ends."""
        with operation("report_process"):
            await self._client.execute_command("HDEL", self._processes, process_id)

    async def processes(self) -> list[ServerProcess]:
        """The processes that have reported lately, by id. The others are removed."""
        with operation("read_processes"):
            now, fields = await scripts.run(self._client, shop_scripts.READ_PROCESSES, self._processes)
            alive, gone = [], []
            for process_id, packed in zip(fields[::2], fields[1::2], strict=True):
                process, age = _unpacked(packed, int(now))
                if age > PROCESS_SECONDS:
                    gone.append(process_id)
                elif process is not None:
                    alive.append(process)
            if gone:
                await self._client.execute_command("HDEL", self._processes, *gone)
        return sorted(alive, key=lambda process: process.process_id)


def _unpacked(packed: bytes, now: int) -> tuple[ServerProcess | None, float]:
    """Returns the reported state and its age in seconds. None and 0 if this version cannot read the report."""
    try:
        report = json.loads(packed)
        problems = tuple(report.get("store_problems", ()))
        process = ServerProcess(
            report["process_id"], report["serving"], tuple(report["loaded"]), report["problem"], problems
        )
        return process, now - report["at"]
    except (AttributeError, KeyError, TypeError, ValueError):
        UNREADABLE_VALUES.labels("processes").inc()
        return None, 0.0
