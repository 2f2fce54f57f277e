"""Users: their history, profile and vectors, one Redis hash each."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.records import Erasure, UserExport, UserRecord
from recsvc.domain.shop import NO_TASTE, Event, EventType, Profile, Taste
from recsvc.errors import FieldViolation, InvalidRequest, StoreUnavailable
from recsvc.store import keys, packing, scripts
from recsvc.store.catalogue import CatalogueStore
from recsvc.store.connection import RedisClient, operation
from recsvc.store.erasures import ErasureStore
from recsvc.store.event_log import EventLog
from recsvc.store.history import entry_of, event_of, merge, unseen
from recsvc.store.lists import ServedListStore
from recsvc.store.models import ModelStore
from recsvc.store.patterns import PatternStore
from recsvc.store.popularity import PopularityStore
from recsvc.store.reads import GatheredReads
from recsvc.store.switches import SwitchStore

DAY_SECONDS = 86_400
_PAGE = 500

# Writers of one user at the same time wait up to 1, 2, 4, ... 64 ms at random between tries. 150 of them get through.
_WRITE_ATTEMPTS = 24
_LONGEST_WAIT_SECONDS = 0.064


class UserStore:
    """Every method raises StoreUnavailable when Redis refuses, or does not answer in time."""

    def __init__(
        self,
        client: RedisClient,
        namespace: str,
        history_limit: int = 256,
        ttl_seconds: int = 400 * DAY_SECONDS,
        event_log_limit: int = 1_000_000,
    ) -> None:
        """history_limit: events a user, the newest are kept. ttl_seconds: a user's record lives that long after the
        last event or profile. event_log_limit: entries in each of the log's partitions."""
        self._client = client
        self._reads = GatheredReads(client)
        self._namespace = namespace
        self._history_limit = history_limit
        self._ttl_milliseconds = 1000 * ttl_seconds
        self.event_log = EventLog(client, namespace, event_log_limit)
        self.catalogue = CatalogueStore(client, namespace)
        self.popularity = PopularityStore(client, namespace)
        self.models = ModelStore(client, namespace)
        self.lists = ServedListStore(client, namespace, self.event_log)
        self.erasures = ErasureStore(client, namespace)
        self.patterns = PatternStore(client, namespace)
        self.switches = SwitchStore(client, namespace)

    async def read(self, user_id: str, bundle_id: str, unless_version: int | None = None) -> UserRecord | None:
        """All that is held of a user, in one round trip. A user who is not known has version 0.

        None when the record is still at `unless_version`, which spares unpacking what the caller already has.
        Quantities are rounded to float32, and events carry a hash for their event_id: see `history.event_of`.
        """
        fields = (keys.VERSION, keys.HISTORY, keys.PROFILE, keys.PROFILE_EMBEDDING, keys.TASTE, keys.vector(bundle_id))
        with operation("read"):
            stored = await self._reads.hmget(self._key(user_id), *fields)
        version, history, profile, embedding, taste, vector = stored
        if int(version or 0) == unless_version:
            return None
        if version is None:
            return UserRecord(user_id)
        return UserRecord(
            user_id,
            int(version),
            tuple(event_of(entry, user_id) for entry in packing.unpack_history(history)),
            packing.unpack_profile(profile),
            packing.unpack_embedding(embedding),
            packing.unpack_taste(taste),
            *packing.unpack_vector(vector, int(version)),
        )

    async def every_user(self) -> AsyncIterator[list[str]]:
        """The ids of all of whom a record is held, in pages; who comes or goes meanwhile may be in it, even twice."""
        found = self._client.scan_iter(match=keys.every_user(self._namespace), count=_PAGE)
        while True:
            page: list[str] = []
            with operation("scan_users"):
                async for key in found:
                    page.append(keys.user_id_of(key))
                    if len(page) == _PAGE:
                        break
            yield page
            if len(page) < _PAGE:
                return

    async def write_events(self, events: Sequence[Event]) -> dict[str, int]:
        """Adds events, of any users, to the log and to the histories. When it returns, Redis has them all.

        Returns by user_id the version of a record that holds them: one of that version or a later one does too.

        An event that is in its user's history changes nothing. After an error any part of the batch may have been
        written: send it all again. Events are logged before they enter a history, so what a history holds was
        logged; the log may hold an event twice. Events written while their user is being erased count as new.
        """
        pending: dict[str, list[Event]] = {}
        versions: dict[str, int] = {}
        for event in events:
            pending.setdefault(event.user_id, []).append(event)
        logged: set[tuple[str, str]] = set()
        new: dict[str, list[Event]] = {}
        with operation("write_events"):
            for attempt in range(_WRITE_ATTEMPTS):
                versions |= await self._write_once(pending, logged, new)
                pending = {user_id: of_user for user_id, of_user in pending.items() if user_id not in versions}
                if not pending:
                    break
                await _wait_a_little(attempt)
            else:
                raise StoreUnavailable("too many writers changed one user's history at the same time")
        self.popularity.count_soon(event for events in new.values() for event in events)
        return versions

    async def _write_once(
        self, pending: dict[str, list[Event]], logged: set[tuple[str, str]], new: dict[str, list[Event]]
    ) -> dict[str, int]:
        """Reads, logs and writes each user once. Returns the versions of those that went well: where somebody else
        wrote between, it has to be tried again. new: gets what each user's history did not hold.
        """
        pipeline = self._client.pipeline(transaction=False)
        for user_id in pending:
            pipeline.execute_command("HMGET", self._key(user_id), keys.VERSION, keys.HISTORY)
        partitions = self.event_log.ask_lengths(pipeline, pending)
        answers = await pipeline.execute()
        lengths = dict(zip(partitions, answers[len(pending) :], strict=True))

        unlogged: list[Event] = []
        versions: dict[str, int] = {}
        writes: dict[str, tuple[str | bytes | int, ...]] = {}
        for (user_id, events), (version, packed) in zip(pending.items(), answers[: len(pending)], strict=True):
            history = packing.unpack_history(packed)
            arrivals = unseen(history, events)
            new[user_id] = [event for _, event in arrivals]
            unlogged += [event for event in new[user_id] if (user_id, event.event_id) not in logged]
            done = [entry for entry, event in arrivals if event.event_type is not EventType.IMPRESSION]
            merged = merge(history, done, self._history_limit)
            if merged != history:
                key, blob = self._key(user_id), packing.pack_history(merged)
                writes[user_id] = (key, version or b"0", blob, self._ttl_milliseconds)
            else:
                versions[user_id] = int(version or 0)
        if unlogged:
            await self.event_log.append(unlogged, lengths)
            logged.update((event.user_id, event.event_id) for event in unlogged)
        if writes:
            written = await scripts.run_each(self._client, scripts.WRITE_HISTORY, list(writes.values()))
            versions |= {user_id: version for user_id, version in zip(writes, written, strict=True) if version}
        return versions

    async def set_profile(self, user_id: str, profile: Profile | None, embedding: NDArray[np.float32] | None) -> None:
        """Replaces a user's profile and its embedding (float32, 1-d); None removes. The same again is no change."""
        with operation("set_profile"):
            await scripts.run(
                self._client,
                scripts.SET_PROFILE,
                self._key(user_id),
                b"" if profile is None else packing.pack_profile(profile),
                b"" if profile is None or embedding is None else packing.pack_embedding(embedding),
                self._ttl_milliseconds,
            )

    async def update_taste(self, user_id: str, add: Taste, remove: Taste, most: int) -> Taste:
        """Changes what a user has said of their taste, and returns all of it. Raises InvalidRequest when there would be
        more than `most` of a sort.
        """
        with operation("update_taste"):
            for attempt in range(_WRITE_ATTEMPTS):
                command = ("HMGET", self._key(user_id), keys.VERSION, keys.TASTE)
                version, packed = await self._client.execute_command(*command)
                taste = packing.unpack_taste(packed).changed(add, remove)
                if any(len(said) > most for said in taste.sorts()):
                    raise InvalidRequest([FieldViolation("add", f"would be more than {most} of a sort, in all")])
                said = b"" if taste == NO_TASTE else packing.pack_taste(taste)
                arguments = (self._key(user_id), version or b"0", said, self._ttl_milliseconds)
                nothing = taste == NO_TASTE and packed is None
                if nothing or await scripts.run(self._client, scripts.SET_TASTE, *arguments):
                    return taste
                await _wait_a_little(attempt)
        raise StoreUnavailable("too many writers changed one user's record at the same time")

    async def put_user_vector(
        self, user_id: str, bundle_id: str, version: int, known_events: int, vector: NDArray[np.float32]
    ) -> bool:
        """Keeps a vector (float32, 1-d) that `bundle_id` computed from this version of the record, of whose events it
        knew the items of `known_events`.

        False, and nothing changes, when the record has moved on or was erased: a late vector replaces nothing newer
        and brings nobody back. Vectors of the two bundles that wrote last are kept.
        """
        packed = packing.pack_vector(vector, version, known_events, written_at=time.time_ns() // 1000)
        with operation("put_user_vector"):
            put = await scripts.run(
                self._client, scripts.PUT_VECTOR, self._key(user_id), str(version), keys.vector(bundle_id), packed
            )
        return bool(put)

    async def export_user(self, user_id: str) -> UserExport:
        """All that is held of a user."""
        with operation("export_user"):
            fields = await self._client.execute_command("HGETALL", self._key(user_id))
            logged, logged_lists = await self.event_log.of_user(user_id)
        version = int(fields.get(keys.VERSION.encode(), 0))
        known = {entry_of(event).id_hash for event in logged}
        history = packing.unpack_history(fields.get(keys.HISTORY.encode()))
        alone = [replace(event_of(entry, user_id), event_id="") for entry in history if entry.id_hash not in known]
        vectors = {
            name.decode().partition(":")[2]: vector
            for name, packed in fields.items()
            if name.startswith(keys.vector("").encode())
            and (vector := packing.unpack_vector(packed, version)[0]) is not None
        }
        events = sorted([*logged, *alone], key=lambda event: event.timestamp)
        kept = await self.lists.of_user(user_id)
        return UserExport(
            packing.unpack_profile(fields.get(keys.PROFILE.encode())),
            tuple(events),
            vectors,
            packing.unpack_taste(fields.get(keys.TASTE.encode())),
            (*kept, *(given for given in reversed(logged_lists) if given not in kept)),
        )

    async def delete_user(self, user_id: str) -> Erasure:
        """Removes the record and the logged events of a user. After an error, ask again."""
        lists = keys.lists(self._namespace, user_id)
        with operation("delete_user"):
            fields = await self._client.execute_command("HGETALL", self._key(user_id))
            kept = int(await self._client.execute_command("LLEN", lists))
            # Both are of one hash tag, as a Cluster wants it.
            await self._client.execute_command("DEL", self._key(user_id), lists)
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
        """Returns when what is written off the path of requests is written, or lost."""
        await self.lists.close()
        await self.popularity.close()

    async def ping(self) -> None:
        """Returns when Redis answers."""
        with operation("ping"):
            await self._client.execute_command("PING")

    def _key(self, user_id: str) -> str:
        return keys.user(self._namespace, user_id)


async def _wait_a_little(attempt: int) -> None:
    """Before the next try, longer each time, at random so that writers do not meet again."""
    wait = min(0.001 * 2**attempt, _LONGEST_WAIT_SECONDS)
    await asyncio.sleep(random.uniform(0, wait))  # noqa: S311  jitter is no secret
