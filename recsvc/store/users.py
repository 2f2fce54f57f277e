"""Keeps the record of each user, one Redis hash: history, profile, taste and vectors."""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.history_rooms import ROOM_EVENTS
from recsvc.domain.records import Erasure, UserExport, UserRecord
from recsvc.domain.shop import NO_TASTE, Event, Profile, Taste
from recsvc.errors import FieldViolation, InvalidRequest, StoreUnavailable
from recsvc.runtime.condition import ServiceCondition
from recsvc.store import keys, packing, scripts, user_scripts
from recsvc.store.catalogue import CatalogueStore
from recsvc.store.connection import RedisClient, operation
from recsvc.store.durability import REDIS, Durability
from recsvc.store.erasures import ErasureStore
from recsvc.store.event_log import EventLog
from recsvc.store.event_writer import WRITE_ATTEMPTS, EventWriter, wait_before_retry
from recsvc.store.gathered_commands import GatheredCommands
from recsvc.store.history import entry_of, event_of, recognised
from recsvc.store.lists import ServedListStore
from recsvc.store.models import ModelStore
from recsvc.store.patterns import PatternStore
from recsvc.store.popularity import PopularityStore
from recsvc.store.schema import check_schema
from recsvc.store.switches import SwitchStore
from recsvc.store.watch import StoreWatch

DAY_SECONDS = 86_400
_PAGE_SIZE = 500  # users


class UserStore:
    """The records of users, and the other stores on the same Redis.

    Every method raises StoreUnavailable if Redis refuses, or does not answer in time.

    Args:
        client: Of Redis.
        namespace: First part of every key.
        history_limit: Events kept of each user in each room, the newest; see `recsvc.domain.history_rooms`.
        ttl_seconds: How long a user's record is kept after the last event, profile or taste.
        event_log_limit: Entries in each partition of the event log.
        timeout_seconds: How long Redis may take to answer.
        durability: When a write counts as done; see `Durability`.

    Attributes:
        condition: What this process knows to be wrong.
    """

    def __init__(
        self,
        client: RedisClient,
        namespace: str,
        history_limit: int = ROOM_EVENTS,
        ttl_seconds: int = 400 * DAY_SECONDS,
        event_log_limit: int = 1_000_000,
        *,
        timeout_seconds: float = 0.1,
        durability: str = REDIS,
    ) -> None:
        self._client = client
        self._gathered = GatheredCommands(client)
        self._namespace = namespace
        self._ttl_milliseconds = 1000 * ttl_seconds
        self.condition = ServiceCondition()
        self.event_log = EventLog(client, namespace, event_log_limit, self.condition)
        self._durability = Durability(client, namespace, durability, timeout_seconds)
        self.catalogue = CatalogueStore(client, namespace, self._durability)
        self.popularity = PopularityStore(client, namespace)
        self.models = ModelStore(client, namespace, self._durability)
        self.lists = ServedListStore(client, namespace, self.event_log)
        self.erasures = ErasureStore(client, namespace)
        self.patterns = PatternStore(client, namespace)
        self.switches = SwitchStore(client, namespace, self._durability)
        self.watch = StoreWatch(client, namespace, timeout_seconds)
        self._events = EventWriter(
            client,
            namespace,
            history_limit=history_limit,
            ttl_milliseconds=self._ttl_milliseconds,
            event_log=self.event_log,
            popularity=self.popularity,
            gathered=self._gathered,
        )

    async def read(self, user_id: str, bundle_id: str, unless_version: int | None = None) -> UserRecord | None:
        """Reads a user's record in one round trip.

        Quantities are rounded to float32, and an event has a hash as its event_id; see `history.event_of`.

        Args:
            user_id: The user.
            bundle_id: The bundle whose user vector to read.
            unless_version: Version that the caller already has; it is not unpacked again.

        Returns:
            The record, with version 0 for an unknown user. None if it is still at `unless_version`.
        """
        fields = (keys.VERSION, keys.HISTORY, keys.PROFILE, keys.PROFILE_EMBEDDING, keys.TASTE, keys.vector(bundle_id))
        with operation("read"):
            (stored,) = await self._gathered.run([("HMGET", self._key(user_id), *fields)])
        version, history, profile, embedding, taste, vector = stored
        if int(version or 0) == unless_version:
            return None
        if version is None:
            return UserRecord(user_id)
        user_vector, known_events = packing.unpack_vector(vector, int(version))
        return UserRecord(
            user_id=user_id,
            version=int(version),
            events=tuple(event_of(entry, user_id) for entry in packing.unpack_history(history)),
            profile=packing.unpack_profile(profile),
            profile_embedding=packing.unpack_embedding(embedding),
            taste=packing.unpack_taste(taste),
            user_vector=user_vector,
            known_events=known_events,
        )

    async def every_user(self) -> AsyncIterator[list[str]]:
        """The ids of all users with a record, in pages. One who comes or goes meanwhile may be missing or repeated."""
        matching = self._client.scan_iter(match=keys.every_user(self._namespace), count=_PAGE_SIZE)
        while True:
            page: list[str] = []
            with operation("scan_users"):
                async for key in matching:
                    page.append(keys.user_id_of(key))
                    if len(page) == _PAGE_SIZE:
                        break
            yield page
            if len(page) < _PAGE_SIZE:
                return

    async def write_events(
        self, events: Sequence[Event], on_new: Callable[[Sequence[Event]], None] | None = None
    ) -> dict[str, int]:
        """Adds events of any users to the log and to the histories. When it returns, Redis has them all.

        An event without a time, or with one ahead of Redis's clock, gets the time by that clock.

        An event that its user's history already has changes nothing. After an error, any part of the batch may have
        been written: send all of it again. Events are logged before they enter a history, so every event of a history
        was logged; the log may contain an event twice. An event written while its user is erased counts as new.

        Args:
            events: To add.
            on_new: Gets each new event once, also if this call fails and the event is sent again: before this returns,
                or a moment after it fails. `recsvc.store.claims` has the details.

        Returns:
            By user_id, the version of a record that has the events. Every later version has them too.
        """
        async with self._durability.confirmed():
            return await self._events.write(events, on_new)

    async def set_profile(self, user_id: str, profile: Profile | None, embedding: NDArray[np.float32] | None) -> None:
        """Replaces a user's profile and its embedding. The same profile again changes nothing.

        Args:
            user_id: The user.
            profile: None removes it.
            embedding: Of the profile's text, float32 (dim,).
        """
        arguments = (
            self._key(user_id),
            b"" if profile is None else packing.pack_profile(profile),
            b"" if profile is None or embedding is None else packing.pack_embedding(embedding),
            self._ttl_milliseconds,
        )
        async with self._durability.confirmed():
            with operation("set_profile"):
                await scripts.run(self._client, user_scripts.SET_PROFILE, *arguments)

    async def update_taste(self, user_id: str, add: Taste, remove: Taste, most: int) -> Taste:
        """Adds to a user's taste, and removes from it.

        Args:
            user_id: The user.
            add: To add.
            remove: To remove afterwards.
            most: Entries that each set of the taste may have.

        Returns:
            The whole taste.

        Raises:
            InvalidRequest: A set would have more than `most` entries.
        """
        async with self._durability.confirmed():
            with operation("update_taste"):
                for attempt in range(WRITE_ATTEMPTS):
                    command = ("HMGET", self._key(user_id), keys.VERSION, keys.TASTE)
                    version, packed = await self._client.execute_command(*command)
                    taste = packing.unpack_taste(packed).changed(add, remove)
                    if any(len(entries) > most for entries in taste.sets()):
                        raise InvalidRequest([FieldViolation("add", f"would be more than {most} of a sort, in all")])
                    packed_taste = b"" if taste == NO_TASTE else packing.pack_taste(taste)
                    arguments = (self._key(user_id), version or b"0", packed_taste, self._ttl_milliseconds)
                    is_unchanged = taste == NO_TASTE and packed is None
                    if is_unchanged or await scripts.run(self._client, user_scripts.SET_TASTE, *arguments):
                        return taste
                    await wait_before_retry(attempt)
        raise StoreUnavailable("too many writers changed one user's record at the same time")

    async def put_user_vector(
        self, user_id: str, bundle_id: str, version: int, known_events: int, vector: NDArray[np.float32]
    ) -> bool:
        """Stores a user vector, unless the record has changed since or was erased.

        So a late vector never replaces a newer one, and never brings an erased user back. The vectors of the two
        bundles that wrote last are kept.

        Args:
            user_id: The user.
            bundle_id: The bundle that computed the vector.
            version: Version of the record that it was computed from.
            known_events: Events of that record whose items the bundle knew.
            vector: Float32 (d,).

        Returns:
            Whether it was stored.
        """
        packed = packing.pack_vector(vector, version, known_events, written_at=time.time_ns() // 1000)
        with operation("put_user_vector"):
            put = await scripts.run(
                self._client, user_scripts.PUT_VECTOR, self._key(user_id), str(version), keys.vector(bundle_id), packed
            )
        return bool(put)

    async def export_user(self, user_id: str) -> UserExport:
        """Everything that is stored of a user."""
        with operation("export_user"):
            fields = await self._client.execute_command("HGETALL", self._key(user_id))
            logged, logged_lists = await self.event_log.of_user(user_id)
        version = int(fields.get(keys.VERSION.encode(), 0))
        logged_hashes = {recognised(entry_of(event).id_hash) for event in logged}
        history = packing.unpack_history(fields.get(keys.HISTORY.encode()))
        unlogged = [
            replace(event_of(entry, user_id), event_id="")
            for entry in history
            if recognised(entry.id_hash) not in logged_hashes
        ]
        vectors = {
            name.decode().partition(":")[2]: vector
            for name, packed in fields.items()
            if name.startswith(keys.vector("").encode())
            and (vector := packing.unpack_vector(packed, version)[0]) is not None
        }
        events = sorted([*logged, *unlogged], key=lambda event: event.timestamp)
        kept = await self.lists.of_user(user_id)
        return UserExport(
            profile=packing.unpack_profile(fields.get(keys.PROFILE.encode())),
            events=tuple(events),
            user_vectors=vectors,
            taste=packing.unpack_taste(fields.get(keys.TASTE.encode())),
            lists=(*kept, *(served for served in reversed(logged_lists) if served not in kept)),
        )

    async def delete_user(self, user_id: str) -> Erasure:
        """Removes what is stored of a user. After an error, call it again."""
        lists, counted = keys.lists(self._namespace, user_id), keys.counted(self._namespace, user_id)
        async with self._durability.confirmed():
            with operation("delete_user"):
                fields = await self._client.execute_command("HGETALL", self._key(user_id))
                kept = int(await self._client.execute_command("LLEN", lists))
                await self._client.execute_command("DEL", self._key(user_id), lists, counted)
                removed, erased_at = await self.event_log.erase(user_id)
                await self.erasures.add(user_id)
        return Erasure(
            existed=bool(fields) or kept > 0 or removed > 0,
            log_entries=removed,
            history_events=len(packing.unpack_history(fields.get(keys.HISTORY.encode()))),
            profile=keys.PROFILE.encode() in fields or keys.TASTE.encode() in fields,
            user_vectors=sum(name.startswith(keys.vector("").encode()) for name in fields),
            lists=kept,
            erased_at=erased_at,
        )

    async def close(self) -> None:
        """Returns once everything that is written in the background is written, or lost."""
        await self.lists.close()
        await self._events.close()
        await self._durability.close()
        await self.popularity.close()

    async def check_access(self) -> None:
        """Asks Redis for an answer. Raises SettingsError if it can never be used.

        So it is if it refuses the URL and has never accepted it, has another schema, or lacks the durability.
        """
        await self.watch.check_access()
        await check_schema(self._client, self._namespace)
        await self._durability.check()

    def _key(self, user_id: str) -> str:
        return keys.user(self._namespace, user_id)
