"""Makes one process drop users who were erased, whichever process got the request, and keeps them erased."""

from collections.abc import AsyncIterator, Awaitable, Callable, Set

import structlog

from recsvc.runtime.periodic_task import PeriodicTask
from recsvc.store import Place, UserStore, hash_of
from recsvc.store.erasures import STREAM_LENGTH

POLL_SECONDS = 0.1
# In one step, so that news of other erasures does not wait.
_ERASED_AGAIN = 100  # users
_SCANNED_PAGES = 20

_log = structlog.get_logger(__name__)


class ErasureFollower(PeriodicTask):
    """Reads the erasures since the last step.

    If Redis went back to an earlier state, erased users may be back too. Users whose erasure Redis has lost are erased
    again. A process knows the ids of the users that it erased itself. Of the others it knows the hash, and finds the
    ids among the records.

    Args:
        store: Where the erasures and the users are.
        forget: Drops what the process keeps of erased users. Takes their hashes, see `recsvc.store.hash_of`.
    """

    wait_seconds = POLL_SECONDS

    def __init__(self, store: UserStore, forget: Callable[[Set[int]], Awaitable[None]]) -> None:
        super().__init__("erasures", store.condition)
        self._store = store
        self._forget = forget
        self._place: Place | None = None  # None until Redis was read once
        self._known: dict[str, int] = {}  # by entry id, oldest first
        self._lost: dict[int, int] = {}  # when users were erased whose erasure Redis has lost, by hash
        self._scan: AsyncIterator[list[str]] | None = None

    async def step(self) -> None:
        """Forgets the users who were erased since the last step, and erases again those who came back."""
        news = None if self._place is None else await self._store.erasures.read_after(self._place)
        place, erasures = news or await self._read_everything()
        if hashes := set(erasures.values()):
            await self._forget(hashes)
            _log.info("users_forgotten", erasures=len(hashes))
        self._known |= erasures
        while len(self._known) > STREAM_LENGTH:
            del self._known[next(iter(self._known))]
        self._place = place
        if self._lost:
            await self._erase_again()

    async def _read_everything(self) -> tuple[Place, dict[str, int]]:
        """Returns the end of the stream and the erasures that are new, and notes those that Redis has lost."""
        place, erasures = await self._store.erasures.read_all()
        newest = {user_hash: entry_id for entry_id, user_hash in erasures.items()}
        # A stream of full length may have dropped older entries. They are no loss.
        first = next(iter(erasures), "") if len(erasures) >= STREAM_LENGTH else ""
        lost = {
            user_hash: _microseconds(entry_id)
            for entry_id, user_hash in self._known.items()
            if entry_id not in erasures
            and (not first or _order(entry_id) > _order(first))
            and (user_hash not in newest or _order(newest[user_hash]) < _order(entry_id))
        }
        if lost:
            self._lost |= lost
            self._scan = None
            self.condition.lost("erasures", len(lost), "these users are erased again")
        news = {entry_id: user_hash for entry_id, user_hash in erasures.items() if entry_id not in self._known}
        self._known = {entry_id: user_hash for entry_id, user_hash in self._known.items() if entry_id in erasures}
        if self._place is None:  # this process keeps nothing of anybody yet
            self._known, news = erasures, {}
        return place, news

    async def _erase_again(self) -> None:
        own = [user_hash for user_hash in self._lost if user_hash in self._store.erasures.own][:_ERASED_AGAIN]
        for user_hash in own:
            await self._erase(self._store.erasures.own[user_hash], user_hash)
        if own:
            return
        try:
            await self._erase_among_all()
        except Exception:
            self._scan = None  # it ended with the error, or left out the rest of a page
            raise

    async def _erase_among_all(self) -> None:
        """Goes on looking for the lost erasures among all records."""
        if self._scan is None:
            self._scan = self._store.every_user()
        for _ in range(_SCANNED_PAGES):
            page = await anext(self._scan, None)
            if page is None:
                self._scan = None
                self._lost.clear()
                return
            for user_id in page:
                if (user_hash := hash_of(user_id)) in self._lost:
                    await self._erase(user_id, user_hash)

    async def _erase(self, user_id: str, user_hash: int) -> None:
        """Erases a user, except one who began again after the erasure and of whom nothing older is stored."""
        record = await self._store.read(user_id, "")
        erased_at = self._lost[user_hash]
        times = [event.timestamp for event in record.events] if record is not None else []
        began_again = bool(times) and min(times) > erased_at
        if not began_again:
            await self._store.delete_user(user_id)
        del self._lost[user_hash]


def _order(entry_id: str) -> tuple[int, int]:
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number)


def _microseconds(entry_id: str) -> int:
    return _order(entry_id)[0] * 1_000
