"""How a bundle would have ordered the candidates of lists that were given, by what was known of each user then."""

from collections.abc import Iterator, Set
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsvc.domain.arrays import MICROSECONDS_A_DAY, NO_ROWS
from recsvc.domain.shop import History
from recsvc.model.bundle import Bundle
from recsvc.model.repeat_purchase import repeat_scores
from recsvc.model.text_encoder import TextEncoder
from recsvc.model.towers.user import ProfileText
from recsvc.ranking import rank
from training.data.interactions import KEPT_EVENTS, Interactions
from training.data.shop import Shop
from training.fitting.text_features import profile_texts
from training.off_policy.logged_lists import LoggedLists

BATCH = 256


def histories_before(shop: Shop, lists: LoggedLists, item_ids: list[str]) -> list[History]:
    """The events before each list, of these items, whose places are the rows."""
    interactions = Interactions.of(replace(shop, items=pl.DataFrame({"item_id": item_ids})))
    places = {user_id: place for place, user_id in enumerate(interactions.user_ids)}
    found = []
    for user_id, time in zip(lists.user_ids, lists.times, strict=True):
        place = places.get(user_id)
        history = interactions.history(place) if place is not None else History.empty()
        before = int(np.searchsorted(history.timestamps, time))
        found.append(history.select(np.arange(max(0, before - KEPT_EVENTS), before)))
    return found


def past_features(shop: Shop, lists: LoggedLists) -> NDArray[np.float64]:
    """(n, 3): how much each list's user had bought, and seen, and how long ago the last was."""
    rows = []
    histories = histories_before(shop, lists, shop.items["item_id"].to_list())
    for history, time in zip(histories, lists.times, strict=True):
        bought = int(history.purchases.sum())
        days = (time - history.timestamps[-1]) / MICROSECONDS_A_DAY if len(history) else 1_000.0
        rows.append((np.log1p(bought), np.log1p(len(history) - bought), np.log1p(days)))
    return np.array(rows, np.float64).reshape(-1, 3)


def orders(lists: LoggedLists, bundle: Bundle, shop: Shop) -> Iterator[NDArray[np.intp]]:
    """For each list, its candidates' places, best first, as the bundle's own tower and ranking have them. What it does
    not know comes last.
    """
    histories = histories_before(shop, lists, [item.item_id for item in bundle.catalogue.items])
    tower, profiles = bundle.user_tower(), _profiles(bundle, shop, set(lists.user_ids))
    for start in range(0, len(lists), BATCH):
        part = range(start, min(start + BATCH, len(lists)))
        vectors = tower.user_vectors([histories[i] for i in part], [profiles.get(lists.user_ids[i]) for i in part])
        for i, vector in zip(part, vectors, strict=True):
            yield _order(lists.candidates[i], vector, histories[i], int(lists.times[i]), bundle)


def _order(
    candidates: list[str], vector: NDArray[np.float32], history: History, time: int, bundle: Bundle
) -> NDArray[np.intp]:
    rows = [bundle.catalogue.row(item_id) for item_id in candidates]
    places = {row: place for place, row in enumerate(rows) if row is not None}
    known = np.array(sorted(places), np.int32)
    gained, gains = repeat_scores(history, time, bundle.item_repeats, bundle.model.repeats)
    among = np.isin(gained, known)
    ranking = rank(vector, bundle.item_vectors, known, len(known), NO_ROWS, gained[among], gains[among])
    ordered = [places[row] for row in ranking.rows.tolist()]
    listed = set(ordered)
    return np.array([*ordered, *(place for place in range(len(candidates)) if place not in listed)], np.intp)


def _profiles(bundle: Bundle, shop: Shop, user_ids: Set[str]) -> dict[str, ProfileText]:
    """Raises TextEncoderError when the bundle's text encoder is not there."""
    texts = {user_id: text for user_id, text in profile_texts(shop.users).items() if user_id in user_ids}
    if not texts:
        return {}
    embeddings = TextEncoder.load(bundle.model.text_encoder).encode(list(texts.values()))
    return {user_id: ProfileText(text, e) for (user_id, text), e in zip(texts.items(), embeddings, strict=True)}
