"""The pages that a bundle gives a shop's users, with their reasons, by the code that serves them, without a service."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsvc.domain.query import NO_RULES, Query
from recsvc.domain.reason import Reason, Tone
from recsvc.domain.records import UserRecord
from recsvc.domain.shop import Event, EventType, Profile
from recsvc.explain.explainer import Explainer
from recsvc.model.bundle import Bundle
from recsvc.model.repeat_purchase import repeat_scores
from recsvc.model.text_encoder import TextEncoder, profile_text
from recsvc.pipeline.slate import Eligibility, build_slate
from recsvc.ranking import Ranking
from recsvc.reasons import ReasonWriter
from recsvc.retrieval.item_snapshot import ItemSnapshot
from recsvc.retrieval.scorers import VectorScorer
from recsvc.users.user_state import UserState, state_of
from training.data.interactions import KEPT_EVENTS
from training.data.profiles import profiles_of


@dataclass(frozen=True)
class Page:
    """rows: what is on it, best first, and a reason for each, or None. pool: what competed for it. seconds: that the
    reasons took, once the user vector was there.
    """

    user_id: str
    state: UserState
    user_vector: NDArray[np.float32]
    rows: NDArray[np.int32]
    reasons: Sequence[Reason | None]
    pool: NDArray[np.int32]
    seconds: float


def records_of(events: pl.DataFrame, users: pl.DataFrame, user_ids: Sequence[str], encoder: str) -> list[UserRecord]:
    """What the service would hold of some users: their newest events, and their profiles.

    Raises TextEncoderError when the text encoder of that name is not there, and a profile is.
    """
    wanted = pl.DataFrame({"user_id": user_ids}, schema={"user_id": pl.String})
    newest = events.join(wanted, on="user_id").sort("user_id", "timestamp", maintain_order=True)
    held: dict[str, list[Event]] = {user_id: [] for user_id in user_ids}
    columns = ("user_id", "item_id", "timestamp", "event_type", "quantity")
    stamped = newest.with_columns(pl.col("timestamp").dt.timestamp("us")).select(columns)
    for number, (user_id, item_id, timestamp, event_type, quantity) in enumerate(stamped.iter_rows()):
        kind = EventType[event_type.upper()]
        held[user_id].append(Event(str(number), user_id, item_id, kind, timestamp, quantity))
    profiles = profiles_of(users.join(wanted, on="user_id"))
    embeddings = dict(zip(profiles, _embeddings(profiles.values(), encoder), strict=True))
    return [UserRecord(u, 1, tuple(held[u][-KEPT_EVENTS:]), profiles.get(u), embeddings.get(u)) for u in user_ids]


def pages(
    bundle: Bundle,
    records: Iterable[UserRecord],
    writer: ReasonWriter,
    k: int,
    language: str,
    now: int,
    tone: Tone = Tone.NEUTRAL,
) -> Iterator[Page]:
    """A page of k for each user. now: microseconds since 1970 UTC."""
    with asyncio.Runner() as runner, ThreadPoolExecutor(1) as thread:
        live = ItemSnapshot(bundle, thread)
        runner.run(live.warm_up())
        explainer, tower = Explainer(bundle, writer), bundle.user_tower()
        for record in records:
            state = state_of(record, bundle)
            user_vector = tower.user_vectors([state.history], [state.profile])[0]
            left_out = tower.left_out(state.history, state.profile, state.rows_to_leave_out())
            bonus = Ranking(*repeat_scores(state.history, now, bundle.item_repeats, bundle.model.repeats))
            scorer = VectorScorer(live, user_vector, bonus)
            hidden = np.union1d(state.hidden_rows, state.bought_rows if bundle.model.repeats.exclude_bought else [])
            found = runner.run(build_slate(live, scorer, k, Eligibility(hidden.astype(np.int32), None), NO_RULES))
            query = Query(record.user_id, k, language=language, tone=tone, time=now)
            started = time.perf_counter()
            reasons = explainer.reasons(query, state, scorer, left_out, found.ranking.rows, found.competitors)
            seconds = time.perf_counter() - started
            yield Page(record.user_id, state, user_vector, found.ranking.rows, reasons, found.competitors, seconds)


def _embeddings(profiles: Iterable[Profile], encoder: str) -> Sequence[NDArray[np.float32]]:
    texts = list(map(profile_text, profiles))
    return list(TextEncoder.load(encoder).encode(texts)) if texts else []
