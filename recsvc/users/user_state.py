"""The state of one user: the record from Redis, joined with the items of one bundle.

Everything here is pure: it reads a record or a state and returns a new one. `user_state_cache` loads and keeps them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.records import UserRecord
from recsvc.domain.shop import Event, EventType, History
from recsvc.model.bundle import Bundle
from recsvc.model.catalogue import Catalogue
from recsvc.model.text_encoder import profile_text
from recsvc.model.towers.user import ProfileText
from recsvc.users.taste import disliked, silent_rows

# How many items of the history are left out in turn to find what moved a score: the ones bought last.
LEFT_OUT_ITEMS = 20


@dataclass(frozen=True, kw_only=True, eq=False, slots=True, weakref_slot=True)
class UserState:
    """One user at one version of the record, as one catalogue knows their items.

    States are compared by identity: whoever works something out from a state may keep it in a weak dictionary by the
    state, so that it goes when the state does.

    Attributes:
        version: Of the record. 0 if nothing is known of the user, or if the state holds more than the record.
        cacheable: Whether results for this state may be written back to Redis.
        catalogue: The items that rows refer to.
        history: Events of known items, oldest first, without those that the user asked to leave out.
        known_events: Number of events of items that the catalogue has.
        unknown_events: Number of events of items that the catalogue does not have.
        profile: Text and embedding of the profile; None without one.
        about: The values of the profile, without the names of its attributes.
        held_rows: Distinct rows of all known events.
        bought_rows: Distinct rows that were bought, ascending.
        purchases: How often each of `bought_rows` was bought; lines of one order count once.
        hidden_rows: Distinct rows that the user hid and has not bought since. They are in no list.
        disliked: What is taken from the user vector, in units of its length, float32 (d,); None for nothing.
        stored_vector: The user vector that the record held, float32 (d,); None if there was none for this version.
        visit: By row, what the user does in this visit: views the item, or has it in the cart.
        base: The state without this visit; None if this is no visit.
    """

    version: int
    cacheable: bool
    catalogue: Catalogue
    history: History
    known_events: int
    unknown_events: int
    profile: ProfileText | None
    about: str
    held_rows: NDArray[np.int32]
    bought_rows: NDArray[np.int32]
    purchases: NDArray[np.int32]
    hidden_rows: NDArray[np.int32]
    disliked: NDArray[np.float32] | None
    stored_vector: NDArray[np.float32] | None
    visit: Mapping[int, EventType] = field(default_factory=dict)
    base: "UserState | None" = None

    @property
    def personalised(self) -> bool:
        """Whether anything is known that could rank."""
        return len(self.history) > 0 or self.profile is not None or self.disliked is not None

    def rows_to_leave_out(self) -> NDArray[np.int32]:
        """The last LEFT_OUT_ITEMS different items that were bought, or that this visit is about; ascending rows."""
        told = self.history.purchases | np.isin(self.history.rows, list(self.visit))
        rows, places = np.unique(self.history.rows[told][::-1], return_index=True)
        return np.sort(rows[np.argsort(places)[:LEFT_OUT_ITEMS]])


def state_of(record: UserRecord, bundle: Bundle) -> UserState:
    """The state of a record."""
    catalogue = bundle.catalogue
    history = every_event = history_of(record.events, catalogue)
    if len(silent := silent_rows(record.taste, catalogue)):
        history = every_event.select(~np.isin(every_event.rows, silent))
    bought = history.select(history.purchases)
    # Lines of one order are one purchase: a shopper who bought twelve in one go bought once.
    orders = np.unique(np.stack((bought.rows.astype(np.int64), bought.timestamps)), axis=1)[0]
    bought_rows, purchases = np.unique(orders, return_counts=True)
    profile, about = None, ""
    if record.profile is not None and record.profile_embedding is not None:
        profile = ProfileText(profile_text(record.profile), record.profile_embedding)
        about = "\n".join((record.profile.text, *(value for _, value in record.profile.attributes)))
    return UserState(
        version=record.version,
        cacheable=record.version > 0,
        catalogue=catalogue,
        history=history,
        known_events=len(every_event),
        unknown_events=len(record.events) - len(every_event),
        profile=profile,
        about=about,
        held_rows=np.unique(every_event.rows),
        bought_rows=bought_rows.astype(np.int32),
        purchases=purchases.astype(np.int32),
        hidden_rows=_hidden_rows(every_event),
        disliked=disliked(record.taste, bundle),
        stored_vector=record.user_vector if record.known_events == len(every_event) else None,
    )


def with_session_events(state: UserState, viewed: NDArray[np.int32], cart: NDArray[np.int32], time: int) -> UserState:
    """The state of a user who has just viewed some rows and put others into the cart.

    Its version is 0 and it is not cacheable: the record knows nothing of this visit.
    """
    rows = np.concatenate((viewed, cart))
    types = np.repeat(np.array([EventType.VIEW, EventType.ADD_TO_CART], np.int8), (len(viewed), len(cart)))
    history = state.history
    # Not before what is known to have happened, whatever the clocks say.
    times = np.full(len(rows), max([time, *history.timestamps[-1:].tolist()]))
    longer = History(
        np.append(history.rows, rows),
        np.append(history.timestamps, times),
        np.append(history.event_types, types),
        np.append(history.quantities, np.ones(len(rows), np.float32)),
    )
    visit = {row: EventType(kind) for row, kind in zip(rows.tolist(), types.tolist(), strict=True)}
    return replace(
        state, version=0, cacheable=False, history=longer, stored_vector=None, visit=visit, base=state.base or state
    )


def cart_as_history(state: UserState, cart: NDArray[np.int32], time: int) -> UserState:
    """The state of a user whose whole history is buying these rows now.

    The profile is dropped. What the user dislikes is kept, so that it is taken from the vector of the cart as well.
    """
    n = len(cart)
    types = np.full(n, EventType.PURCHASE, np.int8)
    history = History(cart, np.full(n, time), types, np.ones(n, np.float32))
    return replace(state, version=0, cacheable=False, history=history, profile=None, stored_vector=None)


def _hidden_rows(history: History) -> NDArray[np.int32]:
    hidden = history.event_types == EventType.HIDE
    if not hidden.any():
        return history.rows[:0]
    # The last of hiding and buying decides.
    decisive = history.select(hidden | history.purchases)
    rows, last = np.unique(decisive.rows[::-1], return_index=True)
    return np.asarray(rows[decisive.event_types[::-1][last] == EventType.HIDE])


def history_of(events: Sequence[Event], catalogue: Catalogue) -> History:
    """The events whose items the catalogue has, as columns, in their order."""
    rows = [catalogue.row(event.item_id) for event in events]
    of_known_items = [(row, event) for row, event in zip(rows, events, strict=True) if row is not None]
    return History(
        np.array([row for row, _ in of_known_items], np.int32),
        np.array([event.timestamp for _, event in of_known_items], np.int64),
        np.array([event.event_type for _, event in of_known_items], np.int8),
        np.array([event.quantity for _, event in of_known_items], np.float32),
    )
