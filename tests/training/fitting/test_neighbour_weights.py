"""Validation chooses how neighbours count by the scores that are served, and drops neighbours that add nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsvc.domain.arrays import NO_ROW
from recsvc.model import bundle_files
from recsvc.model.bundle import Bundle
from recsvc.model.neighbours import NeighbourConfig
from recsvc.model.towers.user import ProfileText
from training.config import TrainConfig
from training.data.interactions import Interactions
from training.data.shop import read_shop
from training.data.split import Holdout, Profiles, Split
from training.evaluation.evaluate import without_neighbours
from training.evaluation.offline_ranking import rank_holdout
from training.fitting.assembly import with_fusion, with_neighbours
from training.fitting.block_scores import vectors_at_one
from training.fitting.event_sequences import event_sequences
from training.fitting.neighbour_weights import MAX_LOSS, TunedNeighbours, tune_neighbours
from training.fitting.neighbours import compute_neighbours, mix
from training.fitting.split_choice import make_split
from training.fitting.stage import Arrays
from training.metrics import per_user


@pytest.fixture(scope="module")
def bundle(trained_bundle: Path) -> Bundle:
    return without_neighbours(bundle_files.load(trained_bundle))


@pytest.fixture(scope="module")
def split(small_shop_folder: Path, small_config: TrainConfig) -> Split:
    return make_split(Interactions.of(read_shop(small_shop_folder)), small_config)


@pytest.fixture(scope="module")
def validation(split: Split) -> Holdout:
    return split.validation.sample(150, 0)


@pytest.fixture(scope="module")
def parts(split: Split, bundle: Bundle, small_config: TrainConfig) -> Arrays:
    texts = [item.title for item in bundle.catalogue.items]
    return compute_neighbours(replace(small_config, neighbours=20), event_sequences(split.train, small_config), texts)


def prophetic(parts: Arrays, holdout: Holdout) -> Arrays:
    """The parts in which the newest item of each user has the user's targets as its only neighbours."""
    rows = np.full_like(parts["bought_rows"], NO_ROW)
    for history, targets in zip(holdout.histories, holdout.targets, strict=True):
        if len(history):
            others = targets[targets != history.rows[-1]][: rows.shape[1]]
            rows[history.rows[-1], : len(others)] = others
    return {**parts, "bought_rows": rows, "bought_weights": (rows != NO_ROW).astype(np.float32)}


def served(bundle: Bundle, parts: Arrays, tuned: TunedNeighbours) -> Bundle:
    """The bundle with the neighbours and the weight of new items that were chosen."""
    weights = bundle.model.fusion
    raised = replace(weights, warm=replace(weights.warm, unseen=tuned.unseen))
    bundle = with_fusion(bundle, raised, bundle.model.repeats)
    return with_neighbours(bundle, mix(parts, tuned.words_weight), tuned.config)


def tune(bundle: Bundle, parts: Arrays, validation: Holdout, drop_below_se: float) -> TunedNeighbours:
    """The choice for users without profiles, after a bundle whose new items were not raised."""
    vectors = vectors_at_one(bundle, validation, [None] * len(validation))
    unraised = bundle.model.fusion.warm.unseen
    return tune_neighbours(bundle, parts, validation, vectors, drop_below_se=drop_below_se, unraised=unraised)


def test_ndcg_of_the_choice_is_that_of_the_served_ranking(bundle: Bundle, parts: Arrays, validation: Holdout) -> None:
    profiles = Profiles([None] * len(validation))
    parts = prophetic(parts, validation)
    tuned = tune(bundle, parts, validation, drop_below_se=1.0)
    assert tuned.config.weight > 0
    assert tuned.gain["low"] is not None
    assert tuned.gain["low"] > 0
    lists = rank_holdout(served(bundle, parts, tuned), validation, profiles, repeats=bundle.model.repeats)
    assert tuned.ndcg == pytest.approx(per_user(lists, validation.targets)["ndcg@10"].mean(), abs=1e-3)


def test_neighbours_that_say_nothing_are_dropped(bundle: Bundle, parts: Arrays, validation: Holdout) -> None:
    nobody: list[ProfileText | None] = [None] * len(validation)
    rng = np.random.default_rng(0)
    noise = {**parts, "bought_rows": rng.permuted(parts["bought_rows"], axis=0), "words_rows": parts["words_rows"] * 0}
    noise["words_weights"] = parts["words_weights"] * 0
    tuned = tune(bundle, noise, validation, drop_below_se=3.0)
    assert tuned.config == NeighbourConfig(0.0, tuned.config.decay)
    lists = rank_holdout(bundle, validation, Profiles(nobody), repeats=bundle.model.repeats)
    assert tuned.ndcg == pytest.approx(per_user(lists, validation.targets)["ndcg@10"].mean(), abs=1e-3)


def test_new_items_are_raised_again_and_cost_little_in_the_served_ranking(
    bundle: Bundle, parts: Arrays, validation: Holdout
) -> None:
    profiles, parts = Profiles([None] * len(validation)), prophetic(parts, validation)
    unbought = np.arange(len(bundle.catalogue)) % 4 == 0
    vectors = bundle.item_vectors.copy()
    vectors[:, bundle.layout.unseen] = unbought[:, None]
    weights = bundle.model.fusion
    unraised = replace(weights, warm=replace(weights.warm, unseen=0.0))
    with_new = replace(
        bundle,
        item_vectors=vectors,
        purchases=np.where(unbought, 0, np.maximum(bundle.purchases, 1)),
        model=replace(bundle.model, fusion=unraised),
    )
    tuned = tune(with_new, parts, validation, drop_below_se=1.0)
    assert tuned.unseen > 0
    before, after = (
        per_user(rank_holdout(model, validation, profiles, repeats=bundle.model.repeats), validation.targets)
        for model in (served(with_new, parts, replace(tuned, unseen=0.0)), served(with_new, parts, tuned))
    )
    assert tuned.ndcg == pytest.approx(after["ndcg@10"].mean(), abs=1e-3)
    assert after["ndcg@10"].mean() > (1 - MAX_LOSS) * before["ndcg@10"].mean() - 1e-3
