"""Each block alone learns a checkerboard perfectly: even users buy even items, and one item is withheld."""

import functools
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from recsvc.model import text_encoders
from recsvc.model.bundle import Bundle
from recsvc.model.catalogue import Catalogue
from recsvc.model.neighbours import NeighbourConfig
from recsvc.model.repeat_purchase import RepeatConfig
from recsvc.model.text_encoder import category_text, item_text
from recsvc.model.towers.blocks import BlockWeights, FusionWeights
from recsvc.model.towers.user import ProfileText
from recsvc.model.vectors import encode_8_bits
from tests.training.fitting.declared_stages import declared_stages
from training.config import TrainConfig
from training.data.interactions import Interactions
from training.data.shop import read_shop
from training.data.split import Holdout, Profiles
from training.evaluation.offline_ranking import recommend_offline
from training.fitting.assembly import with_fusion, with_neighbours, without_blocks
from training.fitting.block_scores import vectors_at_one
from training.fitting.block_trainer import BlockTrainer
from training.fitting.fusion import tune
from training.fitting.neighbours import mix
from training.fitting.stage import Arrays, Stage
from training.fitting.stages import Stages
from training.fitting.text_features import TEXT_FEATURES, ShopText, features_from, items_of, profile_texts
from training.synthetic.checkerboard import Checkerboard, checkerboard
from training.synthetic.shop import write_shop


@pytest.fixture(scope="module")
def board() -> Checkerboard:
    return checkerboard(60, 40)


class RecordingStages(Stages):
    """Remembers which settings each stage reads, by the name of the stage."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, Console(quiet=True))
        self.settings_read: dict[str, set[str]] = {}

    def run(
        self, stage: Stage[Any], label: str, inputs: object, config: TrainConfig, *arguments: Any, **keywords: Any
    ) -> Arrays:
        names = self.settings_read.setdefault(stage.name, set())

        class RecordedConfig:
            def __getattr__(self, name: str) -> Any:
                names.add(name)
                return getattr(config, name)

        @functools.wraps(stage.compute)
        def compute(_config: TrainConfig, *arguments: Any, **keywords: Any) -> Arrays:
            return stage.compute(RecordedConfig(), *arguments, **keywords)  # type: ignore[arg-type]

        return super().run(replace(stage, compute=compute), label, inputs, config, *arguments, **keywords)


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> RecordingStages:
    return RecordingStages(tmp_path_factory.mktemp("stages"))


@pytest.fixture(scope="module")
def learned(
    board: Checkerboard, stages: RecordingStages, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Bundle, Interactions, ShopText]:
    folder = tmp_path_factory.mktemp("board")
    write_shop(board, folder)
    shop = read_shop(folder)
    interactions = Interactions.of(shop)
    config = TrainConfig(
        factors=8, als_iterations=10, text_dim=32, text_epochs=25, sequence_dim=32, lexical_dim=16, batch_events=256
    )
    encoder, catalogue = text_encoders.load("embedded"), Catalogue(items_of(shop.items))
    texts = [item_text(item) for item in catalogue.items]
    embeddings = encoder.encode(texts)
    features = features_from(stages.run(TEXT_FEATURES, "", "board", config, embeddings, texts))
    user_texts = profile_texts(shop.users)
    user_embeddings = dict(zip(user_texts, encoder.encode(list(user_texts.values())), strict=True))
    profiles = {user: ProfileText(user_texts[user], user_embeddings[user]) for user in user_texts}
    text = ShopText(
        catalogue=catalogue,
        features=features,
        item_features=features.transform(embeddings, texts),
        item_codes=encode_8_bits(embeddings),
        category_codes=encode_8_bits(encoder.encode(list(map(category_text, catalogue.paths.names)))),
        projection=np.empty((0, 0), np.float32),
        encoder=encoder,
        encoder_name="embedded",
        profiles=profiles,
    )
    trainer = BlockTrainer(interactions, text, config, stages=stages, inputs="board", label="board")
    bundle, _ = trainer.fit()
    bundle = with_neighbours(bundle, mix(trainer.neighbours(), words_weight=0.0), NeighbourConfig(weight=0.0))
    return bundle, interactions, text


def test_a_stage_reads_no_setting_that_is_missing_from_its_cache_key(
    stages: RecordingStages, learned: tuple[Bundle, Interactions, ShopText]
) -> None:
    declared = declared_stages()
    assert set(stages.settings_read) == set(declared)
    for name, settings in stages.settings_read.items():
        # Towers read alpha with the weights of the events, and only look at which weights are positive.
        allowed = {*declared[name].hyperparameters, *({"alpha"} if name in ("text", "sequence") else ())}
        assert settings <= allowed, name


@pytest.mark.parametrize("stage", declared_stages().values(), ids=declared_stages())
def test_the_hyperparameters_of_a_stage_are_settings_of_training(stage: Stage[Any]) -> None:
    assert set(stage.hyperparameters) <= {field.name for field in fields(TrainConfig)}


def withheld(board: Checkerboard, bundle: Bundle, interactions: Interactions) -> Holdout:
    users = np.arange(len(interactions.user_ids))
    histories = [interactions.history(int(user)) for user in users]
    targets = [bundle.catalogue.rows([board.withheld[user_id]]) for user_id in interactions.user_ids]
    return Holdout(users, histories, targets, int(interactions.timestamps.max()), exclude_history=True)


@pytest.mark.parametrize("block", ["sequence", "text", "collaborative"])
def test_each_block_alone_ranks_the_withheld_item_first(
    board: Checkerboard, learned: tuple[Bundle, Interactions, ShopText], block: str
) -> None:
    bundle, interactions, _ = learned
    holdout = withheld(board, bundle, interactions)
    weights = FusionWeights.only(BlockWeights(**{block: 1.0}))
    profiles = Profiles([None] * len(holdout))
    ranked = recommend_offline(bundle, bundle.user_tower(weights), RepeatConfig(), holdout, profiles, 1)
    assert all(ranking.rows[0] == target[0] for ranking, target in zip(ranked, holdout.targets, strict=True))


def test_neighbours_alone_rank_items_of_the_right_colour_first(
    board: Checkerboard, learned: tuple[Bundle, Interactions, ShopText]
) -> None:
    bundle, interactions, _ = learned
    holdout = withheld(board, bundle, interactions)
    neighbours = replace(bundle, model=replace(bundle.model, neighbours=NeighbourConfig(weight=100.0, decay=1.0)))
    tower = bundle.user_tower(FusionWeights.only(BlockWeights(prior=1e-6)))
    ranked = recommend_offline(neighbours, tower, RepeatConfig(), holdout, Profiles([None] * len(holdout)), 1)
    assert all(ranking.rows[0] == target[0] for ranking, target in zip(ranked, holdout.targets, strict=True))


def test_a_cold_user_with_a_profile_gets_items_of_the_right_colour(
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
    for ranking, user in zip(ranked, users, strict=True):
        colour = np.unique(interactions.history(int(user)).rows % 2)
        assert set(ranking.rows % 2) == set(colour)


def test_blocks_without_a_gain_are_dropped_and_the_ranking_stays(
    board: Checkerboard, learned: tuple[Bundle, Interactions, ShopText]
) -> None:
    bundle, interactions, _ = learned
    holdout = withheld(board, bundle, interactions)
    nobody: list[ProfileText | None] = [None] * len(holdout)
    # Text alone finds everything, so no other block can gain.
    vectors = vectors_at_one(bundle, holdout, nobody)
    tuned = tune(bundle, holdout, nobody, vectors)
    assert set(tuned.dropped) == {"sequence", "lexical", "collaborative"}
    assert tuned.warm_ndcg == 1.0
    assert sum(tuned.warm.blocks) == pytest.approx(1.0)
    assert tune(bundle, holdout, nobody, vectors, drop_blocks=False).dropped == ()

    smaller = with_fusion(without_blocks(bundle, tuned.dropped), tuned.weights, tuned.warm.repeats)
    assert smaller.item_vectors.shape[1] == bundle.model.text.dim + 3  # prior, newness, unseen
    complete = with_fusion(bundle, tuned.weights, tuned.warm.repeats)
    for dropped, kept in zip(
        *(
            recommend_offline(b, b.user_tower(), RepeatConfig(), holdout, Profiles(nobody), 5)
            for b in (smaller, complete)
        ),
        strict=True,
    ):
        assert dropped.rows.tolist() == kept.rows.tolist()
