"""Late fusion: what each block and the repeat scores count, tuned on validation over cached block scores."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recsvc.model.bundle import Bundle
from recsvc.model.repeat_purchase import RepeatConfig
from recsvc.model.towers.user import BLOCKS, BlockWeights, FusionWeights, ProfileText
from training.data.split import Holdout
from training.fitting.block_scores import TYPICAL, CachedScores, cached_scores
from training.metrics import interval

# Each weight is tried at these multiples of where it stands, far ones too (NDCG has more than one hill); the search
# ends when none of them helps.
FACTORS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.85, 1.2, 1.5, 2.0, 3.0, 10.0, 100.0)
ROUNDS = 4
# What helps new items is raised to the last of these shares of the weights that costs at most COST of the NDCG: who
# buys them is hardly in validation, and all that is sold was new once. With too few new items to see what it costs it
# stays at USUAL, about what other shops end at.
UNSEEN = tuple(np.geomspace(0.01, 1.0, 25).tolist())
COST, USUAL, COLD_ITEMS = 0.005, 0.1, 10
# At most so many combinations are tried.
TRIES = ROUNDS * (5 * (len(BLOCKS) + 1) * len(FACTORS) + len(TYPICAL)) + len(UNSEEN)
# With fewer profiles in validation than this the weights of cold users would be tuned to noise.
COLD_USERS = 100
# A block is dropped when what it adds is less than so many standard errors; what newcomers' profiles say, and to leave
# out what people bought, must add more than so many.
NOISE, CERTAIN = 1.0, 2.0

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
        return RepeatConfig(self.repeat_weight, self.repeat_typical, exclude_bought=self.masked)

    def ndcg(self, scores: CachedScores) -> NDArray[np.float64]:
        return scores.ndcg(self.blocks, self.repeats)

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
    cold_items = np.count_nonzero(bundle.purchases == 0)
    warm, ndcg = help_new_items(scores, warm, ndcg, cold_items, progress)
    cold, cold_ndcg = _tune_cold(bundle, holdout, profiles, progress, drop_blocks)
    return Tuned(warm.scaled(), float(ndcg.mean()), cold, cold_ndcg, gains, tuple(dropped))


def _tune_cold(
    bundle: Bundle,
    holdout: Holdout,
    profiles: list[ProfileText | None],
    progress: Callable[[int], None],
    drop_blocks: bool,
) -> tuple[Fusion, float] | tuple[None, None]:
    """The weights for newcomers, and their NDCG@10, from users reduced to their profile."""
    with_profile = np.array([i for i, profile in enumerate(profiles) if profile is not None], np.intp)
    if len(with_profile) < COLD_USERS:
        return None, None
    newcomers = holdout.select(with_profile).without_histories()
    scores = cached_scores(bundle, newcomers, [profiles[i] for i in with_profile])
    best, ndcg = _search(scores, COLD, ["prior"], progress)
    by_prior = Fusion(BlockWeights(prior=1.0))
    ndcg_by_prior = by_prior.ndcg(scores)
    if drop_blocks and not _clearly(ndcg - ndcg_by_prior, CERTAIN):
        # A profile that does not clearly help would only make a newcomer's list worse than what is popular.
        best, ndcg = by_prior, ndcg_by_prior
    return best.scaled(), float(ndcg.mean())


def _clearly(gains: NDArray[np.float64], noise: float) -> bool:
    """Whether the mean over users is more than `noise` standard errors above 0."""
    return bool(gains.mean() > noise * gains.std() / np.sqrt(len(gains)))


def _search(
    scores: CachedScores, start: Fusion, names: list[str], progress: Callable[[int], None]
) -> tuple[Fusion, NDArray[np.float64]]:
    best, best_ndcg = start, start.ndcg(scores)
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
                if (ndcg := candidate.ndcg(scores)).mean() > best_ndcg.mean():
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
            if (tried := candidate.ndcg(scores)).mean() < (1 - COST) * ndcg.mean():
                break
            best, best_ndcg = candidate, tried
    return best, best_ndcg
