"""Late fusion: tunes the weights of the blocks and of the repeat bonus on validation, over cached scores."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats
from recsvc.model.bundle import Bundle
from recsvc.model.repeat_purchase import RepeatConfig
from recsvc.model.towers.blocks import BLOCKS, BlockWeights, FusionWeights
from recsvc.model.towers.user import ProfileText
from training.data.split import Holdout
from training.fitting.block_scores import BASELINE_PROBABILITIES, CachedScores, cached_scores, vectors_at_one
from training.fitting.new_items import (
    DEFAULT_UNSEEN_SHARE,
    MIN_COLD_ITEMS,
    UNSEEN_SHARES,
    knows_new_items,
    raise_unseen,
)
from training.fitting.stage import Advance, no_progress
from training.metrics import interval

# The search tries each weight at these multiples of its value. Some are far away, because NDCG has more than one
# maximum. It ends when none of them helps.
FACTORS: tuple[float, ...] = (0.0, 0.1, 0.3, 0.5, 0.7, 0.85, 1.2, 1.5, 2.0, 3.0, 10.0, 100.0)
ROUNDS: int = 4  # over all weights, at most
MIN_ROUND_GAIN: float = 1e-5  # of the mean NDCG@10; the search ends after a round that gains less
FIRST_TRY: float = 0.05  # the factors multiply this weight where the weight is 0

# The search begins from each of these points, over a part of the users, and goes on over all users from where it found
# the best: NDCG@10 has more than one maximum.
START = BlockWeights(sequence=1.0, text=1.0, lexical=0.3, collaborative=0.3, prior=0.05)
STARTS: tuple[BlockWeights, ...] = (
    START,
    replace(START, sequence=0.2, collaborative=0.03),
    replace(START, text=0.2, collaborative=0.03),
    replace(START, sequence=0.1, text=0.1, collaborative=1.0),
)
START_USERS: int = 4_000  # the part of the users, at most

# At most this many combinations are tried.
TRIES: int = ROUNDS * (
    (5 + len(STARTS)) * (len(BLOCKS) + 1) * len(FACTORS) + (1 + len(STARTS)) * len(BASELINE_PROBABILITIES)
) + len(UNSEEN_SHARES)

# With fewer profiles in validation the weights of cold users would be tuned to noise.
MIN_COLD_USERS: int = 100

# Standard errors of the mean gain over users.
DROP_BELOW_SE: float = 1.0  # drop a block whose gain is below this
REQUIRE_ABOVE_SE: float = 2.0  # cold users' profiles, and excluding bought items, must gain more than this

# The blocks that a bundle can do without. Text stays, for new items and for users with a profile alone; so does the
# prior.
PRUNABLE = ("lexical", "collaborative", "sequence")
START_REPEAT_WEIGHT: float = 0.5


@dataclass(frozen=True)
class Fusion:
    """One point of the search.

    Attributes:
        blocks: The weights of the blocks.
        repeat_weight: Of the repeat bonus.
        repeat_typical: The baseline probability of the repeat bonus (`RepeatConfig.baseline_probability`).
        masked: Whether bought items are excluded (`RepeatConfig.exclude_bought`).
    """

    blocks: BlockWeights
    repeat_weight: float = 0.0
    repeat_typical: float = 0.03
    masked: bool = False

    def at(self, name: str, value: float) -> "Fusion":
        """The point with another value for a block's weight, for "repeat_weight" or for "repeat_typical"."""
        if name in BLOCKS:
            return replace(self, blocks=replace(self.blocks, **{name: value}))
        if name == "repeat_weight":
            return replace(self, repeat_weight=value)
        return replace(self, repeat_typical=value)

    def value(self, name: str) -> float:
        """The value that `at` changes."""
        return float(getattr(self.blocks if name in BLOCKS else self, name))

    @property
    def repeats(self) -> RepeatConfig:
        """The repeat bonus at this point, without coefficients."""
        return RepeatConfig(self.repeat_weight, self.repeat_typical, exclude_bought=self.masked)

    def ndcg(self, scores: CachedScores) -> NDArray[np.float64]:
        """The NDCG@10 of each validation user at this point."""
        return scores.ndcg(self.blocks, self.repeats)

    def ndcg_along(self, scores: CachedScores, name: str, values: Sequence[float]) -> list[NDArray[np.float64]]:
        """The same with each of some values that `at` would give `name`."""
        if name == "repeat_typical":
            return [self.at(name, value).ndcg(scores) for value in values]
        return scores.ndcg_along(self.blocks, self.repeats, name, values)

    def scaled(self) -> "Fusion":
        """The same ranking with block weights that sum to 1.

        So scores of any bundle are of one size, and so are the differences that count as rounding errors.
        """
        total = sum(self.blocks)
        blocks = BlockWeights(*(weight / total for weight in self.blocks))
        return replace(self, blocks=blocks, repeat_weight=self.repeat_weight / total)

    def as_json(self) -> dict[str, float | bool]:
        """The point as evaluation.json holds it."""
        return {
            **asdict(self.blocks),
            "repeat_weight": self.repeat_weight,
            "repeat_typical": self.repeat_typical,
            "masked": self.masked,
        }


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """The weights that are best on validation.

    Attributes:
        warm: The best point for all users, with the weight of new items raised.
        warm_ndcg: Its mean NDCG@10.
        unraised: The weight of new items before it was raised, beside the weights of `warm`.
        cold: The best point for users reduced to their profile; None if too few users have one.
        cold_ndcg: Its mean NDCG@10.
        gains: What each block that can be dropped adds to the others, as an interval of NDCG@10 paired by user.
        dropped: The blocks whose gain is not above noise.
    """

    warm: Fusion
    warm_ndcg: float
    unraised: float
    cold: Fusion | None
    cold_ndcg: float | None
    gains: Mapping[str, Mapping[str, float | None]]
    dropped: tuple[str, ...]

    @property
    def weights(self) -> FusionWeights:
        """The block weights for users with and without a history."""
        return FusionWeights(self.warm.blocks, (self.cold or COLD).blocks)


COLD = Fusion(BlockWeights(text=1.0, prior=0.1))


def tune(
    bundle: Bundle,
    holdout: Holdout,
    profiles: list[ProfileText | None],
    vectors: Floats,
    progress: Advance = no_progress,
    *,
    drop_blocks: bool = True,
) -> Tuned:
    """Finds the weights with the best mean NDCG@10 over the holdout, by coordinate search over cached scores.

    Args:
        bundle: The draft to tune.
        holdout: The validation users.
        profiles: Of the same users, in the same order.
        vectors: Of the same users, see `vectors_at_one`.
        progress: Is called after each combination that was tried, at most TRIES.
        drop_blocks: Also leaves out the blocks, and the profiles of new users, whose gain is not above noise.
    """
    held = [name for name, part in zip(BLOCKS, bundle.layout, strict=True) if part.stop > part.start]
    can_repeat = bool(bundle.model.repeats.coefficients)
    repeats = not holdout.exclude_history and can_repeat
    names = [*held, "repeat_weight", "repeat_typical"] if repeats else list(held)
    starts = [
        Fusion(
            BlockWeights(**{name: getattr(blocks, name) for name in held}),
            repeat_weight=START_REPEAT_WEIGHT if repeats else 0.0,
            masked=holdout.exclude_history and not can_repeat,
        )
        for blocks in STARTS
    ]
    scores = cached_scores(bundle, holdout, vectors)
    warm, ndcg = _search(scores, best_start(scores, starts, names, progress), names, progress)
    if not holdout.exclude_history:
        masked, ndcg_masked = _search(scores, replace(warm, masked=True), held, progress)
        if is_above(ndcg_masked - ndcg, REQUIRE_ABOVE_SE):
            warm, ndcg = replace(masked, repeat_weight=0.0), ndcg_masked
            names = held
    dropped: list[str] = []
    gains: dict[str, Mapping[str, float | None]] = {}
    for name in (name for name in PRUNABLE if name in held):
        remaining = [other for other in names if other not in (name, *dropped)]
        without, ndcg_without = _search(scores, warm.at(name, 0.0), remaining, progress)
        gains[name] = interval(ndcg - ndcg_without)
        if drop_blocks and not is_above(ndcg - ndcg_without, DROP_BELOW_SE):
            warm, ndcg = without, ndcg_without
            dropped.append(name)
    cold_items = int(np.count_nonzero(bundle.purchases == 0))
    unraised = warm.blocks.unseen
    warm, ndcg = help_new_items(scores, warm, ndcg, cold_items, progress)
    cold, cold_ndcg = _tune_cold(bundle, holdout, profiles, progress, drop_blocks=drop_blocks)
    return Tuned(
        warm=warm.scaled(),
        warm_ndcg=float(ndcg.mean()),
        unraised=unraised / sum(warm.blocks),
        cold=cold,
        cold_ndcg=cold_ndcg,
        gains=gains,
        dropped=tuple(dropped),
    )


def _tune_cold(
    bundle: Bundle,
    holdout: Holdout,
    profiles: list[ProfileText | None],
    progress: Advance,
    *,
    drop_blocks: bool,
) -> tuple[Fusion, float] | tuple[None, None]:
    """The point for new users and its mean NDCG@10, from users reduced to their profile."""
    with_profile = np.array([i for i, profile in enumerate(profiles) if profile is not None], np.intp)
    if len(with_profile) < MIN_COLD_USERS:
        return None, None
    newcomers = holdout.select(with_profile).without_histories()
    vectors = vectors_at_one(bundle, newcomers, [profiles[i] for i in with_profile])
    scores = cached_scores(bundle, newcomers, vectors)
    best, ndcg = _search(scores, COLD, ["prior"], progress)
    by_prior = Fusion(BlockWeights(prior=1.0))
    ndcg_by_prior = by_prior.ndcg(scores)
    if drop_blocks and not is_above(ndcg - ndcg_by_prior, REQUIRE_ABOVE_SE):
        # A profile without a clear gain would only make the list of a new user worse than the popular items.
        best, ndcg = by_prior, ndcg_by_prior
    return best.scaled(), float(ndcg.mean())


def is_above(gains: NDArray[np.float64], standard_errors: float) -> bool:
    """Whether the mean over users is more than this many standard errors above 0."""
    return bool(gains.mean() > standard_errors * gains.std() / np.sqrt(len(gains)))


def best_start(scores: CachedScores, starts: list[Fusion], names: list[str], progress: Advance = no_progress) -> Fusion:
    """The best point that the searches from `starts` reach over a part of the users."""
    some = scores.select(slice(None, None, -(-len(scores) // START_USERS)))
    ends = [_search(some, start, names, progress) for start in starts]
    return max(ends, key=lambda end: float(end[1].mean()))[0]


def _search(
    scores: CachedScores, start: Fusion, names: list[str], progress: Advance
) -> tuple[Fusion, NDArray[np.float64]]:
    """Changes one weight at a time while that helps. Returns the best point and its NDCG@10 by user."""
    best, best_ndcg = start, start.ndcg(scores)
    for _ in range(ROUNDS):
        before = best_ndcg.mean()
        for name in names:
            value = best.value(name)
            multiples = tuple((value or FIRST_TRY) * factor for factor in FACTORS)
            values = BASELINE_PROBABILITIES if name == "repeat_typical" else multiples
            progress(len(values))
            for tried, ndcg in zip(values, best.ndcg_along(scores, name, values), strict=True):
                candidate = best.at(name, tried)
                if any(candidate.blocks) and ndcg.mean() > best_ndcg.mean():
                    best, best_ndcg = candidate, ndcg
        if best_ndcg.mean() - before < MIN_ROUND_GAIN:
            break
    return best, best_ndcg


def help_new_items(
    scores: CachedScores,
    warm: Fusion,
    ndcg: NDArray[np.float64],
    cold_items: int,
    progress: Advance = no_progress,
) -> tuple[Fusion, NDArray[np.float64]]:
    """Raises the weight of items that nobody has bought as far as it costs almost no NDCG@10.

    Args:
        scores: Of the validation users.
        warm: The point to start from.
        ndcg: Its NDCG@10 by user.
        cold_items: How many such items the bundle has; with fewer than MIN_COLD_ITEMS the cost cannot be measured.
        progress: Is called after each share that was tried.

    Returns:
        The point, and its NDCG@10 by user.
    """
    if not knows_new_items(warm.blocks):
        return warm, ndcg
    if cold_items < MIN_COLD_ITEMS:
        return warm.at("unseen", DEFAULT_UNSEEN_SHARE * sum(warm.at("unseen", 0.0).blocks)), ndcg
    weight, raised = raise_unseen(warm.blocks, ndcg, lambda weight: warm.at("unseen", weight).ndcg(scores), progress)
    return warm.at("unseen", weight), raised
