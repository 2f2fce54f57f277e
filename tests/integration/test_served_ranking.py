"""What is served over gRPC from Redis is what the evaluation ranked offline from the tables."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from recsvc.model import bundle_files as bundles
from recsvc.model import text_encoders
from recsvc.model.towers.user import ProfileText
from tests.integration.clients import Storefront, item_ids
from tests.service_process import ServiceProcess
from training.config import TrainConfig
from training.data.interactions import Interactions
from training.data.shop import read_shop
from training.data.split import Holdout, Profiles
from training.evaluation.offline_ranking import recommend_offline
from training.fitting.text_features import profile_texts

USERS = 1_000
K = 20
# The language model reads a profile in bfloat16, and a batch of another size rounds that differently: scores closer
# than this may change places, which the second assertion keeps rare.
SAME_SCORE = 1e-3


def test_a_thousand_users_get_over_grpc_what_the_evaluation_ranked(
    trained_bundle: Path,
    small_shop_folder: Path,
    small_config: TrainConfig,
    start_service: Callable[..., ServiceProcess],
) -> None:
    bundle, shop = bundles.load(trained_bundle), read_shop(small_shop_folder)
    assert bundle.model.repeats.weight, "no score has a bonus for purchases"
    assert bundle.model.neighbours.weight, "no score has a bonus for neighbours"
    interactions = Interactions.of(shop)
    users = np.arange(USERS)
    user_ids = [str(user_id) for user_id in interactions.user_ids[users]]
    time = int(interactions.timestamps.max())
    histories = [interactions.history(int(user), small_config.history_length) for user in users]
    texts = profile_texts(shop.users)
    known = [user_id for user_id in user_ids if user_id in texts]
    embeddings = dict(zip(known, text_encoders.load("embedded").encode([texts[u] for u in known]), strict=True))
    profiles = Profiles([ProfileText(texts[u], embeddings[u]) if u in texts else None for u in user_ids])
    holdout = Holdout(users, histories, [h.rows[:1] for h in histories], time, exclude_history=False)
    offline = recommend_offline(bundle, bundle.user_tower(), bundle.model.repeats, holdout, profiles, K)

    service = start_service(trained_bundle)
    with service.channel() as channel:
        shopfront = Storefront(channel)
        rows_of = {row["user_id"]: row for row in shop.users.iter_rows(named=True)}
        for user_id in known:
            attributes = {name: value for name, value in rows_of[user_id].items() if name != "user_id" and value}
            shopfront.set_profile(user_id, **attributes)
        shopfront.write_history(shop.events.filter(shop.events["user_id"].is_in(user_ids)))
        different, swapped = [], 0
        for user_id, ranking in zip(user_ids, offline, strict=True):
            served = shopfront.recommend(user_id, K, time, reasons=False)
            assert served.bundle_id == bundle.bundle_id
            assert not served.degraded
            expected = [bundle.catalogue.items[row].item_id for row in ranking.rows]
            swapped += sum(ours != theirs for ours, theirs in zip(item_ids(served), expected, strict=True))
            # Where scores are equal but for rounding, two items may have changed places.
            scores = [found.score for found in served.recommendations]
            if not np.allclose(scores, ranking.scores, rtol=0, atol=SAME_SCORE):
                different.append(user_id)
    assert not different
    assert swapped <= USERS * K // 1_000  # near-ties are rare, or the comparison would mean nothing
