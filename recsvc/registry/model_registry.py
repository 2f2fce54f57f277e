"""The bundles in memory: which one is active, how another takes its place, and what is dropped with an erased user."""

import asyncio
from collections.abc import Callable, Set
from contextlib import suppress
from pathlib import Path

import structlog

from recsvc.errors import (
    BundleError,
    BundleFormatError,
    BundleNotFound,
    BundleUnusable,
    NoPreviousBundle,
    StoreUnavailable,
)
from recsvc.model import bundle_files
from recsvc.model.batched_encoder import BatchedTextEncoder
from recsvc.model.bundle import Bundle
from recsvc.model.bundle_folder import BundleInfo, bundles_in, folder_of
from recsvc.pipeline.recommender import Recommender
from recsvc.pipeline.serving_resources import ServingResources
from recsvc.registry import bundle_gauges
from recsvc.registry.bundle_follower import BundleFollower
from recsvc.registry.erasure_follower import ErasureFollower
from recsvc.registry.loaded_bundle import LoadedBundle
from recsvc.registry.reason_stream import ReasonStream
from recsvc.store import ServerProcess, WantedBundles

_log = structlog.get_logger(__name__)


class ModelRegistry:
    """Loads, activates and drops bundles, as the operator asks for it in any process.

    Args:
        bundle: Active until another one is activated.
        bundles_dir: The folder of the other bundles.
        always_loaded: Ids of bundles that placements name. They stay in memory.
        resources: What the recommenders of the process share.
        encoder: Embeds new items.
        reason_stream: Ends the streams of erased users.
        on_loaded: Called after each bundle that was loaded.

    Attributes:
        bundle_id: Of the active bundle.
        loaded: The bundles in memory, by id.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        bundles_dir: Path,
        always_loaded: frozenset[str],
        resources: ServingResources,
        encoder: BatchedTextEncoder,
        reason_stream: ReasonStream,
        on_loaded: Callable[[], object],
    ) -> None:
        self._bundles_dir = bundles_dir
        self._always_loaded = always_loaded
        self._resources = resources
        self._encoder = encoder
        self._reason_stream = reason_stream
        self._on_loaded = on_loaded
        self._store, self._lists = resources.store.models, resources.store.lists
        self.loaded = {bundle.bundle_id: self._loaded_bundle(bundle)}
        self._loading = asyncio.Lock()
        self._follower = BundleFollower(
            self._store, self._apply, lambda: (self.bundle_id, tuple(self.loaded)), resources.store.condition
        )
        self._erasures = ErasureFollower(resources.store, self.forget)
        self.bundle_id = bundle.bundle_id

    async def start(self) -> None:
        """Loads the bundles that the placements and the operator want. Returns when they are warm and up to date.

        Raises:
            BundleUnusable: A bundle that a placement names is missing or cannot be used.
        """
        await self.loaded[self.bundle_id].start()
        with suppress(StoreUnavailable):
            if versions := await self._store.other_schema_versions():
                _log.warning(
                    "other_schema_versions", versions=versions, problem="this version reads none of their keys"
                )
        for bundle_id in sorted(self._always_loaded):
            await self._load(bundle_id)
        await self._follower.start()
        await self._erasures.start()
        bundle_gauges.show_bundle(self.current)
        bundle_gauges.follow_served(lambda: self.current)

    async def close(self) -> None:
        """Finishes the writes that are under way."""
        bundle_gauges.follow_nothing()
        await self._follower.close()
        await self._erasures.close()
        for loaded in self.loaded.values():
            await loaded.close()

    @property
    def current(self) -> Recommender:
        """The recommender of the active bundle. It can change between two requests: a request reads it once."""
        return self.loaded[self.bundle_id].recommender

    @property
    def bundle_ids(self) -> frozenset[str]:
        """Ids of the bundles in memory: those that can have made a list that a user still sees."""
        return frozenset(self.loaded)

    def recommender(self, bundle_id: str) -> Recommender | None:
        """The recommender of a bundle; None if the bundle is not in memory."""
        loaded = self.loaded.get(bundle_id)
        return loaded.recommender if loaded is not None else None

    async def forget(self, hashes: Set[int]) -> None:
        """Drops what this process keeps of erased users, and what it is still writing.

        Args:
            hashes: Of the users, by `recsvc.store.hash_of`.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        for loaded in self.loaded.values():
            loaded.recommender.forget(hashes)
        self._reason_stream.forget(hashes)
        await self._lists.forget(hashes)

    async def first_bundle_without(self, erased_at: int) -> tuple[str, bool]:
        """Finds the oldest bundle that was trained without the users erased until a time.

        Args:
            erased_at: Microseconds since 1970, UTC.

        Returns:
            The bundle's id, "" if there is none; and whether it, or a later one, is active.
        """
        infos = await asyncio.to_thread(bundles_in, self._bundles_dir)
        without = [info.bundle_id for info in infos if info.erasures_until >= erased_at]
        return (without[-1] if without else ""), self.bundle_id in without

    async def list_bundles(self) -> tuple[list[BundleInfo], list[ServerProcess], WantedBundles]:
        """Returns the bundles in the folder, the running processes, and the bundles that the operator wants."""
        infos = await asyncio.to_thread(bundles_in, self._bundles_dir)
        own = self._follower.process  # as it is now: Redis may refuse its reports
        others = [process for process in await self._store.processes() if process.process_id != own.process_id]
        processes = sorted([own, *others], key=lambda process: process.process_id)
        return infos, processes, await self._store.wanted()

    async def load(self, bundle_id: str) -> None:
        """Makes every process keep a bundle in memory. On return this process has it.

        Raises:
            BundleNotFound: It is not in the folder.
            BundleUnusable: It cannot be read, or needs another text encoder.
            StoreUnavailable: Redis did not answer.
        """
        await self._load(bundle_id)
        await self._follower.step()  # writes back first what Redis has lost, so that this change comes on top of it
        await self._store.keep_loaded(bundle_id)

    async def activate(self, bundle_id: str) -> str:
        """Makes a bundle the active one in every process. Returns the previous one. Raises as `load`."""
        await self._load(bundle_id)
        await self._follower.step()  # as in `load`
        previous = await self._store.activate(bundle_id, self.bundle_id)
        await self._follower.run_step()
        return previous

    async def roll_back(self) -> str:
        """Makes the previous bundle the active one again, and returns it.

        Raises:
            NoPreviousBundle: No other bundle was active before.
            StoreUnavailable: Redis did not answer.
        """
        await self._follower.step()  # as in `load`
        bundle_id = await self._store.roll_back()
        if not bundle_id:
            raise NoPreviousBundle
        await self._follower.run_step()
        return bundle_id

    async def _apply(self, wanted: WantedBundles) -> None:
        if wanted.active:
            await self._load(wanted.active)
            bundle_gauges.hide_bundle(self.bundle_id)
            self.bundle_id = wanted.active
            bundle_gauges.show_bundle(self.current)
        for bundle_id in filter(None, (wanted.previous, wanted.loaded)):
            await self._load(bundle_id)
        needed = {self.bundle_id, wanted.previous, wanted.loaded, *self._always_loaded}
        for bundle_id in self.loaded.keys() - needed:
            await self._drop(bundle_id)

    async def _drop(self, bundle_id: str) -> None:
        dropped = self.loaded.pop(bundle_id)
        await dropped.close()

    async def _load(self, bundle_id: str) -> None:
        async with self._loading:
            if bundle_id in self.loaded:
                return
            folder = await asyncio.to_thread(folder_of, bundle_id, self._bundles_dir)
            if folder is None:
                raise BundleNotFound(bundle_id)
            try:
                bundle = await asyncio.to_thread(bundle_files.load, folder)
            except BundleFormatError as error:
                raise BundleUnusable(bundle_id, error.problem) from None
            except BundleError as error:
                _log.error("bundle_unusable", bundle_id=bundle_id, problem=str(error))
                raise BundleUnusable(bundle_id, "it cannot be read; the server's log says why") from None
            if bundle.model.text_encoder_fingerprint != self._encoder.fingerprint:
                raise BundleUnusable(
                    bundle_id,
                    "it was trained with another text encoder than the service has: restart the service with it",
                )
            loaded = await asyncio.to_thread(self._loaded_bundle, bundle)
            await loaded.start()
            self.loaded[bundle_id] = loaded

    def _loaded_bundle(self, bundle: Bundle) -> LoadedBundle:
        return LoadedBundle(bundle, self._resources, self._encoder, self._on_loaded)
