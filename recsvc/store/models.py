"""Which bundle is to answer, for all server processes, and what each of them says that it does."""

import json
import time
from dataclasses import asdict, dataclass

from recsvc.errors import StoreUnavailable
from recsvc.store import keys, scripts
from recsvc.store.connection import RedisClient, operation

# A process that has said nothing for so long is gone.
PROCESS_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class WantedBundles:
    """Ids of bundles, '' for none. active: the one that answers; previous: the one before it. loaded: one to keep warm
    beside them.
    """

    active: str = ""
    previous: str = ""
    loaded: str = ""


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """problem: why it does not do as it was told; '' if it does."""

    process_id: str
    serving: str
    loaded: tuple[str, ...]
    problem: str


class ModelStore:
    """Every method raises StoreUnavailable when Redis refuses, or does not answer in time."""

    def __init__(self, client: RedisClient, namespace: str) -> None:
        self._client = client
        self._bundles = keys.models(namespace, "bundles")
        self._processes = keys.models(namespace, "processes")

    async def wanted(self) -> WantedBundles:
        with operation("follow_bundles"):
            found = await self._client.execute_command("HMGET", self._bundles, "active", "previous", "loaded")
        return WantedBundles(*((value or b"").decode() for value in found))

    async def keep_loaded(self, bundle_id: str) -> None:
        """Has every process keep this one warm; the one that was kept so is let go."""
        with operation("set_bundles"):
            await self._client.execute_command("HSET", self._bundles, "loaded", bundle_id)

    async def activate(self, bundle_id: str, serving: str) -> str:
        """Makes a bundle the active one and returns the one before. serving: what answers where none is active yet."""
        with operation("set_bundles"):
            previous = await scripts.run(self._client, scripts.ACTIVATE, self._bundles, bundle_id, serving)
        return str(previous.decode())

    async def roll_back(self) -> str:
        """Makes the previous bundle the active one, and the other way round. Returns it; '': there is none."""
        with operation("set_bundles"):
            return str((await scripts.run(self._client, scripts.ROLL_BACK, self._bundles)).decode())

    async def report(self, process: ServerProcess) -> None:
        """Says what a process does. It has to be said again and again."""
        said = json.dumps(asdict(process) | {"at": time.time()})
        with operation("report_process"):
            await self._client.execute_command("HSET", self._processes, process.process_id, said)

    async def leave(self, process_id: str) -> None:
        """Says that a process ends."""
        with operation("report_process"):
            await self._client.execute_command("HDEL", self._processes, process_id)

    async def processes(self) -> list[ServerProcess]:
        """Those that have said something lately; the others are forgotten."""
        with operation("read_processes"):
            found = await self._client.execute_command("HGETALL", self._processes)
            living, gone = [], []
            for process_id, packed in found.items():
                said = _unpacked(packed)
                if said is None:
                    gone.append(process_id)
                else:
                    living.append(said)
            if gone:
                await self._client.execute_command("HDEL", self._processes, *gone)
        return sorted(living, key=lambda process: process.process_id)


def _unpacked(packed: bytes) -> ServerProcess | None:
    """None: it is too old."""
    try:
        said = json.loads(packed)
        if time.time() - said["at"] > PROCESS_SECONDS:
            return None
        return ServerProcess(said["process_id"], said["serving"], tuple(said["loaded"]), said["problem"])
    except (KeyError, TypeError, ValueError):
        raise StoreUnavailable("Redis holds a value that is damaged") from None
