"""Makes the pages that users of a shop would get, with reasons, by the code that serves them but without a service."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import polars as pl

from recsvc.domain.arrays import Floats, Rows
from recsvc.domain.query import Query
from recsvc.domain.reason import Reason, Tone
from recsvc.domain.records import UserRecord
from recsvc.domain.shop import Event, EventType, Profile
from recsvc.explain.explainer import Explainer
from recsvc.model import text_encoders
from recsvc.model.bundle import Bundle
from recsvc.model.history_bonus import history_bonus
from recsvc.model.text_encoder import profile_text
from recsvc.pipeline.slate import Eligibility, SlateBuilder
from recsvc.reasons import ReasonWriter
from recsvc.retrieval.item_snapshot import ItemSnapshot
from recsvc.retrieval.scorers import VectorScorer
from recsvc.users.user_state import UserState, state_of
from training.data.interactions import kept_events
from training.data.profiles import profiles_of


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of recommendations.

    Attributes:
        user_id: Whose page it is.
        state: What the service knows about the user.
        user_vector: Encodes that state.
        rows: The items of the page, best first.
        reasons: For each item a reason, or None.
        competitors: The items that competed for the page.
        seconds: How long the reasons took, without encoding the user.
    """

    user_id: str
    state: UserState
    user_vector: Floats
    rows: Rows
    reasons: Sequence[Reason | None]
    competitors: Rows
    seconds: float


def records_of(events: pl.DataFrame, users: pl.DataFrame, user_ids: Sequence[str], encoder: str) -> list[UserRecord]:
    """Makes the user records that the service would hold: the newest events and the profile of each user.

    Args:
        events: The shop's events.
        users: The shop's users, with their profiles.
        user_ids: The users to make records of, in this order.
        encoder: The name of the text encoder of profiles.

    Raises:
        TextEncoderError: The text encoder is not installed, and there is a profile to encode.
    """
    chosen = pl.DataFrame({"user_id": user_ids}, schema={"user_id": pl.String})
    newest = kept_events(events.join(chosen, on="user_id").sort("user_id", "timestamp", maintain_order=True))
    held: dict[str, list[Event]] = {user_id: [] for user_id in user_ids}
    columns = ("user_id", "item_id", "timestamp", "event_type", "quantity")
    stamped = newest.with_columns(pl.col("timestamp").dt.timestamp("us")).select(columns)
    for number, (user_id, item_id, timestamp, event_type, quantity) in enumerate(stamped.iter_rows()):
        kind = EventType[event_type.upper()]
        held[user_id].append(Event(str(number), user_id, item_id, kind, timestamp, quantity))
    profiles = profiles_of(users.join(chosen, on="user_id"))
    embeddings = dict(zip(profiles, _embeddings(profiles.values(), encoder), strict=True))
    return [UserRecord(u, 1, tuple(held[u]), profiles.get(u), embeddings.get(u)) for u in user_ids]


def pages(
    bundle: Bundle,
    records: Iterable[UserRecord],
    writer: ReasonWriter,
    *,
    k: int,
    language: str,
    now: int,
    tone: Tone = Tone.NEUTRAL,
) -> Iterator[Page]:
    """Makes a page for each user.

    Args:
        bundle: The bundle to serve.
        records: The users.
        writer: Writes the reasons.
        k: Items on a page.
        language: Of the reasons.
        now: When the pages are shown, microseconds since 1970 UTC.
        tone: The tone that the reasons are asked for in.
    """
    with asyncio.Runner() as runner, ThreadPoolExecutor(1) as thread:
        snapshot = ItemSnapshot.of(bundle, thread)
        runner.run(snapshot.warm_up())
        explainer, tower = Explainer(bundle, writer), bundle.user_tower()
        for record in records:
            state = state_of(record, bundle)
            user_vector = tower.user_vectors([state.history], [state.profile])[0]
            left_out = tower.left_out(state.history, state.profile, state.rows_to_leave_out())
            bonus = history_bonus(bundle, state.history, now, silent_rows=state.silent_rows)
            scorer = VectorScorer(snapshot, user_vector, bonus)
            hidden = np.union1d(
                state.hidden_rows, state.ever_bought_rows if bundle.model.repeats.exclude_bought else []
            )
            eligibility = Eligibility(hidden.astype(np.int32), None, (), snapshot.inventory.version)
            slate = runner.run(SlateBuilder(snapshot, scorer, eligibility).build(k))
            query = Query(record.user_id, k, language=language, tone=tone, time=now)
            started = time.perf_counter()
            reasons = explainer.reasons(query, state, scorer, left_out, slate.ranking.rows, slate.competitors)
            seconds = time.perf_counter() - started
            yield Page(
                user_id=record.user_id,
                state=state,
                user_vector=user_vector,
                rows=slate.ranking.rows,
                reasons=reasons,
                competitors=slate.competitors,
                seconds=seconds,
            )


def _embeddings(profiles: Iterable[Profile], encoder: str) -> Sequence[Floats]:
    texts = list(map(profile_text, profiles))
    return list(text_encoders.load(encoder).encode(texts)) if texts else []
