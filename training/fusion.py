"""Late fusion: what each block and the repeat scores count, tuned on validation over cached block scores."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recsvc.bundle import Bundle
from recsvc.ranking import rank
from recsvc.repeats import RepeatConfig, repeat_scores
from recsvc.towers.user import BlockWeights, ProfileText
from training.metrics import per_user
from training.split import Holdout

# Each weight is tried at these multiples of where it stands; the search ends when none of them helps.
FACTORS = (0.0, 0.5, 0.7, 0.85, 1.2, 1.5, 2.0, 4.0)
HALF_LIVES = (15.0, 30.0, 60.0, 120.0, 365.0)
ROUNDS = 4
POOL = 300


@dataclass(frozen=True)
class Fusion:
    """One point of the search."""

    text: float = 1.0
    collaborative: float = 1.0
    prior: float = 0.1
    repeat_weight: float = 0.5
    repeat_half_life: float = 60.0

    @property
    def block_weights(self) -> BlockWeights:
        return BlockWeights(self.text, self.collaborative, self.prior)

    @property
    def repeats(self) -> RepeatConfig:
        return RepeatConfig(self.repeat_weight, self.repeat_half_life)


def tune(
    bundle: Bundle,
    holdout: Holdout,
    profiles: list[ProfileText | None],
    progress: Callable[[int], None] = lambda done: None,
) -> tuple[Fusion, float]:
    """The weights with the best mean NDCG@10 over the holdout, by coordinate search, and that value.

    The candidates are each block's own best POOL and the user's history, ranked by the function that serves.
    """
    blocks = bundle.user_tower(BlockWeights(1.0, 1.0, 1.0)).user_vectors(holdout.histories, profiles)
    layout = bundle.layout
    pools = _pools(blocks, bundle, [layout.text, layout.collaborative, layout.prior])

    def quality(fusion: Fusion) -> float:
        progress(1)
        scale = np.ones(blocks.shape[1], np.float32)
        for name in ("text", "collaborative", "prior"):
            scale[getattr(layout, name)] = getattr(fusion, name)
        ranked = []
        for i, history in enumerate(holdout.histories):
            excluded = history.rows if holdout.exclude_history else history.rows[:0]
            gains = repeat_scores(history, holdout.time, bundle.repeat_rates, fusion.repeats)
            ranked.append(rank(blocks[i] * scale, bundle.item_vectors, pools[i], 10, excluded, *gains).rows)
        return float(per_user(ranked, holdout.targets)["ndcg@10"].mean())

    best = Fusion(repeat_weight=0.0) if holdout.exclude_history else Fusion()
    best_quality = quality(best)
    names = ["collaborative", "text", "prior"]
    if not holdout.exclude_history:
        names += ["repeat_weight", "repeat_half_life"]
    for _ in range(ROUNDS):
        before = best_quality
        for name in names:
            if name == "repeat_half_life":
                tries = list(HALF_LIVES)
            else:
                tries = [getattr(best, name) * factor for factor in FACTORS]
            for value in tries:
                candidate = replace(best, **{name: value})
                if candidate != best and any(asdict(candidate)[n] for n in ("text", "collaborative", "prior")):
                    found = quality(candidate)
                    if found > best_quality:
                        best, best_quality = candidate, found
        if best_quality - before < 1e-5:
            break
    return best, best_quality


def _pools(blocks: NDArray[np.float32], bundle: Bundle, parts: list[slice]) -> list[NDArray[np.int32]]:
    size = min(POOL, len(bundle.catalogue))
    found: list[list[NDArray[np.int32]]] = [[] for _ in blocks]
    for part in parts:
        items = np.ascontiguousarray(bundle.item_vectors[:, part].T)
        for start in range(0, len(blocks), 128):
            scores = blocks[start : start + 128, part] @ items
            top = np.argpartition(-scores, size - 1, axis=1)[:, :size]
            for i, rows in enumerate(top):
                found[start + i].append(rows.astype(np.int32))
    return [np.unique(np.concatenate(rows)) for rows in found]
