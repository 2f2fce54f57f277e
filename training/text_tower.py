"""Training the text tower: every event predicts the next one, among all items, with a softmax.

Full cross-entropy over the catalogue up to `full_softmax_items`, as the softmax family is what ranks well (Klenitskiy
and Vasilev, "Turning Dross Into Gold Loss", RecSys 2023); above, over the batch's own targets and shared samples with
the logQ correction (Yi et al., RecSys 2019).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from recsvc.towers.text import TextTower, TextTowerConfig
from training.config import TrainConfig

# Logits formed at a time: 8 MB, which stays in the processor's cache.
CHUNK_LOGITS = 2_000_000


@dataclass(frozen=True)
class Sequences:
    """What the tower learns from: parts of histories, each at most max_length long and at least one.

    rows: the parts. users: int (s,), whose each is.
    """

    rows: list[NDArray[np.int32]]
    users: NDArray[np.intp]

    @staticmethod
    def of(histories: list[NDArray[np.int32]], max_length: int) -> "Sequences":
        """Cuts each history into parts from its end, so that the newest part is whole."""
        rows, users = [], []
        for user, history in enumerate(histories):
            for end in range(len(history), 0, -max_length):
                rows.append(history[max(0, end - max_length) : end])
                users.append(user)
        return Sequences(rows, np.array(users, np.intp))


class ChunkedSoftmax(torch.autograd.Function):
    """Mean cross-entropy of (p, d) states against all of (n, d) item vectors, without the (p, n) logits ever being
    whole in memory: the gradient of each chunk is formed while its logits are in the processor's cache.

    States and items are unit vectors, so logits are at most 1 / temperature and their exponentials need no maximum
    taken off. Products are in bfloat16. bias: (n,) is added to every row of logits.
    """

    @staticmethod
    def forward(ctx, states: Tensor, items: Tensor, targets: Tensor, bias: Tensor | None, temperature: float) -> Tensor:  # type: ignore[no-untyped-def]
        scaled = states / temperature
        scaled16, items16 = scaled.bfloat16(), items.bfloat16()
        state_grad, item_grad = torch.empty_like(states), torch.zeros_like(items)
        loss = torch.zeros(())
        for start in range(0, len(states), max(16, CHUNK_LOGITS // len(items))):
            part = slice(start, start + max(16, CHUNK_LOGITS // len(items)))
            wanted = targets[part]
            logits = (scaled16[part] @ items16.T).float()
            if bias is not None:
                logits += bias
            loss -= logits.gather(1, wanted[:, None]).sum()
            exponentials = logits.exp_()
            totals = exponentials.sum(dim=1, keepdim=True)
            loss += totals.log().sum()
            # The division by the totals is cheaper on the (p, d) side than on the (p, n) one.
            weights16 = exponentials.bfloat16()
            state_grad[part] = (weights16 @ items16).float() / totals - items[wanted]
            item_grad += (weights16.T @ (scaled[part] / totals).bfloat16()).float()
        item_grad.index_add_(0, targets, scaled, alpha=-1.0)
        ctx.save_for_backward(state_grad / (temperature * len(states)), item_grad / len(states))
        return loss / len(states)

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        state_grad, item_grad = ctx.saved_tensors
        return gradient * state_grad, gradient * item_grad, None, None, None


def fit_text_tower(
    features: NDArray[np.float32],
    sequences: Sequences,
    profiles: NDArray[np.float32],
    has_profile: NDArray[np.bool_],
    config: TrainConfig,
    epochs: int,
    progress: Callable[[int], None] = lambda done: None,
    after_epoch: Callable[[TextTower, int, float], bool] = lambda tower, epoch, loss: True,
) -> TextTower:
    """Trains a tower for `epochs` or until `after_epoch` (given the tower, the epoch from 1 and its mean loss) says
    False; progress is told after each batch, of `batches_an_epoch` an epoch.

    features: (n, f) the items' text features. profiles: (u, f) the users', zero where has_profile (u,) is False.
    """
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    tower = TextTower(TextTowerConfig(features.shape[1], config.text_dim))
    inputs, profile_inputs = torch.from_numpy(features), torch.from_numpy(profiles)
    popularity = np.bincount(np.concatenate(sequences.rows), minlength=len(features)) + 1.0
    popularity /= popularity.sum()
    optimizer = torch.optim.AdamW(tower.parameters(), config.text_learning_rate, (0.9, 0.98), weight_decay=0.0)
    an_epoch = batches_an_epoch(sequences, config)
    steps, warm_up = epochs * an_epoch, max(1, an_epoch // 2)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min(1.0, (step + 1) / warm_up) * (0.1 + 0.45 * (1 + np.cos(np.pi * min(1.0, step / steps)))),
    )
    for epoch in range(1, epochs + 1):
        tower.train()
        losses = []
        for batch in _batches(sequences, config, rng):
            shown = has_profile[sequences.users[batch]] & (rng.random(len(batch)) >= config.profile_dropout)
            first = tower.first_token(profile_inputs[sequences.users[batch]], torch.from_numpy(shown))
            parts = [sequences.rows[i] for i in batch]
            loss = _loss(tower, inputs, first, parts, popularity, config, rng)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(tower.parameters(), 5.0)
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
            progress(1)
        tower.eval()
        if not after_epoch(tower, epoch, float(np.mean(losses))):
            break
    return tower.eval()


def batches_an_epoch(sequences: Sequences, config: TrainConfig) -> int:
    return len(_batches(sequences, config, np.random.default_rng(0)))


def _batches(sequences: Sequences, config: TrainConfig, rng: np.random.Generator) -> list[NDArray[np.intp]]:
    """Sequences of like length together (padding to the longest wastes most of the work), in random order, each batch
    with about `batch_events` events; of a large shop a sample of about `epoch_events` in all.
    """
    lengths = np.array([len(rows) for rows in sequences.rows])
    drawn = rng.permutation(len(lengths))
    drawn = drawn[: np.searchsorted(np.cumsum(lengths[drawn]), config.epoch_events) + 1]
    order = drawn[np.argsort(lengths[drawn], kind="stable")]
    steps = np.cumsum(lengths[order]) // config.batch_events
    batches = np.split(order, np.flatnonzero(np.diff(steps)) + 1)
    return [batches[i] for i in rng.permutation(len(batches))]


def _loss(
    tower: TextTower,
    inputs: Tensor,
    first: Tensor,
    parts: list[NDArray[np.int32]],
    popularity: NDArray[np.float64],
    config: TrainConfig,
    rng: np.random.Generator,
) -> Tensor:
    flat = np.concatenate(parts)
    if len(inputs) <= config.full_softmax_items:
        candidates = None
        vectors, places = tower.item_vectors(inputs), torch.from_numpy(flat.astype(np.int64))
        bias = None
    else:
        sampled = rng.choice(len(inputs), config.sampled_items, p=popularity)
        candidates, inverse = np.unique(np.concatenate((flat, sampled)), return_inverse=True)
        vectors, places = tower.item_vectors(inputs[candidates]), torch.from_numpy(inverse[: len(flat)])
        expected = popularity[candidates] * (config.sampled_items + len(flat))
        bias = -torch.from_numpy(np.log(expected)).float()
    lengths = torch.tensor([len(part) for part in parts])
    mask = torch.arange(int(lengths.max())) < lengths[:, None]
    padded = torch.zeros(*mask.shape, vectors.shape[1]).masked_scatter(mask[:, :, None], vectors[places])
    states = tower(first, padded)[:, :-1][mask]
    return ChunkedSoftmax.apply(states, vectors, places, bias, config.temperature)  # type: ignore[no-any-return]


def item_block(tower: TextTower, features: NDArray[np.float32]) -> NDArray[np.float32]:
    """The text block of all items, float32 (n, text_dim)."""
    with torch.inference_mode():
        return functional.normalize(tower.item_projection(torch.from_numpy(features)), dim=-1).numpy()
