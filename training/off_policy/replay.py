"""Replays logged lists: how a bundle would have ordered their candidates, from each user's events before the list."""

from collections.abc import Iterator, Set
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsvc.domain.arrays import MICROSECONDS_A_DAY
from recsvc.domain.history_rooms import newest_events
from recsvc.domain.shop import History
from recsvc.model import text_encoders
from recsvc.model.bundle import Bundle
from recsvc.model.history_bonus import history_bonus
from recsvc.model.towers.user import ProfileText
from recsvc.ranking import among, rank
from training.data.interactions import Interactions
from training.data.shop import Shop
from training.fitting.text_features import profile_texts
from training.off_policy.logged_lists import LoggedLists

Places = NDArray[np.intp]
"""Indices into the candidates of one list, best first."""

BATCH_USERS = 256
DAYS_WITHOUT_EVENTS = 1_000.0  # since the last event of a user who has none


def histories_before(shop: Shop, lists: LoggedLists, item_ids: list[str]) -> list[History]:
    """The events of each list's user before the list.

    Args:
        shop: The shop's events.
        lists: The logged lists.
        item_ids: The items whose events count. A row is an index into them.

    Returns:
        One history for each list.
    """
    interactions = Interactions.of(replace(shop, items=pl.DataFrame({"item_id": item_ids})))
    places = {user_id: place for place, user_id in enumerate(interactions.user_ids)}
    histories = []
    for user_id, time in zip(lists.user_ids, lists.times, strict=True):
        place = places.get(user_id)
        history = interactions.history(place) if place is not None else History.empty()
        before = int(np.searchsorted(history.timestamps, time))
        histories.append(newest_events(history.select(slice(before))))
    return histories


def past_features(shop: Shop, lists: LoggedLists) -> NDArray[np.float64]:
    """Features of each list's user before the list, (n, 3).

    They are the logs of the number of purchases, of the number of other events, and of the days since the last event.
    """
    rows = []
    histories = histories_before(shop, lists, shop.items["item_id"].to_list())
    for history, time in zip(histories, lists.times, strict=True):
        bought = int(history.purchases.sum())
        days = (time - history.timestamps[-1]) / MICROSECONDS_A_DAY if len(history) else DAYS_WITHOUT_EVENTS
        rows.append((np.log1p(bought), np.log1p(len(history) - bought), np.log1p(days)))
    return np.array(rows, np.float64).reshape(-1, 3)


def orders(lists: LoggedLists, bundle: Bundle, shop: Shop) -> Iterator[Places]:
    """Orders the candidates of each list by the bundle's own tower and ranking. Items that it does not have come last.

    Raises:
        TextEncoderError: A profile must be encoded, and the bundle's text encoder is not installed.
    """
    histories = histories_before(shop, lists, [item.item_id for item in bundle.catalogue.items])
    tower, profiles = bundle.user_tower(), _profiles(bundle, shop, set(lists.user_ids))
    for start in range(0, len(lists), BATCH_USERS):
        part = range(start, min(start + BATCH_USERS, len(lists)))
        vectors = tower.user_vectors([histories[i] for i in part], [profiles.get(lists.user_ids[i]) for i in part])
        for i, vector in zip(part, vectors, strict=True):
            yield _order(lists.candidates[i], vector, histories[i], int(lists.times[i]), bundle)


def _order(candidates: list[str], vector: NDArray[np.float32], history: History, time: int, bundle: Bundle) -> Places:
    rows = [bundle.catalogue.row(item_id) for item_id in candidates]
    places = {row: place for place, row in enumerate(rows) if row is not None}
    in_bundle = np.array(sorted(places), np.int32)
    bonus = among(history_bonus(bundle, history, time).total, in_bundle)
    ranking = rank(vector, bundle.item_vectors, in_bundle, len(in_bundle), bonus=bonus)
    ordered = [places[row] for row in ranking.rows.tolist()]
    listed = set(ordered)
    return np.array([*ordered, *(place for place in range(len(candidates)) if place not in listed)], np.intp)


def _profiles(bundle: Bundle, shop: Shop, user_ids: Set[str]) -> dict[str, ProfileText]:
    """The encoded profiles of these users, by user id. Raises TextEncoderError."""
    texts = {user_id: text for user_id, text in profile_texts(shop.users).items() if user_id in user_ids}
    if not texts:
        return {}
    embeddings = text_encoders.load(bundle.model.text_encoder).encode(list(texts.values()))
    return {user_id: ProfileText(text, e) for (user_id, text), e in zip(texts.items(), embeddings, strict=True)}
