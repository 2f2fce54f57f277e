"""Trains a causal transformer: every event predicts the next one, among all items, with a softmax.

Up to `full_softmax_items` the cross-entropy is over all items, because the softmax family ranks well (Klenitskiy and
Vasilev, "Turning Dross Into Gold Loss", RecSys 2023). Above that it is over the batch's own targets and shared samples,
each weighted by the inverse of its chance to be in the batch. Only bought items take part. An item without a purchase
could only be a wrong answer, and the text tower would learn to rank everything new last.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from recsvc.domain.arrays import Rows
from training.config import TrainConfig
from training.fitting.stage import Advance, no_progress

# Logits formed at a time: 9 MB, which stays in the processor's cache.
CHUNK_LOGITS = 4_500_000
# States and sampled items are as many as multiples of these, see `training.fitting.packed_sequences`.
STATES_STEP = 64
ITEMS_STEP = 256
GRADIENT_NORM = 5.0  # longer gradients are cut to this

Indices = NDArray[np.intp]


class NextItemModel(Protocol):
    """A model that can be trained on next items."""

    @property
    def module(self) -> nn.Module:
        """Holds every parameter."""
        ...

    @property
    def max_length(self) -> int:
        """How many of a user's newest items are read."""
        ...

    def item_vectors(self, rows: Tensor | None) -> Tensor:
        """Unit vectors (n, dim) of all items, or of `rows`."""
        ...

    def states(self, users: Indices, items: Tensor, lengths: Indices) -> Tensor:
        """The unit states of these b users after each event, see `training.fitting.packed_sequences.packed_states`."""
        ...


@dataclass(frozen=True)
class Sequences:
    """Training examples: parts of histories.

    Attributes:
        rows: The parts, each of at least one item and of at most `max_length`.
        users: int (s,), the user of each part.
    """

    rows: list[Rows]
    users: Indices

    @staticmethod
    def of(histories: list[Rows], max_length: int) -> "Sequences":
        """Cuts each history into parts from its end, so that only the oldest part can be short."""
        rows, users = [], []
        for user, history in enumerate(histories):
            for end in range(len(history), 0, -max_length):
                rows.append(history[max(0, end - max_length) : end])
                users.append(user)
        return Sequences(rows, np.array(users, np.intp))


@dataclass(frozen=True)
class Competitors:
    """The items that a target competes with.

    Attributes:
        rows: The items that were bought, ascending.
        chances: Of each of them in one draw of a sample: half by their share of the events, half alike.
        shares: Of all events, for each of them.
    """

    rows: Rows
    chances: NDArray[np.float64]
    shares: NDArray[np.float64]

    @staticmethod
    def of(sequences: Sequences) -> "Competitors":
        """The items of some sequences."""
        rows, counts = np.unique(np.concatenate(sequences.rows), return_counts=True)
        shares = counts / counts.sum()
        return Competitors(rows, (shares + 1 / len(rows)) / 2, shares)

    def sampled(self, targets: Rows, draws: int, rng: np.random.Generator) -> tuple[Rows, NDArray[np.float64]]:
        """The targets of a batch and sampled items.

        Returns:
            Ascending rows, and the logarithm of the chance that each of them is in such a batch.
        """
        candidates = np.unique(np.concatenate((targets, rng.choice(self.rows, draws, p=self.chances))))
        places = np.searchsorted(self.rows, candidates)
        missed = len(targets) * np.log1p(-self.shares[places]) + draws * np.log1p(-self.chances[places])
        return candidates, np.log(-np.expm1(missed))


class ChunkedSoftmax(torch.autograd.Function):
    """Mean cross-entropy of (p, d) states against all of (n, d) item vectors.

    The (p, n) logits are never all in memory: the gradient of each chunk is formed while its logits are in the
    processor's cache. States and items are unit vectors, so logits are at most 1 / temperature, and the maximum need
    not be subtracted before the exponential.
    """

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch gives its type no name
        states: Tensor,
        items: Tensor,
        targets: Tensor,
        bias: Tensor | None,
        temperature: float,
    ) -> Tensor:
        """The loss. bias: (n,), added to every row of logits."""
        p, scaled, target_items = len(states), states / temperature, items[targets]
        padded, items16 = functional.pad(scaled, (0, 0, 0, -p % STATES_STEP)), items.bfloat16()
        padded16, state_grad, item_grad = padded.bfloat16(), torch.empty_like(padded), torch.zeros_like(items)
        loss = -(scaled * target_items).sum()
        if bias is not None:
            loss -= bias[targets].sum()
        chunk = STATES_STEP * max(1, CHUNK_LOGITS // (STATES_STEP * len(items)))
        for start in range(0, p, chunk):
            part = slice(start, start + chunk)
            logits = padded16[part] @ items16.T
            # All in bfloat16, except with a bias: the biases of sampled items are large beside its precision.
            weights = logits.exp_() if bias is None else (logits.float() + bias).exp_().bfloat16()
            totals = weights.sum(dim=1, keepdim=True).float()
            loss += totals[: p - start].log().sum()
            # The division by the totals is cheaper on the (p, d) side than on the (p, n) one.
            state_grad[part] = (weights @ items16).float() / totals
            item_grad += weights.T @ (padded[part] / totals).bfloat16()
        state_grad = state_grad[:p] - target_items
        item_grad.index_add_(0, targets, scaled, alpha=-1.0)
        ctx.save_for_backward(state_grad / (temperature * p), item_grad / p)
        return loss / p

    @staticmethod
    def backward(
        ctx: Any,  # noqa: ANN401 - torch gives its type no name
        gradient: Tensor,
    ) -> tuple[Tensor, Tensor, None, None, None]:
        """The gradients of states and items, which `forward` formed."""
        state_grad, item_grad = ctx.saved_tensors
        return gradient * state_grad, gradient * item_grad, None, None, None


def _never_stop(_epoch: int, _loss: float) -> bool:
    return True


def fit_next_item(
    model: NextItemModel,
    sequences: Sequences,
    config: TrainConfig,
    *,
    learning_rate: float,
    epochs: int,
    progress: Advance = no_progress,
    after_epoch: Callable[[int, float], bool] = _never_stop,
) -> None:
    """Trains the model in place.

    Args:
        model: The model to train.
        sequences: The examples.
        config: Batches, sampling, temperature and seed.
        learning_rate: The highest rate. It warms up over the first epoch and then falls with a cosine.
        epochs: How many at most.
        progress: Is called after each batch; an epoch has `batches_an_epoch`.
        after_epoch: Is given the epoch, from 1, and its mean loss. Training stops when it returns False.
    """
    rng = np.random.default_rng(config.seed)
    competitors = Competitors.of(sequences)
    parameters = list(model.module.parameters())
    optimizer = torch.optim.AdamW(parameters, learning_rate, (0.9, 0.98), weight_decay=0.0, fused=True)
    warm_up = batches_an_epoch(sequences, config)
    steps = epochs * warm_up
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min(1.0, (step + 1) / warm_up) * (0.1 + 0.45 * (1 + np.cos(np.pi * min(1.0, step / steps)))),
    )
    for epoch in range(1, epochs + 1):
        model.module.train()
        losses = []
        for batch in _batches(sequences, config, rng):
            optimizer.zero_grad(set_to_none=True)
            losses.append(_add_gradient(model, sequences, batch, competitors, config, rng))
            nn.utils.clip_grad_norm_(parameters, GRADIENT_NORM)
            optimizer.step()
            schedule.step()
            progress(1)
        model.module.eval()
        if not after_epoch(epoch, float(np.mean(losses))):
            break
    model.module.eval()


def batches_an_epoch(sequences: Sequences, config: TrainConfig) -> int:
    """How many batches one epoch has."""
    return len(list(_batches(sequences, config, np.random.default_rng(0))))


def _batches(sequences: Sequences, config: TrainConfig, rng: np.random.Generator) -> Iterator[Indices]:
    """Draws the batches of one epoch.

    All sequences in random order, each batch with about `batch_events` events. A large shop gives a sample of about
    `epoch_events` events in all.
    """
    lengths = np.array([len(rows) for rows in sequences.rows])
    drawn = rng.permutation(len(lengths))
    drawn = drawn[: np.searchsorted(np.cumsum(lengths[drawn]), config.epoch_events) + 1]
    # Equal batches: a last one of a few sequences would take as large a step as a full one.
    return iter(np.array_split(drawn, max(1, round(lengths[drawn].sum() / config.batch_events))))


def _add_gradient(
    model: NextItemModel,
    sequences: Sequences,
    batch: Indices,
    competitors: Competitors,
    config: TrainConfig,
    rng: np.random.Generator,
) -> float:
    """Adds one batch's gradient to the model's, and returns its mean loss."""
    lengths = np.array([len(sequences.rows[i]) for i in batch])
    by_length = np.argsort(lengths, kind="stable")
    batch, lengths = batch[by_length], lengths[by_length]
    flat = np.concatenate([sequences.rows[i] for i in batch])
    candidates, bias = competitors.rows, None
    if len(candidates) > config.full_softmax_items:
        candidates, log_chances = competitors.sampled(flat, config.sampled_items, rng)
        # A sampled item stands for those that were not: it counts as much more as its chance was less than 1.
        bias = -torch.from_numpy(log_chances).float()
        more = -len(candidates) % ITEMS_STEP  # the last item again, with no chance
        candidates, bias = np.pad(candidates, (0, more), mode="edge"), functional.pad(bias, (0, more), value=-torch.inf)
        vectors = model.item_vectors(torch.from_numpy(candidates.astype(np.int64)))
    else:
        vectors = model.item_vectors(None).index_select(0, torch.from_numpy(candidates.astype(np.int64)))
    places = torch.from_numpy(np.searchsorted(candidates, flat))
    # The last item of each sequence is a target alone: nothing follows it.
    is_read = np.ones(len(flat), np.bool_)
    is_read[np.cumsum(lengths) - 1] = False
    with torch.autocast("cpu", torch.bfloat16):
        read = vectors.index_select(0, places[torch.from_numpy(is_read)])
        states = model.states(sequences.users[batch], read, lengths - 1).float()
    arguments = (states, vectors, places, bias, config.temperature)
    loss: Tensor = ChunkedSoftmax.apply(*arguments)  # type: ignore[no-untyped-call]  # torch has no type for it
    loss.backward()  # type: ignore[no-untyped-call]  # torch has no type for it
    return float(loss.detach())
