"""A checkerboard is learned perfectly by each block alone: even users buy even items, one withheld."""

from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from recsvc.model.bundle import Bundle
from recsvc.model.catalogue import Catalogue
from recsvc.model.repeat_purchase import RepeatConfig
from recsvc.model.text_encoder import TextEncoder, item_text
from recsvc.model.towers.user import BlockWeights, FusionWeights, ProfileText
from training.config import TrainConfig
from training.data.interactions import Interactions
from training.data.shop import read_shop
from training.data.split import Holdout, Profiles
from training.evaluation.evaluate import recommend_offline
from training.fitting.block_trainer import BlockTrainer, ShopText, with_fusion, without_blocks
from training.fitting.fusion import tune
from training.fitting.stages import Stages
from training.fitting.text_features import fit_features, items_of, profile_texts
from training.synthetic.checkerboard import Checkerboard, checkerboard
from training.synthetic.shop import write_shop


@pytest.fixture(scope="module")
def board() -> Checkerboard:
    return checkerboard(60, 40)


@pytest.fixture(scope="module")
def learned(board: Checkerboard, tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, Interactions, ShopText]:
    folder = tmp_path_factory.mktemp("board")
    write_shop(board, folder)  # type: ignore[arg-type]
    shop = read_shop(folder)
    interactions = Interactions.of(shop)
    config = TrainConfig(
        factors=8, als_iterations=10, text_dim=32, text_epochs=25, sequence_dim=32, lexical_dim=16, batch_events=256
    )
    encoder, catalogue = TextEncoder.load(), Catalogue(items_of(shop.items))
    texts = [item_text(item) for item in catalogue.items]
    embeddings = encoder.encode(texts)
    features = fit_features(embeddings, texts, config)
    words = profile_texts(shop.users)
    read = dict(zip(words, encoder.encode(list(words.values())), strict=True))
    profiles = {user: ProfileText(words[user], read[user]) for user in words}
    text = ShopText(catalogue, features, features.transform(embeddings, texts), encoder, profiles)
    stages = Stages(folder / "stages", Console(quiet=True))
    bundle, _ = BlockTrainer(interactions, text, config, stages, "board", "board").fit()
    return bundle, interactions, text


def withheld(board: Checkerboard, bundle: Bundle, interactions: Interactions) -> Holdout:
    users = np.arange(len(interactions.user_ids))
    histories = [interactions.history(int(user)) for user in users]
    targets = [bundle.catalogue.rows([board.withheld[user_id]]) for user_id in interactions.user_ids]
    return Holdout(users, histories, targets, int(interactions.timestamps.max()), exclude_history=True)


@pytest.mark.parametrize("block", ["sequence", "text", "collaborative"])
def test_each_block_alone_finds_what_was_withheld(
    board: Checkerboard, learned: tuple[Bundle, Interactions, ShopText], block: str
) -> None:
    bundle, interactions, _ = learned
    holdout = withheld(board, bundle, interactions)
    weights = FusionWeights.only(BlockWeights(**{block: 1.0}))
    profiles = Profiles([None] * len(holdout))
    ranked = recommend_offline(bundle, bundle.user_tower(weights), RepeatConfig(), holdout, profiles, 1)
    assert all(found.rows[0] == target[0] for found, target in zip(ranked, holdout.targets, strict=True))


def test_a_cold_user_with_a_profile_gets_their_own_colour(
    learned: tuple[Bundle, Interactions, ShopText],
) -> None:
    bundle, interactions, text = learned
    users = np.arange(len(interactions.user_ids))
    empty = interactions.history(0).select(slice(0, 0))
    nothing = [np.array([0], np.int32)] * len(users)
    holdout = Holdout(users, [empty] * len(users), nothing, 0, exclude_history=False)
    profiles = text.of_users(interactions.user_ids)
    tower = bundle.user_tower(FusionWeights.only(BlockWeights(text=1.0)))
    ranked = recommend_offline(bundle, tower, RepeatConfig(), holdout, profiles, 10)
    for found, user in zip(ranked, users, strict=True):
        own = np.unique(interactions.history(int(user)).rows % 2)
        assert set(found.rows % 2) == set(own)


def test_blocks_that_add_nothing_are_dropped(
    board: Checkerboard, learned: tuple[Bundle, Interactions, ShopText]
) -> None:
    bundle, interactions, _ = learned
    holdout = withheld(board, bundle, interactions)
    nobody: list[ProfileText | None] = [None] * len(holdout)
    # Text alone finds everything, so nothing beside it can add to that.
    tuned = tune(bundle, holdout, nobody)
    assert set(tuned.dropped) == {"sequence", "lexical", "collaborative"}
    assert tuned.warm_ndcg == 1.0
    assert sum(tuned.warm.blocks) == pytest.approx(1.0)
    assert tune(bundle, holdout, nobody, drop_blocks=False).dropped == ()

    smaller = with_fusion(without_blocks(bundle, tuned.dropped), tuned.weights, tuned.warm.repeats)
    assert smaller.item_vectors.shape[1] == bundle.model.text.dim + 3  # prior, newness, unseen
    whole = with_fusion(bundle, tuned.weights, tuned.warm.repeats)
    for dropped, kept in zip(
        *(recommend_offline(b, b.user_tower(), RepeatConfig(), holdout, Profiles(nobody), 5) for b in (smaller, whole)),
        strict=True,
    ):
        assert dropped.rows.tolist() == kept.rows.tolist()


def test_a_stage_is_not_done_twice(tmp_path: Path) -> None:
    done: list[int] = []

    def compute() -> dict[str, np.ndarray]:
        done.append(1)
        return {"values": np.arange(3)}

    compute.__module__ = "training.fitting.stages"  # code of a stage is code of this project
    for inputs in ("a", "a", "b"):
        arrays = Stages(tmp_path, Console(quiet=True)).run("stage", inputs, compute)
        assert arrays["values"].tolist() == [0, 1, 2]
    assert len(done) == 2
