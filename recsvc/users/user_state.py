"""The state of one user: the record from Redis, joined with the items of one bundle.

Everything here is pure: it reads a record or a state and returns a new one. `user_state_cache` loads and keeps states.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats, Rows
from recsvc.domain.records import UserRecord
from recsvc.domain.shop import NO_TASTE, Event, EventType, History, Profile
from recsvc.model.bundle import Bundle
from recsvc.model.catalogue import Catalogue
from recsvc.model.text_encoder import profile_text
from recsvc.model.towers.user import ProfileText
from recsvc.users.taste import disliked, silent_rows

# The number of items, those bought last, that are left out one by one to find which of them raised a score.
LEFT_OUT_ITEMS = 20
NO_PROFILE = Profile()


@dataclass(frozen=True, kw_only=True, eq=False, slots=True, weakref_slot=True)
class UserState:
    """One user at one version of the record, joined with the items of one catalogue.

    States are compared by identity. So a result that was computed from a state can be kept in a weak dictionary by the
    state, and is dropped with it.

    Attributes:
        version: Of the record. 0 if there is no record, or if the state holds more than the record.
        cacheable: Whether results for this state may be written back to Redis.
        catalogue_version: `Catalogue.version` of the items that rows refer to. Not the catalogue: the states that are
            kept would keep every old one in memory.
        follows_catalogue: Whether another version of the catalogue may give another state: it may know more of the
            items, or a brand or category that the user dislikes may have other items.
        history: Events of known items, oldest first, without gifts and disliked items (`recsvc.users.taste`).
        known_events: Number of events of items that the catalogue has.
        unknown_events: Number of events of items that the catalogue does not have.
        profile: Text and embedding of the profile; None without one.
        about: The profile; an empty one without a profile.
        held_rows: Distinct rows of all known events.
        bought_rows: Distinct rows that were bought and not sent back, ascending.
        purchases: How often each of `bought_rows` was bought; lines of one order count once.
        ever_bought_rows: Distinct rows that were bought, also those that were sent back, ascending.
        silent_rows: Rows whose events the history leaves out: gifts, and what the user dislikes. Ascending.
        hidden_rows: Distinct rows that the user hid and has not bought since, or has sent back. They are in no list.
        disliked: What is added to a user vector of length 1 for disliked items, float32 (d,); None for nothing.
        stored_vector: The user vector that the record held, float32 (d,); None if there was none for this version.
        visit: The items of this visit by row: `EventType.VIEW` if viewed, `ADD_TO_CART` if in the cart.
        base: The state without this visit; None if this state has no visit.
    """

    version: int
    cacheable: bool
    catalogue_version: int
    follows_catalogue: bool
    history: History
    known_events: int
    unknown_events: int
    profile: ProfileText | None
    about: Profile
    held_rows: Rows
    bought_rows: Rows
    purchases: NDArray[np.int32]
    ever_bought_rows: Rows
    silent_rows: Rows
    hidden_rows: Rows
    disliked: Floats | None
    stored_vector: Floats | None
    visit: Mapping[int, EventType] = field(default_factory=dict)
    base: "UserState | None" = None

    @property
    def personalised(self) -> bool:
        """Whether anything is known of the user that could rank items."""
        return len(self.history) > 0 or self.profile is not None or self.disliked is not None

    def rows_to_leave_out(self) -> Rows:
        """Returns the last LEFT_OUT_ITEMS distinct items that were bought or are in this visit, as ascending rows."""
        eligible = self.history.purchases | np.isin(self.history.rows, list(self.visit))
        rows, places = np.unique(self.history.rows[eligible][::-1], return_index=True)
        return np.sort(rows[np.argsort(places)[:LEFT_OUT_ITEMS]])


def state_of(record: UserRecord, bundle: Bundle, before: UserState | None = None) -> UserState:
    """Returns the state of a record.

    Args:
        record: Of the user.
        bundle: The items.
        before: An earlier state of the user. If the profile is the same, so is the object: what was computed from it
            need not be computed again.
    """
    catalogue = bundle.catalogue
    history = known_history = history_of(record.events, catalogue)
    silent = silent_rows(record.taste, catalogue)
    if len(silent):
        history = known_history.select(~np.isin(known_history.rows, silent))
    bought = history.select(history.purchases)
    # Lines of one order are one purchase: a shopper who bought twelve pieces at once bought once.
    order = np.lexsort((bought.timestamps, bought.rows))
    rows, times = bought.rows[order], bought.timestamps[order]
    is_first = np.append(rows[:1] == rows[:1], (rows[1:] != rows[:-1]) | (times[1:] != times[:-1]))
    bought_rows, purchases = np.unique(rows[is_first], return_counts=True)
    profile, about = None, NO_PROFILE
    if record.profile is not None and record.profile_embedding is not None:
        profile = _profile_text(record.profile, record.profile_embedding, before)
        about = record.profile
    return UserState(
        version=record.version,
        cacheable=record.version > 0,
        catalogue_version=catalogue.version,
        follows_catalogue=len(known_history) < len(record.events) or record.taste != NO_TASTE,
        history=history,
        known_events=len(known_history),
        unknown_events=len(record.events) - len(known_history),
        profile=profile,
        about=about,
        held_rows=np.unique(known_history.rows),
        bought_rows=bought_rows.astype(np.int32),
        purchases=purchases.astype(np.int32),
        ever_bought_rows=np.unique(history.rows[history.all_purchases]),
        silent_rows=silent,
        hidden_rows=_hidden_rows(known_history),
        disliked=disliked(record.taste, bundle),
        stored_vector=record.user_vector if record.known_events == len(known_history) else None,
    )


def with_session_events(state: UserState, viewed: Rows, cart: Rows, time: int) -> UserState:
    """Returns the state of a user who has just viewed some rows and put others into the cart.

    Version 0 marks it as temporary: nothing derived from it is cached or written back.

    Args:
        state: Of the user before.
        viewed: Rows, oldest first.
        cart: Rows, oldest first.
        time: When the list is shown, in microseconds since 1970 UTC.
    """
    rows = np.concatenate((viewed, cart))
    types = np.repeat(np.array([EventType.VIEW, EventType.ADD_TO_CART], np.int8), (len(viewed), len(cart)))
    history = state.history
    # Not before the last known event, whatever the caller's clock says.
    times = np.full(len(rows), max([time, *history.timestamps[-1:].tolist()]))
    extended = History(
        np.append(history.rows, rows),
        np.append(history.timestamps, times),
        np.append(history.event_types, types),
        np.append(history.quantities, np.ones(len(rows), np.float32)),
    )
    visit = {row: EventType(kind) for row, kind in zip(rows.tolist(), types.tolist(), strict=True)}
    return replace(
        state, version=0, cacheable=False, history=extended, stored_vector=None, visit=visit, base=state.base or state
    )


def cart_as_history(state: UserState, cart: Rows, time: int) -> UserState:
    """Returns the state of a user whose only events are purchases of these rows now.

    The profile is dropped. The dislikes are kept, so that they move the vector of the cart too. Version 0 marks the
    state as temporary.
    """
    n = len(cart)
    types = np.full(n, EventType.PURCHASE, np.int8)
    history = History(cart, np.full(n, time), types, np.ones(n, np.float32))
    return replace(state, version=0, cacheable=False, history=history, profile=None, stored_vector=None)


def _profile_text(profile: Profile, embedding: Floats, before: UserState | None) -> ProfileText:
    """Returns a profile as the tower reads it; that of the state before if it is the same."""
    kept = before.profile if before is not None and before.about == profile else None
    if kept is not None and np.array_equal(kept.embedding, embedding):
        return kept
    return ProfileText(profile_text(profile), embedding)


def _hidden_rows(history: History) -> Rows:
    hidden = history.event_types == EventType.HIDE
    if not hidden.any():
        return history.rows[:0]
    # The later one of hiding and buying counts. What was sent back was not bought.
    hides_and_purchases = history.select(hidden | history.purchases)
    rows, last = np.unique(hides_and_purchases.rows[::-1], return_index=True)
    return np.asarray(rows[hides_and_purchases.event_types[::-1][last] == EventType.HIDE])


def history_of(events: Sequence[Event], catalogue: Catalogue) -> History:
    """Returns the events of items that the catalogue has, as columns, in their order."""
    rows = [catalogue.row(event.item_id) for event in events]
    if None in rows:
        known = [(row, event) for row, event in zip(rows, events, strict=True) if row is not None]
        rows, events = [row for row, _ in known], [event for _, event in known]
    return History(
        np.array(rows, np.int32),
        np.array([event.timestamp for event in events], np.int64),
        np.array([event.event_type for event in events], np.int8),
        np.array([event.quantity for event in events], np.float32),
    )
