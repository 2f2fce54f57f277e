"""Late fusion: what each block and the repeat scores count, tuned on validation over cached block scores."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recsvc.bundle import Bundle
from recsvc.domain import EventType
from recsvc.repeats import RepeatConfig, repeat_chances
from recsvc.towers.user import BLOCKS, BlockWeights, FusionWeights, ProfileText
from training.metrics import interval
from training.split import Holdout

# Each weight is tried at these multiples of where it stands, far ones too (NDCG has more than one hill); the search
# ends when none of them helps.
FACTORS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.85, 1.2, 1.5, 2.0, 3.0, 10.0, 100.0)
TYPICAL = (0.003, 0.01, 0.03, 0.1, 0.3)  # see `recsvc.repeats.RepeatConfig`
ROUNDS = 4
# What helps new items is raised to the last of these shares of the weights that costs at most COST of the NDCG: who
# buys them is hardly in validation, but they will be most of what is sold next year. With too few new items to see
# what it costs it stays at USUAL, about what other shops end at.
UNSEEN = tuple(np.geomspace(0.01, 1.0, 25).tolist())
COST, USUAL, COLD_ITEMS = 0.005, 0.1, 10
# At most so many combinations are tried.
TRIES = ROUNDS * (5 * 8 * len(FACTORS) + len(TYPICAL)) + len(UNSEEN)
POOL = 200
# With fewer profiles in validation than this the weights of cold users would be tuned to noise.
COLD_USERS = 100
# A block is dropped when what it adds is less than so many standard errors; what newcomers' profiles say, and to leave
# out what people bought, must add more than so many.
NOISE, CERTAIN = 1.0, 2.0
BATCH = 512
CUT = 10
NEVER = -1e6  # the score of what can never be ranked

Floats = NDArray[np.float32]

# Blocks that a bundle can do without. Text stays, for new items and for users with a profile alone; so does the prior.
PRUNABLE = ("lexical", "collaborative", "sequence")
START = BlockWeights(sequence=1.0, text=1.0, lexical=0.3, collaborative=0.3, prior=0.05)


@dataclass(frozen=True)
class Fusion:
    """One point of the search."""

    blocks: BlockWeights
    repeat_weight: float = 0.0
    repeat_typical: float = 0.03
    masked: bool = False

    def at(self, name: str, value: float) -> "Fusion":
        """The point with another value of a block's weight, or of a field of this class."""
        if name in BLOCKS:
            return replace(self, blocks=replace(self.blocks, **{name: value}))
        return replace(self, **{name: value})

    def value(self, name: str) -> float:
        return float(getattr(self.blocks if name in BLOCKS else self, name))

    @property
    def repeats(self) -> RepeatConfig:
        return RepeatConfig(self.repeat_weight, self.repeat_typical, masked=self.masked)

    def scaled(self) -> "Fusion":
        """The same ranking with block weights that add up to 1: scores of any bundle are of one size, and what counts
        as rounding in them is too.
        """
        total = sum(self.blocks)
        blocks = BlockWeights(*(weight / total for weight in self.blocks))
        return replace(self, blocks=blocks, repeat_weight=self.repeat_weight / total)


@dataclass(frozen=True)
class Tuned:
    """What the validation says: the best point and its NDCG@10 for all users, and for users reduced to their profile
    (None when too few have one). gains: what each block that can be dropped adds to the others, as an interval of
    NDCG@10 paired by user. dropped: those that added nothing that is more than chance.
    """

    warm: Fusion
    warm_ndcg: float
    cold: Fusion | None
    cold_ndcg: float | None
    gains: Mapping[str, Mapping[str, float | None]]
    dropped: tuple[str, ...]

    @property
    def weights(self) -> FusionWeights:
        return FusionWeights(self.warm.blocks, (self.cold or COLD).blocks)


COLD = Fusion(BlockWeights(text=1.0, prior=0.1))


@dataclass(frozen=True)
class CachedScores:
    """What the candidates of each validation user score by each part, so that trying weights is one small product.

    blocks: (u, p, 7), in the order of `BLOCKS`, at weight 1. repeats: typical chance to (u, p), at weight 1.
    bought: bool (u, p), by this user before. wanted: bool (u, p), which are targets. targets: (u,), how many there are,
    in the pool or not.
    """

    blocks: Floats
    repeats: dict[float, Floats]
    bought: NDArray[np.bool_]
    wanted: NDArray[np.bool_]
    targets: NDArray[np.intp]

    def ndcg(self, fusion: Fusion) -> NDArray[np.float64]:
        """(u,) NDCG@10 of ranking every pool by these weights."""
        scores = self.blocks @ np.array(tuple(fusion.blocks), np.float32)
        if fusion.repeat_weight:
            scores += fusion.repeat_weight * self.repeats[fusion.repeat_typical]
        if fusion.masked:
            scores[self.bought] = NEVER
        top = np.argpartition(-scores, CUT, axis=1)[:, :CUT]
        order = np.argsort(-np.take_along_axis(scores, top, axis=1), axis=1)
        found = np.take_along_axis(self.wanted, np.take_along_axis(top, order, axis=1), axis=1)
        discounts = 1 / np.log2(np.arange(2, CUT + 2))
        ideal = np.cumsum(discounts)[np.minimum(self.targets, CUT) - 1]
        return np.asarray(found @ discounts / ideal, np.float64)


def tune(
    bundle: Bundle,
    holdout: Holdout,
    profiles: list[ProfileText | None],
    progress: Callable[[int], None] = lambda done: None,
    drop_blocks: bool = True,
) -> Tuned:
    """The weights with the best mean NDCG@10 over the holdout, by coordinate search over cached scores; then, when
    `drop_blocks`, without the blocks whose loss there is no more than chance, and without newcomers' profiles likewise.
    """
    held = [name for name, part in zip(BLOCKS, bundle.layout, strict=True) if part.stop > part.start]
    repeats = bool(bundle.model.repeats.coefficients)
    start = Fusion(
        BlockWeights(**{name: getattr(START, name) for name in held}), masked=holdout.exclude_history and not repeats
    )
    names = list(held)
    if not holdout.exclude_history and repeats:
        names += ["repeat_weight", "repeat_typical"]
        start = replace(start, repeat_weight=0.5)
    scores = cached_scores(bundle, holdout, profiles)
    warm, ndcg = _search(scores, start, names, progress)
    if not holdout.exclude_history:
        masked, ndcg_masked = _search(scores, replace(warm, masked=True), held, progress)
        if _clearly(ndcg_masked - ndcg, CERTAIN):
            warm, ndcg = replace(masked, repeat_weight=0.0), ndcg_masked
            names = held
    dropped: list[str] = []
    gains: dict[str, Mapping[str, float | None]] = {}
    for name in (name for name in PRUNABLE if name in held):
        left = [n for n in names if n not in (name, *dropped)]
        without, ndcg_without = _search(scores, warm.at(name, 0.0), left, progress)
        gains[name] = interval(ndcg - ndcg_without)
        if drop_blocks and not _clearly(ndcg - ndcg_without, NOISE):
            warm, ndcg = without, ndcg_without
            dropped.append(name)
    cold_items = np.count_nonzero(bundle.item_vectors[:, bundle.layout.unseen])
    warm, ndcg = help_new_items(scores, warm, ndcg, cold_items, progress)
    with_profile = np.array([i for i, profile in enumerate(profiles) if profile is not None], np.intp)
    if len(with_profile) < COLD_USERS:
        return Tuned(warm.scaled(), float(ndcg.mean()), None, None, gains, tuple(dropped))
    cold_scores = cached_scores(
        bundle, holdout.select(with_profile).without_histories(), [profiles[i] for i in with_profile]
    )
    cold, cold_ndcg = _search(cold_scores, COLD, ["prior"], progress)
    by_prior = cold_scores.ndcg(Fusion(BlockWeights(prior=1.0)))
    if drop_blocks and not _clearly(cold_ndcg - by_prior, CERTAIN):
        # A profile that does not clearly help would only make a newcomer's list worse than what is popular.
        cold, cold_ndcg = Fusion(BlockWeights(prior=1.0)), by_prior
    return Tuned(warm.scaled(), float(ndcg.mean()), cold.scaled(), float(cold_ndcg.mean()), gains, tuple(dropped))


def _clearly(gains: NDArray[np.float64], noise: float) -> bool:
    """Whether the mean over users is more than `noise` standard errors above 0."""
    return bool(gains.mean() > noise * gains.std() / np.sqrt(len(gains)))


def _search(
    scores: CachedScores, start: Fusion, names: list[str], progress: Callable[[int], None]
) -> tuple[Fusion, NDArray[np.float64]]:
    best, best_ndcg = start, scores.ndcg(start)
    for _ in range(ROUNDS):
        before = best_ndcg.mean()
        for name in names:
            here = best.value(name)
            tries = TYPICAL if name == "repeat_typical" else tuple((here or 0.05) * factor for factor in FACTORS)
            for value in tries:
                candidate = best.at(name, value)
                progress(1)
                if not any(candidate.blocks):
                    continue
                if (ndcg := scores.ndcg(candidate)).mean() > best_ndcg.mean():
                    best, best_ndcg = candidate, ndcg
        if best_ndcg.mean() - before < 1e-5:
            break
    return best, best_ndcg


def help_new_items(
    scores: CachedScores,
    warm: Fusion,
    ndcg: NDArray[np.float64],
    cold_items: int,
    progress: Callable[[int], None] = lambda done: None,
) -> tuple[Fusion, NDArray[np.float64]]:
    """The point with what helps items that nobody has bought as high as may be, and its NDCG@10. ndcg: that of `warm`.
    cold_items: how many there are to see by what it costs.
    """
    if not warm.blocks.text and not warm.blocks.lexical:
        return warm, ndcg  # nothing tells whom a new item is for
    total = sum(warm.at("unseen", 0.0).blocks)
    if cold_items < COLD_ITEMS:
        return warm.at("unseen", USUAL * total), ndcg
    best, best_ndcg = warm, ndcg
    for share in UNSEEN:
        candidate = warm.at("unseen", share * total)
        progress(1)
        if candidate.blocks.unseen > warm.blocks.unseen:
            if (tried := scores.ndcg(candidate)).mean() < (1 - COST) * ndcg.mean():
                break
            best, best_ndcg = candidate, tried
    return best, best_ndcg


def cached_scores(bundle: Bundle, holdout: Holdout, profiles: list[ProfileText | None]) -> CachedScores:
    """The pools of all users, padded to one length with candidates that can never be ranked."""
    tower = bundle.user_tower(FusionWeights.only(BlockWeights.all(1.0)))
    vectors = np.concatenate(
        [
            tower.user_vectors(holdout.histories[start : start + BATCH], profiles[start : start + BATCH])
            for start in range(0, len(holdout), BATCH)
        ]
    )
    parts, item_repeats = list(bundle.layout), bundle.item_repeats
    pools = []
    for i, rows in enumerate(_best_by_part(bundle, vectors, parts)):
        pools.append(np.setdiff1d(np.union1d(rows, holdout.histories[i].rows), holdout.excluded(i)))
    shape = (len(pools), max(CUT + 1, *map(len, pools)))
    blocks = np.full((*shape, len(parts)), NEVER, np.float32)
    repeats = {typical: np.zeros(shape, np.float32) for typical in TYPICAL}
    bought, wanted = np.zeros(shape, bool), np.zeros(shape, bool)
    for i, pool in enumerate(pools):
        items = bundle.item_vectors[pool]
        for j, part in enumerate(parts):
            blocks[i, : len(pool), j] = items[:, part] @ vectors[i, part]
        wanted[i, : len(pool)] = np.isin(pool, holdout.targets[i])
        if not holdout.exclude_history:
            history = holdout.histories[i]
            bought[i, : len(pool)] = np.isin(pool, history.rows[history.event_types == EventType.PURCHASE])
            rows, chances = repeat_chances(history, holdout.time, item_repeats, bundle.model.repeats)
            places = np.searchsorted(pool, rows)
            for typical, gains in repeats.items():
                gains[i, places] = np.log1p(chances / typical)
    return CachedScores(blocks, repeats, bought, wanted, np.array([len(rows) for rows in holdout.targets]))


def _best_by_part(bundle: Bundle, vectors: Floats, parts: list[slice]) -> list[NDArray[np.int32]]:
    everything, cold = np.arange(len(bundle.catalogue)), np.flatnonzero(bundle.purchases == 0)
    searched = [(part, everything) for part in parts if part.stop > part.start and part != bundle.layout.unseen]
    if len(cold):
        # All cold items are equally unseen: the best of them by their texts.
        searched.append((bundle.layout.text, cold))
    found: list[list[NDArray[np.intp]]] = [[] for _ in vectors]
    for part, rows in searched:
        items, size = np.ascontiguousarray(bundle.item_vectors[rows, part].T), min(POOL, len(rows))
        for start in range(0, len(vectors), 128):
            scores = vectors[start : start + 128, part] @ items
            top = np.argpartition(-scores, size - 1, axis=1)[:, :size]
            for i, places in enumerate(top):
                found[start + i].append(rows[places])
    return [np.unique(np.concatenate(rows)).astype(np.int32) for rows in found]
