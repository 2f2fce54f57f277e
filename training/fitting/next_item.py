"""Training a causal transformer: every event predicts the next one, among all items, with a softmax.

Full cross-entropy over the items up to `full_softmax_items`, as the softmax family is what ranks well (Klenitskiy and
Vasilev, "Turning Dross Into Gold Loss", RecSys 2023); above, over the batch's own targets and shared samples with the
logQ correction (Yi et al., RecSys 2019). Only items that were bought take part: one that never was could only ever be a
wrong answer, and the text tower would learn to rank what is new below everything.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from recsvc.domain.arrays import Rows
from training.config import TrainConfig

# Logits formed at a time: 9 MB, which stays in the processor's cache.
CHUNK_LOGITS = 4_500_000
# Sequences of a batch that are worked on together are of like length: padding to the longest wastes most of the work.
LENGTH_GROUPS = 3
GRADIENT_NORM = 5.0

Indices = NDArray[np.intp]


class NextItemModel(Protocol):
    """What can be trained. module: every parameter. max_length: how many items it reads."""

    @property
    def module(self) -> nn.Module: ...

    @property
    def max_length(self) -> int: ...

    def item_vectors(self, rows: Tensor | None) -> Tensor:
        """Unit vectors (n, dim) of all items, or of `rows`."""
        ...

    def states(self, users: Indices, sequences: Tensor) -> Tensor:
        """(b, 1 + length, dim) unit states of these users, after each of the (b, length, dim) items."""
        ...


@dataclass(frozen=True)
class Sequences:
    """What is learned from: parts of histories, each at most max_length long and at least one.

    rows: the parts. users: int (s,), whose each is.
    """

    rows: list[Rows]
    users: Indices

    @staticmethod
    def of(histories: list[Rows], max_length: int) -> "Sequences":
        """Cuts each history into parts from its end, so that the newest part is whole."""
        rows, users = [], []
        for user, history in enumerate(histories):
            for end in range(len(history), 0, -max_length):
                rows.append(history[max(0, end - max_length) : end])
                users.append(user)
        return Sequences(rows, np.array(users, np.intp))


@dataclass(frozen=True)
class Competitors:
    """The items that were bought, ascending rows, and their share of all events."""

    rows: Rows
    shares: NDArray[np.float64]


class ChunkedSoftmax(torch.autograd.Function):
    """Mean cross-entropy of (p, d) states against all of (n, d) item vectors, without the (p, n) logits ever being
    whole in memory: the gradient of each chunk is formed while its logits are in the processor's cache.

    States and items are unit vectors, so logits are at most 1 / temperature and their exponentials need no maximum
    taken off. bias: (n,) is added to every row of logits.
    """

    @staticmethod
    def forward(ctx, states: Tensor, items: Tensor, targets: Tensor, bias: Tensor | None, temperature: float) -> Tensor:  # type: ignore[no-untyped-def]
        scaled, own = states / temperature, items[targets]
        scaled16, items16 = scaled.bfloat16(), items.bfloat16()
        state_grad, item_grad = torch.empty_like(states), torch.zeros_like(items)
        loss = -(scaled * own).sum()
        if bias is not None:
            loss -= bias[targets].sum()
        chunk = max(16, CHUNK_LOGITS // len(items))
        for start in range(0, len(states), chunk):
            part = slice(start, start + chunk)
            logits = scaled16[part] @ items16.T
            # In bfloat16 throughout, but for a bias: sampled items' are large beside its precision.
            weights = logits.exp_() if bias is None else (logits.float() + bias).exp_().bfloat16()
            totals = weights.sum(dim=1, keepdim=True).float()
            loss += totals.log().sum()
            # The division by the totals is cheaper on the (p, d) side than on the (p, n) one.
            state_grad[part] = (weights @ items16).float() / totals
            item_grad += weights.T @ (scaled[part] / totals).bfloat16()
        state_grad -= own
        item_grad.index_add_(0, targets, scaled, alpha=-1.0)
        ctx.save_for_backward(state_grad / (temperature * len(states)), item_grad / len(states))
        return loss / len(states)

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        state_grad, item_grad = ctx.saved_tensors
        return gradient * state_grad, gradient * item_grad, None, None, None


def fit_next_item(
    model: NextItemModel,
    sequences: Sequences,
    config: TrainConfig,
    learning_rate: float,
    epochs: int,
    progress: Callable[[int], None] = lambda done: None,
    after_epoch: Callable[[int, float], bool] = lambda epoch, loss: True,
) -> None:
    """Trains the model for `epochs` or until `after_epoch` (given the epoch from 1 and its mean loss) says False;
    progress is told after each batch, of `batches_an_epoch` an epoch.
    """
    rng = np.random.default_rng(config.seed)
    bought, counts = np.unique(np.concatenate(sequences.rows), return_counts=True)
    competitors = Competitors(bought, counts / counts.sum())
    parameters = list(model.module.parameters())
    optimizer = torch.optim.AdamW(parameters, learning_rate, (0.9, 0.98), weight_decay=0.0, fused=True)
    an_epoch = batches_an_epoch(sequences, config)
    steps, warm_up = epochs * an_epoch, an_epoch
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min(1.0, (step + 1) / warm_up) * (0.1 + 0.45 * (1 + np.cos(np.pi * min(1.0, step / steps)))),
    )
    for epoch in range(1, epochs + 1):
        model.module.train()
        losses = []
        for batch in _batches(sequences, config, rng):
            optimizer.zero_grad(set_to_none=True)
            losses.append(_learn(model, sequences, batch, competitors, config, rng))
            nn.utils.clip_grad_norm_(parameters, GRADIENT_NORM)
            optimizer.step()
            schedule.step()
            progress(1)
        model.module.eval()
        if not after_epoch(epoch, float(np.mean(losses))):
            break
    model.module.eval()


def batches_an_epoch(sequences: Sequences, config: TrainConfig) -> int:
    return len(list(_batches(sequences, config, np.random.default_rng(0))))


def _batches(sequences: Sequences, config: TrainConfig, rng: np.random.Generator) -> Iterator[Indices]:
    """All sequences in random order, each batch with about `batch_events` events; of a large shop a sample of about
    `epoch_events` in all.
    """
    lengths = np.array([len(rows) for rows in sequences.rows])
    drawn = rng.permutation(len(lengths))
    drawn = drawn[: np.searchsorted(np.cumsum(lengths[drawn]), config.epoch_events) + 1]
    # Equal batches: a last one of a few sequences would take as large a step as a full one.
    return iter(np.array_split(drawn, max(1, round(lengths[drawn].sum() / config.batch_events))))


def _learn(
    model: NextItemModel,
    sequences: Sequences,
    batch: Indices,
    competitors: Competitors,
    config: TrainConfig,
    rng: np.random.Generator,
) -> float:
    """Adds one batch's gradient to the model's, and gives its mean loss."""
    lengths = np.array([len(sequences.rows[i]) for i in batch])
    batch = batch[np.argsort(lengths, kind="stable")]
    flat = np.concatenate([sequences.rows[i] for i in batch])
    candidates, bias = competitors.rows, None
    if len(candidates) > config.full_softmax_items:
        sampled = rng.choice(candidates, config.sampled_items, p=competitors.shares)
        candidates = np.unique(np.concatenate((flat, sampled)))
        expected = competitors.shares[np.searchsorted(competitors.rows, candidates)]
        bias = -torch.from_numpy(np.log(expected * (config.sampled_items + len(flat)))).float()
        vectors = model.item_vectors(torch.from_numpy(candidates.astype(np.int64)))
    else:
        vectors = model.item_vectors(None).index_select(0, torch.from_numpy(candidates.astype(np.int64)))
    places = torch.from_numpy(np.searchsorted(candidates, flat))
    states, done = [], 0
    for group in np.array_split(batch, min(LENGTH_GROUPS, len(batch))):
        group_lengths = torch.tensor([len(sequences.rows[i]) for i in group])
        mask = torch.arange(int(group_lengths.max())) < group_lengths[:, None]
        part = places[done : done + int(group_lengths.sum())]
        done += len(part)
        padded = torch.zeros(*mask.shape, vectors.shape[1]).masked_scatter(mask[:, :, None], vectors[part])
        with torch.autocast("cpu", torch.bfloat16):
            states.append(model.states(sequences.users[group], padded)[:, :-1][mask].float())
    loss = ChunkedSoftmax.apply(torch.cat(states), vectors, places, bias, config.temperature)
    loss.backward()  # type: ignore[no-untyped-call]
    return float(loss.detach())
